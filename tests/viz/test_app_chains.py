"""Chains, the firms behind a leader, clusters by stage, lives of firms, and their page."""

import numpy as np
import pandas as pd
import pytest
import solara

from scenarios import load_scenario
from sim.calendar import START
from viz import LANGUAGES
from viz.app.pages.chains import (
    ChainsPage,
    chain_place,
    chain_table,
    firm_options,
    life_text,
    node_labels,
    stage_table,
    step_names,
    supply_graph,
)
from viz.app.state import Session, session_context
from viz.app.widgets.sorted import Column, sorted_table
from viz.live.chains import (
    MEASURES,
    STEPS,
    Event,
    chain_course,
    chain_values,
    chains,
    edges,
    firm_list,
    firm_places,
    life,
    panel,
    stages,
    supply,
    tier_counts,
)
from viz.live.measures import national
from viz.live.regions import clusters_at, geography
from viz.live.runner import Links
from viz.live.session import Answer
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.002, 2025, 2
POLICY = ("levers.chain_leader_openness.start=2022Q1",)


@pytest.fixture(scope="module")
def answer(runner):
    scenario = load_scenario("chain-openness", POLICY).model_copy(update={"name": "policy"})
    runs, baselines = (
        tuple(run(member) for member in (0, 1, 2))
        for run in (lambda member: runner.run(scenario.policy, member), runner.baseline_run)
    )
    return Answer(scenario, 1, runs[0], baselines[0], runs[1:], baselines[1:])


def links_of(*rows: tuple[int, int, int]) -> Links:
    """Links of firms given as slot, customer and niche."""
    slot, customer, niche = (np.array(values, dtype=np.int64) for values in zip(*rows, strict=True))
    zeros = np.zeros(len(rows), dtype=np.int64)
    return Links(slot, customer, niche, zeros, zeros, zeros + 1, zeros + 20.0, zeros + 1e6)


# --- chains


def test_chains_are_those_of_the_table(answer):
    found = chains(answer)
    table = pd.DataFrame(answer.runs[0].tables["chain"])
    last = table[table["quarter"] == table["quarter"].max()]
    both = [pd.DataFrame(run.tables["chain"]).groupby("quarter")["suppliers"].apply(np.array) for run in answer.runs]
    np.testing.assert_allclose(found.value["suppliers"], np.mean([each.iloc[-1] for each in both], axis=0))
    assert found.sector == last["sector"].tolist()
    central = pd.DataFrame(answer.central.tables["chain"])
    assert found.province == central["province"].tail(len(found.province)).tolist()
    mean, low, high = found.difference["openness"]
    assert mean.any()
    assert (low <= mean).all()
    assert (mean <= high).all()
    assert found.pairs == 2


def test_strength_is_summed_over_four_quarters(answer):
    values = chain_values(answer.central, "strength")
    nation = national(answer.central, "chain_strength_yuan")
    assert values[-1].sum() == pytest.approx(nation[-4:].sum())
    assert np.isnan(values[2]).all()


def test_a_chain_over_time_is_its_column(answer):
    course = chain_course(answer, 3, "resilience")
    runs = np.stack([chain_values(run, "resilience")[:, 3] for run in answer.runs])
    np.testing.assert_allclose(course.policy, np.median(runs, axis=0))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_chains_is_sorted_by_numbers(answer, language):
    found = chains(answer)
    spec = chain_table(Words(language), found)
    assert len(spec["columns"]) == 3 + len(MEASURES)
    assert spec["columns"][4]["values"] == found.value["suppliers"].tolist()
    assert len(spec["keys"]) == len(found.sector)
    unclear = [text for text in spec["columns"][3]["second"] if text[0] in "(（"]
    _, low, high = found.difference["openness"]
    assert len(unclear) == ((low <= 0) & (high >= 0) & (low < high)).sum()


def test_columns_have_one_entry_a_row():
    with pytest.raises(ValueError, match="'b' has not one entry"):
        sorted_table(["x"], [Column("a", ["1"]), Column("b", ["1", "2"])], title="", sort="")
    spec = sorted_table(["x", "y"], [Column("a", ["–", "2"], [np.nan, 2.0])], title="", sort="")
    assert spec["columns"][0]["values"] == [None, 2.0]


# --- supply


def test_suppliers_of_suppliers_are_found():
    #     leader of chain 5 <- 10, 12 (niche 1), 11 (niche 0);  20 -> 10;  30 -> 20;  40 and 41 sell to each other.
    code = -2 - 5
    links = links_of(
        (10, code, 1),
        (11, code, 0),
        (12, code, 1),
        (20, 10, 7),
        (30, 20, 8),
        (40, 41, 2),
        (41, 40, 2),
        (50, -2 - 6, 1),
        (60, 99, 1),
        (70, -1, 1),
    )
    found = supply(links, 5)
    assert links.slot[found.row[1:]].tolist() == [11, 10, 12, 20, 30]
    assert found.depth.tolist() == [0, 1, 1, 1, 2, 3]
    assert found.parent.tolist() == [-1, 0, 0, 0, 2, 4]
    assert found.group.tolist() == [-1, 0, 1, 1, 1, 1]
    assert edges(found).tolist() == [[1, 0], [2, 0], [3, 0], [4, 2], [5, 4]]
    assert tier_counts(links, found).tolist() == [0, 5, 0, 0]
    assert len(supply(links, 9)) == 1


def test_the_network_holds_every_firm_that_supplies_a_leader(answer):
    links = answer.central.links
    customers = dict(zip(links.slot.tolist(), links.customer.tolist(), strict=True))

    def top(slot: int) -> int:
        for _ in range(len(customers)):
            slot = customers.get(slot, -1)
            if slot < 0:
                return slot
        return -1

    ends = [top(slot) for slot in customers]
    chain = -2 - max((end for end in set(ends) if end < -1), key=ends.count)
    found = supply(links, chain)
    assert len(found) - 1 == ends.count(-2 - chain) > 5
    suppliers = pd.DataFrame(answer.central.tables["chain"]).groupby("chain")["suppliers"].last()[chain]
    assert np.count_nonzero(found.depth == 1) / SCALE == pytest.approx(suppliers)
    graph = supply_graph(links, found)
    assert graph["nodes"] == len(found)
    xy = np.frombuffer(graph["values"], dtype="<f4")[: 2 * len(found)].reshape(-1, 2)
    np.testing.assert_allclose(np.hypot(*xy.T), found.depth, atol=1e-5)
    for language in LANGUAGES:
        labels = node_labels(Words(language), links, found)
        assert len(set(labels)) == len(labels)
        assert all(str(slot) in label for slot, label in zip(links.slot[found.row[1:]], labels[1:], strict=True))


def test_places_of_linked_firms_are_those_of_their_counties(answer):
    links = answer.central.links
    provinces, sectors = firm_places(links)
    rows = panel(answer.central)
    last = rows[rows["year"] == UNTIL]
    slots = {int(firm.partition("-")[0]): place for firm, place in zip(last["firm"], last["province"], strict=True)}
    both = [(slots[slot], place) for slot, place in zip(links.slot.tolist(), provinces, strict=True) if slot in slots]
    assert len(both) > 10
    assert all(first == second for first, second in both)
    assert len(sectors) == len(links.slot)


# --- clusters


def test_clusters_are_counted_once_in_every_way(answer):
    found = stages(answer.central, UNTIL)
    clusters = clusters_at(answer.central, UNTIL)
    assert found.by_year.sum() == found.by_step.sum() == found.crossed.sum() == len(clusters)
    by_year = clusters.groupby("recognised")
    assert found.years == sorted(by_year.groups)
    np.testing.assert_allclose(found.commons, by_year["commons"].mean())
    np.testing.assert_allclose(found.firms, by_year["firms"].sum())
    np.testing.assert_array_equal(found.by_step.sum(axis=1), found.crossed.sum(axis=0))
    table = stage_table(Words("en"), found, stages(answer.central_baseline, UNTIL))
    assert [len(row) for row in table.rows] == [len(table.heads)] * len(found.years)
    assert stages(answer.central, 2018).years == []


def test_a_step_holds_its_upper_end(answer, monkeypatch):
    strengths = [0.0, 0.2, 0.2 + 1e-15, 0.21, 0.6000001, 1.0]
    frame = pd.DataFrame(
        {
            "recognised": 2024,
            "county_type": "county",
            "commons": strengths,
            "firms": 1.0,
            "little_giants": 0.0,
        }
    )
    monkeypatch.setattr("viz.live.chains.clusters_at", lambda run, year: frame)
    assert stages(answer.central, 2024).by_step[:, 0].tolist() == [3, 1, 0, 1, 1]
    assert len(step_names(Words("en"))) == len(STEPS)


# --- lives


def rows_of(firm: str, *years: tuple) -> pd.DataFrame:
    """Panel rows of a firm given as year, tier and the three dates of certificates."""
    names = ("year", "tier", "innovative_since", "srdi_since", "giant_since")
    frame = pd.DataFrame(years, columns=names)
    return frame.assign(
        firm=firm,
        province="Anhui",
        county_type="county",
        sector="electronics",
        employment=[50.0 + row for row in range(len(years))],
        rd_intensity=0.05,
        digital=0.4,
    )


def test_a_life_is_told_in_order():
    climber = rows_of(
        "7--13",
        (2018, 0, -1, -1, -1),
        (2019, 1, 3, -1, -1),
        (2020, 2, 5, 5, -1),
        (2021, 2, 5, 5, -1),
        (2022, 3, 15, 15, 15),
        (2023, 3, 15, 15, 15),
        (2024, 3, 23, 23, 23),
        (2025, 1, 27, -1, -1),
        (2026, 0, -1, -1, -1),
    )
    other = rows_of("7-33", (2027, 0, -1, -1, -1), (2028, 3, 39, 39, 39))
    rows = pd.concat([climber, other], ignore_index=True)
    found = life(rows, "7--13")
    assert found.founded == START + -13
    assert found.closed == 2027
    assert found.certificates == [
        Event("granted", "2019Q3", "innovative"),
        Event("granted", "2020Q1", "srdi"),
        Event("granted", "2022Q3", "little_giant"),
        Event("renewed", "2024Q3", "little_giant"),
        Event("fell", "2025", "little_giant", "innovative"),
        Event("ended", "2026", "innovative"),
    ]
    assert found.years == list(range(2018, 2029))
    assert np.isnan(found.employment[-2:]).all()
    assert found.employment[0] == 50.0
    later = life(rows, "7-33")
    assert (str(later.founded), later.closed) == ("2027Q1", None)
    assert [(event.kind, event.tier) for event in later.certificates] == [("granted", "little_giant")]
    assert life(rows, "nobody") is None
    assert firm_list(rows)["firm"].tolist() == ["7--13", "7-33"]
    assert firm_list(rows, most=1)["firm"].tolist() == ["7--13"]
    text = life_text(Words("en"), found)
    assert text.startswith("Founded in 2015 Q3 in a county of Anhui (Computers, electronics and instruments);")
    assert "fell from little giant to innovative SME in 2025" in text
    assert text.endswith("closed in 2027.")
    assert life_text(Words("en"), later).endswith("still active at the end of 2028 with 51 staff.")
    assert "2027年注销。" in life_text(Words("zh"), found)


def test_firms_are_offered_by_the_height_they_reached(answer):
    rows = panel(answer.central)
    found = firm_list(rows, most=50)
    assert len(found) == 50
    highest = rows.groupby("firm")["tier"].max()
    assert found["tier"].is_monotonic_decreasing
    assert found["tier"].tolist() == highest[found["firm"]].tolist()
    assert found["tier"].iloc[0] == highest.max()
    options = firm_options(Words("zh"), rows)
    assert len({option["title"] for option in options}) == len(options)


def test_the_panel_knows_who_closed(answer):
    """Every firm whose life is said to end is gone at the last year end, and no other."""
    rows = panel(answer.central)
    there = set(rows[rows["year"] == UNTIL]["firm"])
    ended = {firm for firm in rows["firm"].unique() if life(rows, firm).closed is not None}
    assert ended.isdisjoint(there)
    assert ended | there == set(rows["firm"])
    assert ended


def test_the_geography_of_links_is_that_of_the_run(answer):
    rows = answer.central.tables["firms"]
    from sim.reference import province_names

    names = np.array(province_names(), dtype=object)
    np.testing.assert_array_equal(names[geography().county_province[rows["county"]]], rows["province"])
    urban = np.where(geography().county_is_urban[rows["county"]], "urban", "county")
    np.testing.assert_array_equal(urban, rows["county_type"])


# --- the page


@pytest.mark.parametrize("query", ["", "lang=zh", "chain=99999&firm=nobody", "chain=x", "chain=7"])
def test_the_page_is_drawn_whatever_the_address_holds(runner, answer, query):
    central = Answer(answer.scenario, 1, answer.central, answer.central_baseline)
    for known in (None, central, answer):
        session = Session(runner, query)
        session.answer.value = known

        @solara.component
        def Top(session=session):
            session_context.provide(session)
            ChainsPage()

        context = solara.render(Top(), handle_error=False)[1]
        assert session.message.value == ""
        if known:
            table = known.central_baseline.tables["chain"]
            number = int(table["chain"].max()) + 1
            suppliers = table["suppliers"][-number:]
            most = next(place for place in range(number) if suppliers[place] == suppliers.max())
            assert chain_place(session, known) == (6 if query == "chain=7" else most)
        context.close()
