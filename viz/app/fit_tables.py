"""Texts and tables of the calibration page, from the rows of `viz.live.fitted`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from scenarios.analysis.reported import reported_figures
from sim.parameters import parameter_table
from sim.reference import province_names
from viz.live.fitted import (
    FORECASTERS,
    REGIONS,
    SCOPES,
    Directions,
    FittedFigure,
    FittedParameter,
    Forecast,
    best_forecaster,
    by_series,
    mean_error,
    national_series,
    prior_sources,
    sources_of_references,
    typical_width,
)
from viz.shared.texts import TextTable
from viz.shared.units import unit_of_figure, unit_of_quantity
from viz.words.declared import declared
from viz.words.language import NOTHING, Words, catalogue

#: Maximum number of unidentified parameters that are named.
_FEW = 5
#: Units that are named in English titles.
_THINGS = ("firms", "counties", "clusters", "persons", "years")
#: Stylised facts whose value is a share.
_SHARES = (
    "giants_concentrated",
    "certified_old",
    "certified_margin",
    "certified_rd_staff",
    "certified_rd",
    "relabelled_share",
)


# --- titles


def quantity_title(words: Words, quantity: str, province: str = "") -> str:
    """Title of the quantity of a figure or forecast; its name if the catalogue has none."""
    named = quantity.replace(".", "_") in catalogue(words.language)["column"]
    title = words.column(quantity) if named else quantity
    return words("number.bracketed", value=title, about=place_title(words, province)) if province else title


def place_title(words: Words, place: str) -> str:
    """Name of a province, or of a region of the statistics office."""
    return words(f"fit.region_{place}") if place in REGIONS else words.province(place)


def parameter_title(words: Words, name: str) -> str:
    """Title of a parameter; if the catalogue has none, its description."""
    return _own(words, "parameter", name) or parameter_table()[name].description


def role_title(words: Words, role: str) -> str:
    """The purpose of the figures of a role."""
    return words(f"fit.role_{role}" if f"role_{role}" in catalogue(words.language)["fit"] else "fit.role_other")


def _own(words: Words, table: str, key: str) -> str | None:
    return catalogue(words.language)["fit"][f"{table}_title"].get(key)


def _with_unit(words: Words, title: str, unit: str) -> str:
    """A title with its unit; per cent is shown with each number, and English titles name what is counted."""
    if unit in ("", "share") or (words.language == "en" and unit in _THINGS):
        return title
    return words("number.bracketed", value=title, about=words.unit(unit))


def _row_date(row: Mapping) -> date:
    return date.fromisoformat(row["date"])


def _yes(words: Words, value: bool | None) -> str:
    return NOTHING if value is None else words("number.yes" if value else "number.no")


# --- in short


def short(
    words: Words, rows: Mapping[str, Sequence[FittedFigure]], summary: Mapping, forecasts: Sequence[Forecast]
) -> list[str]:
    """Summary of the page in sentences."""
    figures = [figure for of_role in rows.values() for figure in of_role]
    sentences = [_of_role(words, role, of_role) for role, of_role in rows.items()]
    for key, chosen in (
        ("wide_national", [figure for figure in figures if not figure.province]),
        ("wide_provinces", [figure for figure in figures if figure.province]),
    ):
        width, count = typical_width(chosen)
        if count:
            sentences.append(words(f"fit.{key}", share=_whole_percent(words, width), of=count))
    sentences += _wide_forecasts(words, forecasts)
    sentences += coverage(words, summary["coverage"])
    return [*sentences, *learned(words, summary)]


def _of_role(words: Words, role: str, figures: Sequence[FittedFigure]) -> str:
    counts = {"of": len(figures)}
    counts |= {key: sum(getattr(figure, key) for figure in figures) for key in ("inside", "within")}
    known = f"short_{role}" in catalogue(words.language)["fit"]
    texts = [words(f"fit.short_{role}" if known else "fit.short_check", **counts)]
    missed = [figure for figure in figures if not figure.inside]
    if missed:
        items = [_missed_item(words, figure) for figure in missed if not figure.province]
        items += [_missed_places(words, series) for series in by_series(missed).values()]
        texts.append(words("fit.missed", list=words.joined(items)))
    return words.sentences(texts)


def _missed_item(words: Words, figure: FittedFigure) -> str:
    title = quantity_title(words, figure.quantity)
    return words("fit.missed_item", title=title, when=words.month(figure.date), amount=miss_text(words, figure))


def _missed_places(words: Words, figures: Sequence[FittedFigure]) -> str:
    """Missed figures of one provincial series."""
    sizes = [abs(figure.miss) for figure in figures if math.isfinite(figure.miss)]
    ends = [_whole_percent(words, size) for size in (min(sizes), max(sizes))] if sizes else [NOTHING] * 2
    return words(
        "fit.missed_places",
        title=quantity_title(words, figures[0].quantity),
        when=words.month(figures[0].date),
        places=words.joined([words.province(figure.province) for figure in figures]),
        amount=ends[0] if ends[0] == ends[1] else words.span(*ends),
    )


def miss_text(words: Words, figure: FittedFigure) -> str:
    """By how much a figure is missed."""
    if not math.isfinite(figure.miss):
        return words("fit.miss_unknown")
    return words("fit.too_high" if figure.miss > 0.0 else "fit.too_low", share=_short_percent(words, abs(figure.miss)))


def _wide_forecasts(words: Words, forecasts: Sequence[Forecast]) -> list[str]:
    series = national_series(forecasts)
    sentences = []
    for quantity in ("little_giants", "srdi_smes"):
        if quantity in series:
            first, last = series[quantity][0], series[quantity][-1]
            sentences.append(
                words(
                    "fit.wide_forecast",
                    title=quantity_title(words, quantity),
                    first=_whole_percent(words, first.width),
                    first_year=first.date.year,
                    last=_whole_percent(words, last.width),
                    last_year=last.date.year,
                )
            )
    return sentences


def coverage(words: Words, rows: Mapping[str, Mapping]) -> list[str]:
    """How often intervals contain known parameters: one sentence for each source of generated figures."""
    return [
        words(
            f"fit.coverage_{name}",
            repeats=row["repeats"],
            **{
                gap: _short_percent(words, row[key])
                for gap, key in (
                    ("c50", "coverage_50"),
                    ("c90", "coverage_90"),
                    ("c50_learned", "coverage_50_learned"),
                    ("c90_learned", "coverage_90_learned"),
                )
            },
        )
        for name, row in rows.items()
        if f"coverage_{name}" in catalogue(words.language)["fit"]
    ]


def learned(words: Words, summary: Mapping) -> list[str]:
    """How many parameters were learned and how many are assumed."""
    from viz.report.caveats import source_counts

    verdicts = [row["verdict"] for row in summary["parameters"]]
    return [
        words(
            "fit.learned",
            free=len(verdicts),
            learned=verdicts.count("learned"),
            assumed=len(verdicts) - verdicts.count("learned"),
            held=len(summary["held"]),
        ),
        words("fit.learned_all", **source_counts()),
    ]


def _whole_percent(words: Words, share: float) -> str:
    return words.percent(round(share, 2) if math.isfinite(share) else None)


def _short_percent(words: Words, share: float | None) -> str:
    """A share in per cent with one decimal."""
    return words.percent(None if share is None or not math.isfinite(share) else round(share, 3))


# --- reported against simulated


def figure_table(words: Words, figures: Sequence[FittedFigure]) -> TextTable:
    """National figures next to simulated ones."""
    heads = ("figure", "date", "source", "verdict", "reported", "median", "interval_90")
    return TextTable(
        [words(f"fit.{head}") for head in heads], [_figure_row(words, figure) for figure in figures], words=4
    )


def place_table(words: Words, figures: Sequence[FittedFigure]) -> TextTable:
    """One series of provincial figures next to simulated ones."""
    heads = ("province", "verdict", "reported", "median", "interval_90")
    rows = [[words.province(f.province), verdict(words, f), *_numbers(words, f)] for f in figures]
    return TextTable([words(f"fit.{head}") for head in heads], rows, words=2)


def _figure_row(words: Words, figure: FittedFigure) -> list[str]:
    title = quantity_title(words, figure.quantity, figure.province)
    place = [_with_unit(words, title, figure.unit), words.month(figure.date), declared(figure.source, words)]
    return [*place, verdict(words, figure), *_numbers(words, figure)]


def _numbers(words: Words, figure: FittedFigure) -> list[str]:
    return [
        words.bounds(figure.low, figure.high, figure.unit),
        words.value(figure.median, figure.unit),
        words.interval(figure.p05, figure.p95, figure.unit),
    ]


def verdict(words: Words, figure: FittedFigure) -> str:
    """Whether a figure is met, in words."""
    if figure.inside:
        return words("fit.inside_median" if figure.within else "fit.inside")
    return words("fit.outside_near" if figure.likely else "fit.outside", amount=miss_text(words, figure))


# --- parameters


def parameter_value(words: Words, value: float, unit: str, beside: float | None = None) -> str:
    """The value of a parameter in its unit; a year has one decimal and no separators; `beside` as in `Words.number`."""
    return f"{value:.1f}" if unit == "year" and math.isfinite(value) else words.value(value, unit, beside=beside)


def _parameter_values(words: Words, values: Sequence[float], unit: str) -> list[str]:
    """Values of a parameter for one cell, on one scale."""
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return [parameter_value(words, value, unit, largest) for value in values]


def parameter_table_of(words: Words, parameters: Sequence[FittedParameter]) -> TextTable:
    """Prior and posterior of the fitted parameters."""
    heads = ("parameter", "unit", "verdict", "prior_90", "posterior_90", "learned_share", "profile_90")
    rows = []
    for one in parameters:
        low, middle, high = _parameter_values(words, one.posterior, one.unit)
        profile = words.span(*_parameter_values(words, one.profile, one.unit))
        rows.append(
            [
                _named(words, one.name),
                words.unit(one.unit),
                words("fit.verdict_learned" if one.learned else "fit.verdict_assumed"),
                words.span(*_parameter_values(words, (one.prior[0], one.prior[2]), one.unit)),
                words("fit.posterior_cell", low=low, middle=middle, high=high),
                _whole_percent(words, one.share),
                words("fit.profile_open", interval=profile) if one.open else profile,
            ]
        )
    return TextTable([words(f"fit.{head}") for head in heads], rows, words=3)


def held_table(words: Words, summary: Mapping) -> TextTable:
    """Parameters that could be fitted but are held fixed."""
    sources = prior_sources()
    rows = [
        [
            _named(words, row["parameter"]),
            words.unit(row["unit"]),
            words("fit.verdict_assumed"),
            *([sources.get(row["parameter"], "")] if words.language == "en" else []),
            parameter_value(words, row["value"], row["unit"]),
        ]
        for row in summary["held"]
    ]
    heads = ("parameter", "unit", "verdict", *(["prior_source"] if words.language == "en" else []), "value")
    return TextTable([words(f"fit.{head}") for head in heads], rows, words=len(heads) - 1)


def _named(words: Words, name: str) -> str:
    return words("number.bracketed", value=parameter_title(words, name), about=name)


def directions_text(words: Words, directions: Directions) -> str:
    """Which parameters the figures do not identify, in a sentence or two."""
    total = len(directions.share)
    counts = {"all": total, "identified": directions.identified, "open": total - directions.identified}
    if directions.identified >= total:
        return words("fit.directions_sentence_all", all=total)
    texts = [words("fit.directions_sentence", **counts)]
    if directions.loose:
        titles = [parameter_title(words, name) for name in directions.loose[:_FEW]]
        texts.append(words("fit.directions_mixed", list=words.joined(titles)))
    return words.sentences(texts)


# --- hindcast


def hindcast_text(words: Words, rows: Sequence[Mapping]) -> str:
    """Performance of forecasts from the figures until an earlier year end."""
    return words(
        "fit.hindcast_sentence",
        of=len(rows),
        inside=sum(row["inside_90"] for row in rows),
        inside_50=sum(row["inside_50"] for row in rows),
        model=_short_percent(words, mean_error(rows, "error")),
        last_value=_short_percent(words, mean_error(rows, "error_last_value")),
        linear_trend=_short_percent(words, mean_error(rows, "error_linear_trend")),
    )


def hindcast_table(words: Words, rows: Sequence[Mapping]) -> TextTable:
    """Later figures next to forecasts from earlier ones."""
    known = {figure.id: figure for figure in reported_figures()}
    heads = ("figure", "date", "inside_90", "reported", "forecast_median", "interval_90")
    errors = ("error", "error_last_value", "error_linear_trend")
    lines = []
    for row in rows:
        figure = known.get(row["id"])
        quantity = figure.quantity if figure else ""
        unit = unit_of_figure(figure) if figure else ""
        title = quantity_title(words, quantity) if figure else row["label"]
        lines.append(
            [
                _with_unit(words, title, unit),
                words.month(_row_date(row)),
                _yes(words, row["inside_90"]),
                words.bounds(row["low"], row["high"], unit),
                words.value(row["p50"], unit),
                words.interval(row["p05"], row["p95"], unit),
                *(_signed_percent(words, row[key]) for key in errors),
            ]
        )
    return TextTable([words(f"fit.{head}") for head in (*heads, *errors)], lines, words=3)


def _signed_percent(words: Words, share: float | None) -> str:
    return words.percent(None if share is None else round(share, 3), signed=True)


# --- forecasts


def forecast_table(words: Words, forecasts: Sequence[Forecast]) -> TextTable:
    """Forecasts of all national quantities: one row per quantity, one column per date."""
    series = national_series(forecasts)
    units = {quantity: points[0].unit for quantity, points in series.items()}
    titles = {quantity: _with_unit(words, quantity_title(words, quantity), units[quantity]) for quantity in series}
    rows = {titles[quantity]: {each.date: each for each in points} for quantity, points in series.items()}
    return _by_date(words, "fit.figure", rows)


def province_table(words: Words, forecasts: Sequence[Forecast], quantity: str) -> TextTable:
    """Forecasts of a quantity in regions and provinces: one row for each, one column per date."""
    own = [forecast for forecast in forecasts if forecast.quantity == quantity]
    rows: dict[str, dict[date, Forecast]] = {}
    for name in (*REGIONS, *province_names()):
        by_day = {forecast.date: forecast for forecast in own if forecast.province == name}
        if by_day:
            rows[place_title(words, name)] = by_day
    return _by_date(words, "fit.province", rows)


def _by_date(words: Words, head: str, rows: Mapping[str, Mapping[date, Forecast]]) -> TextTable:
    days = sorted({day for by_day in rows.values() for day in by_day})
    lines = [[title, *(_forecast_cell(words, by_day.get(day)) for day in days)] for title, by_day in rows.items()]
    return TextTable([words(head), *(words("fit.end_of", year=day.year) for day in days)], lines)


def _forecast_cell(words: Words, forecast: Forecast | None) -> str:
    if forecast is None:
        return NOTHING
    # Rounded even if small: a third of a firm has no meaning.
    low, median, high = (
        _whole(forecast.levels[place]) if forecast.unit in _THINGS else forecast.levels[place] for place in (0, 2, 4)
    )
    interval = words.interval(low, high, forecast.unit)
    return words("fit.forecast_cell", median=words.value(median, forecast.unit), interval=interval)


def _whole(value: float) -> float:
    return float(round(value)) if math.isfinite(value) else value


# --- score


def score_text(words: Words, score: Mapping) -> str:
    """Performance of forecasts against realised figures."""
    texts = [
        words(
            "fit.score_sentence",
            figures=score["figures"],
            c50=_short_percent(words, score["coverage_50"]),
            c90=_short_percent(words, score["coverage_90"]),
        )
    ]
    if score.get("floors"):  # missing in older files
        texts.append(words("fit.score_floors", floors=score["floors"]))
    best = best_forecaster(score)
    if best is None and not score["compared"]:
        texts.append(words("fit.score_alone"))
    elif best is not None:
        scores = {name: _short_percent(words, score[name]["relative_crps"]) for name in FORECASTERS}
        texts += [
            words("fit.score_compared", compared=score["compared"], **scores),
            words(f"fit.score_best_{best}"),
        ]
    return words.sentences(texts)


def score_table(words: Words, score: Mapping) -> TextTable:
    """Coverage, score and error of the model and of the forecasts without one."""
    keys = ("coverage_50", "coverage_90", "relative_crps", "absolute_error")
    rows = [
        [
            words(f"fit.part_{scope}"),
            words(f"fit.forecaster_{name}"),
            *(_short_percent(words, scores[name][key]) for key in keys),
        ]
        for scope in SCOPES
        if (scores := score if scope == "all" else score.get(scope))
        for name in FORECASTERS
    ]
    heads = ("part", "forecaster", "inside_50", "inside_90", "crps", "absolute_error")
    return TextTable([words(f"fit.{head}") for head in heads], rows, words=2)


def realised_table(words: Words, score: Mapping) -> TextTable:
    """Each realised figure next to its forecast."""
    rows = []
    for row in score["rows"]:
        quantity, _, province = row["quantity"].partition(".")
        unit = unit_of_quantity(quantity, summed=True)
        low, high = (math.nan if row[end] is None else row[end] for end in ("q05", "q95"))
        rows.append(
            [
                _with_unit(words, quantity_title(words, quantity, province), unit),
                words.month(_row_date(row)),
                row.get("source") or NOTHING,
                _yes(words, row["inside_90"]),
                words.bounds(row["low"], row["high"], unit),
                words.value(row["q50"], unit),
                words.interval(low, high, unit),
                _signed_percent(words, row["error_model"]),
                *(words.value(row[f"crps_{name}"], unit) for name in FORECASTERS),
            ]
        )
    heads = ("figure", "date", "source", "inside_90", "realised", "forecast_median", "interval_90", "error")
    scores = [f"crps_{name}" for name in FORECASTERS]
    return TextTable([words(f"fit.{head}") for head in (*heads, *scores)], rows, words=4)


# --- facts and econometrics


def facts_text(words: Words, rows: Sequence[Mapping], seen: Mapping[str, str]) -> str:
    """How many facts hold, and how many were used in fitting or hand-setting parameters.

    Args:
        seen: role of the reported figures that are the same measures, by id.
    """
    known = [row for row in rows if seen.get(row["id"]) == "fit"]
    counts = {"holds": sum(row["holds"] for row in rows), "of": len(rows), "seen": len(known)}
    return words("fit.facts_sentence", **counts)


def fact_table(words: Words, rows: Sequence[Mapping], seen: Mapping[str, str]) -> TextTable:
    """Stylised facts next to their references; `seen` as in `facts_text`."""
    sources, english = sources_of_references(), words.language == "en"
    lines = []
    for row in rows:
        unit = "share" if row["id"] in _SHARES else ""
        value = words("fit.too_few") if row["value"] is None else words.value(row["value"], unit)
        role = seen.get(row["id"])
        lines.append(
            [
                _own(words, "fact", row["id"]) or row["description"],
                _holds(words, row),
                role_title(words, role) if role == "fit" else words("number.no"),
                *([sources.get(row["id"], "")] if english else []),
                value,
                _bounds(words, row["low"], row["high"], unit),
            ]
        )
    heads = ("fact", "holds", "seen", *(["source"] if english else []), "fact_value", "reference")
    return TextTable([words(f"fit.{head}") for head in heads], lines, words=len(heads) - 2)


def estimates_text(words: Words, rows: Sequence[Mapping]) -> str:
    """How many estimates agree with published ones."""
    return words("fit.estimates_sentence", holds=sum(row["holds"] for row in rows), of=len(rows))


def estimate_table(words: Words, rows: Sequence[Mapping]) -> TextTable:
    """Estimates on the model's panel next to published ones."""
    lines = []
    for row in rows:
        unknown = row["value"] is None
        low, high = row["reference_low"], row["reference_high"]
        lines.append(
            [
                _own(words, "estimate", row["id"]) or row["description"],
                _holds(words, row),
                words("fit.too_few") if unknown else words.number(row["value"]),
                NOTHING if unknown else words.interval(row["low"], row["high"], ""),
                _sign(words, low, high) or _bounds(words, low, high, ""),
                words.number(row["observations"]),
            ]
        )
    heads = ("estimate", "holds", "fact_value", "interval_95", "reference", "observations")
    return TextTable([words(f"fit.{head}") for head in heads], lines, words=2)


def _holds(words: Words, row: Mapping) -> str:
    return words("fit.holds_yes" if row["holds"] else "fit.holds_no")


def _sign(words: Words, low: float | None, high: float | None) -> str | None:
    """The sign, if that is all a reference states."""
    if low == 0.0 and high is None:
        return words("fit.positive")
    return words("fit.negative") if high == 0.0 and low is None else None


def _bounds(words: Words, low: float | None, high: float | None, unit: str) -> str:
    """A reference interval; a dash if neither end is known."""
    return NOTHING if low is None and high is None else words.bounds(low, high, unit)
