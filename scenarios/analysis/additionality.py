"""Additionality: of 100 supported firms, how many changed what, and how many would have got there anyway.

A pair is one parameter draw and replicate, run again under a scenario and the baseline with the same random draws.
Each supported firm is compared with itself in the other run, so neither a comparison group nor a regression is needed.
A firm that has closed or was never founded in a run has no tier and amounts of zero there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from scenarios.analysis.again import SIZES, all_pairs, manufacturing, not_repeated, size_class, some_pairs
from scenarios.analysis.comparison import common_quarters, common_scenarios
from scenarios.analysis.firm_runs import AMOUNTS, TITLES, FirmRun, follow
from scenarios.analysis.intervals import BAND
from scenarios.analysis.recipients import SUPPORTING
from scenarios.checks import single, whole_number
from scenarios.ensembles.ensemble import run_together
from scenarios.ensembles.jobs import Job
from scenarios.ensembles.parameter_draws import ParameterDraws
from scenarios.ensembles.rerun import jobs_again
from scenarios.errors import Fault, InputError, nearest
from scenarios.files.schema import build
from scenarios.records.kept import table_of
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.arguments import quoted
from sim.calendar import Quarter
from sim.reference import province_names
from sim.tiers import Tier

#: Change of an amount that counts as one, as a share of the amount without the policy (an assumption).
DEFAULT_THRESHOLD = 0.01
#: Dimensions by which supported firms are grouped, as they stood before the support.
DIMENSIONS = ("tier", "size", "province")
#: What a firm has or has not, beside its titles: still in business, does R&D, sells abroad.
STATES = ("firms", *TITLES, "rd_firms", "exporters")
#: All levers together, and all their firms.
ALL = "all"
#: Rows on firms that no lever supports: in a niche of a supported firm, or elsewhere.
RIVALS, SAME_NICHE, ELSEWHERE = "rivals", "same_niche", "elsewhere"
_PER_100, _FIRMS = "per 100 supported firms", "firms"
_AMOUNT_UNITS = dict(zip(AMOUNTS, ("yuan per year", "persons", "yuan per year", "yuan per year"), strict=True))
#: What makes a number incomplete, by key, with what is filled in.
CAVEATS = {
    "repeats": "{some} of {runs} runs do not repeat the figures of {path}, which another version of the model or its "
    "packages made; the numbers here are those of this version.",
    "differs": "{scenario} also differs in {others}: changes of its firms are not those of support alone.",
    "left_out": "{scenario} is left out: it supports no firm by a lever that differs from {baseline}.",
}


@dataclass(frozen=True)
class Caveat:
    """Something that makes a number incomplete: a key of CAVEATS and what is filled in."""

    key: str
    values: Mapping[str, str]

    @property
    def text(self) -> str:
        """The sentence."""
        return CAVEATS[self.key].format(**self.values)


#: Rows of a lever or group by quantity and measure.
Numbers = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Additionality:
    """What support changed, firm by firm.

    Attributes:
        baseline: the scenario the others are compared with. quarter: the one at whose end firms are compared.
        levers: by scenario, the levers that support firms and differ from the baseline, as far as they were chosen.
        threshold: change of an amount that counts, as a share of the amount without the policy.
        rows: one row per number. Columns: scenario; lever (``all`` for all that were chosen); by (``lever``, one of
            `DIMENSIONS`, or ``rivals``); group (of the dimension; ``same_niche`` or ``elsewhere`` for rivals);
            quantity; measure; unit; value (ratio of the sums over the pairs, or mean of a count), low and high (10 and
            90 % of the pairs; NaN with fewer than two pairs that have such firms); label and studies (see
            `scenarios.files.labels`).

            Of supported firms. Quantity ``supported``: count (firms at 1:1), simulated, only_with (per 100, of firms
            that were founded with the policy alone), in_baseline (per 100, also supported by these levers there).
            STATES: with, anyway (with and without), added (only with), lost (only without), neither, each per 100;
            anyway_share (of those that have it with the policy). Titles also: held_before (per 100, before the
            support); reached (per 100, not before but with), reached_anyway (of these also without) and
            reached_anyway_share. Quantity ``tier``: higher, lower, same, per 100. AMOUNTS: with, without and change
            (means), change_share (of the sum without), higher, lower, same (per 100, by the threshold). Quantity
            ``anything``: changed (per 100: tier, survival or an amount by more than the threshold).

            Of rivals, firms that none of the levers that differ has supported: rivals (their number), support_lost (of
            these, supported in the baseline); STATES: lost, gained, net; AMOUNTS: lower, higher (firms, by the
            threshold), losses, gains, net (sums), net_per_100 (of supported firms).
        caveats: what makes a number incomplete.
        pairs: number of pairs run again. available: pairs in the directory. scale: simulated firms per real firm.
        parameters_vary: whether the pairs differ in parameters, not only in random draws.
    """

    FILE: ClassVar[str] = "additionality.json"
    COMMAND: ClassVar[str] = "srdi additionality --keep"

    baseline: str
    quarter: str
    levers: Mapping[str, tuple[str, ...]]
    threshold: float
    rows: pd.DataFrame
    caveats: tuple[Caveat, ...]
    pairs: int
    available: int
    scale: float
    parameters_vary: bool

    def records(self) -> dict:
        """Plain values for JSON: all but `available`, `scale` and `parameters_vary`; None for missing numbers."""
        return {
            "baseline": self.baseline,
            "quarter": self.quarter,
            "levers": {name: list(levers) for name, levers in self.levers.items()},
            "threshold": self.threshold,
            "pairs": self.pairs,
            "caveats": [caveat.text for caveat in self.caveats],
            "rows": records(self.rows),
        }

    def stored(self) -> dict:
        """As `Keepable.stored`."""
        more = {name: getattr(self, name) for name in ("available", "scale", "parameters_vary")}
        return {**self.records(), **more, "caveats": [[caveat.key, caveat.values] for caveat in self.caveats]}

    @classmethod
    def of_stored(cls, values: Mapping[str, Any]) -> Self:
        """As `Keepable.of_stored`."""
        return cls(
            levers={name: tuple(levers) for name, levers in values["levers"].items()},
            caveats=tuple(Caveat(key, about) for key, about in values["caveats"]),
            rows=table_of(values["rows"]),
            **{
                name: values[name]
                for name in ("baseline", "quarter", "threshold", "pairs", "available", "scale", "parameters_vary")
            },
        )

    def groups(self, scenario: str) -> dict[tuple[str, str, str], Numbers]:
        """The rows of a scenario by lever, by and group, each by quantity and measure."""
        own = self.rows[self.rows["scenario"] == scenario]
        return {
            (key[0], key[1], key[2]): {(row["quantity"], row["measure"]): row for row in rows.to_dict("records")}
            for key, rows in own.groupby(["lever", "by", "group"], sort=False)
        }


def additionality(
    results: Results,
    baseline: str = "baseline",
    *,
    pairs: int | None = None,
    levers: Iterable[str] = (),
    quarter: str | None = None,
    threshold: float = DEFAULT_THRESHOLD,
    workers: int | None = None,
    threads: int = 1,
    on_start: Callable[[int], None] = lambda pairs: None,
    on_pair: Callable[[], None] = lambda: None,
) -> Additionality:
    """Run some pairs of an ensemble again and compare each supported firm with itself in the baseline.

    Scenarios that support no firm by a lever that differs from the baseline are left out. A script that uses more than
    one worker needs a guard (see `scenarios.run_ensemble`).

    Args:
        results: an ensemble with the baseline and at least one other scenario; its scale, parameters and seeds apply.
        baseline: the scenario the others are compared with.
        pairs: how many to run again, spread evenly over those of the ensemble; None means DEFAULT_PAIRS, or all if
            there are fewer.
        levers: those whose firms are looked at, one or several; none means all that differ from the baseline.
        quarter: at whose end firms are compared, such as 2027Q4; None means the last of the run.
        threshold: see `Additionality`.
        workers, threads: as in `scenarios.run_ensemble`.
        on_start, on_pair: called with the number of pairs, and after each.

    Raises:
        InputError: an unknown baseline, lever or quarter, a single scenario, a number out of its range, no scenario
            that supports firms, or scenarios that do not start from the same firms.
        RunFailed: a run failed.

    Example:
        >>> additionality(load_results("results/fund"), pairs=2).rows  # doctest: +SKIP
    """
    threads = whole_number("threads", threads, 1)
    workers = workers if workers is None else whole_number("workers", workers, 1)
    asked = Asked(pairs, (levers,) if isinstance(levers, str) else tuple(levers), quarter, threshold)
    study = Study.of(results, baseline, asked, threads)
    on_start(len(study.groups))
    found: dict[int, PairCounts] = {}
    for index, counts in run_together(count_pair, study.groups, workers, study.plan):
        found[index] = counts
        on_pair()
    return study.result([found[index] for index in range(len(study.groups))])


@dataclass(frozen=True)
class Asked:
    """What is asked of pairs; as in `additionality`."""

    pairs: int | None = None
    levers: tuple[str, ...] = ()
    quarter: str | None = None
    threshold: float = DEFAULT_THRESHOLD


@dataclass(frozen=True)
class Study:
    """What is run again, and how its numbers become an answer.

    Attributes:
        results: an ensemble. baseline: what others are compared with. others: those that support firms.
        left_out: those that do not. scenarios: all, as in a manifest. levers: by scenario, those chosen.
        runs: parameter draw and replicate of the pairs. groups: the runs of each pair, the baseline first.
        plan: what is counted.
    """

    results: Results
    baseline: str
    others: tuple[str, ...]
    left_out: tuple[str, ...]
    scenarios: Mapping[str, Mapping]
    levers: Mapping[str, tuple[str, ...]]
    runs: tuple[tuple[int, int], ...]
    available: int
    groups: Sequence[Sequence[Job]]
    plan: Plan

    @classmethod
    def of(
        cls, results: Results, baseline: str, asked: Asked, threads: int = 1, draws: ParameterDraws | None = None
    ) -> Study:
        """The study of an ensemble.

        Args:
            draws: as in `scenarios.ensembles.rerun.jobs_again`.

        Raises:
            InputError: as in `additionality`.
        """
        single("results", results, Results, "load_results")
        names = common_scenarios([results], baseline)
        (last,) = common_quarters([results], [] if asked.quarter is None else [str(asked.quarter)])
        # As this version reads them: an older manifest may lack settings.
        scenarios = {
            values["name"]: build(values, f"{results.path}: scenario {values['name']}").model_dump(
                by_alias=True, mode="json"
            )
            for values in results.manifest["scenarios"]
        }
        differing = {name: _differing(scenarios[baseline], scenarios[name]) for name in names if name != baseline}
        chosen = _chosen(results, baseline, differing, asked.levers)
        chosen_runs = some_pairs(results, asked.pairs)
        return cls(
            results=results,
            baseline=baseline,
            others=tuple(chosen),
            left_out=tuple(name for name in differing if not differing[name]),
            scenarios=scenarios,
            levers=chosen,
            runs=tuple(chosen_runs),
            available=len(all_pairs(results)),
            groups=jobs_again(results, [baseline, *chosen], chosen_runs, threads, draws),
            plan=Plan(
                differing=tuple(differing[name] for name in chosen),
                chosen=tuple(chosen.values()),
                quarter=str(last),
                threshold=_share(asked.threshold),
            ),
        )

    def result(self, by_pair: Sequence[PairCounts]) -> Additionality:
        """The answer.

        Args:
            by_pair: of `count_pair`, in the order of the groups.

        Raises:
            InputError: scenarios do not start from the same firms.
        """
        baseline, others = self.baseline, self.others
        _refuse_other_firms(by_pair, baseline, others)
        rows = []
        for number, name in enumerate(others):
            label = self.results.change_label(baseline, name).columns
            rows += [{"scenario": name, **row, **label} for row in _rows([pair.counts[number] for pair in by_pair])]
        differing = dict(zip(others, self.plan.differing, strict=True))
        last = Quarter.parse(self.plan.quarter)
        caveats = [
            *_repetition(self.results, [baseline, *others], self.runs, by_pair, last),
            *(_also_differs(self.scenarios[baseline], self.scenarios[name], differing[name]) for name in others),
            *(Caveat("left_out", {"scenario": name, "baseline": baseline}) for name in self.left_out),
        ]
        return Additionality(
            baseline=baseline,
            quarter=self.plan.quarter,
            levers=self.levers,
            threshold=self.plan.threshold,
            rows=pd.DataFrame(rows)[_COLUMNS],
            caveats=tuple(filter(None, caveats)),
            pairs=len(self.groups),
            available=self.available,
            scale=self.results.manifest["scale"],
            parameters_vary=len({draw for draw, _ in self.runs}) > 1,
        )


_KEY = ("lever", "by", "group", "quantity", "measure", "unit")
_COLUMNS = ["scenario", *_KEY, "value", "low", "high", "label", "studies"]


# --- what is asked for


def _share(threshold: object) -> float:
    known = not isinstance(threshold, bool) and isinstance(threshold, int | float | np.number)
    if not known or not 0.0 <= threshold < 1.0:  # type: ignore[operator]
        raise InputError(f"threshold is {quoted(threshold)}: it must be a number from 0 to below 1")
    return float(threshold)  # type: ignore[arg-type]


def _differing(before: Mapping, after: Mapping) -> tuple[str, ...]:
    """Levers that support firms in a scenario and are not the same in the baseline; scenarios as in a manifest."""
    return tuple(
        name
        for name in SUPPORTING
        if after["levers"][name]["enabled"] and after["levers"][name] != before["levers"][name]
    )


def _chosen(
    results: Results, baseline: str, differing: Mapping[str, tuple[str, ...]], levers: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """The levers to be looked at by scenario, without scenarios that have none; raises InputError if none is left."""
    known = [name for name in SUPPORTING if any(name in own for own in differing.values())]
    if not known:
        raise InputError(
            f"{results.path}: no scenario supports firms by a lever that differs from {baseline!r}; run one that does, "
            "or choose another --baseline, such as no-policy",
            Fault("no_support"),
        )
    wanted = list(dict.fromkeys(levers))
    for name in wanted:
        if name not in known:
            raise InputError(
                f"lever is {name!r}{nearest(str(name), known)} (levers that support firms and differ from {baseline}: "
                f"{', '.join(known)})"
            )
    chosen = {name: tuple(lever for lever in own if lever in (wanted or own)) for name, own in differing.items()}
    return {name: own for name, own in chosen.items() if own}


def _also_differs(before: Mapping, after: Mapping, levers: Sequence[str]) -> Caveat | None:
    """What else a scenario changes, whose effect is in the changes of its firms; None if nothing."""
    other = [
        name
        for name in after["levers"]
        if name not in levers
        and after["levers"][name] != before["levers"][name]
        and (after["levers"][name]["enabled"] or before["levers"][name]["enabled"])
    ]
    other += [key for key in ("rules", "shocks", "model", "parameters") if before[key] != after[key]]
    return Caveat("differs", {"scenario": after["name"], "others": ", ".join(other)}) if other else None


# --- one pair


@dataclass(frozen=True)
class Plan:
    """What a worker counts, in plain values: by scenario, the levers that differ and those chosen."""

    differing: tuple[tuple[str, ...], ...]
    chosen: tuple[tuple[str, ...], ...]
    quarter: str
    threshold: float


#: Part and whole of one number of a pair, by `_KEY`.
Counts = dict[tuple[str, ...], tuple[float, float]]


@dataclass(frozen=True)
class PairCounts:
    """What a worker gives of one pair: by run, digest of the start and national figures; by scenario, its numbers."""

    starts: tuple[str, ...]
    national: tuple[dict[str, float], ...]
    counts: tuple[Counts, ...]


def count_pair(jobs: Sequence[Job], plan: Plan, before_step: Callable[[], None] = lambda: None) -> PairCounts:
    """Run the jobs of one pair, the baseline first, and count what changed for whom.

    Args:
        before_step: called before every quarter of each run; what it raises ends the run.
    """
    quarter = Quarter.parse(plan.quarter)
    every = tuple(name for name in SUPPORTING if any(name in own for own in plan.differing))
    without = follow(jobs[0], every, quarter, before_step)
    starts, national, counts = [without.start], [without.national], []
    for job, differing, chosen in zip(jobs[1:], plan.differing, plan.chosen, strict=True):
        run = follow(job, differing, quarter, before_step)
        starts.append(run.start)
        national.append(run.national)
        counts.append(count(run, without, differing, chosen, plan.threshold) if run.start == without.start else {})
    return PairCounts(tuple(starts), tuple(national), tuple(counts))


def count(run: FirmRun, without: FirmRun, differing: Sequence[str], chosen: Sequence[str], threshold: float) -> Counts:
    """The numbers of one pair.

    Args:
        run: under the scenario. without: under the baseline. differing: levers that differ. chosen: of these, those
            whose firms are looked at.
    """
    counts: Counts = {}
    rest = _rest(run, without, firms_of(run.events, differing))
    beside = _Compared(run, without, rest, threshold)
    niche = run.niche[rest["slot"].to_numpy(np.int64)]
    lost = np.isin(_keys(rest), _keys(firms_of(without.events, differing)))
    for lever, own in {**{name: (name,) for name in chosen}, ALL: tuple(chosen)}.items():
        supported = firms_of(run.events, own)
        compared = _Compared(run, without, supported, threshold)
        also = np.isin(_keys(supported), _keys(firms_of(without.events, own)))
        groups: dict[tuple[str, str], np.ndarray] = {("lever", lever): np.ones(len(supported), dtype=bool)}
        if lever == ALL:
            groups |= _groups(run, supported)
        for (by, group), mask in groups.items():
            for key, number in _of_supported(compared, mask, also).items():
                counts[(lever, by, group, *key)] = number
        near = np.isin(niche, run.niche[supported["slot"].to_numpy(np.int64)])
        for group, mask in ((SAME_NICHE, near), (ELSEWHERE, ~near)):
            for key, number in _of_rivals(beside, mask, lost, len(supported)).items():
                counts[(lever, RIVALS, group, *key)] = number
    return counts


def firms_of(events: pd.DataFrame, levers: Iterable[str]) -> pd.DataFrame:
    """Firms that any of some levers has reached: the first event of each, as `Recipients.events`."""
    own = events[events["lever"].isin(list(levers))].sort_values("quarter", kind="stable")
    return own.drop_duplicates(["slot", "founded"])


def _keys(firms: pd.DataFrame) -> np.ndarray:
    return _key(firms["slot"].to_numpy(np.int64), firms["founded"].to_numpy(np.int64))


def _key(slot: np.ndarray, since: np.ndarray) -> np.ndarray:
    """One number for a firm: int64 (firms,). Foundings lie within the 16 bits in which the model counts quarters."""
    return (slot << 17) + since + 2**16


def _groups(run: FirmRun, firms: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """Masks of supported firms by dimension and group, as they stood before the support."""
    made = manufacturing()
    sector = run.sector[firms["slot"].to_numpy(np.int64)]
    codes = {
        "tier": (Tier._fields, firms["tier"].to_numpy(np.int64)),
        "size": (SIZES, size_class(firms["employment"].to_numpy(np.float64), made[sector])),
        "province": (province_names(), run.county_province[firms["county"].to_numpy(np.int64)]),
    }
    return {(by, name): own == code for by, (names, own) in codes.items() for code, name in enumerate(names)}


class _Compared:
    """Firms with and without the policy.

    Attributes:
        firms: number. before: int64 (firms,), tier before the support.
        tiers: int64 (2, firms), with and without. states: by name, bool (2, firms). amounts: by name, float64
            (2, firms).
        higher, lower: by name of an amount, bool (firms,), by more than the threshold.
        only_with: bool (firms,), founded with the policy alone.
    """

    def __init__(self, run: FirmRun, without: FirmRun, firms: pd.DataFrame, threshold: float) -> None:
        slot, since = (firms[name].to_numpy(np.int64) for name in ("slot", "founded"))
        both = (run, without)
        self.firms, self.scale = len(firms), run.scale
        self.before = firms["tier"].to_numpy(np.int64) if "tier" in firms else np.zeros(len(firms), dtype=np.int64)
        self.tiers = np.stack([each.tier_of(slot, since) for each in both])
        self.amounts = {name: np.stack([each.amount_of(name, slot, since) for each in both]) for name in AMOUNTS}
        self.states = {
            "firms": np.stack([each.holds(slot, since) for each in both]),
            **{name: self.tiers >= tier for name, tier in TITLES.items()},
            "rd_firms": self.amounts["rd_true_yuan"] > 0.0,
            "exporters": self.amounts["exports_yuan"] > 0.0,
        }
        self.higher = {name: now > before * (1.0 + threshold) for name, (now, before) in self.amounts.items()}
        self.lower = {name: now < before * (1.0 - threshold) for name, (now, before) in self.amounts.items()}
        self.only_with = ~without.knew(slot, since)

    @property
    def changed(self) -> np.ndarray:
        """Firms whose tier, survival or any amount differs: bool (firms,)."""
        differs = (self.tiers[0] != self.tiers[1]) | (self.states["firms"][0] != self.states["firms"][1])
        return np.logical_or.reduce([differs, *self.higher.values(), *self.lower.values()])


def _of_supported(
    compared: _Compared, mask: np.ndarray, also: np.ndarray
) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Part and whole of the numbers of some supported firms, by quantity, measure and unit."""
    firms = float(mask.sum())

    def per_100(which: np.ndarray) -> tuple[float, float]:
        return 100.0 * float((which & mask).sum()), firms

    found = {
        ("supported", "count", _FIRMS): (firms / compared.scale, 1.0),
        ("supported", "simulated", _FIRMS): (firms, 1.0),
        ("supported", "only_with", _PER_100): per_100(compared.only_with),
        ("supported", "in_baseline", _PER_100): per_100(also),
        ("anything", "changed", _PER_100): per_100(compared.changed),
        ("tier", "higher", _PER_100): per_100(compared.tiers[0] > compared.tiers[1]),
        ("tier", "lower", _PER_100): per_100(compared.tiers[0] < compared.tiers[1]),
        ("tier", "same", _PER_100): per_100(compared.tiers[0] == compared.tiers[1]),
    }
    for name, (now, then) in compared.states.items():
        for measure, which in _outcomes(now, then).items():
            found[name, measure, _PER_100] = per_100(which)
        found[name, "anyway_share", "share"] = _part(now & then, now, mask)
        if name in TITLES:
            held = compared.before >= TITLES[name]
            reached = now & ~held
            found[name, "held_before", _PER_100] = per_100(held)
            found[name, "reached", _PER_100] = per_100(reached)
            found[name, "reached_anyway", _PER_100] = per_100(reached & then)
            found[name, "reached_anyway_share", "share"] = _part(reached & then, reached, mask)
    for name, (now, then) in compared.amounts.items():
        sums = {"with": now[mask].sum(), "without": then[mask].sum(), "change": (now - then)[mask].sum()}
        for measure, total in sums.items():
            found[name, measure, f"{_AMOUNT_UNITS[name]} and firm"] = (float(total), firms)
        found[name, "change_share", "share"] = (float(sums["change"]), float(sums["without"]))
        higher, lower = compared.higher[name], compared.lower[name]
        for measure, which in (("higher", higher), ("lower", lower), ("same", ~(higher | lower))):
            found[name, measure, _PER_100] = per_100(which)
    return found


def _outcomes(now: np.ndarray, then: np.ndarray) -> dict[str, np.ndarray]:
    """Who has something with the policy (now) and without (then)."""
    return {
        "with": now,
        "anyway": now & then,
        "added": now & ~then,
        "lost": then & ~now,
        "neither": ~(now | then),
    }


def _part(part: np.ndarray, whole: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    return float((part & mask).sum()), float((whole & mask).sum())


def _of_rivals(
    compared: _Compared, mask: np.ndarray, lost_support: np.ndarray, supported: int
) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Part and whole of the numbers of some firms without support, by quantity, measure and unit.

    Args:
        lost_support: bool (firms,), supported in the baseline. supported: firms of the lever.
    """

    def total(values: np.ndarray) -> tuple[float, float]:
        return float(values[mask].sum()) / compared.scale, 1.0

    found = {
        ("rivals", "count", _FIRMS): total(np.ones(len(mask))),
        ("rivals", "support_lost", _FIRMS): total(lost_support),
    }
    for name, (now, then) in compared.states.items():
        change = now.astype(np.int64) - then
        found[name, "lost", _FIRMS] = total(change < 0)
        found[name, "gained", _FIRMS] = total(change > 0)
        found[name, "net", _FIRMS] = total(change)
        found[name, "net_per_100", _PER_100] = (100.0 * float(change[mask].sum()), float(supported))
    for name, (now, then) in compared.amounts.items():
        change, unit = now - then, _AMOUNT_UNITS[name]
        found[name, "lower", _FIRMS] = total(compared.lower[name])
        found[name, "higher", _FIRMS] = total(compared.higher[name])
        found[name, "losses", unit] = total(np.minimum(change, 0.0))
        found[name, "gains", unit] = total(np.maximum(change, 0.0))
        found[name, "net", unit] = total(change)
        found[name, "net_per_100", f"{unit} {_PER_100}"] = (100.0 * float(change[mask].sum()), float(supported))
    return found


def _rest(run: FirmRun, without: FirmRun, reached: pd.DataFrame) -> pd.DataFrame:
    """Firms alive at the end of either run that no lever has reached: columns slot and founded."""
    same = run.alive & without.alive & (run.founded == without.founded)
    slots = [np.flatnonzero(run.alive), np.flatnonzero(without.alive & ~same)]
    since = [each.founded[slot] for each, slot in zip((run, without), slots, strict=True)]
    rest = pd.DataFrame({"slot": np.concatenate(slots), "founded": np.concatenate(since)}, dtype=np.int64)
    return rest[~np.isin(_keys(rest), _keys(reached))]


# --- all pairs


def _rows(pairs: Sequence[Counts]) -> Iterator[dict]:
    """Rows of one scenario: ratio of the sums over the pairs, and the band of the pairs that have such firms."""
    for key in pairs[0]:
        parts = np.array([pair[key] for pair in pairs])
        part, whole = parts.sum(axis=0)
        ratios = parts[parts[:, 1] != 0.0]
        ratios = ratios[:, 0] / ratios[:, 1]
        low, high = np.quantile(ratios, BAND) if len(ratios) > 1 else (math.nan, math.nan)
        value = part / whole if whole != 0.0 else math.nan
        yield {**dict(zip(_KEY, key, strict=True)), "value": value, "low": float(low), "high": float(high)}


def _refuse_other_firms(pairs: Sequence[PairCounts], baseline: str, others: Sequence[str]) -> None:
    for pair in pairs:
        for name, start in zip(others, pair.starts[1:], strict=True):
            if start != pair.starts[0]:
                raise InputError(
                    f"{name} starts from other firms than {baseline}, because its parameters or feedbacks differ: no "
                    "firm can be compared with itself",
                    Fault("other_firms"),
                )


def _repetition(
    results: Results,
    names: Sequence[str],
    runs: Sequence[tuple[int, int]],
    pairs: Sequence[PairCounts],
    quarter: Quarter,
) -> Iterator[Caveat]:
    """Whether the runs do not repeat the national figures of the directory."""
    other = not_repeated(results, names, runs, [pair.national for pair in pairs], quarter)
    if other:
        every = len(names) * len(pairs)
        yield Caveat("repeats", {"some": str(other), "runs": str(every), "path": str(results.path)})
