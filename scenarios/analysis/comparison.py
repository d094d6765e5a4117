"""Comparison of scenarios with a baseline: paired differences, cost per additional firm, regret and robustness.

A pair is one parameter draw and replicate, run under both scenarios. Both runs have the same parameters and random
draws (common random numbers), so the difference is the effect of the policy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.bands import Effect, effect_of, ratio_ends
from scenarios.analysis.intervals import Interval, mean_interval, variance_reduction
from scenarios.analysis.metrics import COST_PARTS, CUMULATIVE_COST, Metric, choose_metrics, with_derived
from scenarios.analysis.model_error import effect_error, level_error
from scenarios.analysis.regret import regret_table
from scenarios.checks import as_list
from scenarios.errors import InputError, nearest
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.calendar import Quarter

#: Note for a metric that has no price: a share, a sum or a flow.
NOT_PRICED = "not a count that is bought"
#: Marginal costs of public funds at which prices are shown side by side: what raising a yuan of taxes costs the economy
#: beyond that yuan. A price is multiplied by 1 + this. No estimate for China was found, so the reader chooses.
COST_OF_FUNDS = (0.0, 0.2, 0.5)


@dataclass(frozen=True)
class Comparison:
    """Comparison of the scenarios of one or several ensembles with their baseline.

    Attributes:
        baseline: name of the scenario the others are compared with.
        metrics: the metrics compared. quarters: the quarters, such as 2030Q4.
        rows: one row per directory, scenario, metric and quarter. Columns: directory, scenario, metric, unit, quarter;
            pairs (their number); baseline_mean, scenario_mean; difference (mean of the pairs) with effect_low and
            effect_high (90 % interval of the effect, with the model's own error: `scenarios.analysis.bands`), low and
            high (95 % interval of the mean alone) and interval (its method); p05, p95 (quantiles of single pairs);
            variance_reduction and unpaired_replicates
            (runs of each scenario that unpaired seeds would need); cost_yuan, cost_low_yuan, cost_high_yuan (additional
            public cost up to the quarter) and its parts cost_lever_yuan, cost_tax_yuan, cost_title_yuan;
            cost_per_unit_yuan with cost_per_unit_low_yuan and cost_per_unit_high_yuan (90 %, as effect_low), NaN if
            there is no price;
            cost_note gives the reason; label and studies (what the difference rests on, see
            `scenarios.files.labels`).
        regret: one row per metric, quarter and policy, over all directories; see
            `scenarios.analysis.regret.regret_table`.
        parameters_vary: whether pairs differ in parameters, not only in random draws.
        units: smallest number of draws, replicates or pairs that any interval is based on.
    """

    baseline: str
    metrics: tuple[Metric, ...]
    quarters: tuple[str, ...]
    rows: pd.DataFrame
    regret: pd.DataFrame
    parameters_vary: bool
    units: int

    def records(self) -> dict:
        """Plain values for JSON: baseline, rows, regret; None for missing numbers."""
        return {"baseline": self.baseline, "rows": records(self.rows), "regret": records(self.regret)}


def compare(
    results: Results | Sequence[Results],
    baseline: str = "baseline",
    *,
    metrics: Iterable[str] = (),
    quarters: Iterable[str] = (),
) -> Comparison:
    """Compare every scenario with the baseline, pair by pair.

    Args:
        results: an ensemble, or several ensembles of the same scenarios at one scale, run under different settings.
            Each has its own rows; regret is taken over the states of the world of all of them.
        baseline: the scenario the others are compared with.
        metrics: columns of `national`, or values derived from them (`scenarios.analysis.metrics`); one name or several;
            none means `scenarios.analysis.metrics.DEFAULT_METRICS`.
        quarters: one or several, such as 2030Q4; none means the last.

    Raises:
        InputError: an unknown baseline, metric or quarter, a single scenario, or ensembles that do not match.

    Example:
        >>> compare(load_results("results/first"), metrics=["little_giants"]).rows  # doctest: +SKIP
    """
    ensembles = as_list("results", results, Results, "load_results")
    chosen = choose_metrics([metrics] if isinstance(metrics, str) else metrics)
    scenarios = common_scenarios(ensembles, baseline)
    dates = common_quarters(ensembles, [quarters] if isinstance(quarters, str) else quarters)
    rows, regret, units = [], [], []
    frames = [(ensemble, with_derived(ensemble.national)) for ensemble in ensembles]
    for quarter in dates:
        states = []
        for ensemble, frame in frames:
            now = frame[frame["quarter"] == pd.Timestamp(quarter.end_date)]
            names = {CUMULATIVE_COST, *COST_PARTS.values(), *(metric.name for metric in chosen)}
            tables = {name: _states(now, name, scenarios) for name in names}
            shape = pairs_shape(tables[CUMULATIVE_COST].index)
            units.append(min((size for size in shape if size > 1), default=1))
            pair_rows = _pair_rows(tables, chosen, baseline, shape, frame["draw"].nunique() > 1, quarter)
            about = {"directory": str(ensemble.path), "quarter": str(quarter)}
            rows += [{**about, **row, **ensemble.change_label(baseline, row["scenario"]).columns} for row in pair_rows]
            states.append(tables)
        for metric in chosen:
            table = regret_table(pd.concat([t[metric.name] for t in states]), baseline, metric.less_is_better)
            regret.append(table.assign(metric=metric.name, unit=metric.unit, quarter=str(quarter)))
    return Comparison(
        baseline=baseline,
        metrics=chosen,
        quarters=tuple(map(str, dates)),
        rows=pd.DataFrame(rows),
        regret=pd.concat(regret, ignore_index=True),
        parameters_vary=any(frame["draw"].nunique() > 1 for _, frame in frames),
        units=min(units),
    )


def _pair_rows(
    tables: dict[str, pd.DataFrame],
    metrics: tuple[Metric, ...],
    baseline: str,
    shape: tuple[int, int],
    parameters_vary: bool,
    quarter: Quarter,
) -> list[dict]:
    """Rows of one directory and quarter, from the values of each metric (states, scenarios)."""

    def values(name: str, scenario: str) -> np.ndarray:
        return tables[name][scenario].to_numpy(np.float64).reshape(shape)

    rows = []
    for scenario in tables[CUMULATIVE_COST].columns.drop(baseline):
        costs = values(CUMULATIVE_COST, scenario) - values(CUMULATIVE_COST, baseline)
        cost = mean_interval(costs)
        parts = {
            f"cost_{part}_yuan": (values(name, scenario) - values(name, baseline)).mean()
            for part, name in COST_PARTS.items()
        }
        for metric in metrics:
            changed, unchanged = values(metric.name, scenario), values(metric.name, baseline)
            gains = changed - unchanged
            gain = mean_interval(gains)
            own_error = level_error(metric.name, [quarter.end_date])
            factor = float(effect_error(metric.name, metric.unit, np.array([unchanged.mean()]), own_error)[0])
            effect = effect_of(gains, factor)
            note = _no_price(metric, cost, gain)
            price = (math.nan, math.nan) if note else ratio_ends(costs, gains, factor)
            rows.append(
                {
                    "scenario": scenario,
                    "metric": metric.name,
                    "unit": metric.unit,
                    **_difference(changed, unchanged, effect, parameters_vary),
                    "cost_yuan": costs.mean(),
                    "cost_low_yuan": cost.low,
                    "cost_high_yuan": cost.high,
                    **parts,
                    "cost_per_unit_yuan": math.nan if note else costs.mean() / gains.mean(),
                    "cost_per_unit_low_yuan": price[0],
                    "cost_per_unit_high_yuan": price[1],
                    "cost_note": note,
                }
            )
    return rows


def _difference(changed: np.ndarray, unchanged: np.ndarray, effect: Effect, parameters_vary: bool) -> dict:
    """The columns of a row that describe how two scenarios differ in a metric."""
    differences = changed - unchanged
    p05, p95 = np.quantile(differences, (0.05, 0.95))
    # If each replicate has its own parameter draw, simulation noise cannot be separated from the parameters.
    factor = math.nan if parameters_vary and len(changed) == 1 else variance_reduction(changed, unchanged)
    # Rounded first: rounding error must not push a whole number of replicates up by one.
    unpaired = math.nan if math.isnan(factor) else math.ceil(round(differences.size * factor, 6))
    return {
        "pairs": differences.size,
        "baseline_mean": unchanged.mean(),
        "scenario_mean": changed.mean(),
        "difference": effect.mean,
        "effect_low": effect.low,
        "effect_high": effect.high,
        "low": effect.of_mean.low,
        "high": effect.of_mean.high,
        "interval": effect.of_mean.method,
        "p05": p05,
        "p95": p95,
        "variance_reduction": factor,
        "unpaired_replicates": unpaired,
    }


def _no_price(metric: Metric, cost: Interval, gain: Interval) -> str:
    """Why there is no price of an additional unit; empty if there is one.

    Args:
        cost, gain: intervals of the means.
    """
    if not metric.priced:
        return NOT_PRICED
    if math.isnan(gain.low):
        return "one pair has no interval"
    if gain.low == gain.high == 0.0:
        return "the same in every pair"
    if gain.high < 0.0:
        if cost.high < 0.0:
            return "saves money and has fewer; for the price of those lost, use this scenario as the baseline"
        return "costs more and has fewer" if cost.low > 0.0 else "has fewer"
    if gain.low <= 0.0:
        return "not clearly more than in the baseline"
    if cost.high < 0.0:
        return "saves money and has more"
    if cost.low == cost.high == 0.0:
        return "has more and costs nothing more"
    if cost.low <= 0.0:
        return "has more; not clear whether it costs more"
    return ""


def _states(frame: pd.DataFrame, metric: str, scenarios: list[str]) -> pd.DataFrame:
    """Values of a metric in one quarter: one row per state (draw, replicate), one column per scenario."""
    table = frame.pivot(index=["draw", "replicate"], columns="scenario", values=metric)
    return table.set_axis(table.columns.astype(str), axis=1)[scenarios].sort_index()


def pairs_shape(states: pd.MultiIndex) -> tuple[int, int]:
    """Shape (draws, replicates) of the pairs if every draw has every replicate, else (1, pairs)."""
    draws, replicates = (len(states.unique(level)) for level in ("draw", "replicate"))
    return (draws, replicates) if draws * replicates == len(states) else (1, len(states))


def common_scenarios(ensembles: list[Results], baseline: str) -> list[str]:
    """Names of the scenarios, the same in all ensembles; raises InputError if the ensembles cannot be compared."""
    if not ensembles:
        raise InputError("no results were given to compare")
    first = ensembles[0]
    names = [scenario["name"] for scenario in first.manifest["scenarios"]]
    if baseline not in names:
        raise InputError(
            f"baseline is {baseline!r}{nearest(baseline, names)} (scenarios of {first.path}: {', '.join(names)})"
        )
    if len(names) == 1:
        raise InputError(f"{first.path} has only {baseline!r}; run it together with the scenarios to compare")
    paths = [ensemble.path.resolve() for ensemble in ensembles]
    for other, path in zip(ensembles[1:], paths[1:], strict=True):
        if paths.count(path) > 1:
            raise InputError(f"{other.path} is given {paths.count(path)} times; its states would count twice")
        other_names = [scenario["name"] for scenario in other.manifest["scenarios"]]
        if set(other_names) != set(names):
            raise InputError(
                f"{other.path} has the scenarios {', '.join(other_names)} and {first.path} {', '.join(names)}; "
                f"regret needs the same policies in every state"
            )
        for key, what in (("scale", "scale"), ("model", "model version")):
            if other.manifest[key] != first.manifest[key]:
                raise InputError(
                    f"{other.path} has {what} {other.manifest[key]} and {first.path} {first.manifest[key]}; "
                    f"compare results of one {what}"
                )
    return names


def common_quarters(ensembles: list[Results], requested: Iterable[str]) -> list[Quarter]:
    """The requested quarters, by default the last common one; raises InputError if an ensemble lacks one."""
    first = max(Quarter.parse(ensemble.manifest["first_quarter"]) for ensemble in ensembles)
    last = min(Quarter.parse(ensemble.manifest["last_quarter"]) for ensemble in ensembles)
    return quarters_within(first, last, requested)


def quarters_within(first: Quarter, last: Quarter, requested: Iterable[str]) -> list[Quarter]:
    """The requested quarters, each once, by default the last; raises InputError if one lies outside the run."""
    known = [str(first + step) for step in range(last - first + 1)]
    chosen = list(dict.fromkeys(requested)) or [str(last)]
    for text in chosen:
        if text not in known:
            raise InputError(f"quarter is {text!r}{nearest(text, known)} (allowed: {first} to {last})")
    return [Quarter.parse(text) for text in chosen]
