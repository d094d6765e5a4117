"""Policies with more or less money, until they cost what they are to cost: searched with the runs of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.analysis.equal_money import TOLERANCE, EqualMoney, compare_at_equal_cost, find_factor
from scenarios.analysis.metrics import CUMULATIVE_COST, choose_metrics
from scenarios.errors import InputError
from scenarios.files.scaling import Scaling, scaling
from scenarios.files.schema import Scenario
from sim.calendar import Quarter
from viz.live.background import PairedRuns, Progress
from viz.live.measures import national
from viz.live.runner import Run, Runner


class CostsNoMore(InputError):
    """A policy that costs no more than the baseline, and so has no money to scale."""


@dataclass(frozen=True, eq=False)
class Rescaled:
    """A policy that was given more or less money.

    Attributes:
        scaling: of the policy as given. scenario: at the factor. factor: 1 is as given.
        given, cost: additional full public cost over the whole run, yuan, mean over the pairs: as given, and now.
        wanted: what it was to be. runs: of the scenario. tried: number of factors. pairs: of runs.
    """

    scaling: Scaling
    scenario: Scenario
    factor: float
    given: float
    cost: float
    wanted: float
    runs: Sequence[Run]
    tried: int
    pairs: int

    @property
    def within(self) -> bool:
        """Whether the cost is what was wanted, within the tolerance."""
        return abs(self.cost - self.wanted) <= TOLERANCE * self.wanted


class Costs:
    """Additional full public cost of scenarios over the whole run: mean over pairs with the baseline."""

    def __init__(self, paired: PairedRuns) -> None:
        self._paired = paired
        self._before = [_cost(run) for run in paired.baseline()]
        self.runs: dict[tuple[str, float], list[Run]] = {}

    def at(self, scaled: Scaling, factor: float) -> float:
        """Cost of a policy at a factor, yuan; its runs are kept."""
        runs = self._paired.of(scaled.at(factor, scaled.scenario.name))
        self.runs[scaled.scenario.name, factor] = runs
        costs = [_cost(run) - before for run, before in zip(runs, self._before, strict=True)]
        return sum(costs) / len(costs)


def _cost(run: Run) -> float:
    return float(national(run, CUMULATIVE_COST)[-1])


def rescaled(costs: Costs, scaled: Scaling, given: float, wanted: float, pairs: int) -> Rescaled:
    """The policy at the factor at which it costs what is wanted.

    Args:
        given: cost at 1, whose runs `costs` has. pairs: of runs.

    Raises:
        CostsNoMore: it costs no more than the baseline. OutOfReach: it cannot cost what is wanted.
        Stopped: the job is no longer wanted.
    """
    name = scaled.scenario.name
    if not given > 0.0:
        raise CostsNoMore(f"{name!r} costs no more than the baseline; only a policy that costs more can be rescaled")
    found_costs = {1.0: given}

    def cost_at(factor: float) -> float:
        found_costs[factor] = costs.at(scaled, factor)
        return found_costs[factor]

    search = find_factor(cost_at, scaled, given, wanted, TOLERANCE)
    return Rescaled(
        scaling=scaled,
        scenario=scaled.at(search.factor, name),
        factor=search.factor,
        given=given,
        cost=found_costs[search.factor],
        wanted=wanted,
        runs=costs.runs[name, search.factor],
        tried=search.tried,
        pairs=pairs,
    )


def rescale(runner: Runner, scenario: Scenario, wanted: float, progress: Progress, members: int = 0) -> Rescaled:
    """Scale what a policy adds to the baseline until it costs what is wanted.

    Args:
        wanted: additional full public cost over the whole run, yuan. members: pairs of runs; 0 means all.

    Raises:
        InputError: as in `rescaled`. NothingToScale: nothing of the policy can be scaled.
        Stopped: the job is no longer wanted.
    """
    pairs = members or runner.members
    scaled = scaling(runner.baseline, scenario)
    costs = Costs(PairedRuns(runner, pairs, progress))
    return rescaled(costs, scaled, costs.at(scaled, 1.0), wanted, pairs)


def at_equal_money(
    runner: Runner, policies: Sequence[Scenario], wanted: float | None, progress: Progress
) -> tuple[EqualMoney, list[Rescaled]]:
    """Scale policies to the same additional public cost and compare them pair by pair.

    Args:
        policies: two or more, with different names. wanted: yuan; None means that of the cheapest as given.

    Raises:
        InputError: fewer than two policies, or as in `rescale`.
        Stopped: the job is no longer wanted.
    """
    if len(policies) < 2:
        raise InputError(f"equal money compares two policies or more; {len(policies)} was given")
    paired = PairedRuns(runner, runner.members, progress)
    costs = Costs(paired)
    scalings = [scaling(runner.baseline, policy) for policy in policies]
    given = [costs.at(each, 1.0) for each in scalings]
    aim = min(given) if wanted is None else wanted
    found = [rescaled(costs, each, cost, aim, runner.members) for each, cost in zip(scalings, given, strict=True)]
    results = paired.gathered([(runner.baseline, paired.baseline()), *((each.scenario, each.runs) for each in found)])
    about = [
        {
            "scenario": each.scenario.name,
            "scaled": each.scenario.name,
            "factor": each.factor,
            "settings": each.scaling.text(each.factor),
            "unscaled": ", ".join(each.scaling.unscaled),
            "cost_given_yuan": each.given,
            "tried": each.tried,
        }
        for each in found
    ]
    what = choose_metrics(()), (Quarter(runner.until, 4),)
    scenarios = tuple(each.scenario for each in found)
    return compare_at_equal_cost(results, about, aim, TOLERANCE, what, scenarios), found
