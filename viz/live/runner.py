"""Runs policies at a small scale, each branching off the baseline as late as possible.

Member 0 of the ensemble has the central parameters. Member k, from 1 on, has parameter draw k and seed + k - 1:
the members are the runs of ``srdi run SCENARIO baseline --params DRAWS --replicates N``, bit for bit, with the draws
that `scenarios.ensembles.default_draws` names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from scenarios.ensembles import machine
from scenarios.ensembles.default_draws import default_draws
from scenarios.ensembles.parameter_draws import ParameterDraws, read_parameter_draws
from scenarios.files.loading import DRAW_NAMES, load_scenario
from sim.branching import branch, first_difference
from sim.calendar import DEFAULT_UNTIL, START, Quarter
from sim.firms.columns import NEVER
from sim.levers import Levers
from sim.model import SRDIModel
from sim.policy import Policy
from sim.shocks import Shocks
from viz.live.cores import Cores

#: Simulated firms per real firm: 109,400 firms at the start.
SCALE = 0.02
#: Number of runs with parameter draws for intervals.
MEMBERS = 12
#: Number of firms of the central run whose history is recorded.
PANEL = 400

Tables = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Links:
    """Firms with a main customer at the end of a run, and their customers; arrays (firms,), one row per firm.

    Attributes:
        slot: int64, of the firm. customer: int64, slot of the customer, -2 - (chain) for a chain leader, -1 for none.
        niche, sector, county, tier: codes as in `sim.firms.columns`. employment: persons. revenue: yuan per year.
    """

    slot: np.ndarray
    customer: np.ndarray
    niche: np.ndarray
    sector: np.ndarray
    county: np.ndarray
    tier: np.ndarray
    employment: np.ndarray
    revenue: np.ndarray

    @classmethod
    def of(cls, model: SRDIModel) -> Links:
        """The current links of a model."""
        firms = model.firms.columns
        alive = firms.employment > 0
        sells = alive & (firms.customer != NEVER)
        buys = np.zeros(len(alive), dtype=bool)
        buys[firms.customer[sells & (firms.customer >= 0)]] = True
        slots = np.flatnonzero(alive & (sells | buys))
        names = ("customer", "niche", "sector", "county", "tier", "employment", "revenue")
        return cls(slots, *(getattr(firms, name)[slots] for name in names))


@dataclass(frozen=True, eq=False)
class Run:
    """One run.

    Attributes:
        member: its number in the ensemble. tables: from `SRDIModel.tables`. links: those of the central run.
        reached: the last quarter of a run in progress (see `viz.live.parts`); None for a whole run.
    """

    member: int
    tables: Tables
    links: Links | None = None
    reached: Quarter | None = None


class Runner:
    """The baseline of every member, with copies of the model at some quarters, and runs that branch off them.

    Thread-safe: any number of threads may request runs, and as many runs proceed at once as there are cores.

    Attributes:
        scale, members, until, seed: of the ensemble; `members` is the number of runs with parameter draws.
        baseline: the scenario with which others are compared.
        draws: of the members. central: the single draw of the central run; None for the model's defaults.
        note: a sentence if the draws are not those with published evidence, otherwise empty.
    """

    def __init__(
        self,
        scale: float = SCALE,
        members: int = MEMBERS,
        until: int = DEFAULT_UNTIL,
        seed: int = 1,
        cores: int | None = None,
    ) -> None:
        self.scale, self.members, self.until, self.seed = scale, members, until, seed
        self.baseline = load_scenario("baseline")
        choice = default_draws()
        self.draws, self.note = read_parameter_draws(choice.name), choice.note
        self.central = read_parameter_draws(choice.central) if choice.central in DRAW_NAMES else None
        self._cores = Cores(cores or machine.cores())
        self._preparing = [threading.Lock() for _ in range(members + 1)]
        self._copies: dict[int, list[SRDIModel]] = {}
        self._baselines: dict[int, Run] = {}

    def identity(self, member: int) -> dict[str, int]:
        """Draw, replicate and seed of a member, numbered as in ensembles of the command line."""
        replicate = max(member - 1, 0)
        draw = replicate + 1 if self.draws_of(member) else 0
        return {"draw": draw, "replicate": replicate, "seed": self.seed + replicate}

    def draws_of(self, member: int) -> ParameterDraws | None:
        """The draws from which a member takes its own; None if it has the model's defaults."""
        return self.draws if member else self.central

    def baseline_run(self, member: int, patient: bool = False) -> Run:
        """The baseline run of a member; made on first use, when its copies are stored as well."""
        with self._preparing[member]:
            if member not in self._baselines:
                with self._cores.one(patient) as threads:
                    self._prepare(member, threads, patient)
        return self._baselines[member]

    def ready(self, member: int) -> bool:
        """Whether the member's baseline has been run."""
        return member in self._baselines

    @property
    def crowded(self) -> bool:
        """Whether runs that are not patient wait for a core."""
        return self._cores.awaited

    def run(
        self,
        policy: Policy,
        member: int,
        stopped: Callable[[], bool] = lambda: False,
        patient: bool = False,
        look: Callable[[SRDIModel], None] = lambda model: None,
    ) -> Run | None:
        """Run a policy for a member of the ensemble; bit-identical to a run from the start.

        Args:
            stopped: checked before every quarter, and while waiting for a core; once it returns true, the run is
                abandoned and None returned.
            patient: let runs that a user waits for go first, and leave a core to them.
            look: called with the model after every quarter; must not change it.
        """
        baseline = self.baseline_run(member, patient)
        policy = self._with_parameters(policy, member)
        copies = self._copies[member]
        first = first_difference(copies[0].policy, policy)
        if first is None:
            return baseline
        with self._cores.one(patient, stopped) as threads:
            if not threads:
                return None
            model = self._start(copies, policy, first, member, threads)
            try:
                while model.running:
                    if stopped() or (patient and not self._cores.give_way(stopped)):
                        return None
                    model.step()
                    look(model)
                return _run_of(model, member)
            finally:
                model.close()

    @contextmanager
    def background(self, stopped: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
        """Occupy a core for other runs in the background, such as those that follow single firms.

        Args:
            stopped: checked while waiting for a core.

        Yields:
            A function to call between quarters: it lets runs that a user waits for go first, and returns false once the
            job has been stopped.
        """
        with self._cores.one(True, stopped) as threads:
            yield lambda: bool(threads) and not stopped() and self._cores.give_way(stopped)

    def _start(self, copies: list[SRDIModel], policy: Policy, first: Quarter, member: int, threads: int) -> SRDIModel:
        """A model with the policy, at the latest copied quarter before the policy first differs from the baseline."""
        earlier = [model for model in copies if model.quarter < first]
        if earlier:
            return branch(earlier[-1], policy, threads)
        return self._new(policy, member, threads)

    def _new(self, policy: Policy, member: int, threads: int) -> SRDIModel:
        return SRDIModel(
            policy,
            scale=self.scale,
            rng=self.identity(member)["seed"],
            until=self.until,
            threads=threads,
            firms_panel=0 if member else PANEL,
        )

    def _prepare(self, member: int, threads: int, patient: bool) -> None:
        """Run the baseline, and copy it at the quarters where policies most often diverge from it."""
        policy = self._with_parameters(self.baseline.policy, member)
        quarters = _branch_quarters(self.baseline.policy, few=member > 0)
        model = self._new(policy, member, threads)
        try:
            copies = [branch(model, policy, 1)]
            while model.running:
                if patient:
                    self._cores.give_way()
                model.step()
                if model.quarter in quarters:
                    copies.append(branch(model, policy, 1))
            self._copies[member] = copies
            self._baselines[member] = _run_of(model, member)
        finally:
            model.close()

    def _with_parameters(self, policy: Policy, member: int) -> Policy:
        """The policy with the parameter draw of a member; parameters that the scenario sets are kept."""
        draws = self.draws_of(member)
        parameters = draws.parameters(self.identity(member)["draw"]) if draws else {}
        return policy.model_copy(update={"parameters": parameters | policy.parameters})


def _run_of(model: SRDIModel, member: int) -> Run:
    return Run(member, model.tables(), Links.of(model) if member == 0 else None)


def _branch_quarters(policy: Policy, few: bool) -> set[Quarter]:
    """Quarters after which policies most often diverge from this one.

    These are the quarters before a lever of the policy starts, and before the default start of levers and shocks. With
    `few`, only the first of these and the one before the default start of levers, since every copy takes memory.
    """
    own = [lever.known_from for _, lever in policy.levers if lever.enabled]
    declared = [field.default.start for field in Levers.model_fields.values() if not field.default.enabled]
    usual = max(set(declared), key=declared.count)
    starts = {min(own), usual} if few else {*own, usual, *(shock.start for _, shock in Shocks())}
    return {quarter + -1 for quarter in map(Quarter.parse, starts) if quarter > START + 1}
