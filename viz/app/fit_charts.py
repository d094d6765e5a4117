"""Charts of the calibration page: specs from the rows of `viz.live.fitted`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from viz.app.charts import BASELINE, POLICY, look
from viz.app.fit_tables import parameter_title, quantity_title, role_title
from viz.app.state import Session
from viz.app.widgets.chart import band, bar, interval, interval_chart, line, points, time_chart
from viz.live.fitted import Directions, FittedFigure, FittedParameter, Forecast, outlook_of

#: Colours of simulated ranges, and of the figures they are compared with.
SIMULATED, AGAINST = POLICY, BASELINE


def deviation_chart(session: Session, role: str, figures: Sequence[FittedFigure]) -> dict:
    """National figures of a role: reported and simulated intervals, as per cent deviations from the reported middle."""
    words = session.words
    rows = []
    for figure in figures:
        row = words("fit.row", title=quantity_title(words, figure.quantity), when=words.month(figure.date))
        rows.append(row if figure.inside else words("fit.missed_mark", row=row))
    ends = [[figure.deviation(getattr(figure, name)) for figure in figures] for name in ("p05", "median", "p95")]
    series = [
        interval(
            words("fit.reported"),
            [figure.deviation(figure.low) for figure in figures],
            [0.0 if None not in (figure.low, figure.high) else math.nan for figure in figures],
            [figure.deviation(figure.high) for figure in figures],
            colour=AGAINST,
            marker="diamond",
        ),
        interval(words("fit.simulated"), *ends, colour=SIMULATED),
    ]
    return interval_chart(
        rows,
        series,
        title=words("fit.deviation_chart", role=role_title(words, role)),
        label=words("fit.deviation_label", inside=sum(figure.inside for figure in figures), of=len(figures)),
        unit_text=words("fit.deviation_unit"),
        zero_line=True,
        signed=True,
        **look(session),
    )


def province_chart(session: Session, figures: Sequence[FittedFigure]) -> dict:
    """One series of provincial figures: reported and simulated, in their unit on a log axis."""
    words = session.words
    names = [words.province(figure.province) for figure in figures]
    rows = [
        name if figure.inside else words("fit.missed_mark", row=name)
        for name, figure in zip(names, figures, strict=True)
    ]
    first = figures[0]
    series = [
        interval(
            words("fit.reported"),
            [figure.low for figure in figures],
            [figure.middle for figure in figures],
            [figure.high for figure in figures],
            colour=AGAINST,
            marker="diamond",
        ),
        interval(
            words("fit.simulated"),
            *([getattr(figure, end) for figure in figures] for end in ("p05", "median", "p95")),
            colour=SIMULATED,
        ),
    ]
    return interval_chart(
        rows,
        series,
        title=words("fit.provinces_chart", title=quantity_title(words, first.quantity), when=words.month(first.date)),
        label=words("fit.provinces_label", inside=sum(figure.inside for figure in figures), of=len(figures)),
        unit=first.unit,
        unit_text=words.unit(first.unit),
        scale="log",
        **look(session),
    )


def parameter_chart(session: Session, parameters: Sequence[FittedParameter]) -> dict:
    """Posterior ranges of the fitted parameters on the scale of their priors, in per cent."""
    words = session.words
    rows = [
        words(
            "number.bracketed",
            value=parameter_title(words, one.name),
            about=words("fit.verdict_learned" if one.learned else "fit.verdict_assumed"),
        )
        for one in parameters
    ]
    known = [all(map(math.isfinite, one.place)) for one in parameters]
    prior = [[100.0 * level if each else math.nan for each in known] for level in (0.05, 0.5, 0.95)]
    places = [[100.0 * one.place[index] for one in parameters] for index in range(3)]
    return interval_chart(
        rows,
        [
            interval(words("fit.prior"), *prior, colour=AGAINST, marker="diamond"),
            interval(words("fit.posterior"), *places, colour=SIMULATED),
        ],
        title=words("fit.parameters_chart"),
        label=words("fit.parameters_label", of=len(parameters), learned=sum(one.learned for one in parameters)),
        unit_text=words("fit.parameters_unit"),
        **look(session),
    )


def directions_chart(session: Session, directions: Directions) -> dict:
    """Share of the prior uncertainty that the figures remove, by direction."""
    words, total = session.words, len(directions.share)
    identified = np.arange(total) < directions.identified
    known, open_ = (np.where(which, directions.share, math.nan) for which in (identified, ~identified))
    return time_chart(
        [str(number) for number in range(1, total + 1)],
        [
            bar(words("fit.directions_known"), known, colour=SIMULATED, stack="share"),
            bar(words("fit.directions_open"), open_, colour=AGAINST, stack="share"),
        ],
        title=words("fit.directions_chart"),
        label=words("fit.directions_label", all=total, identified=directions.identified),
        unit="share",
        unit_text=words.unit("share"),
        height=180,
        **(look(session) | {"texts": look(session)["texts"] | {"x": words("fit.directions_x")}}),
    )


def forecast_chart(session: Session, series: Sequence[Forecast]) -> dict:
    """Reported past and forecast of a national quantity, with 50 % and 90 % bands."""
    words, outlook = session.words, outlook_of(series)
    last = series[-1]
    title = quantity_title(words, last.quantity)
    low, lower, middle, upper, high = outlook.levels
    drawn = [
        band(words("fit.interval_90"), low, high, colour=SIMULATED, opacity=0.15),
        band(words("fit.interval_50"), lower, upper, colour=SIMULATED, opacity=0.25),
        line(words("fit.forecast_median"), middle, colour=SIMULATED),
    ]
    if outlook.reported:
        drawn.append(
            points(
                words("fit.reported_figures"),
                outlook.reported_at,
                [figure.low for figure in outlook.reported],
                [figure.high for figure in outlook.reported],
                labels=[words.month(figure.date) for figure in outlook.reported],
            )
        )
    end = words.value(last.median, last.unit)
    interval_text = words.interval(last.levels[0], last.levels[4], last.unit)
    return time_chart(
        outlook.quarters,
        drawn,
        title=words("fit.forecast_chart", title=title),
        label=words("fit.forecast_label", title=title, value=end, year=last.date.year, interval=interval_text),
        unit=last.unit,
        unit_text=words.unit(last.unit),
        from_zero=last.unit != "share",
        **look(session),
    )
