"""Specs of the charts that show an answer; their common style is defined here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from scenarios.analysis.bands import ENDS
from scenarios.display.drawing import OKABE_ITO
from viz.app.state import Session
from viz.app.widgets.chart import TEXTS, Chart, Series, band, bar, line, points, time_chart
from viz.live.measures import Course, best_runs, course, national, quarter_label, quarters, spending_by_lever
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


def show(answer: Answer, spec: dict) -> None:
    """Draw a chart of a whole answer."""
    Chart(spec=spec, version=version_of(answer))


def show_latest(session: Session, answer: Answer, spec: dict) -> None:
    """Draw a chart of an answer that may be a part, which is then marked as one."""
    if answer.reached is None:
        show(answer, spec)
        return
    words, quarter = session.words, session.words.quarter(str(answer.reached))
    label = words("chart.part_label", title=spec["title"], quarter=quarter)
    Chart(spec=spec | {"label": label}, version=version_of(answer), note=words("chart.part", quarter=quarter))


def fan(session: Session, answer: Answer, quantity: str) -> dict:
    """A national quantity: the policy, with bands once there are runs for them, the baseline, and reported figures."""
    words, x = session.words, quarters(answer.central)
    reported = reported_of(quantity, pd.Timestamp(answer.central.tables["national"]["quarter"][-1]))
    figures = [
        points(
            words("policy.reported"),
            [x.index(quarter_label(figure.quarter_end)) for figure in reported],
            [figure.low for figure in reported],
            [figure.high for figure in reported],
            labels=[words.month(figure.date) for figure in reported],
        )
    ]
    title, unit, shown = words.column(quantity), unit_of(quantity), course(answer, quantity)
    if quantity in _INDICES:
        shown = without(shown, none=course(answer, "little_giants").policy == 0.0)
    return over_time(session, answer, shown, title, unit, more=figures if reported else [])


def without(shown: Course, none: np.ndarray) -> Course:
    """A course with gaps.

    Args:
        none: bool (quarters,), where it has no value.
    """
    policy, baseline = (np.where(none, np.nan, values) for values in (shown.policy, shown.baseline))
    fan = shown.fan and {quantile: np.where(none, np.nan, values) for quantile, values in shown.fan.items()}
    return Course(policy, baseline, fan)


def over_time(
    session: Session,
    answer: Answer,
    shown: Course,
    title: str,
    unit: str,
    *,
    more: Sequence[Series] = (),
    x: Sequence[str] | None = None,
    label: str | None = None,
) -> dict:
    """A quantity under the policy, with bands if the course has them, and in the baseline.

    Args:
        unit: as declared in the results. more: series drawn on top. x: positions, by default the quarters of a run.
        label: text for screen readers; by default the value at the end.
    """
    words, series = session.words, []
    if shown.fan:
        series += [
            band(words("policy.band_90"), shown.fan[0.05], shown.fan[0.95], colour=POLICY, opacity=0.15),
            band(words("policy.band_50"), shown.fan[0.25], shown.fan[0.75], colour=POLICY, opacity=0.25),
        ]
    series += [
        line(words("policy.baseline"), shown.baseline, colour=BASELINE, dash=DASHES),
        line(session.title_of(answer), shown.policy, colour=POLICY),
    ]
    if label is None:
        low, high = (float(shown.fan[each][-1]) if shown.fan else math.nan for each in ENDS)
        end = words.level(float(shown.policy[-1]), low, high, unit)
        label = words("chart.fan_label", title=title, value=end, year=session.runner.until)
    return time_chart(
        quarters(answer.central) if x is None else x,
        [*series, *more],
        title=title,
        unit=unit,
        unit_text=words.unit(unit),
        label=label,
        from_zero=unit == "firms",
        **look(session),
    )


def spending(session: Session, answer: Answer) -> dict:
    """Public spending by year and lever under the policy, next to the baseline's total."""
    words = session.words
    runs, baselines = best_runs(answer)
    years, money = spending_by_lever(runs)
    _, before = spending_by_lever(baselines)
    series = [
        bar(name, values, colour=OKABE_ITO[place % len(OKABE_ITO)], stack="policy")
        for place, (name, values) in enumerate(largest(words, money).items())
    ]
    total = sum(before.values(), np.zeros(len(years)))
    series.append(line(words("policy.baseline"), total, colour=BASELINE, dash=DASHES))
    return time_chart(
        years,
        series,
        title=words("policy.spending"),
        unit="yuan per year",
        unit_text=words.unit("yuan per year"),
        label=words("chart.spending_label", value=words.number(float(sum(each.sum() for each in money.values())))),
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


def chain_health(session: Session, answer: Answer) -> dict:
    """Gaps filled, extension and resilience of the chains: lines for the policy, grey lines for the baseline."""
    words = session.words
    series = []
    for quantity, colour, dash in _CHAINS:
        health = course(answer, quantity)
        series.append(line("", health.baseline, colour=BASELINE, dash=dash, width=1.0))
        series.append(line(words.column(quantity), health.policy, colour=colour, dash=dash))
    return time_chart(
        quarters(answer.central),
        series,
        title=words("policy.chains"),
        unit="share",
        unit_text=words.unit("share"),
        label=words("chart.chains_label"),
        **look(session),
    )


def differences(runner: Runner, answer: Answer, quantity: str) -> pd.Series:
    """Paired differences at the end, policy - baseline, float64 indexed by (draw, replicate)."""
    pairs = list(zip(answer.runs, answer.baselines, strict=True))
    values = [national(run, quantity)[-1] - national(beside, quantity)[-1] for run, beside in pairs]
    names = ["draw", "replicate"]
    identities = [runner.identity(run.member) for run, _ in pairs]
    index = pd.MultiIndex.from_tuples([[each[name] for name in names] for each in identities], names=names)
    return pd.Series(values, index=index, dtype=np.float64)
