"""The map page: provinces as squares over time, one province in detail, and the concentration of little giants."""

from __future__ import annotations

import numpy as np
import pandas as pd
import solara

from scenarios.display.drawing import OKABE_ITO
from scenarios.display.formatting import supported_arrays
from sim.reference import province_names
from sim.world.geography import COUNTY_TYPES
from viz.app import charts
from viz.app.basis import basis_text
from viz.app.controls import MONEY
from viz.app.elements import Busy, heading, html_table, note, remark_on
from viz.app.state import VIEWS, Session, use_session
from viz.app.widgets.chart import line, time_chart
from viz.app.widgets.panels import Choice
from viz.app.widgets.province_map import TEXTS, ProvinceMap, square_map
from viz.app.widgets.sorted import Column, SortedTable, sorted_table
from viz.live.measures import quarters
from viz.live.regions import (
    MEASURES,
    Measure,
    Provinces,
    clusters_at,
    county_type_course,
    last_year_end,
    province_course,
    provinces,
    scale_of,
)
from viz.live.session import Answer
from viz.shared.estimates import Estimate
from viz.shared.known import province_remark, remark
from viz.shared.province_squares import LAYOUT, Palette, changes, levels, rates
from viz.shared.texts import TextTable
from viz.words.language import NOTHING, Words

#: A map shows the level of a measure or its difference from the baseline.
SHOWN = ("level", "difference")
#: Measures shown for one province: at a quarter, and over time.
AT_QUARTER = (
    "firms",
    "innovative_smes",
    "srdi_smes",
    "little_giants",
    "little_giants_per_10000",
    "rd_over_revenue",
    "digital_supported",
    "clusters",
)
SERIES = ("little_giants", "srdi_smes", "innovative_smes", "rd_true_yuan", "rd_over_revenue", "digital_supported")
#: National quantities in the panel on concentration.
CONCENTRATION = (
    "theil_little_giants_by_county",
    "gini_little_giants_by_county",
    "counties_with_little_giant",
    "county_share_of_little_giants",
)
#: The colour scale of differences reaches at least this share of the largest level.
_LEAST_CHANGE = 0.01


@solara.component
def MapPage():
    """The map, one province, and concentration."""
    session = use_session()
    with solara.Div(classes=["srdi-stack"], attributes={"id": "results"}):
        heading(session.words("provinces.heading", policy=session.title))
        Busy()
        with solara.Div(classes=["srdi-map-split"]):
            with solara.Div(classes=["srdi-card", "srdi-stack"]):
                Choices()
                ProvinceSquares()
            with solara.Div(classes=["srdi-card", "srdi-stack"]):
                OneProvince()
        ProvinceSeries()
        Concentration()


@solara.component
def Choices():
    """The choice of a measure, and of level or difference."""
    session = use_session()
    words = session.words
    titles = [(name, full_title(words, name)) for name in MEASURES]
    shown = [(name, words(f"provinces.shown_{name}")) for name in SHOWN]
    with solara.Div(classes=["srdi-row"]):
        Choice(
            label=words("provinces.measure"),
            options=titles,
            value=measure_name(session),
            event_choose=lambda name: session.choose("measure", name),
        )
        Choice(
            label=words("provinces.shown"),
            options=shown,
            value=shown_name(session),
            event_choose=lambda name: session.choose("shown", name),
        )


@solara.component
def ProvinceSquares():
    """The map with its time slider."""
    session = use_session()
    words, answer = session.words, session.answer.value
    name, shown = measure_name(session), shown_name(session)
    spec = solara.use_memo(
        lambda: map_spec(words, answer, name, shown) if answer else None, [answer, name, shown, words.language]
    )
    if answer is None or spec is None:
        note(words("app.loading"))
        return
    labels = quarters(answer.central)
    ProvinceMap(
        spec=spec,
        at=labels.index(quarter_name(session, answer)),
        chosen=province_name(session, answer),
        event_pick=lambda province: session.choose("province", province),
        event_time=lambda place: session.choose("quarter", labels[int(place)]),
    )
    note(words("provinces.covered"))
    about = words("provinces.about_level" if shown == "level" else "provinces.about_difference")
    note(words.sentences([about, pairs_text(session), basis_text(answer, session)]))
    remark_on(province_remark(words, MEASURES[name].column))


@solara.component
def OneProvince():
    """One province at the chosen quarter: its numbers and its clusters."""
    session = use_session()
    words, answer = session.words, session.answer.value
    province, quarter = (name(session, answer) if answer else "" for name in (province_name, quarter_name))
    rows = solara.use_memo(
        lambda: province_rows(words, answer, province, quarter) if answer else [],
        [answer, province, quarter, words.language],
    )
    if answer is None:
        return
    heading(words("provinces.one_heading", province=words.province(province), quarter=words.quarter(quarter)))
    Choice(
        label=words("map.province"),
        options=[(name, words.province(name)) for name in province_names()],
        value=province,
        event_choose=lambda name: session.choose("province", name),
    )
    heads = [words(f"provinces.head_{key}") for key in ("quantity", "policy", "difference")]
    html_table(
        TextTable(heads, rows), caption=words("provinces.one_caption", province=words.province(province)), cards=False
    )
    for name in ("little_giants", "srdi_smes"):
        remark_on(words.labelled(measure_title(words, name), province_remark(words, MEASURES[name].column, province)))
    Clusters(province, last_year_end(quarter))


@solara.component
def Clusters(province: str, year: int) -> None:
    """The province's national clusters at a year end, in the run with the central parameters."""
    session = use_session()
    words, answer = session.words, session.answer.value
    if answer is None:
        return
    clusters, before = (clusters_at(run, year) for run in (answer.central, answer.central_baseline))
    clusters, before = (each[each["province"] == province] for each in (clusters, before))
    heading(words("provinces.clusters_heading", year=year, number=len(clusters), baseline=len(before)), "h3")
    if not len(clusters):
        note(words("provinces.no_clusters"))
        return
    title = words("provinces.clusters_caption", province=words.province(province), year=year)
    SortedTable(spec=cluster_table(words, clusters, title))
    note(words("provinces.clusters_note"))


@solara.component
def ProvinceSeries():
    """The chosen province over time."""
    session = use_session()
    words, answer = session.words, session.answer.value
    if answer is None:
        return
    province = province_name(session, answer)
    heading(words("provinces.series_heading", province=words.province(province)))
    with solara.Div(classes=["srdi-cards"]):
        for name in SERIES:
            measure = MEASURES[name]
            course = province_course(answer, province, measure)
            with solara.Div(classes=["srdi-card"]):
                charts.show(
                    session, answer, charts.over_time(session, answer, course, measure_title(words, name), measure.unit)
                )


@solara.component
def Concentration():
    """Concentration of little giants over counties and urban districts, nationwide."""
    session = use_session()
    words, answer = session.words, session.answer.value
    if answer is None:
        return
    heading(words("provinces.concentration_heading"))
    note(words("provinces.concentration_note"))
    with solara.Div(classes=["srdi-cards"]):
        for quantity in CONCENTRATION:
            with solara.Div(classes=["srdi-card"]):
                charts.show(session, answer, charts.fan(session, answer, quantity))
                remark_on(remark(words, quantity))
        for per in ("", "firms"):
            with solara.Div(classes=["srdi-card"]):
                charts.show(session, answer, county_chart(session, answer, per))


# --- choices in the address, or defaults if they do not exist


def measure_name(session: Session) -> str:
    """Name of the measure shown."""
    name = session.chosen("measure")
    return name if name in MEASURES else VIEWS["measure"]


def shown_name(session: Session) -> str:
    """Whether levels or differences are shown: one of SHOWN."""
    name = session.chosen("shown")
    return name if name in SHOWN else VIEWS["shown"]


def quarter_name(session: Session, answer: Answer) -> str:
    """Label of the quarter shown, the last one by default."""
    labels, quarter = quarters(answer.central), session.chosen("quarter")
    return quarter if quarter in labels else labels[-1]


def province_name(session: Session, answer: Answer) -> str:
    """English name of the chosen province; by default the one with most little giants at the end of the baseline."""
    name = session.chosen("province")
    if name in LAYOUT:
        return name
    table = answer.central_baseline.tables["province"]
    last = table["quarter"] == table["quarter"][-1]
    return str(table["province"][last][np.argmax(table["little_giants"][last])])


# --- texts


def measure_title(words: Words, name: str) -> str:
    """Title of a measure."""
    return words(f"provinces.title_{name}")


def full_title(words: Words, name: str) -> str:
    """Title of a measure with its unit."""
    return words("provinces.with_unit", title=measure_title(words, name), unit=words.unit(MEASURES[name].unit))


def pairs_text(session: Session) -> str:
    """A sentence on the runs behind the numbers."""
    words, answer = session.words, session.answer.value
    if not session.settings.value:
        return words("provinces.same")
    pairs = len(answer.runs) if answer else 0
    return words("provinces.pairs", pairs=pairs) if pairs else words("provinces.one_pair")


def province_rows(words: Words, answer: Answer, province: str, quarter: str) -> list[list[str]]:
    """Title, level and difference of AT_QUARTER in one province at a quarter."""
    place, at = list(LAYOUT).index(province), quarters(answer.central).index(quarter)
    rows = []
    for name in AT_QUARTER:
        unit, numbers = MEASURES[name].unit, provinces(answer, MEASURES[name])
        level, difference = (Estimate(*_at(each, at, place)) for each in (numbers.levels, numbers.differences))
        shown, its_band = words.estimate(level.mean, level.low, level.high, unit)
        change, interval = words.estimate(difference.mean, difference.low, difference.high, unit, signed=True)
        if difference.known and difference.low != difference.high:
            change += " " + words("policy.key_number_interval", interval=interval)
        if its_band != NOTHING:
            shown += " " + words("policy.key_number_interval", interval=its_band)
        rows.append([full_title(words, name), shown, change])
    return rows


def _at(matrices: tuple[np.ndarray, np.ndarray, np.ndarray], at: int, place: int) -> tuple[float, float, float]:
    first, second, third = (float(matrix[at, place]) for matrix in matrices)
    return first, second, third


# --- specs


def map_spec(words: Words, answer: Answer, name: str, shown: str) -> dict:
    """Spec of the map of a measure, as level or as difference."""
    measure, numbers = MEASURES[name], provinces(answer, MEASURES[name])
    signed = shown == "difference"
    values, low, high = supported_arrays(*(numbers.differences if signed else numbers.levels), measure.unit)
    factor, unit = shown_unit(words, measure, _largest(values[:, :-1]), signed)
    return square_map(
        values,
        low,
        high,
        numbers.unclear if signed else np.zeros(values.shape, dtype=bool),
        palette_of(measure, numbers, signed),
        quarters=[words.quarter(label) for label in quarters(answer.central)],
        names={province: words.province(province) for province in LAYOUT},
        title=words("provinces.map_title", title=measure_title(words, name), shown=words(f"provinces.shown_{shown}")),
        unit=unit,
        factor=factor,
        texts={
            key: words.raw(f"provinces.map_range_{shown}" if key == "range" else f"provinces.map_{key}")
            for key in TEXTS
        },
        signed=signed,
        whole=measure.unit == "firms",
        short_names=words.language == "en",
    )


def shown_unit(words: Words, measure: Measure, largest: float, signed: bool) -> tuple[float, str]:
    """Divisor of the numbers on a map, and the name of the resulting unit."""
    factor, key = scale_of(largest, measure.unit, MONEY[words.language])
    if key == "share":
        return factor, words("chart.points_unit") if signed else words.unit("share")
    return factor, words(f"control.{key}", unit=words.unit(measure.unit))


def palette_of(measure: Measure, provinces: Provinces, signed: bool) -> Palette:
    """One colour scale for all quarters of a map, so that squares can be compared over time."""
    level = provinces.level[:, :-1]
    if signed:
        return changes(_largest(provinces.difference[:, :-1]), least=_LEAST_CHANGE * _largest(level) or 1.0)
    if not measure.ratio:
        return levels(_largest(level))
    known = level[np.isfinite(level)]
    return rates(float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))) if len(known) else levels(1.0)


def _largest(values: np.ndarray) -> float:
    """Largest absolute value of the finite numbers; 0 if there are none."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0.0))


def cluster_table(words: Words, clusters: pd.DataFrame, title: str) -> dict:
    """Spec of a sortable table of clusters.

    Args:
        clusters: from `clusters_at`.
    """

    def counts(column: str, unit: str) -> Column:
        values = clusters[column].tolist()
        return Column(words(f"provinces.cluster_{column}"), [words.value(value, unit) for value in values], values)

    columns = [
        Column(words("provinces.cluster_sector"), [words(f"sector.{each}") for each in clusters["sector"]], words=True),
        Column(
            words("provinces.cluster_county_type"),
            [words(f"provinces.{each}") for each in clusters["county_type"]],
            words=True,
        ),
        Column(words("provinces.cluster_recognised"), [str(year) for year in clusters["recognised"]]),
        counts("srdi_smes", "firms"),
        counts("little_giants", "firms"),
        counts("commons", "0-1"),
    ]
    return sorted_table([str(key) for key in clusters.index], columns, title=title, sort=words.raw("provinces.sort"))


def county_chart(session: Session, answer: Answer, per: str) -> dict:
    """Little giants in counties and in urban districts over time, in total or per 10,000 firms."""
    words, series = session.words, []
    for kind, colour in zip(COUNTY_TYPES, OKABE_ITO, strict=False):
        course = county_type_course(answer, kind, "little_giants", per)
        name = words(f"provinces.{kind}")
        series += [
            line(
                words("provinces.of_baseline", name=name), course.baseline, colour=colour, dash=charts.DASHES, width=1.2
            ),
            line(name, course.policy, colour=colour),
        ]
    unit = MEASURES["little_giants_per_10000"].unit if per else "firms"
    title = words("provinces.counties_per_firm" if per else "provinces.counties")
    return time_chart(
        quarters(answer.central),
        series,
        title=title,
        unit=unit,
        unit_text=words.unit(unit),
        label=title,
        from_zero=True,
        **charts.look(session),
    )
