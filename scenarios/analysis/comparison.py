"""Scenarios against a baseline: paired differences, what an additional firm costs, regret and robustness.

A pair is one draw and replicate run under both scenarios: parameters and luck are the same (common random
numbers), so the difference is the policy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.intervals import Interval, mean_interval, ratio_interval, variance_reduction
from scenarios.analysis.metrics import SPENT, Metric, choose_metrics, with_derived
from scenarios.analysis.regret import regret_table
from scenarios.checks import several
from scenarios.errors import InputError, nearest
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.calendar import Quarter

#: Why a share, a sum or a flow has no price.
NOT_PRICED = "not a count that is bought"


@dataclass(frozen=True)
class Comparison:
    """Scenarios of one or several ensembles against their baseline.

    Attributes:
        baseline: name of the scenario the others are held against.
        metrics: what is compared. quarters: when, such as 2030Q4.
        rows: one row a directory, scenario, metric and quarter: directory, scenario, metric, unit, quarter; pairs;
            baseline_mean, scenario_mean; difference (mean of the pairs) with low and high (95 %) and interval (how it
            was found); p05, p95 (of single pairs); variance_reduction and unpaired_replicates (runs of each scenario
            that unpaired seeds would need); cost_yuan, cost_low_yuan, cost_high_yuan (additional public spending up to
            the quarter); cost_per_unit_yuan with cost_per_unit_low_yuan and cost_per_unit_high_yuan, NaN where
            cost_note says in words why there is no price.
        regret: one row a metric, quarter and policy, over all directories: as `scenarios.analysis.regret.regret_table`.
        drawn: whether pairs differ in parameters, not in luck only.
        units: draws, replicates or pairs resampled, the fewest of any interval.
    """

    baseline: str
    metrics: tuple[Metric, ...]
    quarters: tuple[str, ...]
    rows: pd.DataFrame
    regret: pd.DataFrame
    drawn: bool
    units: int

    def records(self) -> dict:
        """Plain values for JSON: baseline, rows, regret; None where there is no number."""
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
        results: an ensemble, or several of the same scenarios at one scale, run under different settings; each
            has rows of its own, and all their states of the world count in the regret.
        baseline: the scenario the others are held against.
        metrics: columns of `national`, or figures derived from them (`scenarios.analysis.metrics`), or one; none means
            the usual ones.
        quarters: such as 2030Q4, or one; none means the last.

    Raises:
        InputError: an unknown baseline, metric or quarter, a single scenario, or ensembles that do not match.

    Example:
        >>> compare(load_results("results/first"), metrics=["little_giants"]).rows  # doctest: +SKIP
    """
    ensembles = several("results", results, Results, "load_results")
    chosen = choose_metrics([metrics] if isinstance(metrics, str) else metrics)
    scenarios = _common_scenarios(ensembles, baseline)
    moments = _common_quarters(ensembles, [quarters] if isinstance(quarters, str) else quarters)
    rows, regret, units = [], [], []
    worlds = [(str(ensemble.path), with_derived(ensemble.national)) for ensemble in ensembles]
    for quarter in moments:
        states = []
        for path, frame in worlds:
            now = frame[frame["quarter"] == pd.Timestamp(quarter.end_date)]
            tables = {name: _states(now, name, scenarios) for name in {SPENT, *(m.name for m in chosen)}}
            shape = pairs_shape(tables[SPENT].index)
            units.append(min((size for size in shape if size > 1), default=1))
            found = _pair_rows(tables, chosen, baseline, shape, frame["draw"].nunique() > 1)
            rows += [{"directory": path, "quarter": str(quarter), **row} for row in found]
            states.append(tables)
        for metric in chosen:
            table = regret_table(pd.concat([t[metric.name] for t in states]), baseline, metric.less_is_better)
            regret.append(table.assign(metric=metric.name, unit=metric.unit, quarter=str(quarter)))
    return Comparison(
        baseline=baseline,
        metrics=chosen,
        quarters=tuple(map(str, moments)),
        rows=pd.DataFrame(rows),
        regret=pd.concat(regret, ignore_index=True),
        drawn=any(frame["draw"].nunique() > 1 for _, frame in worlds),
        units=min(units),
    )


def _pair_rows(
    tables: dict[str, pd.DataFrame], metrics: tuple[Metric, ...], baseline: str, shape: tuple[int, int], drawn: bool
) -> list[dict]:
    """Rows of one directory and quarter from each metric's values (states, scenarios)."""

    def values(name: str, scenario: str) -> np.ndarray:
        return tables[name][scenario].to_numpy(np.float64).reshape(shape)

    rows = []
    for scenario in tables[SPENT].columns.drop(baseline):
        costs = values(SPENT, scenario) - values(SPENT, baseline)
        cost = mean_interval(costs)
        for metric in metrics:
            changed, unchanged = values(metric.name, scenario), values(metric.name, baseline)
            gains = changed - unchanged
            gain = mean_interval(gains)
            price, note = _price(metric, costs, gains, cost, gain)
            rows.append(
                {
                    "scenario": scenario,
                    "metric": metric.name,
                    "unit": metric.unit,
                    **_difference(changed, unchanged, gain, drawn),
                    "cost_yuan": costs.mean(),
                    "cost_low_yuan": cost.low,
                    "cost_high_yuan": cost.high,
                    "cost_per_unit_yuan": costs.mean() / gains.mean() if price else math.nan,
                    "cost_per_unit_low_yuan": price.low if price else math.nan,
                    "cost_per_unit_high_yuan": price.high if price else math.nan,
                    "cost_note": note,
                }
            )
    return rows


def _difference(changed: np.ndarray, unchanged: np.ndarray, interval: Interval, drawn: bool) -> dict:
    """The columns of a row that say how two scenarios differ in a metric."""
    differences = changed - unchanged
    p05, p95 = np.quantile(differences, (0.05, 0.95))
    # Where each replicate has a draw of its own, luck cannot be told from the parameters.
    times = math.nan if drawn and len(changed) == 1 else variance_reduction(changed, unchanged)
    # Rounded first: a whole number of replicates may come out a last bit above itself.
    unpaired = math.nan if math.isnan(times) else math.ceil(round(differences.size * times, 6))
    return {
        "pairs": differences.size,
        "baseline_mean": unchanged.mean(),
        "scenario_mean": changed.mean(),
        "difference": differences.mean(),
        "low": interval.low,
        "high": interval.high,
        "interval": interval.method,
        "p05": p05,
        "p95": p95,
        "variance_reduction": times,
        "unpaired_replicates": unpaired,
    }


def _price(
    metric: Metric, costs: np.ndarray, gains: np.ndarray, cost: Interval, gain: Interval
) -> tuple[Interval | None, str]:
    """Interval of public money per additional unit, or None and the reason in words."""
    if not metric.priced:
        return None, NOT_PRICED
    if math.isnan(gain.low):
        return None, "one pair has no interval"
    if gain.low == gain.high == 0.0:
        return None, "the same in every pair"
    if gain.high < 0.0:
        if cost.high < 0.0:
            return None, "saves money and has fewer; with this scenario as baseline the price of those lost is seen"
        return None, "costs more and has fewer" if cost.low > 0.0 else "has fewer"
    if gain.low <= 0.0:
        return None, "not certainly more than in the baseline"
    if cost.high < 0.0:
        return None, "saves money and has more"
    if cost.low == cost.high == 0.0:
        return None, "has more and costs nothing more"
    if cost.low <= 0.0:
        return None, "has more; whether it costs more is not certain"
    return ratio_interval(costs, gains), ""


def _states(frame: pd.DataFrame, metric: str, scenarios: list[str]) -> pd.DataFrame:
    """A metric's values in one quarter: a row a state (draw, replicate), a column a scenario."""
    table = frame.pivot(index=["draw", "replicate"], columns="scenario", values=metric)
    return table.set_axis(table.columns.astype(str), axis=1)[scenarios].sort_index()


def pairs_shape(states: pd.MultiIndex) -> tuple[int, int]:
    """Shape (draws, replicates) of pairs if every draw has every replicate, else one row of them."""
    draws, replicates = (len(states.unique(level)) for level in ("draw", "replicate"))
    return (draws, replicates) if draws * replicates == len(states) else (1, len(states))


def _common_scenarios(ensembles: list[Results], baseline: str) -> list[str]:
    """Names of the scenarios, the same in all ensembles; refuses ensembles that cannot be compared."""
    if not ensembles:
        raise InputError("no results were given to compare")
    first = ensembles[0]
    names = [scenario["name"] for scenario in first.manifest["scenarios"]]
    if baseline not in names:
        raise InputError(
            f"baseline is {baseline!r}{nearest(baseline, names)} (scenarios of {first.path}: {', '.join(names)})"
        )
    if len(names) == 1:
        raise InputError(f"{first.path} holds {baseline!r} alone; run it together with scenarios to compare it with")
    paths = [ensemble.path.resolve() for ensemble in ensembles]
    for other, path in zip(ensembles[1:], paths[1:], strict=True):
        if paths.count(path) > 1:
            raise InputError(f"{other.path} is given {paths.count(path)} times; its states would count twice")
        has = [scenario["name"] for scenario in other.manifest["scenarios"]]
        if set(has) != set(names):
            raise InputError(
                f"{other.path} has the scenarios {', '.join(has)} and {first.path} {', '.join(names)}; "
                f"regret needs the same policies in every state"
            )
        for key, what in (("scale", "scale"), ("model", "model version")):
            if other.manifest[key] != first.manifest[key]:
                raise InputError(
                    f"{other.path} has {what} {other.manifest[key]} and {first.path} {first.manifest[key]}; "
                    f"compare results of one {what}"
                )
    return names


def _common_quarters(ensembles: list[Results], asked: Iterable[str]) -> list[Quarter]:
    """The quarters asked for, or the last that all ensembles have; refuses one that an ensemble lacks."""
    first = max(Quarter.parse(ensemble.manifest["first_quarter"]) for ensemble in ensembles)
    last = min(Quarter.parse(ensemble.manifest["last_quarter"]) for ensemble in ensembles)
    known = [str(first + step) for step in range(last - first + 1)]
    chosen = list(dict.fromkeys(asked)) or [str(last)]
    for text in chosen:
        if text not in known:
            raise InputError(f"quarter is {text!r}{nearest(text, known)} (allowed: {first} to {last})")
    return [Quarter.parse(text) for text in chosen]
