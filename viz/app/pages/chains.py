"""The page on chains and clusters: all chains, one in detail, its leader's suppliers, clusters, a firm's history."""

from __future__ import annotations

import numpy as np
import pandas as pd
import solara

from scenarios.display.drawing import OKABE_ITO
from sim.world.geography import COUNTY_TYPES
from viz.app import charts
from viz.app.basis import basis_text
from viz.app.choices import unknown_firm
from viz.app.elements import Busy, heading, html_table, note
from viz.app.faults import fault_text
from viz.app.state import Session, use_session
from viz.app.widgets.chart import bar, time_chart
from viz.app.widgets.network import TEXTS, Network, network, radial_layout
from viz.app.widgets.panels import Choice
from viz.app.widgets.search import Search
from viz.app.widgets.sorted import Column, SortedTable, sorted_table
from viz.live.chains import (
    MEASURES,
    STEPS,
    TIER_NAMES,
    Chains,
    Life,
    Stages,
    Supply,
    chain_course,
    chains,
    edges,
    firm_list,
    firm_places,
    founded,
    life,
    panel,
    stages,
    supply,
    tier_counts,
)
from viz.live.measures import Course
from viz.live.runner import Links
from viz.live.session import Answer
from viz.shared.estimates import Estimate
from viz.shared.texts import TextTable
from viz.words.language import Words

#: Colours of a network: its leader, then firms by tier from the highest to none.
_PALETTE = (OKABE_ITO[1], OKABE_ITO[0], OKABE_ITO[2], OKABE_ITO[3], "#8a8a8a")
#: Radius of nodes in px: of the leader, the smallest of a firm, and the increase with the root of its employees.
_LEADER, _LEAST, _PER_ROOT, _LARGEST = 13.0, 2.0, 0.28, 11.0
#: Quantities drawn in a firm's history, with their units.
_LIFE = {"employment": "persons", "rd_intensity": "share", "digital": "0-1", "tier": "tier 0-3"}


@solara.component
def ChainsPage():
    """Chains, clusters and single firms."""
    session = use_session()
    with solara.Div(classes=["srdi-stack"], attributes={"id": "results"}):
        heading(session.words("chains.heading", policy=session.title))
        Busy()
        AllChains()
        OneChain()
        Clusters()
        OneFirm()


@solara.component
def AllChains():
    """All chains at the end of the run, in a sortable table to choose from."""
    session = use_session()
    words, answer = session.words, session.answer.value
    spec = solara.use_memo(lambda: chain_table(words, chains(answer)) if answer else None, [answer, words.language])
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        heading(words("chains.all_heading", year=session.runner.until), "h3")
        if answer is None or spec is None:
            note(words("app.loading"))
            return
        SortedTable(
            spec=spec,
            chosen=str(chain_place(session, answer)),
            event_choose=lambda key: choose_chain(session, key),
        )
        pairs = words("chains.pairs", pairs=len(answer.runs)) if answer.runs else words("chains.one_pair")
        pairs = words.sentences([pairs, basis_text(answer, session)])
        note(words.sentences([words("chains.about"), pairs]))


@solara.component
def OneChain():
    """The chosen chain over time, and its leader's suppliers."""
    session = use_session()
    words, answer = session.words, session.answer.value
    if answer is None:
        return
    number = chain_place(session, answer)
    titles = chain_titles(words, answer)
    with solara.Div(classes=["srdi-row"]):
        heading(titles[str(number)])
        Choice(
            label=words("chains.choose"),
            options=list(titles.items()),
            value=str(number),
            event_choose=lambda key: choose_chain(session, key),
        )
    with solara.Div(classes=["srdi-cards", "srdi-small"]):
        for measure, unit in MEASURES.items():
            with solara.Div(classes=["srdi-card"]):
                course = chain_course(answer, number, measure)
                title = words(f"chains.measure_{measure}")
                charts.show(session, answer, charts.over_time(session, answer, course, title, unit))
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        SupplyNetwork(number)


@solara.component
def SupplyNetwork(number: int) -> None:
    """A chain leader's direct and indirect suppliers at the end of the run, as a network."""
    session = use_session()
    words, answer = session.words, session.answer.value
    links, before = (answer.central.links, answer.central_baseline.links) if answer else (None, None)
    suppliers = solara.use_memo(lambda: supply(links, number) if links else None, [links, number])
    graph = solara.use_memo(lambda: supply_graph(links, suppliers) if links and suppliers else None, [suppliers])
    labels = solara.use_memo(
        lambda: node_labels(words, links, suppliers) if links and suppliers else [], [suppliers, words.language]
    )
    if answer is None or links is None or before is None or suppliers is None or graph is None:
        return
    heading(words("chains.network_heading", year=session.runner.until), "h3")
    if len(suppliers) == 1:
        note(words("chains.network_none", weight=words.number(1.0 / session.runner.scale)))
        return
    note(network_text(words, links, suppliers, supply(before, number), session.runner.scale))
    Network(
        graph,
        labels=labels,
        palette=_PALETTE,
        names=[words("chains.leader"), *(words(f"chains.tier_{tier}") for tier in reversed(TIER_NAMES))],
        texts={key: words.raw(f"chains.network_{key}") for key in TEXTS},
        label=words("chains.network_label", chain=chain_titles(words, answer)[str(number)], firms=len(suppliers) - 1),
        dark=session.dark.value,
        version=f"{charts.version_of(answer)}-{number}",
    )
    note(words("chains.network_note"))


@solara.component
def Clusters():
    """Clusters by stage."""
    session = use_session()
    words, answer = session.words, session.answer.value
    if answer is None:
        return
    year = session.runner.until
    by_stage, before = (stages(run, year) for run in (answer.central, answer.central_baseline))
    heading(words("chains.clusters_heading", year=year))
    if not by_stage.years and not before.years:
        note(words("chains.no_clusters"))
        return
    with solara.Div(classes=["srdi-cards"]):
        with solara.Div(classes=["srdi-card"]):
            names = [str(each) for each in by_stage.years]
            charts.show(session, answer, bars(session, words("chains.by_year"), names, by_stage.by_year))
        with solara.Div(classes=["srdi-card"]):
            charts.show(session, answer, bars(session, words("chains.by_step"), step_names(words), by_stage.by_step))
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        html_table(stage_table(words, by_stage, before), caption=words("chains.clusters_heading", year=year))
        note(words("chains.clusters_note"))


@solara.component
def OneFirm():
    """The history of one simulated firm."""
    session = use_session()
    words, answer = session.words, session.answer.value
    central = answer.central if answer else None
    rows = solara.use_memo(lambda: panel(central) if central else None, [central])
    before = solara.use_memo(lambda: panel(answer.central_baseline) if answer else None, [answer])
    options = solara.use_memo(lambda: firm_options(words, rows) if central else [], [central, words.language])
    if answer is None:
        return
    heading(words("chains.firm_heading"))
    note(words("chains.firm_note", firms=len(options)))
    if not options:
        return
    chosen = session.chosen("firm")
    asked = life(rows, chosen)
    firm = asked or life(rows, options[0]["value"])
    if firm is None:
        return
    if chosen and asked is None:
        note(fault_text(words, unknown_firm(chosen)))
    Search(
        label=words("chains.firm_choose"),
        value=firm.firm,
        options=options,
        event_chosen=lambda firm: session.choose("firm", firm),
    )
    with solara.Div(classes=["srdi-card"]):
        solara.Text(life_text(words, firm), classes=["srdi-story"])
    other = life(before, firm.firm)
    with solara.Div(classes=["srdi-cards", "srdi-small"]):
        for name, unit in _LIFE.items():
            with solara.Div(classes=["srdi-card"]):
                charts.show(session, answer, life_chart(session, answer, firm, other, name, unit))


# --- choices in the address, or defaults if they do not exist


def choose_chain(session: Session, key: str) -> None:
    """Choose a chain by its place as text; in the address it has the number that is shown, from 1 on."""
    session.choose("chain", str(int(key) + 1))


def chain_place(session: Session, answer: Answer) -> int:
    """Place of the chosen chain, from 0 on; by default of the one with most suppliers at the end of the baseline."""
    text = session.chosen("chain")
    table = answer.central_baseline.tables["chain"]
    places = np.unique(table["chain"])
    if text.isdecimal() and len(text) < 6 and int(text) - 1 in places:
        return int(text) - 1
    return int(np.argmax(table["suppliers"][-len(places) :]))


# --- chains


def chain_titles(words: Words, answer: Answer) -> dict[str, str]:
    """Titles of all chains by their number as text: number from 1, sector, leader's home."""
    table = answer.central.tables["chain"]
    number = len(np.unique(table["chain"]))
    pairs = zip(table["sector"][:number], table["province"][:number], strict=True)
    return {
        str(each): words(
            "chains.title", number=each + 1, sector=words(f"sector.{sector}"), province=words.province(province)
        )
        for each, (sector, province) in enumerate(pairs)
    }


def chain_table(words: Words, chains: Chains) -> dict:
    """Spec of a sortable table of all chains: the policy above, the difference to the baseline below."""
    numbers = range(len(chains.sector))
    columns = [
        Column(words("chains.number"), [str(each + 1) for each in numbers], list(numbers), words=True),
        Column(words("chains.sector"), [words(f"sector.{each}") for each in chains.sector], words=True),
        Column(words("chains.home"), [words.province(each) for each in chains.province], words=True),
    ]
    for measure, unit in MEASURES.items():
        value, (mean, low, high) = chains.value[measure], chains.difference[measure]
        columns.append(
            Column(
                f"{words(f'chains.measure_{measure}')} ({words.unit(unit)})",
                [words.value(each, unit) for each in value.tolist()],
                value.tolist(),
                [
                    change_text(words, Estimate(*each), unit)
                    for each in zip(mean.tolist(), low.tolist(), high.tolist(), strict=True)
                ],
                mean.tolist(),
                words("chains.difference"),
            )
        )
    return sorted_table(
        [str(each) for each in numbers],
        columns,
        title=words("chains.all_caption"),
        sort=words.raw("chains.sort"),
        choose=words.raw("chains.show"),
    )


def change_text(words: Words, difference: Estimate, unit: str) -> str:
    """A difference, in brackets if its interval includes zero."""
    text, _ = words.estimate(difference.mean, difference.low, difference.high, unit, signed=True)
    unclear = difference.known and not difference.clear and difference.low < difference.high
    return words("provinces.map_bracketed", value=text) if unclear else text


# --- the network


def supply_graph(links: Links, supplied: Supply) -> dict:
    """Suppliers on rings around their leader, direct suppliers by niche; from `network`."""
    places = radial_layout((0.0, 0.0), supplied.parent[1:] - 1, supplied.group[1:])
    firms = supplied.row[1:]
    size = np.minimum(_LEAST + _PER_ROOT * np.sqrt(links.employment[firms]), _LARGEST)
    colour = len(TIER_NAMES) - links.tier[firms].astype(np.int64)
    return network(
        np.vstack([np.zeros((1, 2)), places]),
        np.concatenate([[_LEADER], size]),
        np.concatenate([[0], colour]),
        edges(supplied),
    )


def node_labels(words: Words, links: Links, supplied: Supply) -> list[str]:
    """Labels of the nodes; simulated firms have no names, so they are described."""
    provinces, sectors = firm_places(links)
    labels = [words("chains.leader")]
    for row, depth in zip(supplied.row[1:].tolist(), supplied.depth[1:].tolist(), strict=True):
        tier = TIER_NAMES[int(links.tier[row])]
        labels.append(
            words(
                "chains.node" if depth == 1 else "chains.node_further",
                slot=int(links.slot[row]),
                sector=words(f"sector.{sectors[row]}"),
                province=words.province(provinces[row]),
                niche=int(links.niche[row]),
                tier=words(f"chains.tier_{tier}"),
                staff=words.number(round(float(links.employment[row]))),
            )
        )
    return labels


def network_text(words: Words, links: Links, supplied: Supply, before: Supply, scale: float) -> str:
    """The number of the leader's suppliers, in total, by tier, and in the baseline."""
    tiers = tier_counts(links, supplied)
    return words(
        "chains.network_text",
        direct=words.number(float(np.count_nonzero(supplied.depth == 1))),
        further=words.number(float(np.count_nonzero(supplied.depth > 1))),
        niches=words.number(float(len(np.unique(supplied.group[1:])))),
        giants=words.number(float(tiers[3])),
        srdi=words.number(float(tiers[2])),
        baseline=words.number(float(np.count_nonzero(before.depth == 1))),
        weight=words.number(1.0 / scale),
    )


# --- clusters


def step_names(words: Words) -> list[str]:
    """Names of the classes for the strength of the commons."""
    lows = (0.0, *STEPS[:-1])
    return [words("number.interval", low=f"{low:g}", high=f"{high:g}") for low, high in zip(lows, STEPS, strict=True)]


def bars(session: Session, title: str, names: list[str], counts: np.ndarray) -> dict:
    """Clusters by group as stacked bars for counties and urban districts.

    Args:
        counts: int64 (groups, county types).
    """
    words = session.words
    series = [
        bar(words(f"provinces.{kind}"), counts[:, column].astype(float), colour=OKABE_ITO[column], stack="clusters")
        for column, kind in enumerate(COUNTY_TYPES)
    ]
    return time_chart(
        names,
        series,
        title=title,
        unit="clusters",
        unit_text=words.unit("clusters"),
        label=words("chains.bars_label", title=title, number=int(counts.sum())),
        **charts.look(session),
    )


def stage_table(words: Words, by_stage: Stages, before: Stages) -> TextTable:
    """Clusters by year of recognition: number, places and strength, next to the baseline's."""
    earlier = {year: row for row, year in enumerate(before.years)}
    rows = []
    for row, year in enumerate(by_stage.years):
        same = earlier.get(year)
        rows.append(
            [
                str(year),
                *(words.number(float(count)) for count in (by_stage.by_year[row].sum(), *by_stage.by_year[row])),
                words.number(0.0 if same is None else float(before.by_year[same].sum())),
                words.number(float(by_stage.commons[row])),
                words.number(None if same is None else float(before.commons[same])),
                words.value(float(by_stage.firms[row]), "firms"),
                words.value(float(by_stage.little_giants[row]), "firms"),
            ]
        )
    keys = (
        "recognised",
        "clusters",
        *COUNTY_TYPES,
        "baseline",
        "commons",
        "commons_baseline",
        "firms",
        "little_giants",
    )
    return TextTable([words(f"chains.stage_{key}") for key in keys], rows)


# --- single firms


def firm_options(words: Words, rows: pd.DataFrame) -> list[dict]:
    """Firms to choose from: ids with titles.

    Args:
        rows: from `panel`.
    """
    return [
        {
            "value": row.firm,
            "title": words(
                "chains.firm_title",
                slot=row.firm.partition("-")[0],
                founded=words.quarter(str(founded(row.firm))),
                tier=words(f"chains.tier_{TIER_NAMES[int(row.tier)]}"),
                sector=words(f"sector.{row.sector}"),
                province=words.province(row.province),
                staff=words.number(round(row.employment)),
            ),
        }
        for row in firm_list(rows).itertuples()
    ]


def life_text(words: Words, firm: Life) -> str:
    """A firm's history in one sentence."""
    parts = [
        words(
            "chains.life_founded",
            quarter=words.quarter(str(firm.founded)),
            place=words(f"provinces.in_{firm.county_type}", province=words.province(firm.province)),
            sector=words(f"sector.{firm.sector}"),
        )
    ]
    for event in firm.certificates:
        when = words.quarter(event.when) if "Q" in event.when else words("chains.life_year", year=event.when)
        tier, left = (words(f"chains.tier_{each}") for each in (event.tier, event.left))
        parts.append(words(f"chains.life_{event.kind}", when=when, tier=tier, left=left))
    if not firm.certificates:
        parts.append(words("chains.life_never"))
    if firm.closed is None:
        staff = words.number(round(float(firm.employment[-1])))
        parts.append(words("chains.life_active", year=firm.years[-1], staff=staff))
    else:
        parts.append(words("chains.life_closed", year=firm.closed))
    return words("chains.life", parts=words("chains.life_and").join(parts))


def life_chart(session: Session, answer: Answer, firm: Life, other: Life | None, name: str, unit: str) -> dict:
    """One quantity of a firm by year end, under the policy and, if the firm exists there, in the baseline."""
    words, values = session.words, getattr(firm, name)
    beside = np.full(len(values), np.nan) if other is None else getattr(other, name)
    title = words(f"chains.life_of_{name}")
    label = words("chains.life_label", title=title, text=life_text(words, firm))
    years = [str(year) for year in firm.years]
    return charts.over_time(session, answer, Course(values, beside, None), title, unit, x=years, label=label)
