"""Every lever against the baseline at its reference intensity, paired over replicates.

The reference intensity of a lever is its declared defaults. A lever the baseline has switched on is
compared with the baseline without it. Both runs of a pair share their seed, so they share all random draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from scenarios.analysis.intervals import CONFIDENCE
from scenarios.analysis.metrics import COLUMNS
from scenarios.ensembles.ensemble import run_ensemble
from scenarios.errors import ScenarioError, nearest
from scenarios.files.loading import load_scenario, merge_values, nested
from scenarios.files.schema import Scenario, build
from scenarios.records.results import Results
from sim.calendar import Quarter
from sim.levers import Levers

#: Scenario everything is compared with, and the paired runs if nobody says how many.
BASELINE, REPLICATES = "baseline", 8


@dataclass(frozen=True)
class Case:
    """One comparison: what is changed from the baseline, and the outcome it should move first.

    Attributes:
        name: lever, or dotted key of a rule or shock.
        changes: values laid over the baseline. plain: values laid over it for the other run of the pair.
        outcome, sign: column of `national` and the expected sign. start, end: quarters compared.
    """

    name: str
    changes: dict
    plain: dict
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
    found = {}
    changes: dict
    plain: dict
    for name, field in Levers.model_fields.items():
        used = getattr(baseline.levers, name)
        if used.enabled:
            changes, plain = {}, {"levers": {name: {"enabled": False}}}
        else:
            used = field.default
            changes, plain = {"levers": {name: {**used.model_dump(mode="json"), "enabled": True}}}, {}
        outcome, sign = used.outcome
        found[name] = Case(name, changes, plain, outcome, sign, used.start, used.end)
    for key, value, outcome, sign in _RULES:
        changes = {"rules": {"start": _RULES_START, **nested({key: value})}}
        found[f"rules.{key}"] = Case(f"rules.{key}", changes, {}, outcome, sign, _RULES_START, "2048Q4")
    for name, outcome, sign in _SHOCKS:
        # The table alone switches a shock on, with its declared defaults.
        shock = type(getattr(baseline.shocks, name))()
        last = str(Quarter.parse(shock.start) + (shock.quarters - 1))
        changes = {"shocks": {name: shock.model_dump(mode="json")}}
        found[f"shocks.{name}"] = Case(f"shocks.{name}", changes, {}, outcome, sign, shock.start, last)
    return found


def _choose(found: dict[str, Case], names: tuple[str, ...]) -> list[Case]:
    for name in names:
        if name not in found:
            raise ScenarioError(f"unknown lever {name!r}{nearest(name, found)} (allowed: {', '.join(found)})")
    return [found[name] for name in names or found]


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
        parent: scenario they are laid over; None means the baseline.
        out: new directory for the results of all runs.
        replicates: paired runs; None means REPLICATES. options: as in `run_ensemble`.

    Returns:
        One row a comparison: lever, outcome, unit, baseline (mean level of the outcome), effect with
        low and high (95 % interval of the mean paired difference, mean over the quarters in which the
        lever acts), p_value, expected (sign), moved (the interval excludes zero on the expected side),
        little_giants and srdi_smes with their intervals (differences at the end of the run), cost_yuan
        (public money spent through the lever), cost_per_srdi_sme_yuan (None unless the lever costs money
        and the interval of SRDI SMEs lies above zero), note.

    Raises:
        ScenarioError: for an unknown name.
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
    spending = results.spending
    paid = spending[(spending["scenario"] == changed) & (spending["lever"] == case.name)]
    cost = float(paid.groupby(["draw", "replicate"])["spending_yuan"].sum().mean()) if len(paid) else 0.0
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
        "cost_per_srdi_sme_yuan": cost / smes[0] if cost > 0.0 and smes[1] > 0.0 else None,
        "note": "" if moved else _why(low, high, results),
    }


def _why(low: float, high: float, results: Results) -> str:
    """Why an outcome did not move as expected."""
    if np.isnan(low):
        return "does not act within the run, or there is only one replicate"
    if low == high == 0.0:
        return "no difference: the lever reached nothing it acts on"
    replicates, scale = results.manifest["replicates"], results.manifest["scale"]
    if low <= 0.0 <= high:
        return f"within the simulation noise of {replicates} replicates at scale {scale:g}; use a larger scale"
    return "moved against the expected sign"
