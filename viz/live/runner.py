"""Runs policies at a small scale, each branching off the baseline as late as it can.

Member 0 of the ensemble has the central parameters. Member k, from 1 on, has draw k of the posterior and seed + k - 1:
the members are the runs of ``srdi run SCENARIO baseline --params posterior --replicates N``, bit for bit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scenarios.ensembles import machine
from scenarios.ensembles.draws import POSTERIOR, read_draws
from scenarios.files.loading import load_scenario
from sim.branching import branch, first_difference
from sim.calendar import DEFAULT_UNTIL, START, Quarter
from sim.columns import NEVER
from sim.levers import Levers
from sim.model import SRDIModel
from sim.policy import Policy
from sim.shocks import Shocks
from viz.live.cores import Cores

#: Simulated firms per real firm: 109,400 firms at the start.
SCALE = 0.02
#: Runs with posterior draws that intervals rest on.
MEMBERS = 12
#: Firms of the central run whose lives are kept.
PANEL = 400

Tables = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Links:
    """Firms with a main customer at the end of a run, and the firms they supply; arrays (firms,), one row a firm.

    Attributes:
        slot: int64, which firm. customer: int64, slot of the customer, -2 - (chain) for a chain leader, -1 for none.
        niche, sector, county, tier: codes as in `sim.columns`. employment: persons. revenue: yuan a year.
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
        """The links of a model now."""
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
    """One run: its member of the ensemble, its tables as `SRDIModel.tables` gives them, links for the central one."""

    member: int
    tables: Tables
    links: Links | None = None


class Runner:
    """The baseline of every member with copies of it at some quarters, and runs that branch off them.

    Safe for threads: any number may ask at once, and as many runs go on as there are cores.

    Attributes:
        scale, members, until, seed: as asked; `members` counts those with posterior draws.
        baseline: the scenario others are read against.
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
        self.draws = read_draws(POSTERIOR)
        self._cores = Cores(cores or machine.cores())
        self._preparing = [threading.Lock() for _ in range(members + 1)]
        self._kept: dict[int, list[SRDIModel]] = {}
        self._baselines: dict[int, Run] = {}

    def identity(self, member: int) -> dict[str, int]:
        """Draw, replicate and seed of a member, as the ensembles of the command line number them."""
        replicate = max(member - 1, 0)
        return {"draw": member, "replicate": replicate, "seed": self.seed + replicate}

    def baseline_run(self, member: int, patient: bool = False) -> Run:
        """The baseline's run of a member; made, and its copies kept, when first asked for."""
        with self._preparing[member]:
            if member not in self._baselines:
                with self._cores.one(patient) as threads:
                    self._prepare(member, threads)
        return self._baselines[member]

    def ready(self, member: int) -> bool:
        """Whether the member's baseline has been run."""
        return member in self._baselines

    def run(
        self, policy: Policy, member: int, stopped: Callable[[], bool] = lambda: False, patient: bool = False
    ) -> Run | None:
        """Run a policy as a member of the ensemble; the same bits as from the start.

        Args:
            stopped: asked before every quarter, and while waiting for a core; once it says yes the run is given up
                and None returned.
            patient: let those who wait for an answer go first, and leave a core to them.
        """
        baseline = self.baseline_run(member, patient)
        policy = self._with_parameters(policy, member)
        kept = self._kept[member]
        first = first_difference(kept[0].policy, policy)
        if first is None:
            return baseline
        with self._cores.one(patient, stopped) as threads:
            if not threads:
                return None
            model = self._start(kept, policy, first, member, threads)
            try:
                while model.running:
                    if stopped() or (patient and not self._cores.give_way(stopped)):
                        return None
                    model.step()
                return _finished(model, member)
            finally:
                model.close()

    def _start(self, kept: list[SRDIModel], policy: Policy, first: Quarter, member: int, threads: int) -> SRDIModel:
        """A model that follows the policy, as far into the run as the baseline says the same."""
        fitting = [model for model in kept if model.quarter < first]
        if fitting:
            return branch(fitting[-1], policy, threads)
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

    def _prepare(self, member: int, threads: int) -> None:
        """Run the baseline, keeping copies where policies most often part from it."""
        policy = self._with_parameters(self.baseline.policy, member)
        wanted = _partings(self.baseline.policy, few=member > 0)
        model = self._new(policy, member, threads)
        try:
            kept = [branch(model, policy, 1)]
            while model.running:
                model.step()
                if model.quarter in wanted:
                    kept.append(branch(model, policy, 1))
            self._kept[member] = kept
            self._baselines[member] = _finished(model, member)
        finally:
            model.close()

    def _with_parameters(self, policy: Policy, member: int) -> Policy:
        """The policy under a member's draw; what a scenario sets itself is not drawn."""
        drawn = self.draws.parameters(member) if member else {}
        return policy.model_copy(update={"parameters": drawn | policy.parameters})


def _finished(model: SRDIModel, member: int) -> Run:
    return Run(member, model.tables(), Links.of(model) if member == 0 else None)


def _partings(policy: Policy, few: bool) -> set[Quarter]:
    """Quarters after which policies most often part from this one.

    Those before a lever of the policy starts, and before levers and shocks start unless told otherwise; with `few` only
    the first and that of the levers, since every copy takes memory.
    """
    own = [lever.start for _, lever in policy.levers if lever.enabled]
    declared = [field.default.start for field in Levers.model_fields.values() if not field.default.enabled]
    usual = max(set(declared), key=declared.count)
    starts = {min(own), usual} if few else {*own, usual, *(shock.start for _, shock in Shocks())}
    return {quarter + -1 for quarter in map(Quarter.parse, starts) if quarter > START + 1}
