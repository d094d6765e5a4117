"""Parameter draws: read, refused, and what an ensemble does with them."""

from __future__ import annotations

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest
from command_line import srdi

from scenarios import InputError, load_scenario, run_ensemble
from scenarios.ensembles.parameter_draws import read_parameter_draws
from sim.parameters import parameter_table

SMALL = {"replicates": 3, "scale": 0.001, "until": 2020, "workers": 1}


def draws_file(tmp_path, **columns):
    path = tmp_path / "draws.parquet"
    pd.DataFrame(columns or {"demand_trend": [0.0, 0.2]}).to_parquet(path)
    return str(path)


def test_each_replicate_takes_the_next_draw(tmp_path):
    draws = read_parameter_draws(draws_file(tmp_path))
    assert draws.parameters(1) == draws.parameters(3) == {"demand_trend": 0.0}
    results = run_ensemble([load_scenario("baseline")], out=tmp_path / "drawn", draws=draws, **SMALL)
    assert results.national.groupby("replicate")["draw"].unique().map(list).tolist() == [[1], [2], [1]]
    assert results.manifest["parameter_draws"]["checksum"] == draws.checksum
    assert results.manifest["draws"] == 2
    # Replicate 1 has draw 2: the same as that parameter value and seed by themselves.
    alone = run_ensemble(
        [load_scenario("baseline", ("parameters.demand_trend=0.2", "run.seed=2"))],
        out=tmp_path / "alone",
        **(SMALL | {"replicates": 1}),
    )
    second = results.national[results.national["replicate"] == 1]
    assert second["revenue_yuan"].tolist() == alone.national["revenue_yuan"].tolist()
    third = results.national[results.national["replicate"] == 2]
    assert third["revenue_yuan"].tolist() != second["revenue_yuan"].tolist()


def test_draws_after_others_begin_where_those_end_and_are_told_apart(tmp_path):
    draws = read_parameter_draws(draws_file(tmp_path, demand_trend=[0.0, 0.1, 0.2]))
    assert [draws.after(2).parameters(number)["demand_trend"] for number in (1, 2, 3, 4)] == [0.2, 0.0, 0.1, 0.2]
    assert draws.after(2).after(2).parameters(1) == {"demand_trend": 0.1}
    assert draws.after(2).after(2).identity == draws.after(1).identity != draws.identity
    assert draws.after(3).identity == draws.identity


def test_what_a_scenario_sets_is_not_drawn(tmp_path):
    draws = read_parameter_draws(draws_file(tmp_path))
    scenario = load_scenario("baseline", ("parameters.demand_trend=0.05",))
    drawn = run_ensemble([scenario], out=tmp_path / "drawn", draws=draws, **SMALL)
    plain = run_ensemble([scenario], out=tmp_path / "plain", **SMALL)
    assert drawn.national["revenue_yuan"].tolist() == plain.national["revenue_yuan"].tolist()


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"demand_trnd": [0.1]}, "unknown parameter demand_trnd; did you mean 'demand_trend'"),
        ({"demand_trend": [0.1, 9.0]}, "demand_trend is 9; allowed is -0.2 to 0.3"),
        ({"demand_trend": ["much"]}, "demand_trend is .*string; it must be floating-point numbers"),
        ({"demand_trend": [0.1, None]}, "without missing values"),
        ({"demand_trend": []}, "has no parameter draws"),
    ],
)
def test_a_fault_in_the_draws_is_named(tmp_path, columns, words):
    with pytest.raises(InputError, match=words):
        read_parameter_draws(draws_file(tmp_path, **columns))


def test_what_is_no_parquet_file_is_said(tmp_path):
    with pytest.raises(InputError, match=r"none\.parquet cannot be read"):
        read_parameter_draws(str(tmp_path / "none.parquet"))
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(InputError, match="is not a Parquet file"):
        read_parameter_draws(str(tmp_path / "text.parquet"))


def test_the_posterior_comes_with_the_package(tmp_path):
    done = srdi(
        *("run", "baseline", "--params", "posterior", "--replicates", "2", "--scale", "0.001", "--until", "2020"),
        *("--out", str(tmp_path / "out"), "--json"),
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["parameter_draws"]["source"] == "posterior"
    assert set(manifest["parameter_draws"]["names"]) <= set(parameter_table())
    assert pq.read_table(tmp_path / "out" / "national.parquet")["draw"].unique().to_pylist() == [1, 2]
