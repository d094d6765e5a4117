"""Arguments of the public Python functions: what is wrong is refused in one sentence, what is natural is taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import EARLY, tables_equal

from scenarios import InputError, ScenarioError, compare, load_results, load_scenario, run_ensemble
from scenarios.ensembles.parameter_draws import read_parameter_draws
from sim.arguments import SEED_RANGE
from sim.model import SRDIModel
from sim.policy import Policy

TINY = {"scale": 0.0005, "until": 2019}
NO_WHOLE_NUMBERS = (1.5, float("nan"), float("inf"), True, np.True_, "1", None, [1], 1j)
SEEDS = f"a whole number from 0 to {2**64 - 1}"


def one_sentence(error, *parts):
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 200
    assert all(part in text for part in parts), text


# --- the model


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("rng", (1.9, -1, 2**64, 2**64 + 1, True, float("nan"), "one", "1.5", "", [1]), SEEDS),
        ("seed", (1.9, -1, 2**64, True, "one"), SEEDS),
        ("until", (2018, 2049, 2021.5, *NO_WHOLE_NUMBERS), "a whole number from 2019 to 2048"),
        ("threads", (0, -1, *NO_WHOLE_NUMBERS), "a whole number of at least 1"),
        ("firms_panel", (-1, *NO_WHOLE_NUMBERS), "a whole number of at least 0"),
        (
            "scale",
            (0, 0.0004, 10.5, 10**400, -1, float("nan"), "0.01", None, True, np.True_, [0.01]),
            "a number from 0.0005 to 10",
        ),
        ("scenario", (None, 3, b"baseline", ("levers", 1)), "a catalogue name, a Policy or a loaded scenario"),
    ],
)
def test_what_the_model_cannot_take_is_refused(name, values, allowed):
    for value in values:
        with pytest.raises(ValueError, match=f"^{name} is ") as error:
            SRDIModel(**{"scenario": Policy(), **TINY, name: value})
        one_sentence(error, "it must be ", allowed)


def test_a_long_value_is_not_quoted_whole():
    with pytest.raises(ValueError, match=r"^scenario is \{'schema_version.{,40}….{30}; it must be"):
        SRDIModel(load_scenario("baseline").model_dump())


@pytest.mark.parametrize("scenario", ["my.toml", Path("my.toml"), Path("baseline")])
def test_a_file_is_not_a_scenario_and_the_reader_of_files_is_named(scenario):
    with pytest.raises(ValueError, match=f"file, {scenario}; scenarios.load_scenario reads one"):
        SRDIModel(scenario)


def test_an_unknown_name_is_refused_and_a_file_of_a_known_one_is_no_matter(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="named 'nowhere'"):
        SRDIModel("nowhere")
    monkeypatch.chdir(tmp_path)
    Path("baseline").touch()
    assert SRDIModel("baseline", **TINY).policy == load_scenario("baseline").policy


def test_a_loaded_scenario_gives_the_model_its_policy(tmp_path):
    file = tmp_path / "early.toml"
    file.write_text(EARLY, encoding="utf-8")
    loaded = load_scenario(file)
    one, other = (SRDIModel(given, rng=2, **TINY) for given in (loaded, loaded.policy))
    for model in (one, other):
        model.run_model()
    assert one.policy == loaded.policy
    assert tables_equal(one, other)


def test_numbers_of_numpy_and_whole_floats_are_numbers():
    numbers = {"rng": np.uint64(3), "until": np.int64(2019), "threads": np.int8(1), "firms_panel": np.int32(5)}
    model = SRDIModel(Policy(), scale=np.float64(0.0005), **numbers)
    plain = SRDIModel(Policy(), rng=3.0, firms_panel=5.0, scale=0.0005, until=2019.0)
    for each in (model, plain):
        each.run_model()
        assert type(each.seed) is type(each.threads) is type(each.end.year) is int
        assert type(each.scale) is float
    assert tables_equal(model, plain)


def test_seeds_may_come_as_text_generator_or_seed():
    assert SRDIModel(Policy(), **TINY, rng=" 4 ").seed == SRDIModel(Policy(), **TINY, seed=4).seed == 4
    assert SRDIModel(Policy(), **TINY, rng=SEED_RANGE[1]).seed == 2**64 - 1
    for source in (np.random.default_rng, np.random.SeedSequence, np.random.PCG64):
        one, other = (SRDIModel(Policy(), **TINY, rng=source(2)) for _ in range(2))
        assert one.seed == other.seed
    with pytest.raises(ValueError, match="rng and seed are the same thing"):
        SRDIModel(Policy(), **TINY, rng=1, seed=1)


def test_a_model_without_a_seed_has_luck_of_its_own_and_says_which():
    one, other = (SRDIModel(Policy(), **TINY) for _ in range(2))
    again = SRDIModel(Policy(), **TINY, rng=one.seed)
    for model in (one, other, again):
        model.run_model()
    assert tables_equal(one, again)
    assert not tables_equal(one, other)
    assert set(one.datacollector.get_model_vars_dataframe()["seed"]) == {one.seed}


# --- ensembles and comparisons


@pytest.mark.parametrize(
    ("name", "values", "allowed"),
    [
        ("workers", (0, -1, 1.5, "2", True, float("nan")), "a whole number of at least 1"),
        ("threads", (0, -1, *NO_WHOLE_NUMBERS), "a whole number of at least 1"),
        ("firms_panel", (-1, *NO_WHOLE_NUMBERS), "a whole number of at least 0"),
        ("crossed_draws", (0, -1, 1.5, True), "a whole number of at least 1"),
        ("replicates", (0, 1.5, True, np.True_, "2", float("nan")), ""),
        ("scale", (0, float("nan"), True, np.True_, "0.01"), ""),
        ("seed", (-1, 1.5, True, "1"), ""),
        ("until", (2018, 2021.5, True, "2021"), ""),
        ("draws", ("posterior", 4, 0), "read_parameter_draws"),
    ],
)
def test_what_an_ensemble_cannot_take_is_refused_before_anything_is_made(tmp_path, name, values, allowed):
    for value in values:
        with pytest.raises(InputError, match=f"{name} is ") as error:
            run_ensemble([load_scenario("baseline")], out=tmp_path / "out", **{"workers": 1, **TINY, name: value})
        one_sentence(error, allowed)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("given", ["baseline", ["baseline"], None, [None], [Policy()]])
def test_names_are_no_scenarios(tmp_path, given):
    with pytest.raises(
        InputError, match=r"^scenarios has .*; allowed are one or several objects returned by load_scenario"
    ) as error:
        run_ensemble(given, out=tmp_path / "out")
    one_sentence(error)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Of numbers as NumPy has them, and of scenarios that come from a generator."""
    numbers = {"replicates": np.int64(2), "seed": np.int64(7), "until": np.int64(2019), "scale": np.float64(0.0005)}
    pools = {"workers": np.int64(1), "threads": np.int64(1), "firms_panel": np.int64(2), "crossed_draws": np.int64(1)}
    scenarios = (load_scenario(name) for name in ("baseline", "no-policy"))
    out = tmp_path_factory.mktemp("ensemble") / "out"
    return run_ensemble(scenarios, out=out, draws=read_parameter_draws("posterior"), **numbers, **pools)


def test_an_ensemble_takes_numbers_of_numpy_and_any_scenarios(results):
    assert load_results(results.path).manifest["seeds"] == [7, 8]
    assert len(results.table("firms")) == 2 * 2 * 2 * 2


def test_a_single_scenario_is_one_to_run(tmp_path):
    done = run_ensemble(load_scenario("baseline"), out=tmp_path / "out", replicates=1, workers=1, **TINY)
    assert len(done.manifest["scenarios"]) == 1


def test_one_metric_or_quarter_need_not_stand_in_a_list(results):
    one = compare(results, metrics="little_giants", quarters="2019Q2")
    assert one.rows.equals(compare([results], metrics=["little_giants"], quarters=["2019Q2"]).rows)
    assert one.quarters == ("2019Q2",)


@pytest.mark.parametrize("given", ["results/demo", None, ["results/demo"], Path("results")])
def test_a_directory_is_no_results(given):
    with pytest.raises(
        InputError, match=r"^results has .*; allowed are one or several objects returned by load_results"
    ):
        compare(given)


def test_a_scenario_is_loaded_by_name_or_path_with_settings_as_text():
    for given in (None, 3, load_scenario("baseline")):
        with pytest.raises(ScenarioError, match="by name or path") as error:
            load_scenario(given)
        one_sentence(error)
    assert load_scenario("baseline", "run.seed=3").run.seed == 3
