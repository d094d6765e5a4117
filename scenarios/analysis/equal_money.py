"""Policies at the same public cost: each is scaled until it costs the same, and then they are compared pair by pair.

The cost is the full public cost (levers, tax relief on reported R&D, awards for titles) over that of the baseline, mean
over the pairs at the end of the run. What each policy adds to the baseline is scaled (`scenarios.files.scaling`) by a
factor that a root finder looks for, by runs with the same parameters and random draws as those of the comparison.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from scenarios.analysis.comparison import pairs_shape, quarters_within
from scenarios.analysis.intervals import band_columns, share_interval, standard_error
from scenarios.analysis.metrics import CUMULATIVE_COST, Metric, choose_metrics, with_derived
from scenarios.checks import as_list, refuse_beyond, single
from scenarios.ensembles.ensemble import check_names, run_ensemble
from scenarios.ensembles.stages import working_directory
from scenarios.errors import InputError
from scenarios.files.labels import weakest
from scenarios.files.scaling import Scaling, scaling
from scenarios.files.schema import Scenario, build, run_defaults
from scenarios.records.kept import table_of
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.calendar import START, Quarter

#: Largest difference from the wanted cost, as a share of it.
TOLERANCE = 0.02
#: Folders of the runs as given and of those at the same cost.
AS_GIVEN, EQUAL = "as-given", "equal"
#: Longest name of a policy that is kept in that of the scaled one, and what is added.
_NAME_LENGTH, _SCALED = 57, "-scaled"
#: Factors are looked for in so many steps at most, to a part of the tolerance: with few simulated firms the cost moves
#: in steps, and a finer search would only try more factors that cost the same.
_STEPS, _PART_OF_TOLERANCE = 30, 0.25
#: Digits of a factor, which names the folder of its runs.
_DIGITS = 6
_FINITE_RANGE = (1e3, 1e15)
_RUN = ["draw", "replicate"]


@dataclass(frozen=True)
class EqualMoney:
    """Policies at the same public cost.

    Attributes:
        baseline: name of what they are compared with. cost_yuan: the cost wanted. tolerance: as given.
        policies: one row per policy, in order. Columns: scenario (as given), scaled (its name in the results), factor,
            settings (what is scaled, with values), unscaled (parts that are not), cost_given_yuan (mean over the pairs,
            at factor 1), cost_yuan (at the factor; cost_low_yuan and cost_high_yuan, 10 and 90 % of the pairs;
            cost_error_yuan, the Monte Carlo standard error), off (relative difference from the cost wanted), within
            (whether the tolerance is kept), tried (number of factors), label and studies (see
            `scenarios.files.labels`).
        rows: one row per policy, quantity and quarter: scenario, quantity, unit, quarter, value (mean difference from
            the baseline) with low, high and error as above, per_billion_yuan (over the mean cost up to the quarter),
            label, studies.
        chances: one row per ordered two policies, quantity, quarter and measure (in_all or per_yuan): scenario, other,
            quantity, quarter, measure, wins and ties (numbers of pairs), value (share of pairs in which the first is
            better) with low and high (Wilson's 95 % interval), note (why there is no number), difference of the first
            from the other with difference_low and difference_high (10 and 90 % of the pairs), label, studies.
        quantities: the metrics. quarters: such as 2030Q4.
        pairs: their number. parameters_vary: whether they differ in parameters, not only in random draws.
        firms: real firms that one simulated firm stands for.
        scenarios: the scaled policies.
    """

    FILE: ClassVar[str] = "equal-money.json"
    COMMAND: ClassVar[str] = "srdi equal-money --out DIR --resume"

    baseline: str
    cost_yuan: float
    tolerance: float
    policies: pd.DataFrame
    rows: pd.DataFrame
    chances: pd.DataFrame
    quantities: tuple[Metric, ...]
    quarters: tuple[str, ...]
    pairs: int
    parameters_vary: bool
    firms: float
    scenarios: tuple[Scenario, ...]

    def records(self) -> dict:
        """Plain values for JSON: baseline, cost_yuan, tolerance, pairs, policies, rows, chances."""
        tables = {name: records(getattr(self, name)) for name in ("policies", "rows", "chances")}
        return {**{name: getattr(self, name) for name in ("baseline", "cost_yuan", "tolerance", "pairs")}, **tables}

    def stored(self) -> dict:
        """As `Keepable.stored`."""
        return {
            **self.records(),
            "quantities": [metric.name for metric in self.quantities],
            "quarters": list(self.quarters),
            "parameters_vary": self.parameters_vary,
            "firms": self.firms,
            "scenarios": [scenario.model_dump(by_alias=True, mode="json") for scenario in self.scenarios],
        }

    @classmethod
    def of_stored(cls, values: Mapping[str, Any]) -> Self:
        """As `Keepable.of_stored`."""
        return cls(
            **{name: table_of(values[name]) for name in ("policies", "rows", "chances")},
            quantities=choose_metrics(values["quantities"]),
            quarters=tuple(values["quarters"]),
            scenarios=tuple(build(each, cls.FILE) for each in values["scenarios"]),
            **{
                name: values[name]
                for name in ("baseline", "cost_yuan", "tolerance", "pairs", "parameters_vary", "firms")
            },
        )


def equal_money(
    scenarios: Iterable[Scenario],
    baseline: Scenario,
    *,
    out: str | Path,
    cost: float | None = None,
    tolerance: float = TOLERANCE,
    quantities: Iterable[str] = (),
    quarters: Iterable[str] = (),
    resume: bool = False,
    on_start: Callable[[int], None] = lambda runs: None,
    on_try: Callable[[str, float, float], None] = lambda name, factor, yuan: None,
    **options: Any,
) -> EqualMoney:
    """Scale policies to the same public cost, run them, and count in how many pairs one is better than another.

    Args:
        scenarios: two policies or more. baseline: what they are compared with.
        out: new directory. It gets a results directory of the policies as given, one for every factor tried, and
            ``equal`` for the policies at the same cost.
        cost: yuan over the baseline's; None means that of the cheapest policy as given.
        tolerance: largest difference from it that is accepted, as a share of it.
        quantities: metrics as in `scenarios.compare`, one name or several; none means its default ones.
        quarters: one or several, such as 2030Q4; none means the last.
        resume: continue in a directory where an earlier call stopped.
        on_start: called with the number of runs, again when they become more. on_try: called with the name of a policy,
            a factor and the mean cost at it. options: as in `scenarios.run_ensemble`, such as replicates and draws.

    Raises:
        InputError: fewer than two policies, one that cannot be scaled, costs nothing more than the baseline or cannot
            reach the cost, an argument out of range, or as in `run_ensemble`.

    Example:
        >>> equal_money([load_scenario("sme-fund"), load_scenario("credit-guarantees")], load_scenario("baseline"),
        ...             out="results/equal").chances  # doctest: +SKIP
    """
    policies = as_list("scenarios", scenarios, Scenario, "load_scenario")
    single("baseline", baseline, Scenario, "load_scenario")
    if len(policies) < 2:
        raise InputError(f"equal money compares two scenarios or more; {len(policies)} was given")
    refuse_beyond("tolerance", tolerance, 1e-6, 0.5)
    if cost is not None:
        refuse_beyond("cost", cost, *_FINITE_RANGE)
    metrics = choose_metrics([quantities] if isinstance(quantities, str) else quantities)
    run = run_defaults(baseline, **{name: options.get(name) for name in ("replicates", "scale", "seed", "until")})
    dates = quarters_within(START, Quarter(run.until, 4), [quarters] if isinstance(quarters, str) else quarters)
    check_names([baseline, *policies])
    scalings = {policy.name: scaling(baseline, policy) for policy in policies}
    stages: list[int] = []

    def announce(runs: int) -> None:
        stages.append(runs)
        on_start(sum(stages))

    with working_directory(Path(out), resume, AS_GIVEN) as folder:

        def results_of(scenarios: list[Scenario], name: str) -> Results:
            return run_ensemble(scenarios, out=folder / name, resume=True, on_start=announce, **options)

        as_given = _costs(results_of([baseline, *policies], AS_GIVEN))
        base = as_given[baseline.name]
        given = {policy.name: float((as_given[policy.name] - base).mean()) for policy in policies}
        for name, yuan in given.items():
            if not yuan > 0.0:
                raise InputError(
                    f"{name!r} costs no more than {baseline.name!r} ({yuan / 1e9:+,.3g} billion yuan in the mean of "
                    f"{len(base)} pairs, in which a simulated firm stands for {1.0 / run.scale:,.0f}); only policies "
                    "that cost more can be brought to the same cost"
                )
        wanted = float(cost if cost is not None else min(given.values()))
        found = {}
        for policy in policies:

            def cost_at(factor: float, policy: Scenario = policy) -> float:
                scaled = scalings[policy.name].at(factor, policy.name)
                name = f"{policy.name}-{factor:.{_DIGITS}g}"
                yuan = float((_costs(results_of([scaled], name))[policy.name] - base).mean())
                on_try(policy.name, factor, yuan)
                return yuan

            found[policy.name] = find_factor(cost_at, scalings[policy.name], given[policy.name], wanted, tolerance)
        scaled = [scalings[name].at(search.factor, name[:_NAME_LENGTH] + _SCALED) for name, search in found.items()]
        results = results_of([baseline, *scaled], EQUAL)
    names = dict(zip(found, (each.name for each in scaled), strict=True))
    about = [
        {
            "scenario": name,
            "scaled": names[name],
            "factor": search.factor,
            "settings": scalings[name].text(search.factor),
            "unscaled": ", ".join(scalings[name].unscaled),
            "cost_given_yuan": given[name],
            "tried": search.tried,
        }
        for name, search in found.items()
    ]
    return compare_at_equal_cost(results, about, wanted, tolerance, (metrics, dates), tuple(scaled))


class OutOfReach(InputError):
    """A cost that a policy does not have at any factor allowed.

    Attributes:
        cost: the nearest it has, yuan. least: whether that is the least, with no money at all, or else the most.
    """

    def __init__(self, text: str, cost: float, least: bool) -> None:
        super().__init__(text)
        self.cost, self.least = cost, least


@dataclass(frozen=True)
class Search:
    """What a search found: the factor, and how many were tried."""

    factor: float
    tried: int


def find_factor(
    cost_at: Callable[[float], float], given: Scaling, at_one: float, wanted: float, tolerance: float
) -> Search:
    """The factor at which a policy costs what is wanted, by Brent's method (SciPy).

    With few simulated firms the cost moves in steps; then the factor is the one tried that comes nearest.

    Args:
        cost_at: mean cost over the baseline at a factor. given: the policy. at_one: cost at 1.
        wanted: cost. tolerance: share of it by which the cost may differ.

    Raises:
        OutOfReach: the cost cannot be reached.
    """
    from scipy.optimize import root_scalar

    tried = {1.0: at_one}
    if not given.unscaled:  # without its money the policy is the baseline
        tried[0.0] = 0.0

    def gap(factor: float) -> float:
        factor = float(f"{factor:.{_DIGITS}g}")
        if factor not in tried:
            tried[factor] = cost_at(factor)
        difference = tried[factor] - wanted
        return 0.0 if abs(difference) <= tolerance * wanted else difference

    name = given.scenario.name
    low, high = 0.0, 1.0
    if gap(1.0) > 0.0 and gap(0.0) > 0.0:
        raise OutOfReach(
            f"{name!r} costs {tried[0.0] / 1e9:,.4g} billion yuan without the money that is scaled, because of "
            f"{', '.join(given.unscaled)}; the cost wanted is {wanted / 1e9:,.4g}",
            tried[0.0],
            least=True,
        )
    while gap(high) < 0.0:
        if high >= given.most:
            most = tried[float(f"{high:.{_DIGITS}g}")]
            raise OutOfReach(
                f"{name!r} costs {most / 1e9:,.4g} billion yuan at {high:.4g} times its money, the most that is "
                f"allowed; the cost wanted is {wanted / 1e9:,.4g}",
                most,
                least=False,
            )
        low, high = high, min(2.0 * high, given.most)
    ends = [factor for factor in (low, high) if gap(factor) == 0.0]
    if not ends:
        root_scalar(
            gap, bracket=(low, high), method="brentq", xtol=_PART_OF_TOLERANCE * tolerance * high, maxiter=_STEPS
        )
    chosen = min((factor for factor in tried if factor > 0.0), key=lambda factor: abs(tried[factor] - wanted))
    return Search(1.0 if gap(1.0) == 0.0 else chosen, len(tried.keys() - {0.0}))


def compare_at_equal_cost(
    results: Results,
    about: list[dict],
    wanted: float,
    tolerance: float,
    what: tuple[Iterable[Metric], Iterable[Quarter]],
    scenarios: tuple[Scenario, ...] = (),
) -> EqualMoney:
    """Effects and chances of scaled policies.

    Args:
        results: of the baseline, which is their first scenario, and the scaled policies.
        about: columns of `EqualMoney.policies` that are known before, by policy. wanted: cost. tolerance: as given.
        what: metrics and quarters. scenarios: the scaled policies.
    """
    metrics, quarters = tuple(what[0]), tuple(what[1])
    baseline = results.manifest["scenarios"][0]["name"]
    frame = with_derived(results.national)
    frame = frame.assign(scenario=frame["scenario"].astype(str))
    labels = {row["scaled"]: results.change_label(baseline, row["scaled"]) for row in about}
    policies = []
    costs = _differences(frame, frame["quarter"].max(), CUMULATIVE_COST, baseline)
    for row in about:
        own = costs[row["scaled"]]
        ends = _ends(own)
        off = ends["value"] / wanted - 1.0
        named = {"cost_yuan": ends.pop("value"), **{f"cost_{name}_yuan": end for name, end in ends.items()}}
        policies.append(
            {**row, **named, "off": off, "within": bool(abs(off) <= tolerance), **labels[row["scaled"]].columns}
        )
    given_name = {row["scaled"]: row["scenario"] for row in about}
    rows: list[dict] = []
    chances: list[dict] = []
    for quarter in quarters:
        day = pd.Timestamp(quarter.end_date)
        costs = _differences(frame, day, CUMULATIVE_COST, baseline)
        for metric in metrics:
            gains = _differences(frame, day, metric.name, baseline)
            of = {"quantity": metric.name, "unit": metric.unit, "quarter": str(quarter)}
            for name, gain in gains.items():
                paid = costs[name].mean() / 1e9
                per_billion = gain.mean() / paid if paid > 0.0 else math.nan
                rows.append(
                    {"scenario": given_name[name], **of, **_ends(gain), "per_billion_yuan": per_billion}
                    | labels[name].columns
                )
            sign = -1.0 if metric.less_is_better else 1.0
            for one, other in permutations(gains, 2):
                label = weakest([labels[one], labels[other]]).columns
                for chance in _chances(one, other, {name: sign * gain for name, gain in gains.items()}, costs):
                    between = {"scenario": given_name[one], "other": given_name[other], **of}
                    difference = _ends(gains[one] - gains[other], "difference")
                    chances.append({**between, **chance, **difference, **label})
    runs = frame[_RUN].drop_duplicates()
    return EqualMoney(
        baseline=baseline,
        cost_yuan=wanted,
        tolerance=tolerance,
        policies=pd.DataFrame(policies),
        rows=pd.DataFrame(rows),
        chances=pd.DataFrame(chances),
        quantities=metrics,
        quarters=tuple(map(str, quarters)),
        pairs=len(runs),
        parameters_vary=runs["draw"].nunique() > 1,
        firms=1.0 / results.manifest["scale"],
        scenarios=scenarios,
    )


def _costs(results: Results) -> dict[str, np.ndarray]:
    """Public cost of each scenario over the run, float64 (pairs,), in the order of draws and replicates."""
    sums = results.national.groupby(["scenario", *_RUN], observed=True)["public_cost_yuan"].sum().sort_index()
    return {str(name): own.to_numpy(np.float64) for name, own in sums.groupby(level="scenario", observed=True)}


def _differences(frame: pd.DataFrame, day: pd.Timestamp, column: str, baseline: str) -> dict[str, np.ndarray]:
    """Differences of each scenario from the baseline on a day, float64 (draws, replicates), in their order."""
    now = frame[frame["quarter"] == day].set_index(_RUN).sort_index()
    plain = now[now["scenario"] == baseline]
    shape, before = pairs_shape(plain.index), plain[column].to_numpy(np.float64)
    names = [name for name in dict.fromkeys(frame["scenario"]) if name != baseline]
    return {
        name: (now.loc[now["scenario"] == name, column].to_numpy(np.float64) - before).reshape(shape) for name in names
    }


def _ends(values: np.ndarray, name: str = "") -> dict[str, float]:
    """Mean of differences (draws, replicates) and their band, with the error; under another name without it."""
    ends = band_columns(values.ravel())
    if name:
        return {name: ends["value"], **{f"{name}_{end}": ends[end] for end in ("low", "high")}}
    return {**ends, "error": standard_error(values)}


def _chances(one: str, other: str, gains: Mapping[str, np.ndarray], costs: Mapping[str, np.ndarray]) -> Iterator[dict]:
    """In how many pairs one policy is better than another, in all and per yuan; a tie is no win.

    Args:
        gains: more is better. costs: up to the quarter. Both float64 (draws, replicates), by policy.
    """
    yield {"measure": "in_all", **_count(gains[one], gains[other])}
    if all((costs[name] > 0.0).all() for name in (one, other)):
        yield {"measure": "per_yuan", **_count(gains[one] / costs[one], gains[other] / costs[other])}
    else:
        note = "one of the two does not cost more than the baseline in every pair"
        nothing = dict.fromkeys(("wins", "ties", "value", "low", "high"), math.nan)
        yield {"measure": "per_yuan", **nothing, "note": note}


def _count(first: np.ndarray, second: np.ndarray) -> dict:
    wins, ties, pairs = int((first > second).sum()), int((first == second).sum()), first.size
    low, high = share_interval(wins, pairs)
    return {"wins": wins, "ties": ties, "value": wins / pairs, "low": low, "high": high, "note": ""}
