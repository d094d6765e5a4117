"""Effect of every lever at its reference intensity, compared with the baseline and paired over replicates.

The reference intensity of a lever is its declared defaults. A lever that is on in the baseline is compared with the
baseline without it. Both runs of a pair have the same seed and therefore the same random draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scenarios.analysis.intervals import CONFIDENCE, mean_interval
from scenarios.analysis.metrics import COLUMNS, COST_PARTS, CUMULATIVE, CUMULATIVE_COST
from scenarios.ensembles.ensemble import run_ensemble
from scenarios.errors import ScenarioError, nearest
from scenarios.files.loading import load_scenario, merge_values, nest
from scenarios.files.schema import Scenario, build
from scenarios.records.results import Results
from sim.calendar import Quarter
from sim.levers import Levers

#: Scenario that everything is compared with, and the default number of paired runs.
BASELINE, REPLICATES = "baseline", 8


@dataclass(frozen=True, kw_only=True)
class Case:
    """One comparison: the change from the baseline and the outcome it should affect first.

    Attributes:
        name: a lever, or the dotted key of a rule or shock.
        changes: values applied to the baseline. plain: values applied to it in the other run of the pair, if any.
        outcome, sign: column of `national` and the expected sign of its change. start, end: quarters compared.
    """

    name: str
    changes: dict
    plain: dict = field(default_factory=dict)
    outcome: str
    sign: int
    start: str
    end: str


#: Rules and shocks at a reference change: key, value, outcome and expected sign.
_RULES = (
    ("audit_strictness", 0.9, "relabelled_rd_share", -1),
    ("srdi.rd_intensity_min", 0.04, "srdi_smes", -1),
    ("srdi.review_strictness", 1.0, "srdi_smes", -1),
    ("little_giant.capacity", 2000, "little_giants", -1),
    ("little_giant.niche_share_min", 0.05, "little_giants", 1),
)
_SHOCKS = (
    ("demand_slump", "revenue_yuan", -1),
    ("foreign_supply", "output_lost_yuan", 1),
    ("credit_crunch", "constraint_mean", 1),
    ("energy_price", "green_mean", 1),
)
_RULES_START = "2024Q1"


def cases(baseline: Scenario) -> dict[str, Case]:
    """Every comparison by name: all levers, then reference changes of rules and shocks."""
    comparisons = []
    for name, declared in Levers.model_fields.items():
        reference = getattr(baseline.levers, name)
        changes: dict = {}
        plain: dict = {}
        if reference.enabled:
            plain = {"levers": {name: {"enabled": False}}}
        else:
            reference = declared.default
            changes = {"levers": {name: {**reference.model_dump(mode="json"), "enabled": True}}}
        outcome, sign = reference.outcome
        start, end = reference.start, reference.end
        comparisons.append(
            Case(name=name, changes=changes, plain=plain, outcome=outcome, sign=sign, start=start, end=end)
        )
    for key, value, outcome, sign in _RULES:
        changes = {"rules": {"start": _RULES_START, **nest({key: value})}}
        start, end, name = _RULES_START, "2048Q4", f"rules.{key}"
        comparisons.append(Case(name=name, changes=changes, outcome=outcome, sign=sign, start=start, end=end))
    for name, outcome, sign in _SHOCKS:
        # Naming a shock is enough to switch it on, with its declared defaults.
        shock = type(getattr(baseline.shocks, name))()
        changes = {"shocks": {name: shock.model_dump(mode="json")}}
        start, end = shock.start, str(Quarter.parse(shock.start) + (shock.quarters - 1))
        name = f"shocks.{name}"
        comparisons.append(Case(name=name, changes=changes, outcome=outcome, sign=sign, start=start, end=end))
    return {case.name: case for case in comparisons}


def _choose(comparisons: dict[str, Case], names: tuple[str, ...]) -> list[Case]:
    for name in names:
        if name not in comparisons:
            raise ScenarioError(
                f"unknown lever {name!r}{nearest(name, comparisons)} (allowed: {', '.join(comparisons)})"
            )
    return [comparisons[name] for name in names or comparisons]


def _scenario(baseline: dict, name: str, changes: dict) -> Scenario:
    return build({**merge_values(baseline, changes), "name": name}, name)


def run_effects(
    names: tuple[str, ...] = (),
    parent: Scenario | None = None,
    *,
    out: str | Path,
    replicates: int | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Run the comparisons and return the table of effects.

    Args:
        names: levers (or ``rules.…``, ``shocks.…``); none means all.
        parent: scenario they are applied to; None means the baseline.
        out: new directory for the results of all runs.
        replicates: number of paired runs; None means REPLICATES. options: as in `run_ensemble`.

    Returns:
        One row per comparison: lever, outcome, unit, baseline (mean level of the outcome), effect with
        low and high (95 % interval of the mean paired difference, mean over the quarters in which the
        lever acts), p_value, expected (sign), moved (whether the interval excludes zero on the expected side),
        little_giants and srdi_smes with their intervals (differences at the end of the run), cost_yuan (additional
        public cost over the run) with cost_low_yuan and cost_high_yuan (95 % interval as in
        `scenarios.analysis.comparison`) and its parts cost_lever_yuan, cost_tax_yuan, cost_title_yuan,
        cost_per_srdi_sme_yuan (None unless the cost and the interval of SRDI SMEs are above zero), note.

    Raises:
        ScenarioError: a name is unknown.
    """
    parent = parent or load_scenario(BASELINE)
    chosen = _choose(cases(parent), names)
    values = parent.model_dump(by_alias=True, mode="json")
    scenarios = {BASELINE: parent}
    pairs = []
    for case in chosen:
        pair = []
        for kind, changes in (("plain", case.plain), ("with", case.changes)):
            name = f"{kind}-{case.name.replace('.', '-')}" if changes else BASELINE
            scenarios.setdefault(name, _scenario(values, name, changes) if changes else parent)
            pair.append(name)
        pairs.append(tuple(pair))
    results = run_ensemble(list(scenarios.values()), out=out, replicates=replicates or REPLICATES, **options)
    return pd.DataFrame([_row(results, case, *pair) for case, pair in zip(chosen, pairs, strict=True)])


def _interval(differences: np.ndarray) -> tuple[float, float, float, float]:
    """Mean, low, high and p-value of a mean paired difference by Student's t."""
    if len(differences) < 2:
        return (np.nan,) * 4
    mean = float(differences.mean())
    if np.ptp(differences) == 0.0:
        return mean, mean, mean, 1.0 if mean == 0.0 else 0.0
    from scipy import stats

    test = stats.ttest_1samp(differences, 0.0)
    low, high = test.confidence_interval(CONFIDENCE)
    return mean, float(low), float(high), float(test.pvalue)


def _row(results: Results, case: Case, plain: str, changed: str) -> dict:
    national = results.national

    def by_replicate(scenario: str, column: str, last: bool = False) -> np.ndarray:
        frame = national[national["scenario"] == scenario]
        acts = frame["quarter"].between(*(pd.Timestamp(Quarter.parse(q).end_date) for q in (case.start, case.end)))
        frame = frame[frame["quarter"] == frame["quarter"].max()] if last else frame[acts]
        return frame.groupby(["draw", "replicate"])[column].mean().to_numpy()

    def difference(column: str, last: bool = False) -> tuple[float, float, float, float]:
        return _interval(by_replicate(changed, column, last) - by_replicate(plain, column, last))

    effect, low, high, p_value = difference(case.outcome)
    levels = by_replicate(plain, case.outcome)
    moved = low > 0.0 if case.sign > 0 else high < 0.0
    giants, smes = (difference(column, last=True) for column in ("little_giants", "srdi_smes"))
    runs = national.groupby(["scenario", "draw", "replicate"], observed=True)
    sums = runs[[CUMULATIVE[name] for name in (CUMULATIVE_COST, *COST_PARTS.values())]].sum()
    costs = sums.loc[changed] - sums.loc[plain]
    cost, *parts = map(float, costs.mean())
    of_cost = mean_interval(costs[CUMULATIVE[CUMULATIVE_COST]].to_numpy()[None])
    return {
        "lever": case.name,
        "outcome": case.outcome,
        "unit": COLUMNS[case.outcome].unit,
        "baseline": float(levels.mean()) if len(levels) else np.nan,
        "effect": effect,
        "low": low,
        "high": high,
        "p_value": p_value,
        "expected": "+" if case.sign > 0 else "-",
        "moved": bool(moved),
        "little_giants": giants[0],
        "little_giants_low": giants[1],
        "little_giants_high": giants[2],
        "srdi_smes": smes[0],
        "srdi_smes_low": smes[1],
        "srdi_smes_high": smes[2],
        "cost_yuan": cost,
        "cost_low_yuan": of_cost.low,
        "cost_high_yuan": of_cost.high,
        **{f"cost_{part}_yuan": yuan for part, yuan in zip(COST_PARTS, parts, strict=True)},
        "cost_per_srdi_sme_yuan": cost / smes[0] if cost > 0.0 and smes[1] > 0.0 else None,
        "note": "" if moved else _explanation(low, high, results),
    }


def _explanation(low: float, high: float, results: Results) -> str:
    """Why an outcome did not move as expected."""
    if np.isnan(low):
        return "does not act within the run, or there is only one replicate"
    if low == high == 0.0:
        return "no difference: the lever reached no firm it acts on"
    replicates, scale = results.manifest["replicates"], results.manifest["scale"]
    if low <= 0.0 <= high:
        return f"within the simulation noise of {replicates} replicates at scale {scale:g}; use a larger scale"
    return "moved against the expected sign"
