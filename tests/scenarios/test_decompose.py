"""What each part of a policy does: terms worked out by hand, parts of a policy, what is refused, and whole runs."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from command_line import invoke, last
from made_up import ensemble
from rich.console import Console

from scenarios import InputError, decompose, load_scenario
from scenarios.analysis.decomposition import (
    AND,
    FEW,
    QUANTITIES,
    REST,
    TOGETHER,
    WHOLE,
    Decomposition,
    Design,
    design,
    shapley,
    split,
    terms,
)
from scenarios.analysis.metrics import choose_metrics
from scenarios.analysis.waterfall import waterfall, write_waterfalls
from scenarios.commands.decompose import _groups
from scenarios.commands.decompose_tables import print_decomposition
from scenarios.files.labels import WORDS
from scenarios.files.parts import Part, differing_parts, grouped, mixture
from sim.calendar import Quarter
from sim.levers import Levers

TINY = ("--scale", "0.0005", "--until", "2019", "--workers", "1", "--params", "default")
BASE, NONE = load_scenario("baseline"), load_scenario("no-policy")

# --- the arithmetic

#: Subsets of L, R and a second right glove S: a pair of gloves is worth 1 (Shapley 1953's game of three players).
GLOVES = {0: 0.0, 1: 0.0, 2: 0.0, 4: 0.0, 3: 1.0, 5: 1.0, 6: 0.0, 7: 1.0}


def arrays(values: dict[int, float]) -> dict[int, np.ndarray]:
    return {subset: np.array([value]) for subset, value in values.items()}


def found_terms(levels, parts, exact=True) -> dict[tuple[str, str], float]:
    return {(part, measure): float(values.mean()) for part, measure, values in terms(levels, parts, exact)}


def test_shapley_values_of_the_game_of_gloves_are_those_of_the_textbook():
    """The one left glove earns 4 of 6: it completes a pair unless it comes first."""
    assert [shapley(arrays(GLOVES), i, 3)[0] for i in range(3)] == pytest.approx([4 / 6, 1 / 6, 1 / 6])


def test_two_levers_share_what_they_do_together_in_halves():
    """Alone 10 and 4, both 20 on a level of 100: together 6, of which each gets 3."""
    found = found_terms(arrays({0: 100.0, 1: 110.0, 2: 104.0, 3: 120.0}), ["a", "b"])
    assert found == {
        ("a", "alone"): 10.0,
        ("a", "last"): 16.0,
        ("a", "shapley"): 13.0,
        ("b", "alone"): 4.0,
        ("b", "last"): 10.0,
        ("b", "shapley"): 7.0,
        (TOGETHER, "together"): 6.0,
        (f"a{AND}b", "pair"): 6.0,
        (REST, "rest"): 0.0,
        (WHOLE, "whole"): 20.0,
    }


def test_three_levers_with_an_interaction_of_all_are_those_computed_by_hand():
    """1, 2 and 4 alone; a and b add 8 together, all three another 30 on top of that."""
    levels = {0: 0.0, 1: 1.0, 2: 2.0, 4: 4.0, 3: 11.0, 5: 5.0, 6: 6.0, 7: 45.0}
    found = found_terms(arrays(levels), ["a", "b", "c"])
    assert found["a" + AND + "b", "pair"] == 8.0
    assert found["a" + AND + "c", "pair"] == found["b" + AND + "c", "pair"] == 0.0
    assert (found[TOGETHER, "together"], found[REST, "rest"], found[WHOLE, "whole"]) == (38.0, 30.0, 45.0)
    # Half of what two do, a third of what three do.
    assert [found[part, "shapley"] for part in "abc"] == pytest.approx([1 + 4 + 10, 2 + 4 + 10, 4 + 10])
    assert [found[part, "last"] for part in "abc"] == [39.0, 40.0, 34.0]


@pytest.mark.parametrize("count", range(1, 7))
def test_parts_are_the_whole_whatever_the_numbers(count):
    rng = np.random.default_rng(count)
    levels = {subset: rng.normal(1e6, 1e5, 5) for subset in range(2**count)}
    parts = [f"p{i}" for i in range(count)]
    by_measure: dict[str, np.ndarray] = {}
    for _, measure, values in terms(levels, parts, True):
        by_measure[measure] = by_measure.get(measure, 0.0) + values
    whole = levels[2**count - 1] - levels[0]
    np.testing.assert_array_equal(by_measure["whole"], whole)
    for sums in (("alone", "together"), ("shapley",), ("alone", "pair", "rest")):
        np.testing.assert_allclose(sum(by_measure.get(name, 0.0) for name in sums), whole, rtol=1e-9, atol=1e-6)


def test_levers_that_do_not_touch_each_other_have_no_interaction_and_their_own_share():
    rng = np.random.default_rng(1)
    own = rng.normal(size=(4, 3))
    levels = {subset: sum((own[i] for i in range(4) if subset >> i & 1), np.zeros(3)) for subset in range(16)}
    for part, measure, values in terms(levels, list("abcd"), True):
        if measure in ("alone", "last", "shapley"):
            np.testing.assert_allclose(values, own["abcd".index(part)])
        elif measure != "whole":
            np.testing.assert_allclose(values, 0.0, atol=1e-12)


def test_shapley_values_are_the_means_over_all_orders():
    """Brute force over the orders of five parts."""
    from itertools import permutations

    rng = np.random.default_rng(2)
    v = {subset: rng.normal(size=2) * (subset > 0) for subset in range(32)}
    added = np.zeros((5, 2))
    for order in permutations(range(5)):
        subset = 0
        for i in order:
            added[i] += v[subset | 1 << i] - v[subset]
            subset |= 1 << i
    for i in range(5):
        np.testing.assert_allclose(shapley(v, i, 5), added[i] / math.factorial(5))


# --- the parts of a policy


def names(parts):
    return [part.name for part in parts]


def test_parts_are_levers_rules_shocks_feedbacks_and_parameters_that_differ():
    assert names(differing_parts(NONE, BASE)) == ["little_giant_awards", "digital_empowerment", "cluster_recognition"]
    strict, slump = load_scenario("strict-review"), load_scenario("demand-slump")
    assert names(differing_parts(BASE, strict)) == ["rules.innovative", "rules.srdi", "rules.little_giant"]
    assert names(differing_parts(BASE, slump)) == ["shocks.demand_slump"]
    mixed = load_scenario(
        "sme-fund", ("model.dose=false", "parameters.exit_base=0.01", "rules.audit_strictness=0.9", "run.until=2025")
    )
    wanted = ["sme_fund", "rules.audit_strictness", "model.dose", "parameters.exit_base"]
    assert names(differing_parts(BASE, mixed)) == wanted
    assert differing_parts(BASE, BASE) == []


def test_what_is_off_in_both_is_no_part():
    settings = ("levers.sme_fund.intensity=2", "shocks.demand_slump.start=2027Q1", "shocks.demand_slump.severity=0")
    idle = load_scenario("baseline", settings)
    assert idle.policy != BASE.policy
    assert differing_parts(BASE, idle) == []


def test_a_mixture_has_the_parts_and_nothing_else():
    parts = differing_parts(NONE, BASE)
    only = mixture(NONE, BASE, parts[1:2], "only-2")
    assert only.levers.digital_empowerment == BASE.levers.digital_empowerment
    assert only.levers.little_giant_awards == NONE.levers.little_giant_awards
    assert names(differing_parts(NONE, only)) == ["digital_empowerment"]
    assert "digital_empowerment of baseline" in only.title
    assert mixture(NONE, BASE, parts, "all").policy == BASE.policy
    assert mixture(NONE, BASE, [], "none").policy == NONE.policy


def test_rules_bring_their_dates_and_a_parameter_that_is_left_out_is_removed():
    strict = load_scenario("strict-review")
    only = mixture(BASE, strict, differing_parts(BASE, strict)[1:2], "only-2")
    assert (only.rules.start, only.rules.srdi, only.rules.innovative) == (
        "2024Q1",
        strict.rules.srdi,
        BASE.rules.innovative,
    )
    own = load_scenario("baseline", ("parameters.exit_base=0.01",))
    assert mixture(own, BASE, differing_parts(own, BASE), "without").parameters == {}


def test_rules_that_move_on_a_baseline_with_rules_of_its_own_are_one_part():
    strict = load_scenario("strict-review")
    later = load_scenario("strict-review", ("rules.start=2026Q1", "rules.audit_strictness=0.9"))
    assert differing_parts(strict, later) == [Part("rules", ("rules",))]
    assert mixture(strict, later, [Part("rules", ("rules",))], "x").rules == later.rules


def test_a_group_is_one_part_in_the_place_of_its_first():
    parts = differing_parts(NONE, BASE)
    joined = grouped(parts, {"places": ["cluster_recognition", "little_giant_awards"]})
    assert names(joined) == ["places", "digital_empowerment"]
    assert set(joined[0].keys) == {"levers.little_giant_awards", "levers.cluster_recognition"}
    assert names(grouped(parts, {"digital_empowerment": "digital_empowerment"})) == names(parts)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ({"a": ["cluster_recogniton"]}, r"^group 'a' has 'cluster_recogniton'; did you mean 'cluster_recognition'\?"),
        ({"a": []}, "^group 'a' is empty"),
        (
            {"a": ["cluster_recognition"], "b": ["cluster_recognition"]},
            "^cluster_recognition is in two groups, 'a' and",
        ),
        ({"digital_empowerment": ["cluster_recognition"]}, "^group 'digital_empowerment' has the name of a part"),
    ],
)
def test_bad_groups_are_refused(groups, words):
    with pytest.raises(InputError, match=words):
        grouped(differing_parts(NONE, BASE), groups)


@pytest.mark.parametrize("text", ["a", "a=", "=b", "a=,", ""])
def test_a_group_that_is_none_is_refused_on_the_command_line(text):
    with pytest.raises(InputError, match=r"is not NAME=PART,PART"):
        _groups((text,))
    with pytest.raises(InputError, match=r"^--group 'a' is given twice"):
        _groups(("a=b", "a=c"))


# --- what is run


def test_every_subset_is_run_of_few_parts_and_each_alone_and_left_out_of_many():
    parts = differing_parts(NONE, BASE)
    few = design(NONE, BASE, parts, 4)
    assert few.exact
    assert [scenario.name for scenario in few.scenarios.values()] == [
        *("no-policy", "only-1", "only-2", "all-but-3", "only-3", "all-but-2", "all-but-1", "baseline")
    ]
    whole = load_scenario("all-levers")
    many = differing_parts(NONE, whole)
    assert len(many) == len(Levers.model_fields) > FEW
    made = design(NONE, whole, many, 4)
    assert not made.exact
    assert len(made.scenarios) == 2 * len(many) + 2
    assert len({scenario.name for scenario in made.scenarios.values()}) == len(made.scenarios)


def test_a_number_of_runs_decides_how_much_is_run():
    parts = differing_parts(NONE, BASE)
    assert design(NONE, BASE, parts, 4, 32).exact
    with pytest.raises(
        InputError, match=r"^most_runs \(--runs\) is 31: 3 parts, each alone and left out, in 4 runs take 32"
    ):
        design(NONE, BASE, parts, 4, 31)
    with pytest.raises(InputError, match=r"^most_runs is 0"):
        design(NONE, BASE, parts, 4, 0)
    whole = load_scenario("all-levers")
    six = differing_parts(BASE, whole)[:6]
    assert not design(BASE, whole, six, 2).exact
    assert design(BASE, whole, six, 2, 128).exact
    assert not design(BASE, whole, six, 2, 127).exact


def test_what_does_not_differ_is_refused():
    with pytest.raises(InputError, match=r"^'baseline' does not differ from the baseline 'baseline'"):
        design(BASE, BASE, [], 4)


# --- rows, tables and charts, from results made by hand


def two_levers(draws=None):
    """Little giants of two levers in two pairs: 10 and 4 alone, 20 and 24 both."""
    scenario = load_scenario("baseline", ("levers.sme_fund.enabled=true", "levers.incubation.enabled=true"))
    scenario = scenario.model_copy(update={"name": "both"})
    made = design(BASE, scenario, differing_parts(BASE, scenario), 2)
    giants = {0: [100, 200], 1: [110, 210], 2: [104, 204], 3: [120, 224]}
    results = ensemble(
        {made.scenarios[subset].name: values for subset, values in giants.items()},
        draws=draws,
        scenarios=[each.model_dump(by_alias=True, mode="json") for each in made.scenarios.values()],
    )
    return split(results, made, choose_metrics(["little_giants"]), [Quarter(2019, 1)])


def row(found: Decomposition, part, measure):
    rows = found.rows[(found.rows["part"] == part) & (found.rows["measure"] == measure)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_rows_have_bands_errors_and_labels():
    found = two_levers()
    assert found.parts == ("sme_fund", "incubation")
    assert (found.exact, found.pairs, found.parameters_vary) == (True, 2, False)
    assert row(found, "baseline", "level")["value"] == 150.0
    assert row(found, "sme_fund", "alone")[["value", "low", "high", "error"]].tolist() == [10.0, 10.0, 10.0, 0.0]
    together = row(found, TOGETHER, "together")
    # 6 and 10: half the difference is the standard error of two pairs.
    assert together[["value", "error"]].tolist() == [8.0, 2.0]
    assert together[["low", "high"]].tolist() == pytest.approx([6.4, 9.6])
    assert row(found, "incubation", "shapley")["value"] == 8.0
    assert set(found.rows["label"]) <= set(WORDS)
    assert two_levers(draws=[1, 2]).parameters_vary
    json.dumps(found.records(), allow_nan=False)


def printed(found: Decomposition, width=300) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    print_decomposition(found, console)
    return console.export_text()


def test_the_table_says_what_each_does_and_what_they_do_together():
    text = printed(two_levers())
    assert "little_giants, firms (2019Q1): 150 in baseline, 172 in both" in text
    line = next(line for line in text.splitlines() if line.startswith("sme_fund"))
    assert line.split()[:5] == ["sme_fund", "assumed", "+10", "+10", "…"]
    assert "+14" in line  # 13 and 15: its share
    assert "nan" not in text
    assert "±2" in text


def test_one_pair_has_no_band_and_says_so():
    made = two_levers()
    single = made.rows.assign(low=math.nan, high=math.nan, error=math.nan)
    found = Decomposition(**{**made.__dict__, "rows": single, "pairs": 1})
    text = printed(found)
    assert "There is only one pair" in text
    assert "nan" not in text
    waterfall(found, found.quantities[0], "2019Q1")


def test_the_waterfall_ends_where_the_whole_does(tmp_path):
    found = two_levers()
    figure = waterfall(found, found.quantities[0], "2019Q1")
    bars = figure.axes[0].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0.0, 10.0), (10.0, 4.0), (14.0, 8.0), (0.0, 22.0)]
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["both", TOGETHER, "incubation", "sme_fund"]
    files = write_waterfalls(found, tmp_path)
    assert {path.name for path in files} == {f"waterfall-little_giants-2019Q1.{kind}" for kind in ("png", "svg")}
    assert all(path.stat().st_size > 1000 for path in files)


# --- whole runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two shocks of 2019, in two pairs: quick, and they do something at once."""
    folder = tmp_path_factory.mktemp("decompose")
    file = folder / "both.toml"
    file.write_text(
        'schema = 1\nname = "both"\nextends = "baseline"\n'
        '[shocks.demand_slump]\nstart = "2019Q1"\nseverity = 0.2\n'
        '[shocks.credit_crunch]\nstart = "2019Q1"\nseverity = 2.0\n'
    )
    words = ("decompose", file, *TINY, "--replicates", "2", "--quantity", "revenue_yuan", "--quantity", "employment")
    return file, folder / "out", last(invoke(*words, "--out", folder / "out", "--json"))


def test_the_command_splits_the_whole_without_a_rest(runs):
    _, out, found = runs
    assert found["parts"] == ["shocks.demand_slump", "shocks.credit_crunch"]
    value = {(row["quantity"], row["part"], row["measure"]): row["value"] for row in found["rows"]}
    for quantity in ("revenue_yuan", "employment"):
        whole = value[quantity, WHOLE, "whole"]
        alone = sum(value[quantity, part, "alone"] for part in found["parts"])
        assert whole < 0.0
        assert alone + value[quantity, TOGETHER, "together"] == pytest.approx(whole, rel=1e-12)
        assert sum(value[quantity, part, "shapley"] for part in found["parts"]) == pytest.approx(whole, rel=1e-12)
    assert (out / "decomposition.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (out / "waterfall-revenue_yuan-2019Q4.svg").exists()


def test_the_parts_are_those_of_a_comparison_of_the_same_runs(runs):
    """The ensemble is a results directory like any other."""
    _, out, found = runs
    rows = last(invoke("compare", out, "--metric", "revenue_yuan", "--json"))["rows"]
    difference = {row["scenario"]: row["difference"] for row in rows}
    value = {(row["part"], row["measure"]): row["value"] for row in found["rows"] if row["quantity"] == "revenue_yuan"}
    assert difference["both"] == pytest.approx(value[WHOLE, "whole"], rel=1e-9)
    assert difference["only-1"] == pytest.approx(value["shocks.demand_slump", "alone"], rel=1e-9)
    assert difference["only-2"] == pytest.approx(value["shocks.credit_crunch", "alone"], rel=1e-9)


def test_a_finished_directory_is_read_again_for_another_quantity(runs):
    file, out, _ = runs
    again = invoke("decompose", file, *TINY, "--replicates", "2", "--out", out, "--resume", "--quarter", "2019Q2")
    assert "little_giants, firms (2019Q2)" in again.stdout
    assert "public_cost_cumulative_yuan" in again.stdout
    assert set(QUANTITIES) <= set(again.stdout.replace(",", " ").split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("baseline",), "there is nothing to split"),
        (("sme-found",), "did you mean 'sme-fund'"),
        (("sme-fund", "--baseline", "basline"), "did you mean 'baseline'"),
        (("sme-fund", "--quantity", "little_giant"), "did you mean 'little_giants'"),
        (("sme-fund", "--quarter", "2031Q1"), "quarter is '2031Q1'"),
        (("sme-fund", "--group", "a=b"), "group 'a' has 'b'"),
        (("sme-fund", "--group", "a"), "is not NAME=PART,PART"),
        (("sme-fund", "--runs", "1", "--replicates", "1"), "most_runs (--runs) is 1: 1 parts"),
        (("sme-fund", "--runs", "0"), "--runs"),
    ],
)
def test_bad_input_is_refused_before_anything_is_run(words, said, tmp_path):
    done = invoke("decompose", *words, "--out", tmp_path / "out", "--params", "default", status=2)
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3
    assert not (tmp_path / "out").exists()


def test_what_is_no_scenario_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"^scenario is .*load_scenario"):
        decompose("sme-fund", BASE, out=tmp_path / "out")
    with pytest.raises(InputError, match=r"^baseline is None"):
        decompose(BASE, None, out=tmp_path / "out")


def test_a_design_has_the_whole_last():
    assert Design((Part("a", ()), Part("b", ())), True, {}).whole == 3
