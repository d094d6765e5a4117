"""Specs of the charts that show an answer; their common style is defined here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.bands import ENDS
from scenarios.display.drawing import OKABE_ITO
from sim.calendar import START
from viz.app.sources import source
from viz.app.state import Session
from viz.app.widgets.chart import TEXTS, Chart, Series, band, bar, interval_chart, line, points, time_chart
from viz.live.measures import (
    Course,
    best_runs,
    course,
    national,
    quarter_label,
    quarters,
    spending_by_lever,
)
from viz.live.runner import Runner
from viz.live.session import Answer
from viz.shared.compared import reported_of
from viz.shared.units import unit_of
from viz.words.language import Words

#: Colours of the policy and the baseline; the baseline's dashes.
POLICY, BASELINE, DASHES = OKABE_ITO[0], "#7a7a7a", (6, 4)
#: The most levers with bars of their own in the chart of spending; the others are added up.
MOST_LEVERS = 6
#: Indices of concentration, which have no value before there is anything to concentrate.
_INDICES = ("theil_little_giants_by_county", "gini_little_giants_by_county", "county_share_of_little_giants")
#: What charts show.
CHARTS = ("level", "difference")
#: Chain health: quantities with their colours and dashes.
_CHAINS = (
    ("chain_gaps_filled_share", OKABE_ITO[0], ()),
    ("chain_extension_share", OKABE_ITO[1], (8, 3)),
    ("chain_resilience", OKABE_ITO[2], (2, 2)),
)


def chart_texts(words: Words) -> dict[str, str]:
    """The texts every chart has; the browser fills in their placeholders."""
    return {key: words.raw(f"chart.{key}") for key in TEXTS}


def look(session: Session) -> dict:
    """What all charts of a user share: texts, language, dark or light."""
    words = session.words
    return {
        "texts": chart_texts(words),
        "language": words.language,
        "dark": session.dark.value,
    }


def version_of(answer: Answer) -> str:
    """Version of the answer a chart shows: the number of the request, with + if it has intervals, ~ if it is a part."""
    return f"{answer.number}{'+' if answer.runs else '~' if answer.reached else ''}"


def show(session: Session, answer: Answer, spec: dict) -> None:
    """Draw a chart of a whole answer."""
    Chart(spec=spec, version=version_of(answer), source=source(session, answer))


def show_latest(session: Session, answer: Answer, spec: dict) -> None:
    """Draw a chart of an answer that may be a part, which is then marked as one."""
    if answer.reached is None:
        show(session, answer, spec)
        return
    words, quarter = session.words, session.words.quarter(str(answer.reached))
    label = words("chart.part_label", title=spec["title"], quarter=quarter)
    note = words("chart.part", quarter=quarter)
    Chart(spec=spec | {"label": label}, version=version_of(answer), source=source(session, answer), note=note)


@dataclass(frozen=True)
class View:
    """What the charts of the policy page show.

    Attributes:
        first, last: years. difference: differences from the baseline instead of levels.
    """

    first: int
    last: int
    difference: bool = False

    @classmethod
    def of(cls, session: Session, answer: Answer | None) -> View:
        """The reader's choice; without one, all years, and differences once the answer differs from the baseline."""
        first, last = (year_chosen(session, name) for name in ("since", "horizon"))
        chosen = session.chosen("charts")
        if chosen not in CHARTS:
            chosen = "difference" if answer is not None and not answer.is_baseline else "level"
        return cls(first, last, chosen == "difference")

    def quarters(self, labels: Sequence[str]) -> slice:
        """Positions of the quarters of these years, from the end of the year before the first."""
        years = np.array([int(label[:4]) for label in labels])
        inside = np.flatnonzero((years >= self.first) & (years <= self.last))
        return slice(max(int(inside[0]) - 1, 0), int(inside[-1]) + 1)

    def at(self, answer: Answer) -> int:
        """Position of the last quarter of these years in a run."""
        return self.quarters(quarters(answer.central)).stop - 1

    def years(self, labels: Sequence[str]) -> slice:
        """Positions of these years."""
        return slice(labels.index(str(self.first)), labels.index(str(self.last)) + 1)


def years_of(session: Session) -> range:
    """The years that charts can show."""
    return range(START.year + 1, session.runner.until + 1)


def year_chosen(session: Session, name: str) -> int:
    """The first or last year of charts: `since` or `horizon`; the other end of the years if it is none of them.

    No chart is shorter than two years: the last year is after the first.
    """
    years = years_of(session)

    def year(key: str, usual: int) -> int:
        text = session.chosen(key)
        return int(text) if text in map(str, years) else usual

    last = max(year("horizon", years[-1]), min(years[0] + 1, years[-1]))
    return last if name == "horizon" else min(year("since", years[0]), max(last - 1, years[0]))


def fan(session: Session, answer: Answer, quantity: str, view: View | None = None) -> dict:
    """A national quantity: the policy, with bands once there are runs for them, the baseline, and reported figures."""
    words, x = session.words, quarters(answer.central)
    title, unit = words.column(quantity), unit_of(quantity)
    if view is not None and view.difference:
        return _difference(session, answer, course(answer, quantity), title, unit, view.quarters(x))
    shown = slice(None) if view is None else view.quarters(x)
    placed = range(len(x))[shown]
    reported = [
        figure
        for figure in reported_of(quantity, pd.Timestamp(answer.central.tables["national"]["quarter"][-1]))
        if x.index(quarter_label(figure.quarter_end)) in placed
    ]
    figures = [
        points(
            words("policy.reported"),
            [placed.index(x.index(quarter_label(figure.quarter_end))) for figure in reported],
            [figure.low for figure in reported],
            [figure.high for figure in reported],
            labels=[words.month(figure.date) for figure in reported],
        )
    ]
    found = course(answer, quantity)
    if quantity in _INDICES:
        found = without(found, none=course(answer, "little_giants").policy == 0.0)
    return over_time(session, answer, found, title, unit, more=figures if reported else [], shown=shown)


def without(found: Course, none: np.ndarray) -> Course:
    """A course with gaps.

    Args:
        none: bool (quarters,), where it has no value.
    """
    policy, baseline = (np.where(none, np.nan, values) for values in (found.policy, found.baseline))
    fan = found.fan and {quantile: np.where(none, np.nan, values) for quantile, values in found.fan.items()}
    return Course(policy, baseline, fan, found.effects)


def over_time(
    session: Session,
    answer: Answer,
    course: Course,
    title: str,
    unit: str,
    *,
    more: Sequence[Series] = (),
    x: Sequence[str] | None = None,
    label: str | None = None,
    shown: slice = slice(None),
) -> dict:
    """A quantity under the policy, with bands if the course has them, and in the baseline.

    Args:
        unit: as declared in the results. more: series drawn on top. x: positions, by default the quarters of a run.
        label: text for screen readers; by default the value at the end. shown: positions that are drawn.
    """
    words, x = session.words, (quarters(answer.central) if x is None else x)[shown]
    policy = course.policy[shown]
    series = [
        *_bands(session, course.fan, shown),
        line(words("policy.baseline"), course.baseline[shown], colour=BASELINE, dash=DASHES),
        line(session.title_of(answer), policy, colour=POLICY),
    ]
    if label is None:
        low, high = (float(course.fan[each][shown][-1]) if course.fan else math.nan for each in ENDS)
        end = words.level(float(policy[-1]), low, high, unit)
        label = words("chart.fan_label", title=title, value=end, year=x[-1][:4])
    return time_chart(
        x,
        [*series, *more],
        title=title,
        unit=unit,
        unit_text=words.unit(unit),
        label=label,
        from_zero=unit == "firms",
        **look(session),
    )


def _bands(session: Session, fan: dict[float, np.ndarray] | None, shown: slice) -> list[Series]:
    """The bands of 90 % and of half of the runs, if there are runs for them."""
    if fan is None:
        return []
    words = session.words
    return [
        band(words("policy.band_90"), fan[0.05][shown], fan[0.95][shown], colour=POLICY, opacity=0.15),
        band(words("policy.band_50"), fan[0.25][shown], fan[0.75][shown], colour=POLICY, opacity=0.25),
    ]


def _difference(session: Session, answer: Answer, found: Course, title: str, unit: str, shown: slice) -> dict:
    """A quantity's difference from the baseline, with its 90 % interval once there are runs for it."""
    words, x = session.words, quarters(answer.central)[shown]
    assert found.effects is not None
    mean, low, high = (values[shown] for values in found.effects)
    bands = [band(words("policy.interval_90"), low, high, colour=POLICY, opacity=0.15)] if found.fan else []
    name = words("policy.difference_of", policy=session.title_of(answer))
    end, _ = words.estimate(float(mean[-1]), float(low[-1]), float(high[-1]), unit, signed=True)
    return time_chart(
        x,
        [*bands, line(name, mean, colour=POLICY)],
        title=title,
        unit=unit,
        unit_text=words.unit(unit),
        label=words("chart.difference_label", title=title, value=end, year=x[-1][:4]),
        signed=True,
        **look(session),
    )


def spending(session: Session, answer: Answer, view: View) -> dict:
    """Public spending by year and lever under the policy, next to the baseline's total; or the differences."""
    words = session.words
    runs, baselines = best_runs(answer)
    years, money = spending_by_lever(runs)
    _, before = spending_by_lever(baselines)
    shown, none = view.years(years), np.zeros(len(years))
    if view.difference:
        levers = dict.fromkeys([*money, *before])
        money = {name: money.get(name, none) - before.get(name, none) for name in levers}
        # A part has no numbers yet for years to come.
        money = {name: values for name, values in money.items() if (values[np.isfinite(values)] != 0.0).any()}
    series = [
        bar(name, values[shown], colour=OKABE_ITO[place % len(OKABE_ITO)], stack="policy")
        for place, (name, values) in enumerate(largest(words, money).items())
    ]
    if not view.difference:
        total = sum(before.values(), none)
        series.append(line(words("policy.baseline"), total[shown], colour=BASELINE, dash=DASHES))
    money_text = words.number(float(sum(values[shown].sum() for values in money.values())), signed=view.difference)
    label = "chart.spending_difference_label" if view.difference else "chart.spending_label"
    return time_chart(
        years[shown],
        series,
        title=words("policy.spending"),
        unit="yuan per year",
        unit_text=words.unit("yuan per year"),
        label=words(label, value=money_text),
        signed=view.difference,
        **look(session),
    )


def largest(words: Words, money: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Spending by title of lever, the largest first; all but MOST_LEVERS of them added up.

    Args:
        money: float64 (years,) by lever.
    """
    ranked = sorted(money, key=lambda name: -float(np.nansum(money[name])))
    own = ranked if len(ranked) <= MOST_LEVERS + 1 else ranked[:MOST_LEVERS]
    shown = {words.lever(name): money[name] for name in own}
    if others := ranked[len(own) :]:
        shown[words("chart.other_levers", number=len(others))] = np.sum([money[name] for name in others], axis=0)
    return shown


def chain_health(session: Session, answer: Answer, view: View) -> dict:
    """Gaps filled, extension and resilience of the chains: lines for the policy, grey lines for the baseline."""
    words, x = session.words, quarters(answer.central)
    shown, series = view.quarters(x), []
    for quantity, colour, dash in _CHAINS:
        health = course(answer, quantity)
        values = health.effects[0] if view.difference and health.effects else health.policy
        if not view.difference:
            series.append(line("", health.baseline[shown], colour=BASELINE, dash=dash, width=1.0))
        series.append(line(words.column(quantity), values[shown], colour=colour, dash=dash))
    return time_chart(
        x[shown],
        series,
        title=words("policy.chains"),
        unit="share",
        unit_text=words.unit("share"),
        label=words("chart.chains_difference_label" if view.difference else "chart.chains_label"),
        signed=view.difference,
        **look(session),
    )


def changes_chart(
    session: Session, titles: Sequence[str], changes: Series, *, title: str, label: str, unit: str
) -> dict:
    """Differences from the baseline, each with its range, beside the line of no difference.

    Args:
        titles: one for each difference. changes: from `viz.app.widgets.chart.interval`. unit: as declared in the
            results.
    """
    return interval_chart(
        titles,
        [changes],
        title=title,
        label=label,
        unit=unit,
        unit_text=session.words.unit(unit),
        zero_line=True,
        signed=True,
        **look(session),
    )


def differences(runner: Runner, answer: Answer, quantity: str, at: int = -1) -> pd.Series:
    """Paired differences in a quarter, policy - baseline, float64 indexed by (draw, replicate).

    Args:
        at: position of the quarter, by default the last.
    """
    pairs = list(zip(answer.runs, answer.baselines, strict=True))
    values = [national(run, quantity)[at] - national(beside, quantity)[at] for run, beside in pairs]
    names = ["draw", "replicate"]
    identities = [runner.identity(run.member) for run, _ in pairs]
    index = pd.MultiIndex.from_tuples([[each[name] for name in names] for each in identities], names=names)
    return pd.Series(values, index=index, dtype=np.float64)
