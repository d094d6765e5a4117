"""Effect of every lever at its reference intensity, compared with the baseline and paired over replicates.

The reference intensity of a lever is its declared defaults. A lever that is on in the baseline is compared with the
baseline without it. Both runs of a pair have the same seed and therefore the same random draws.

With draws of the strengths of levers, as many pairs again are run, in a folder of their own: half of them with the
strengths of one pair and the fitted parameters of the next, the others with the parameters of one pair and new luck.
They tell what doubt comes from where (`scenarios.analysis.doubt`) and what it would be worth to know a strength
(`scenarios.analysis.information`). Effects and their intervals are those of the pairs themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scenarios.analysis.doubt import FEWEST, levels, variance_shares
from scenarios.analysis.information import Candidate, Information, information
from scenarios.analysis.intervals import CONFIDENCE, mean_interval
from scenarios.analysis.metrics import (
    COLUMNS,
    COST_PARTS,
    CUMULATIVE,
    CUMULATIVE_COST,
    Metric,
    choose_metrics,
    with_derived,
)
from scenarios.ensembles.ensemble import run_ensemble
from scenarios.ensembles.parameter_draws import ParameterDraws, read_parameter_draws
from scenarios.errors import ScenarioError, nearest
from scenarios.files.labels import Label
from scenarios.files.loading import load_scenario, merge_values, nest
from scenarios.files.schema import Scenario, build, run_defaults
from scenarios.files.strengths import lever_strengths
from scenarios.records.layout import PARAMETER_DRAWS_FILE
from scenarios.records.results import Results, load_results
from sim.calendar import Quarter
from sim.levers import Levers

#: Scenario that everything is compared with, and the default number of paired runs.
BASELINE, REPLICATES = "baseline", 8
#: Outcome at the end of the run by which levers are ranked per yuan. Certificates alone can be had by making firms
#: apply that already qualify.
GAIN = "genuine_srdi_smes"
#: Folder, in that of the results, of the runs that tell the parts of the doubt apart.
CROSSED = "crossed"


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


@dataclass(frozen=True)
class Effects:
    """The effects, and what doubt about them is worth.

    Attributes:
        table: one row per comparison: lever, outcome, unit, label and studies (what the effect rests on, see
            `scenarios.files.labels`), baseline (mean level of the outcome), effect with low and high (95 % interval of
            the mean paired difference, mean over the quarters in which the lever acts), p_value, expected (sign),
            moved (whether the interval excludes zero on the expected side), little_giants and srdi_smes with their
            intervals (differences at the end of the run), cost_yuan (additional public cost over the run) with
            cost_low_yuan and cost_high_yuan (95 % interval as in `scenarios.analysis.comparison`) and its parts
            cost_lever_yuan, cost_tax_yuan, cost_title_yuan, cost_per_srdi_sme_yuan (None unless the cost and the
            interval of SRDI SMEs are above zero), note. With draws of strengths also p05 and p95 (quantiles of single
            pairs, the crossed ones included), luck_low and luck_high (the interval that luck alone would give), and
            for each of strength, fitted and luck its share of the variance: strength_share, strength_share_error,
            strength_share_clear and so on (`scenarios.analysis.doubt`); None where nothing varies.
        information: what knowing a strength would be worth; None without draws of strengths, or with too few.
        pairs: of each comparison that the shares of variance come from; 0 if they were not measured.
    """

    table: pd.DataFrame
    information: Information | None = None
    pairs: int = 0


def run_effects(names: tuple[str, ...] = (), parent: Scenario | None = None, **options: Any) -> pd.DataFrame:
    """Run the comparisons and return the table of effects (see `Effects`); arguments as in `measure_effects`."""
    return measure_effects(names, parent, **options).table


def measure_effects(
    names: tuple[str, ...] = (),
    parent: Scenario | None = None,
    *,
    out: str | Path,
    replicates: int | None = None,
    draws: ParameterDraws | None = None,
    gain: str = GAIN,
    on_start: Callable[[int], None] = lambda runs: None,
    **options: Any,
) -> Effects:
    """Run the comparisons.

    Args:
        names: levers (or ``rules.…``, ``shocks.…``); none means all.
        parent: scenario they are applied to; None means the baseline.
        out: new directory for the results of all runs.
        replicates: number of paired runs; None means REPLICATES. draws: parameter draws, one per replicate.
        gain: metric by which levers are ranked per yuan, at the end of the run.
        on_start: called with the number of runs, again when they become more. options: as in `run_ensemble`.

    Raises:
        ScenarioError: a name is unknown.
        InputError: the metric is unknown, or as in `run_ensemble`.
    """
    parent = parent or load_scenario(BASELINE)
    (metric,) = choose_metrics((gain,))
    chosen = _choose(cases(parent), names)
    values = parent.model_dump(by_alias=True, mode="json")
    scenarios = {BASELINE: parent}

    def named(kind: str, case: Case, changes: dict) -> str:
        """Name of a scenario with changes, which is added to the scenarios."""
        name = _name(kind, case, changes)
        scenarios.setdefault(name, _scenario(values, name, changes) if changes else parent)
        return name

    pairs = [(named("plain", case, case.plain), named("with", case, case.changes)) for case in chosen]
    replicates = replicates or REPLICATES
    crossed = draws is not None and replicates >= FEWEST and 0 < len(draws.strengths) < len(draws.names)
    stages: list[int] = []

    def on_stage(runs: int) -> None:
        """The first stage announces both, so that the time left is known from the start."""
        stages.append(runs)
        on_start(2 * runs if crossed and len(stages) == 1 else sum(stages))

    def run(folder: Path, **changes: Any) -> Results:
        asked = {"replicates": replicates, "draws": draws, "on_start": on_stage, **options, **changes}
        return run_ensemble(list(scenarios.values()), out=folder, **asked)

    results = run(Path(out))
    rows = [_row(results, case, *pair) for case, pair in zip(chosen, pairs, strict=True)]
    if not crossed or draws is None:
        return Effects(pd.DataFrame(rows))
    # Luck is not shared with any of the pairs: the seeds follow theirs.
    seed = run_defaults(parent, seed=options.get("seed")).seed + replicates
    others = run(Path(out) / CROSSED, draws=draws.cross(replicates), seed=seed)
    sample = _Sample.of((results, others), draws)
    for row, case, pair in zip(rows, chosen, pairs, strict=True):
        row |= _doubt(row, sample.acting(case, *pair), sample)
    found = information(metric, _candidates(sample, rows, chosen, pairs, metric), *sample.drawn(draws))
    return Effects(pd.DataFrame(rows), found, pairs=len(sample.strengths))


def kept_information(results: Results, gain: str = GAIN) -> Information | None:
    """What knowing the strengths would be worth, from the directory that ``srdi effects --out`` wrote.

    The directory keeps the parameter draws that were used, so quantiles of a strength are those of them, not of all
    draws of the file.

    Args:
        results: of the pairs; those with luck of their own are in its folder CROSSED. gain: as in `measure_effects`.

    Returns:
        None if the directory has other contents, or too few draws to learn from.

    Raises:
        InputError: the metric is unknown.
        ResultsError: the folder CROSSED is unfinished or damaged.
    """
    (metric,) = choose_metrics((gain,))
    folder = results.path / CROSSED
    scenarios = {scenario["name"]: scenario for scenario in results.manifest["scenarios"]}
    if BASELINE not in scenarios or not results.manifest["parameter_draws"] or not folder.is_dir():
        return None
    others = load_results(folder)
    comparisons = cases(build(scenarios[BASELINE], BASELINE)).values()
    pairs = {case.name: (_name("plain", case, case.plain), _name("with", case, case.changes)) for case in comparisons}
    chosen = [case for case in comparisons if set(pairs[case.name]) <= set(scenarios)]
    draws = read_parameter_draws(str(results.path / PARAMETER_DRAWS_FILE))
    if not chosen or not draws.strengths or [*scenarios] != [each["name"] for each in others.manifest["scenarios"]]:
        return None
    sample = _Sample.of((results, others), draws)
    compared = [pairs[case.name] for case in chosen]
    rows = [_row(results, case, *pair) for case, pair in zip(chosen, compared, strict=True)]
    return information(metric, _candidates(sample, rows, chosen, compared, metric), *sample.drawn(draws))


def _name(kind: str, case: Case, changes: dict) -> str:
    """Name of the scenario of a case with changes; without any it is the baseline."""
    return f"{kind}-{case.name.replace('.', '-')}" if changes else BASELINE


def _candidates(
    sample: _Sample, rows: list[dict], chosen: list[Case], pairs: list[tuple[str, str]], metric: Metric
) -> list[Candidate]:
    """The levers among the comparisons."""
    return [
        _candidate(sample, row, case, pair, metric)
        for row, case, pair in zip(rows, chosen, pairs, strict=True)
        if case.name in Levers.model_fields
    ]


@dataclass(frozen=True)
class _Sample:
    """The pairs of several ensembles of the same scenarios.

    Attributes:
        frames: the national table of each, with derived values.
        strengths, fitted: parameters of each pair, by ensemble, draw and replicate.
    """

    frames: tuple[pd.DataFrame, ...]
    strengths: pd.DataFrame
    fitted: pd.DataFrame

    @classmethod
    def of(cls, ensembles: tuple[Results, ...], draws: ParameterDraws) -> _Sample:
        """The pairs with the parameters that they drew."""
        used = []
        for results in ensembles:
            runs = results.national[["draw", "replicate"]].drop_duplicates().sort_values(["draw", "replicate"])
            used.append(results.parameter_draws.loc[runs["draw"]])
        values = pd.concat(used, ignore_index=True)
        names = list(draws.strengths)
        frames = tuple(with_derived(results.national) for results in ensembles)
        return cls(frames, values[names], values.drop(columns=names))

    def drawn(self, draws: ParameterDraws) -> tuple[pd.DataFrame, pd.DataFrame, Mapping[str, Label]]:
        """The strengths of each pair, all draws of them, and what they rest on."""
        every = pd.DataFrame(draws.columns(draws.strengths), columns=list(draws.strengths))
        return self.strengths, every, draws.labels

    def acting(self, case: Case, plain: str, changed: str) -> np.ndarray:
        """Differences of the outcome of a case over the quarters in which it acts, float64 (pairs,)."""
        return self._differences(lambda frame: _acting(frame, case), case.outcome, plain, changed)

    def last(self, column: str, plain: str, changed: str) -> np.ndarray:
        """Differences at the end of the run, float64 (pairs,)."""
        return self._differences(_last, column, plain, changed)

    def _differences(
        self, when: Callable[[pd.DataFrame], pd.DataFrame], column: str, plain: str, changed: str
    ) -> np.ndarray:
        return np.concatenate(
            [
                _by_run(when(frame[frame["scenario"] == changed]), column)
                - _by_run(when(frame[frame["scenario"] == plain]), column)
                for frame in self.frames
            ]
        )


def _acting(frame: pd.DataFrame, case: Case) -> pd.DataFrame:
    """Rows of the quarters in which a case acts."""
    return frame[frame["quarter"].between(*(pd.Timestamp(Quarter.parse(q).end_date) for q in (case.start, case.end)))]


def _last(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last quarter."""
    return frame[frame["quarter"] == frame["quarter"].max()]


def _by_run(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Mean of a column in each run, float64 (runs,), in the order of draws and replicates."""
    return frame.groupby(["draw", "replicate"])[column].mean().to_numpy()


def _doubt(row: dict, effects: np.ndarray, sample: _Sample) -> dict:
    """The columns of a row that tell how wide the doubt is and where it comes from."""
    found: dict = dict.fromkeys(("p05", "p95", "luck_low", "luck_high"), np.nan)
    for part in ("strength", "fitted", "luck"):
        found |= {f"{part}_share": np.nan, f"{part}_share_error": np.nan, f"{part}_share_clear": False}
    if not len(effects):
        return found
    found["p05"], found["p95"] = map(float, np.quantile(effects, (0.05, 0.95)))
    shares = variance_shares(effects, *(levels(each.to_numpy()) for each in (sample.strengths, sample.fitted)))
    if shares is None:
        return found
    for part in ("strength", "fitted", "luck"):
        share = getattr(shares, part)
        found |= {f"{part}_share": share.value, f"{part}_share_error": share.error, f"{part}_share_clear": share.clear}
    # Standard deviations, and so intervals, go with the root of a variance.
    width = float(np.sqrt(shares.luck.value))
    return found | {f"luck_{end}": width * row[end] + (1.0 - width) * row["effect"] for end in ("low", "high")}


def _candidate(sample: _Sample, row: dict, case: Case, pair: tuple[str, str], metric: Metric) -> Candidate:
    """A lever to be ranked; its strengths are those that are drawn."""
    return Candidate(
        lever=case.name,
        strengths=tuple(name for name in lever_strengths()[case.name] if name in sample.strengths),
        effects=sample.acting(case, *pair),
        gains=(-1.0 if metric.less_is_better else 1.0) * sample.last(metric.name, *pair),
        costs=sample.last(CUMULATIVE_COST, *pair),
        priced=row["cost_low_yuan"] > 0.0,
    )


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
    national, label = results.national, results.change_label(plain, changed)

    def by_replicate(scenario: str, column: str, last: bool = False) -> np.ndarray:
        frame = national[national["scenario"] == scenario]
        return _by_run(_last(frame) if last else _acting(frame, case), column)

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
        **label.columns,
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
