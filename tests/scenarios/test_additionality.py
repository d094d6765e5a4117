"""Additionality: numbers worked out by hand, firm by firm against plain Python, and what is refused."""

from __future__ import annotations

import io
import math
from collections import defaultdict, namedtuple
from functools import cache

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from command_line import last
from rich.console import Console

from scenarios import InputError, additionality, load_scenario, run_ensemble
from scenarios.analysis.additionality import (
    ALL,
    DIMENSIONS,
    ELSEWHERE,
    RIVALS,
    SAME_NICHE,
    SIZES,
    Plan,
    _rows,
    count,
    count_pair,
    size_class,
)
from scenarios.analysis.firm_runs import AMOUNTS, FirmRun, follow
from scenarios.analysis.recipients import SUPPORTING
from scenarios.cli import main
from scenarios.commands.additionality import _DIMENSIONS
from scenarios.commands.additionality import additionality as command
from scenarios.commands.additionality_tables import print_additionality
from scenarios.ensembles.parameter_draws import read_parameter_draws
from scenarios.ensembles.rerun import jobs_again
from scenarios.files.labels import WORDS
from scenarios.files.schema import build
from sim.calendar import Quarter
from sim.levers import PROGRAMMES, Levers
from sim.model import SRDIModel
from sim.reference import province_names, read_data, sector_names

PER_100 = "per 100 supported firms"

# --- numbers worked out by hand


def made_up(firms, events=(), births=None, scale=0.5) -> FirmRun:
    """A run of seven slots.

    Args:
        firms: by slot: founded, tier, R&D, staff, exports, revenue. events: slot, founded, lever, quarter, tier, staff.
        births: slots by quarter.
    """
    slots = range(7)
    values = {slot: firms.get(slot, (-99, 0, 0, 0, 0, 0)) for slot in slots}
    columns = [np.array([values[slot][part] for slot in slots], dtype=float) for part in range(6)]
    rows = [
        dict(zip(("slot", "founded", "lever", "quarter", "tier", "employment"), event, strict=True)) for event in events
    ]
    return FirmRun(
        founded=columns[0].astype(np.int64),
        alive=np.array([slot in firms for slot in slots]),
        tier=columns[1].astype(np.int8),
        amounts=dict(zip(AMOUNTS, columns[2:], strict=True)),
        niche=np.array([0, 0, 1, 1, 0, 9, 1]),
        sector=np.array([0, len(sector_names()) - 1, 0, 0, 0, 0, 0]),
        county_province=np.array([2, 4]),
        events=pd.DataFrame(rows, columns=["slot", "founded", "lever", "quarter", "tier", "employment"]).assign(
            county=[slot % 2 for slot, *_ in events]
        ),
        births=[np.array((births or {}).get(quarter, []), dtype=np.int32) for quarter in range(8)],
        start="a",
        national={},
        scale=scale,
    )


#: Slot 0 wins the SRDI title and R&D; 1 becomes a little giant in both runs; in 2 a firm is founded with the policy and
#: another without; 3 closes with the policy. 4 and 5 are never supported; 6 only without.
WITH = made_up(
    {
        0: (-8, 2, 5, 30, 0, 110),
        1: (-3, 3, 7, 20, 40, 99.5),
        2: (4, 1, 0, 10, 0, 10),
        4: (-8, 0, 0, 8, 0, 80),
        5: (-8, 1, 0, 9, 0, 100),
        6: (-8, 1, 0, 9, 0, 30),
    },
    [
        (0, -8, "sme_fund", 5, 0, 25.0),
        (1, -3, "sme_fund", 6, 2, 20.0),
        (3, -8, "sme_fund", 5, 1, 300.0),
        (2, 4, "listing_support", 5, 0, 10.0),
        (1, -3, "listing_support", 5, 1, 19.0),
    ],
    {4: [2]},
)
WITHOUT = made_up(
    {
        0: (-8, 0, 0, 30, 0, 100),
        1: (-3, 3, 7, 20, 0, 100),
        2: (6, 1, 0, 12, 0, 20),
        3: (-8, 1, 2, 6, 0, 50),
        4: (-8, 1, 0, 10, 0, 100),
        5: (-8, 1, 0, 9, 0, 99.5),
        6: (-8, 0, 1, 9, 0, 20),
    },
    [(6, -8, "sme_fund", 5, 0, 9.0), (1, -3, "sme_fund", 7, 2, 20.0)],
    {6: [2]},
)
BOTH = ("sme_fund", "listing_support")


@cache
def counted(differing, chosen, threshold):
    return count(WITH, WITHOUT, differing, chosen, threshold)


def numbers(lever="sme_fund", by="lever", group=None, differing=BOTH, chosen=BOTH, threshold=0.01):
    """Part over whole by quantity and measure."""
    found = counted(differing, chosen, threshold)
    group = lever if group is None else group
    return {
        key[3:5]: part / whole if whole else math.nan
        for key, (part, whole) in found.items()
        if key[:3] == (lever, by, group)
    }


def test_who_would_have_a_title_anyway_is_as_worked_out_by_hand():
    got = numbers()  # slots 0, 1 and 3
    assert (got["supported", "count"], got["supported", "simulated"]) == (6.0, 3.0)
    third = 100.0 / 3.0
    for name, shares in {
        "srdi_smes": {"with": 2, "anyway": 1, "added": 1, "lost": 0, "neither": 1, "held_before": 1, "reached": 1},
        "little_giants": {"with": 1, "anyway": 1, "added": 0, "lost": 0, "neither": 2, "held_before": 0, "reached": 1},
        "innovative_smes": {"with": 2, "anyway": 1, "added": 1, "lost": 1, "neither": 0, "held_before": 2},
        "firms": {"with": 2, "anyway": 2, "added": 0, "lost": 1, "neither": 0},
        "rd_firms": {"with": 2, "anyway": 1, "added": 1, "lost": 1, "neither": 0},
        "exporters": {"with": 1, "anyway": 0, "added": 1, "lost": 0, "neither": 2},
    }.items():
        for measure, firms in shares.items():
            assert got[name, measure] == pytest.approx(third * firms), (name, measure)
    assert (got["srdi_smes", "anyway_share"], got["srdi_smes", "reached_anyway_share"]) == (0.5, 0.0)
    assert (got["little_giants", "anyway_share"], got["little_giants", "reached_anyway_share"]) == (1.0, 1.0)
    assert (got["tier", "higher"], got["tier", "lower"], got["tier", "same"]) == pytest.approx((third, third, third))
    assert got["supported", "in_baseline"] == pytest.approx(third)  # slot 1
    assert got["supported", "only_with"] == 0.0
    assert got["anything", "changed"] == pytest.approx(100.0)  # slot 1 by its exports


def test_amounts_and_the_threshold_are_as_worked_out_by_hand():
    got = numbers()
    assert got["revenue_yuan", "with"] == pytest.approx(209.5 / 3)
    assert got["revenue_yuan", "without"] == pytest.approx(250 / 3)
    assert got["revenue_yuan", "change"] == pytest.approx((10 - 0.5 - 50) / 3)
    assert got["revenue_yuan", "change_share"] == pytest.approx(-40.5 / 250)
    shares = [got["revenue_yuan", measure] for measure in ("higher", "lower", "same")]
    assert shares == pytest.approx([100 / 3] * 3)  # slot 1 loses half a per cent
    assert numbers(threshold=0.001)["revenue_yuan", "lower"] == pytest.approx(200 / 3)
    assert numbers(threshold=0.2)["revenue_yuan", "higher"] == 0.0
    assert got["exports_yuan", "higher"] == pytest.approx(100 / 3)  # from nothing
    assert math.isnan(got["exports_yuan", "change_share"])


def test_a_firm_founded_with_the_policy_alone_is_not_the_one_in_its_slot():
    got = numbers("listing_support")  # slots 1 and 2
    assert got["supported", "only_with"] == 50.0
    assert (got["firms", "with"], got["firms", "anyway"], got["firms", "added"]) == (100.0, 50.0, 50.0)
    assert got["revenue_yuan", "without"] == pytest.approx(50.0)  # 100 and nothing


def test_all_levers_count_each_firm_once_as_it_stood_before_the_first():
    got = numbers(ALL)
    assert got["supported", "simulated"] == 4.0
    assert got["srdi_smes", "held_before"] == 0.0  # slot 1 was an innovative SME before listing_support
    assert got["little_giants", "reached_anyway"] == 25.0
    assert numbers(ALL, "tier", "innovative")["supported", "simulated"] == 2.0
    # By employees: 25 and 19 (services), 10 and 300.
    sizes = {size: numbers(ALL, "size", size)["supported", "simulated"] for size in SIZES}
    assert sizes == {"micro": 1.0, "small": 2.0, "medium": 1.0, "large": 0.0}
    provinces = {name: numbers(ALL, "province", name)["supported", "simulated"] for name in province_names()}
    assert {name: firms for name, firms in provinces.items() if firms} == {
        province_names()[2]: 2.0,
        province_names()[4]: 2.0,
    }


def test_rivals_lose_what_is_worked_out_by_hand():
    near = numbers("sme_fund", RIVALS, SAME_NICHE)  # niches 0 and 1: slots 4 and 6, and the firm in slot 2 without
    assert (near["rivals", "count"], near["rivals", "support_lost"]) == (6.0, 2.0)  # at 1:1
    assert (near["innovative_smes", "lost"], near["innovative_smes", "gained"]) == (4.0, 2.0)
    assert (near["innovative_smes", "net"], near["firms", "lost"], near["rd_firms", "lost"]) == (-2.0, 2.0, 2.0)
    assert (near["revenue_yuan", "losses"], near["revenue_yuan", "gains"]) == (-80.0, 20.0)
    assert (near["revenue_yuan", "lower"], near["revenue_yuan", "higher"]) == (4.0, 2.0)
    assert near["revenue_yuan", "net_per_100"] == pytest.approx(-100 * 30 / 3)
    assert near["employment", "net"] == -28.0
    far = numbers("sme_fund", RIVALS, ELSEWHERE)  # slot 5
    assert (far["rivals", "count"], far["revenue_yuan", "higher"], far["revenue_yuan", "net"]) == (2.0, 0.0, 1.0)
    # A firm that another lever of the policy reaches is no rival.
    assert numbers("sme_fund", RIVALS, SAME_NICHE, BOTH, ("sme_fund",))["firms", "gained"] == 0.0
    assert numbers("sme_fund", RIVALS, SAME_NICHE, ("sme_fund",), ("sme_fund",))["firms", "gained"] == 2.0


def test_pairs_are_added_up_and_their_band_is_that_of_pairs_with_such_firms():
    key = ("a", "lever", "a", "firms", "with", PER_100)
    (row,) = _rows([{key: (100.0, 4.0)}, {key: (0.0, 0.0)}, {key: (500.0, 6.0)}])
    assert row["value"] == 60.0
    assert (row["low"], row["high"]) == pytest.approx(np.quantile([25.0, 500 / 6], [0.1, 0.9]))
    (row,) = _rows([{key: (100.0, 4.0)}, {key: (0.0, 0.0)}])
    assert (row["value"], math.isnan(row["low"])) == (25.0, True)
    (row,) = _rows([{key: (0.0, 0.0)}])
    assert math.isnan(row["value"])


def test_size_classes_have_the_limits_of_the_statistics_office():
    staff = np.array([19.9, 20, 299, 300, 999, 1000])
    assert size_class(staff, np.ones(6, dtype=bool)).tolist() == [0, 1, 1, 2, 2, 3]
    staff = np.array([9.9, 10, 99, 100, 299, 300])
    assert size_class(staff, np.zeros(6, dtype=bool)).tolist() == [0, 1, 1, 2, 2, 3]
    for sector in read_data("sectors")["sector"]:  # the limit of an SME is that of a large firm
        least = np.array([sector["sme_employees"]])
        assert size_class(least, np.array([sector["manufacturing"]])) == 3
        assert size_class(least - 1, np.array([sector["manufacturing"]])) == 2


# --- against plain Python, firm by firm

WINDOW = {"enabled": True, "start": "2020Q1", "end": "2021Q4"}
#: What a firm has, by quantity.
HAS = {
    "firms": lambda firm: True,
    "innovative_smes": lambda firm: firm.tier >= 1,
    "srdi_smes": lambda firm: firm.tier >= 2,
    "little_giants": lambda firm: firm.tier == 3,
    "rd_firms": lambda firm: firm.rd_intensity > 0.0,
}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """No policy, the reported one and one with every lever, three pairs, to 2022."""
    rich = {name: WINDOW | ({"budget_yuan": 2e11} if name in PROGRAMMES else {}) for name in Levers.model_fields}
    every = load_scenario("baseline").model_copy(update={"name": "every", "levers": Levers.model_validate(rich)})
    out = tmp_path_factory.mktemp("additionality") / "results"
    scenarios = [load_scenario("no-policy"), load_scenario("baseline"), every]
    return run_ensemble(scenarios, out=out, replicates=3, scale=0.001, until=2022, workers=1)


#: What tells plain Python who is reached.
Told = namedtuple(
    "Told", ["slot", "age", "support", "awarded_in", "digitised_in", "cluster", "customer", "customer_before"]
)


def reaching(model, firm, clusters) -> set[str]:
    """Levers that reached a firm in the quarter that has just ended."""
    now, found = model.moment.index, {name for bit, name in enumerate(PROGRAMMES) if firm.support >> bit & 1}
    if firm.awarded_in == now:
        found.add("little_giant_awards")
    if firm.digitised_in == now:
        found.add("digital_empowerment")
    if clusters.get(firm.cluster, now) < now:  # recognised before
        found |= {name for name in ("cluster_recognition", "open_innovation") if model.ledger[name].spent > 0.0}
    if firm.customer_before <= -2 and model.engagement["innovation_release"][-2 - firm.customer_before] > 0.0:
        found.add("innovation_release")
    won = firm.customer <= -2 and firm.customer != firm.customer_before
    if won and model.engagement["chain_leader_openness"][-2 - firm.customer] > 0.0:
        found.add("chain_leader_openness")
    return found


def plainly(scenario, seed):
    """A run in plain Python: by slot and founding, the levers that reached a firm and the firms at the end; niches."""
    model, reached = SRDIModel(scenario, scale=0.001, rng=seed, until=2022), defaultdict(set)
    columns = model.firms.columns
    while model.running:
        before, living = columns.customer.tolist(), []
        model.step()
        clusters = {cluster.index: cluster.recognised for cluster in model.clusters}
        lists = [getattr(columns, name).tolist() for name in Told._fields[1:-1]]
        for firm, employment in zip(
            map(Told, range(len(before)), *lists, before), columns.employment.tolist(), strict=True
        ):
            if employment > 0.0:
                living.append((firm.slot, model.moment.index - firm.age))
                reached[living[-1]] |= reaching(model, firm, clusters)
    return reached, {firm: model.firms[firm[0]] for firm in living}, columns.niche.tolist()


@pytest.fixture(scope="module")
def compared(results):
    """The numbers of one pair, and both of its runs in plain Python."""
    (jobs,) = jobs_again(results, ["no-policy", "every"], [(0, 1)])
    counts = count_pair(jobs, Plan((SUPPORTING,), (SUPPORTING,), "2022Q4", 0.01)).counts[0]
    every = build(results.manifest["scenarios"][2], "every")
    return counts, plainly(every, seed=2), plainly("no-policy", seed=2)


@pytest.mark.parametrize("lever", [*SUPPORTING, ALL])
def test_every_number_of_supported_firms_is_that_of_plain_python(compared, lever):
    counts, (reached, now, _), (_, then, _) = compared
    parts = {key[3:5]: part for key, (part, _) in counts.items() if key[:3] == (lever, "lever", lever)}
    firms = [firm for firm, levers in reached.items() if levers and (lever == ALL or lever in levers)]
    assert parts["supported", "simulated"] == len(firms)
    for name, has in HAS.items():
        kinds = [tuple(firm in run and has(run[firm]) for run in (now, then)) for firm in firms]
        wanted = {"anyway": (True, True), "added": (True, False), "lost": (False, True), "neither": (False, False)}
        for measure, kind in wanted.items():
            assert parts[name, measure] == 100.0 * kinds.count(kind), (name, measure)
    for name, column in (("employment", "employment"), ("revenue_yuan", "revenue")):
        pairs = [[getattr(run[firm], column) if firm in run else 0.0 for run in (now, then)] for firm in firms]
        assert parts[name, "with"] == pytest.approx(math.fsum(one for one, _ in pairs), rel=1e-12)
        assert parts[name, "without"] == pytest.approx(math.fsum(other for _, other in pairs), rel=1e-12)
        assert parts[name, "higher"] == 100.0 * sum(one > 1.01 * other for one, other in pairs)
        assert parts[name, "lower"] == 100.0 * sum(one < 0.99 * other for one, other in pairs)


def test_the_pair_in_plain_python_has_what_can_go_wrong(compared):
    _, (reached, now, _), (_, then, _) = compared
    of_lever = {lever: sum(lever in levers for levers in reached.values()) for lever in SUPPORTING}
    assert sum(firms > 0 for firms in of_lever.values()) >= 20, of_lever
    helped = {firm for firm, levers in reached.items() if levers}
    assert helped & then.keys() - now.keys()  # closed with the policy alone
    assert helped & now.keys() - then.keys()  # closed without it alone, or never founded
    held = {slot: since for slot, since in then}
    assert any(slot in held and held[slot] != since for slot, since in helped)  # another firm in the slot


def test_every_number_of_rivals_is_that_of_plain_python(compared):
    counts, (reached, now, niche), (_, then, _) = compared
    lever = "incubation"
    near = {niche[slot] for (slot, _), levers in reached.items() if lever in levers}
    rivals = [firm for firm in {*now, *then} if not reached[firm]]
    for group, firms in (
        (SAME_NICHE, [firm for firm in rivals if niche[firm[0]] in near]),
        (ELSEWHERE, [firm for firm in rivals if niche[firm[0]] not in near]),
    ):
        parts = {key[3:5]: part for key, (part, _) in counts.items() if key[:3] == (lever, RIVALS, group)}
        assert parts["rivals", "count"] == pytest.approx(len(firms) * 1000)
        for name, has in HAS.items():
            kinds = [tuple(firm in run and has(run[firm]) for run in (now, then)) for firm in firms]
            assert parts[name, "lost"] == pytest.approx(1000 * kinds.count((False, True))), name
            assert parts[name, "gained"] == pytest.approx(1000 * kinds.count((True, False))), name
        changes = [
            sum(sign * run[firm].revenue for sign, run in ((1, now), (-1, then)) if firm in run) for firm in firms
        ]
        assert parts["revenue_yuan", "losses"] == pytest.approx(1000 * math.fsum(min(one, 0.0) for one in changes))
        assert parts["revenue_yuan", "gains"] == pytest.approx(1000 * math.fsum(max(one, 0.0) for one in changes))


def test_firms_at_the_end_add_up_to_what_the_directory_says_of_each_sector(results):
    (jobs,) = jobs_again(results, ["every"], [(0, 2)])
    run = follow(jobs[0], (), Quarter(2022, 4))
    table = results.sector
    now = table[
        (table["scenario"] == "every") & (table["replicate"] == 2) & (table["quarter"] == table["quarter"].max())
    ]
    now = now.set_index("sector").loc[list(sector_names())]

    def by_sector(values):
        return np.bincount(run.sector, values, len(sector_names())) / 0.001

    assert by_sector(run.alive) == pytest.approx(now["firms"].to_numpy())
    # The model keeps whole yuan of R&D, and parts of a person and whole thousands of sales of each firm.
    assert by_sector(run.amounts["rd_true_yuan"]) / 4 == pytest.approx(now["rd_true_yuan"].to_numpy(), rel=1e-12)
    assert by_sector(run.amounts["employment"]) == pytest.approx(now["employment"].to_numpy(), rel=1e-3)
    national = results.national.set_index(["scenario", "replicate", "quarter"]).sort_index()
    last = national.loc[("every", 2, table["quarter"].max())]
    for name, parts in (("exports_yuan", 4), ("revenue_yuan", 4), ("employment", 1)):
        assert run.amounts[name].sum() / 0.001 / parts == pytest.approx(last[name], rel=1e-4), name
    assert run.national["exports_yuan"] == last["exports_yuan"] > 0.0


# --- a directory


def test_rows_are_those_of_the_pairs_and_say_what_they_rest_on(results):
    done = []
    found = additionality(results, "no-policy", pairs=2, on_start=done.append, on_pair=lambda: done.append("pair"))
    assert done == [2, "pair", "pair"]
    assert found.levers == {
        "baseline": ("little_giant_awards", "digital_empowerment", "cluster_recognition"),
        "every": SUPPORTING,
    }
    assert (found.pairs, found.available, found.quarter, found.parameters_vary) == (2, 3, "2022Q4", False)
    (only,) = found.caveats  # nothing on a run that is not repeated
    assert "every also differs in county_preference" in only.text
    rows = found.rows.set_index(["scenario", "lever", "by", "group", "quantity", "measure"]).sort_index()
    assert not rows.index.duplicated().any()
    row = rows.loc[("every", "incubation", "lever", "incubation", "employment", "change")]
    plan = Plan((SUPPORTING,), (SUPPORTING,), "2022Q4", 0.01)
    of_pairs = [
        count_pair(jobs, plan).counts[0]["incubation", "lever", "incubation", "employment", "change", row["unit"]]
        for jobs in jobs_again(results, ["no-policy", "every"], [(0, 0), (0, 2)])  # the first and the last
    ]
    parts, wholes = np.array(of_pairs).T
    assert row["value"] == pytest.approx(parts.sum() / wholes.sum())
    assert (row["low"], row["high"]) == pytest.approx(np.quantile(parts / wholes, [0.1, 0.9]))
    assert set(found.rows["label"]) <= set(WORDS)
    for by in DIMENSIONS:
        of_groups = rows.loc[("every", ALL, by)].xs(("supported", "count"), level=("quantity", "measure"))["value"]
        assert of_groups.sum() == pytest.approx(rows.loc[("every", ALL, "lever", ALL, "supported", "count"), "value"])


def test_four_kinds_of_firms_are_all_of_100(results):
    rows = additionality(results, "no-policy", pairs=1, levers="incubation", quarter="2021Q2").rows
    own = rows[(rows["by"] == "lever") & (rows["lever"] == "incubation")].set_index(["quantity", "measure"])["value"]
    for name in (*HAS, "exporters"):
        assert own[name]["anyway"] + own[name]["added"] == pytest.approx(own[name]["with"])
        assert own[name][["with", "lost", "neither"]].sum() == pytest.approx(100.0)
    for name in AMOUNTS:
        assert own[name][["higher", "lower", "same"]].sum() == pytest.approx(100.0)
        assert own[name]["with"] - own[name]["without"] == pytest.approx(own[name]["change"])
    assert own["supported"]["count"] > 0.0
    assert rows["low"].isna().all()


def test_runs_with_parameter_draws_are_repeated_and_others_are_told(tmp_path):
    scenarios = [load_scenario("no-policy"), load_scenario("baseline")]
    draws = read_parameter_draws("posterior")
    made = run_ensemble(
        scenarios, out=tmp_path / "a", replicates=2, scale=0.0005, until=2022, workers=1, draws=draws, seed=5
    )
    found = additionality(made, "no-policy")
    assert (found.caveats, found.pairs, found.parameters_vary) == ((), 2, True)
    made.national = made.national.assign(employment=made.national["employment"] + 1.0 * (made.national["draw"] == 2))
    (caveat,) = additionality(made, "no-policy").caveats
    assert caveat.text.startswith("2 of 4 runs do not repeat")


def test_workers_change_nothing(results):
    one, two = (additionality(results, "no-policy", pairs=2, quarter="2021Q4", workers=workers) for workers in (1, 2))
    pd.testing.assert_frame_equal(one.rows, two.rows)


# --- what is refused


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"baseline": "no-polcy"}, "did you mean 'no-policy'"),
        ({"baseline": "every"}, "^.*: no scenario supports firms by a lever that differs from 'every'"),
        ({"pairs": 0}, "^pairs is 0; it must be a whole number of at least 1"),
        ({"pairs": 4}, "^pairs is 4: .* has 3; it must be a number from 1 to 3"),
        ({"pairs": 1.5}, "^pairs is 1.5"),
        ({"levers": "incubaton"}, "^lever is 'incubaton'; did you mean 'incubation'.*differ from no-policy: "),
        ({"levers": ["county_preference"]}, "^lever is 'county_preference'"),
        ({"quarter": "2031Q1"}, "^quarter is '2031Q1'.*allowed: 2018Q4 to 2022Q4"),
        ({"threshold": 1.0}, "^threshold is 1.0: it must be a number from 0 to below 1"),
        ({"threshold": -0.1}, "^threshold is -0.1"),
        ({"threshold": math.nan}, "^threshold is nan"),
        ({"threshold": "1 %"}, "^threshold is '1 %'"),
        ({"threshold": True}, "^threshold is True"),
        ({"workers": 0}, "^workers is 0"),
        ({"threads": 0}, "^threads is 0"),
    ],
)
def test_bad_arguments_are_refused_with_what_is_allowed(results, arguments, words):
    if arguments.get("baseline") == "every":
        # Where the reported policy is, its levers differ from those of this one.
        results = with_scenarios(results, ["no-policy", "every"])
    with pytest.raises(InputError, match=words):
        additionality(results, **{"baseline": "no-policy", **arguments})


def with_scenarios(results, names):
    """Results that know only some of their scenarios."""
    kept = [scenario for scenario in results.manifest["scenarios"] if scenario["name"] in names]
    return type(results)(results.path, {**results.manifest, "scenarios": kept})


def test_what_is_no_ensemble_is_refused():
    with pytest.raises(InputError, match=r"^results is .results/first.; allowed is one object returned by"):
        additionality("results/first")


def test_scenarios_that_start_from_other_firms_are_refused(tmp_path):
    other = load_scenario("baseline", ("parameters.start_digital=0.5",))
    scenarios = [load_scenario("no-policy"), other]
    made = run_ensemble(scenarios, out=tmp_path / "a", replicates=1, scale=0.0005, until=2019, workers=1)
    with pytest.raises(InputError, match=r"baseline starts from other firms than no-policy.*parameters or feedbacks"):
        additionality(made, "no-policy")


# --- what is printed


def printed(found, by=DIMENSIONS, width=200) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    print_additionality(found, by, console)
    return console.export_text()


def test_the_tables_say_who_would_have_anyway_and_what_rivals_lose(results):
    text = " ".join(printed(additionality(results, "no-policy", pairs=1)).split())
    for words in (
        "Supported by cluster_recognition: 0 firms.",  # recognised in the last quarter, and paid after it
        "every against no-policy (2022Q4): of 100 firms supported by incubation, how many",
        "firms without support in the niches of any of these levers",
        "supported firms by size class before the support",
        "Careful: every also differs in county_preference",
        "There is only one pair",
    ):
        assert text.count(words) > 0, words
    assert "nan" not in text.split()


def test_options_of_the_command_are_those_of_the_function():
    assert _DIMENSIONS == DIMENSIONS


def run_command(monkeypatch, *arguments):
    monkeypatch.setitem(main.commands, "additionality", command)
    return CliRunner().invoke(main, ["additionality", *map(str, arguments)])


def test_the_command_ends_with_the_agreed_line_of_json(results, monkeypatch):
    done = run_command(
        monkeypatch,
        results.path,
        "--baseline",
        "no-policy",
        "--pairs",
        1,
        "--lever",
        "incubation",
        "--by",
        "tier",
        "--json",
    )
    assert done.exit_code == 0, done.output
    line = last(done)
    assert all({"scenario", "quantity", "value", "low", "high", "label"} <= set(row) for row in line["rows"])
    assert (line["quarter"], line["pairs"], line["levers"]) == ("2022Q4", 1, {"every": ["incubation"]})
    assert "by tier before the support" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "sizes"], "'sizes' is not one of 'tier', 'size', 'province'; did you mean 'size'"),
        (["--pairs", "7"], "pairs is 7"),
        (["--lever", "fund"], "lever is 'fund'"),
        (["--threshold", "2"], "threshold is 2.0"),
        (["--quarter", "2050Q1"], "allowed: 2018Q4 to 2022Q4"),
        (["--workers", "0"], "0 is not in the range"),
    ],
)
def test_bad_input_of_the_command_ends_with_two_and_one_sentence(results, arguments, words, monkeypatch):
    done = run_command(monkeypatch, results.path, "--baseline", "no-policy", *arguments)
    assert done.exit_code == 2
    said = done.stderr.strip()
    assert words in said
    assert len(said.splitlines()) == 1


def test_an_interrupted_command_ends_quietly(results, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("scenarios.analysis.additionality.run_together", interrupted)
    done = run_command(monkeypatch, results.path, "--baseline", "no-policy")
    assert done.exit_code == 130
    assert done.stderr.strip() == "srdi: interrupted"
