"""Which part of a policy does what, and what the parts do together: paired runs with some of them.

With v(S) the difference that the parts S of a policy make to a baseline, in a pair of runs with the same parameters and
random draws, and N all parts:

    alone      v({i})
    last       v(N) − v(N without i)                          what is lost if i alone is left out
    together   v(N) − Σ v({i})                                so that parts and interaction are the whole
    pair       v({i, j}) − v({i}) − v({j})                    what two do together
    Shapley    φ(i) = Σ_S |S|! (n − |S| − 1)! / n! · (v(S with i) − v(S)),  S without i

The Shapley value (Shapley 1953, "A value for n-person games") is the mean of what i adds over all orders in which the
parts can be put in force. Σ φ(i) = v(N), and what two do together goes in halves to each. It and the pairs need a
scenario for every subset of the parts; with many parts only alone, last and together are measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from scenarios.analysis.comparison import pairs_shape, quarters_within
from scenarios.analysis.intervals import band_columns, standard_error
from scenarios.analysis.metrics import CUMULATIVE_COST, DEFAULT_METRICS, Metric, choose_metrics, with_derived
from scenarios.checks import single, whole_number
from scenarios.ensembles.ensemble import run_ensemble
from scenarios.ensembles.parameter_draws import ParameterDraws
from scenarios.errors import Fault, InputError
from scenarios.files.labels import Label
from scenarios.files.parts import Part, differing_parts, grouped, mixture
from scenarios.files.schema import Scenario, run_defaults
from scenarios.records.kept import table_of
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.calendar import START, Quarter

#: Quantities by default: those of a comparison, and the public cost.
QUANTITIES = (*DEFAULT_METRICS, CUMULATIVE_COST)
#: Most parts for which every subset is run unless a number of runs is given, and most for which it can be.
FEW, MOST_EXACT = 5, 10
#: Names of what is no part.
TOGETHER, REST, WHOLE = "together", "together, three or more", "whole"
#: Measures of a single part.
OF_A_PART = ("alone", "last", "shapley")
#: Between the names of two parts.
AND = " × "
_RUN = ["draw", "replicate"]


@dataclass(frozen=True)
class Design:
    """Which subsets of the parts are run, each a scenario.

    Attributes:
        parts: in order; part i is bit i of a subset. exact: whether every subset is run.
        scenarios: by subset. 0 is the baseline, the last one the whole policy.
    """

    parts: tuple[Part, ...]
    exact: bool
    scenarios: Mapping[int, Scenario]

    @property
    def whole(self) -> int:
        """The subset of all parts."""
        return 2 ** len(self.parts) - 1


@dataclass(frozen=True)
class Decomposition:
    """What each part of a policy does.

    Attributes:
        scenario, baseline: their names. parts: names of the parts.
        exact: whether every subset was run, so that there are Shapley values and pairs.
        rows: one row per number. Columns: quarter; quantity; unit; part (a part, two joined by `AND`, TOGETHER, REST,
            WHOLE or the baseline); measure (alone, last, shapley, together, pair, rest, whole, level); value (mean over
            the pairs), low and high (10 and 90 % of them, NaN for one pair), error (Monte Carlo standard error of the
            mean); label and studies (see `scenarios.files.labels`). In every quarter and quantity, alone and together
            add up to the whole, and so do alone, pair and rest; with every subset also shapley.
        quantities: the metrics. quarters: such as 2030Q4.
        pairs: their number. parameters_vary: whether they differ in parameters, not only in random draws.
    """

    FILE: ClassVar[str] = "decomposition.json"
    COMMAND: ClassVar[str] = "srdi decompose --out DIR --resume"

    scenario: str
    baseline: str
    parts: tuple[str, ...]
    exact: bool
    rows: pd.DataFrame
    quantities: tuple[Metric, ...]
    quarters: tuple[str, ...]
    pairs: int
    parameters_vary: bool

    def records(self) -> dict:
        """Plain values for JSON: scenario, baseline, parts, exact, pairs, rows; None for missing numbers."""
        return {
            **{name: getattr(self, name) for name in ("scenario", "baseline", "exact", "pairs")},
            "parts": list(self.parts),
            "rows": records(self.rows),
        }

    def stored(self) -> dict:
        """As `Keepable.stored`."""
        return {
            **self.records(),
            "quantities": [metric.name for metric in self.quantities],
            "quarters": list(self.quarters),
            "parameters_vary": self.parameters_vary,
        }

    @classmethod
    def of_stored(cls, values: Mapping[str, Any]) -> Self:
        """As `Keepable.of_stored`."""
        return cls(
            parts=tuple(values["parts"]),
            rows=table_of(values["rows"]),
            quantities=choose_metrics(values["quantities"]),
            quarters=tuple(values["quarters"]),
            **{name: values[name] for name in ("scenario", "baseline", "exact", "pairs", "parameters_vary")},
        )

    def measures(self, quantity: str, quarter: str) -> dict[str, pd.DataFrame]:
        """The rows of a quantity and quarter by measure, each by part."""
        own = self.rows[(self.rows["quantity"] == quantity) & (self.rows["quarter"] == quarter)]
        return {str(measure): rows.set_index("part") for measure, rows in own.groupby("measure")}


def decompose(
    scenario: Scenario,
    baseline: Scenario,
    *,
    out: str | Path,
    groups: Mapping[str, Iterable[str]] | None = None,
    most_runs: int | None = None,
    quantities: Iterable[str] = (),
    quarters: Iterable[str] = (),
    draws: ParameterDraws | None = None,
    crossed_draws: int | None = None,
    **options: Any,
) -> Decomposition:
    """Run a policy, its parts and their combinations, and split what it does among them.

    Parts are the levers, rules, shocks, feedbacks and parameters in which the policy differs from the baseline. With up
    to FEW of them every subset is run, else each part alone, all but each, and the whole.

    Args:
        scenario: the policy. baseline: what it is compared with.
        out: new directory for the results of all runs, which are those of an ensemble of all scenarios.
        groups: names of parts by name of a group, which then count as one part.
        most_runs: every subset is run if that takes no more runs than this, whatever the number of parts up to
            MOST_EXACT. None: as above.
        quantities: metrics as in `scenarios.compare`, one name or several; none means QUANTITIES.
        quarters: one or several, such as 2030Q4; none means the last.
        draws, crossed_draws, options: as in `scenarios.run_ensemble`, such as replicates, scale and resume.

    Raises:
        InputError: the two do not differ, an unknown part, metric or quarter, too few runs, or as in `run_ensemble`.

    Example:
        >>> decompose(load_scenario("all.toml"), load_scenario("baseline"), out="results/parts")  # doctest: +SKIP
    """
    for name, given in (("scenario", scenario), ("baseline", baseline)):
        single(name, given, Scenario, "load_scenario")
    metrics = choose_metrics(([quantities] if isinstance(quantities, str) else tuple(quantities)) or QUANTITIES)
    asked = ("replicates", "scale", "seed", "until")
    run = run_defaults(baseline, **{name: options.get(name) for name in asked})
    dates = quarters_within(START, Quarter(run.until, 4), [quarters] if isinstance(quarters, str) else quarters)
    parts = grouped(differing_parts(baseline, scenario), groups or {})
    made = design(baseline, scenario, parts, run.replicates * (crossed_draws or 1), most_runs)
    results = run_ensemble(list(made.scenarios.values()), out=out, draws=draws, crossed_draws=crossed_draws, **options)
    return split(results, made, metrics, dates)


def design(
    baseline: Scenario, scenario: Scenario, parts: list[Part], pairs: int, most_runs: int | None = None
) -> Design:
    """The scenarios to run.

    Args:
        pairs: runs of each scenario. most_runs: as in `decompose`.

    Raises:
        InputError: there is nothing to split, or it takes more runs than allowed.
    """
    if not parts:
        raise InputError(
            f"{scenario.name!r} does not differ from the baseline {baseline.name!r} in any lever that is on, rule, "
            "shock, feedback or parameter: there is nothing to split",
            Fault("no_difference"),
        )
    count = len(parts)
    whole = 2**count - 1
    some = sorted({0, *(1 << i for i in range(count)), *(whole - (1 << i) for i in range(count)), whole})
    most = most_runs if most_runs is None else whole_number("most_runs", most_runs, 1)
    exact = count <= FEW if most is None else count <= MOST_EXACT and 2**count * pairs <= most
    if most is not None and not exact and len(some) * pairs > most:
        raise InputError(
            f"most_runs (--runs) is {most}: {count} parts, each alone and left out, in {pairs} runs take "
            f"{len(some) * pairs}; allow more runs, or join parts in groups"
        )
    subsets = list(range(2**count)) if exact else some
    named: dict[int, Scenario] = {}
    for subset in subsets:
        if subset == 0:
            named[subset] = baseline
        elif subset == whole:
            named[subset] = scenario
        else:
            chosen = [i for i in range(count) if subset >> i & 1]
            named[subset] = mixture(baseline, scenario, [parts[i] for i in chosen], _name(chosen, count))
    return Design(tuple(parts), exact, named)


def _name(chosen: list[int], count: int) -> str:
    """Name of the scenario with some parts, by their numbers from 1 on; the title says which they are."""
    if len(chosen) > 1 and len(chosen) == count - 1:
        (missing,) = set(range(count)) - set(chosen)
        return f"all-but-{missing + 1}"
    return "only-" + "-".join(str(i + 1) for i in chosen)


def split(results: Results, made: Design, metrics: Iterable[Metric], quarters: Iterable[Quarter]) -> Decomposition:
    """Split the differences in the results of all scenarios of a design among its parts.

    Args:
        results: of the scenarios of `made`. metrics, quarters: what is split, and when.
    """
    metrics, quarters = tuple(metrics), tuple(quarters)
    baseline, scenario = made.scenarios[0].name, made.scenarios[made.whole].name
    frame = with_derived(results.national)
    frame = frame.assign(scenario=frame["scenario"].astype(str))
    of_part = {
        part.name: results.change_label(baseline, made.scenarios[1 << i].name) for i, part in enumerate(made.parts)
    }
    of_all, of_baseline = results.change_label(baseline, scenario), results.level_label(baseline)
    rows = []
    for quarter in quarters:
        now = frame[frame["quarter"] == pd.Timestamp(quarter.end_date)].set_index(_RUN).sort_index()
        states = now[now["scenario"] == baseline].index
        shape = pairs_shape(states)
        for metric in metrics:
            levels = {
                subset: now.loc[now["scenario"] == each.name, metric.name].to_numpy(np.float64)
                for subset, each in made.scenarios.items()
            }
            about = {"quarter": str(quarter), "quantity": metric.name, "unit": metric.unit}
            found = [(baseline, "level", levels[0]), *terms(levels, [part.name for part in made.parts], made.exact)]
            for part, measure, values in found:
                label = of_part[part] if measure in OF_A_PART else of_baseline if measure == "level" else of_all
                rows.append({**about, **_row(part, measure, values.reshape(shape), label)})
    draws = frame[_RUN].drop_duplicates()
    return Decomposition(
        scenario=scenario,
        baseline=baseline,
        parts=tuple(of_part),
        exact=made.exact,
        rows=pd.DataFrame(rows),
        quantities=metrics,
        quarters=tuple(map(str, quarters)),
        pairs=len(draws),
        parameters_vary=draws["draw"].nunique() > 1,
    )


def _row(part: str, measure: str, values: np.ndarray, label: Label) -> dict:
    ends = {**band_columns(values.ravel()), "error": standard_error(values)}
    return {"part": part, "measure": measure, **ends, **label.columns}


def terms(levels: Mapping[int, np.ndarray], parts: list[str], exact: bool) -> Iterator[tuple[str, str, np.ndarray]]:
    """The terms of a decomposition: part, measure, and values in each pair, float64 (pairs,).

    Args:
        levels: of a quantity in each pair, float64 (pairs,), by subset; bit i stands for part i.
        parts: their names. exact: whether `levels` has every subset.
    """
    v = {subset: level - levels[0] for subset, level in levels.items()}
    whole = 2 ** len(parts) - 1
    alone = [v[1 << i] for i in range(len(parts))]
    for i, part in enumerate(parts):
        yield part, "alone", alone[i]
        yield part, "last", v[whole] - v[whole - (1 << i)]
        if exact:
            yield part, "shapley", shapley(v, i, len(parts))
    together = v[whole] - sum(alone)
    yield TOGETHER, "together", together
    if exact:
        pairs = {(i, j): v[1 << i | 1 << j] - alone[i] - alone[j] for i, j in combinations(range(len(parts)), 2)}
        for (i, j), values in pairs.items():
            yield f"{parts[i]}{AND}{parts[j]}", "pair", values
        yield REST, "rest", together - sum(pairs.values())
    yield WHOLE, "whole", v[whole]


def shapley(v: Mapping[int, np.ndarray], i: int, count: int) -> np.ndarray:
    """Shapley value of part i: the mean of what it adds over all orders of the parts.

    Args:
        v: differences from the baseline by subset, for each of the 2^count subsets.
    """
    without = [subset for subset in range(2**count) if not subset >> i & 1]
    # |S|! (n − |S| − 1)! / n! is one over n times the number of subsets of that size.
    weights = [1.0 / (count * math.comb(count - 1, subset.bit_count())) for subset in without]
    return sum(w * (v[s | 1 << i] - v[s]) for w, s in zip(weights, without, strict=True))
