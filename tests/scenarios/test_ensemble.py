"""Ensembles: the same content whatever the workers, and results that can be trusted or are refused."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import both

import scenarios.ensembles.ensemble
from scenarios import InputError, ResultsError, RunFailed, load_results, load_scenario, run_ensemble
from scenarios.analysis.reported import (
    Quantity,
    compare_with_reported,
    known_quantities,
    reported_figures,
    simulated_values,
)
from scenarios.commands.run_tables import _ladder_table
from scenarios.records.storage import columns_of
from sim.records.outputs import TABLES

SMALL = {"replicates": 2, "scale": 0.001, "until": 2022}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return run_ensemble(both(), out=tmp_path_factory.mktemp("ensemble") / "results", workers=2, **SMALL)


def bytes_of(results):
    return {name: (results.path / f"{name}.parquet").read_bytes() for name in TABLES}


def test_every_scenario_replicate_and_quarter_is_there(results):
    national = results.national
    assert national.groupby(["scenario", "replicate"], observed=True).size().tolist() == [17] * 4
    assert not national.isna().any().any()
    assert list(national.columns) == [column.name for column in columns_of("national")]
    assert national["seed"].tolist() == (national["replicate"] + 1).tolist()


def test_content_does_not_depend_on_workers_or_threads(results, tmp_path):
    alone = run_ensemble(both(), out=tmp_path / "alone", workers=1, threads=2, **SMALL)
    assert bytes_of(alone) == bytes_of(results)


def test_a_scenario_alone_and_in_a_batch_has_the_same_content(results, tmp_path):
    alone = run_ensemble([load_scenario("no-policy")], out=tmp_path / "one", workers=1, **SMALL)
    for name in TABLES:
        batch = results.table(name)
        batch = batch[batch["scenario"] == "no-policy"].reset_index(drop=True)
        single = alone.table(name)
        for column in batch.columns:
            assert batch[column].astype(object).tolist() == single[column].astype(object).tolist(), (name, column)


def test_the_manifest_says_what_was_run(results):
    manifest = results.manifest
    assert [scenario["name"] for scenario in manifest["scenarios"]] == ["baseline", "no-policy"]
    assert manifest["seeds"] == [1, 2]
    assert (manifest["first_quarter"], manifest["last_quarter"]) == ("2018Q4", "2022Q4")
    assert manifest["parameters"]["rd_size"] > 0
    assert not (results.path / "runs").exists()


@pytest.mark.parametrize("name", [f"{table}.parquet" for table in TABLES])
def test_a_damaged_file_is_found(results, tmp_path, name):
    copy = copied(results, tmp_path)
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(ResultsError, match=f"{name} does not match"):
        load_results(copy)


def copied(results, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in results.path.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: (path / "sector.parquet").unlink(), "sector.parquet is missing"),
        (lambda path: (path / "manifest.json").unlink(), "has no manifest.json"),
        (lambda path: (path / "manifest.json").write_text("{"), "not readable JSON"),
        (lambda path: (path / "manifest.json").write_text("[]"), "was not written by srdi"),
        (lambda path: (path / "manifest.json").write_text('{"format": "other"}'), "was not written by srdi"),
        (
            lambda path: (path / "manifest.json").write_text('{"format": "srdi-results", "format_version": 9}'),
            "version 9",
        ),
        (
            lambda path: (path / "manifest.json").write_text(
                '{"format": "srdi-results", "format_version": 1, "files": {}}'
            ),
            "incomplete",
        ),
    ],
)
def test_a_foreign_or_incomplete_directory_is_refused(results, tmp_path, spoil, words):
    copy = copied(results, tmp_path)
    spoil(copy)
    with pytest.raises(ResultsError, match=words):
        load_results(copy)


def test_an_unfinished_ensemble_is_named_so(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(ResultsError, match="unfinished"):
        load_results(tmp_path)


def test_a_directory_in_use_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        run_ensemble(both(), out=tmp_path, **SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failing_run_is_named_and_finished_runs_are_kept(tmp_path, monkeypatch):
    real = scenarios.ensembles.ensemble.run_job

    def fails_later(job):
        if job.replicate == 1:
            raise ArithmeticError("no luck")
        return real(job)

    monkeypatch.setattr(scenarios.ensembles.ensemble, "run_job", fails_later)
    with pytest.raises(RunFailed, match=r"baseline, replicate 1 failed: ArithmeticError: no luck"):
        run_ensemble([load_scenario("baseline")], out=tmp_path / "x", workers=1, **SMALL)
    assert len(list((tmp_path / "x" / "runs").glob("*.zip"))) == 1


@pytest.mark.parametrize("existed", [False, True])
def test_nothing_is_left_if_no_run_finished(tmp_path, monkeypatch, existed):
    def interrupted(job):
        raise KeyboardInterrupt

    monkeypatch.setattr(scenarios.ensembles.ensemble, "run_job", interrupted)
    if existed:
        (tmp_path / "x").mkdir()
    with pytest.raises(KeyboardInterrupt):
        run_ensemble([load_scenario("baseline")], out=tmp_path / "x", workers=1, **SMALL)
    assert [path.name for path in tmp_path.rglob("*")] == ["x"] * existed


# --- reported figures


def test_reported_figures_are_known_by_the_cut_off_and_refer_to_real_columns():
    ids = [figure.id for figure in reported_figures()]
    assert len(set(ids)) == len(ids)
    for figure in reported_figures():
        assert figure.date <= date(2024, 3, 31)
        assert None in (figure.low, figure.high) or figure.low <= figure.middle <= figure.high
        assert figure.why or figure.role == "given"


def test_reported_and_simulated_are_compared_at_the_reported_date(results):
    tables = {name: results.table(name) for name in ("national", "tier", "cluster")}
    tables = {name: table[table["scenario"] == "baseline"] for name, table in tables.items()}
    national = tables["national"]
    rows = compare_with_reported(tables).set_index("id")
    assert "giants-2023" not in rows.index  # the run ends in 2022
    at_2021 = national[national["quarter"] == "2021-12-31"]["srdi_smes"]
    assert rows.loc["srdi-2021", "median"] == at_2021.median()
    year = national[national["quarter"].dt.year == 2021].groupby("replicate")["little_giants_granted"].sum()
    assert rows.loc["giants-batch-3", "median"] == year.median()
    assert rows.loc["srdi-2021", "deviation"] == pytest.approx(at_2021.median() / 45_000 - 1)


def test_a_review_pass_rate_is_kept_over_reviewed_in_the_year():
    quarters = pd.to_datetime(["2022-09-30", "2022-12-31"] * 2)
    national = pd.DataFrame({"quarter": quarters, "replicate": [0, 0, 1, 1]})
    for figure in reported_figures():
        if figure.quantity in known_quantities():
            national[figure.quantity] = 0.0
    reviews = {"reviewed": [200.0, 48.0, 0.0, 0.0], "renewed": [120.0, 35.0, 0.0, 0.0]}
    tier = national[["quarter", "replicate"]].assign(
        tier="little_giant", rd_reported_yuan=0.0, revenue_yuan=1.0, **reviews
    )
    cluster = national.assign(firms=0.0, revenue_yuan=0.0)
    rows = compare_with_reported({"national": national, "tier": tier, "cluster": cluster}).set_index("id")
    assert rows.loc["review-2022", "median"] == pytest.approx(155 / 248)  # replicate 1 reviewed nobody
    assert "review-2023" not in rows.index


def test_what_a_run_says_of_a_quantity_is_computed_by_hand():
    quarters = pd.to_datetime(["2019-12-31", "2020-09-30", "2020-12-31", "2021-03-31"] * 2)
    runs = pd.DataFrame({"quarter": quarters, "draw": 0, "replicate": [0] * 4 + [1] * 4})
    values = [1.0, 2.0, 4.0, 8.0, 10.0, 20.0, 40.0, 80.0]
    province = pd.concat(
        [runs.assign(province=name, firms=10.0 * place) for place, name in enumerate(["Tibet", "Anhui"])]
    )
    tables = {
        "national": runs.assign(births=values),
        "province": province,
        "cluster": pd.concat([runs.assign(firms=values), runs.assign(firms=1.0)]),
    }

    def says(quantity, day=date(2020, 11, 3), **how):
        return simulated_values(tables, Quantity(quantity=quantity, date=day, **how)).tolist()

    assert says("births") == [4.0, 40.0]
    assert says("births", whole_year=True) == [6.0, 60.0]
    assert says("births", since_start=True) == [7.0, 70.0]
    assert says("firms", province="Anhui") == [10.0, 10.0]
    assert says("cluster.firms") == [5.0, 41.0]
    assert says("births", date(2021, 4, 1)) == []


def test_the_ladder_has_medians_at_year_ends_and_the_money_of_the_year():
    quarters = pd.to_datetime(["2019-09-30", "2019-12-31", "2020-09-30", "2020-12-31"] * 3)
    national = pd.DataFrame({"scenario": "one", "draw": 0, "replicate": np.repeat([0, 1, 2], 4), "quarter": quarters})
    counts = ["innovative_smes", "srdi_smes", "little_giants", "counties_with_little_giant", "clusters"]
    for place, name in enumerate([*counts, "digital_supported"]):
        national[name] = np.array([9, 1, 9, 2, 9, 3, 9, 4, 9, 11, 9, 12]) + 100.0 * place
    national["public_spending_yuan"] = [1e9, 2e9, 3e9, 4e9, 0, 0, 0, 0, 5e9, 6e9, 7e9, 8e9]
    national["public_cost_yuan"] = 10.0 * national["public_spending_yuan"]
    results = SimpleNamespace(national=national, manifest={"scenarios": [{"name": "one", "title": "One"}]})
    assert _ladder_table(results, "one").rows == [
        ("2019", "3", "103", "203", "303", "403", "503", "3.00", "30.00"),
        ("2020", "4", "104", "204", "304", "404", "504", "7.00", "70.00"),
    ]


def test_a_manifest_is_plain_json(results):
    assert json.loads((results.path / "manifest.json").read_text())["format"] == "srdi-results"


def test_a_panel_follows_the_same_firms_in_every_scenario(tmp_path):
    scenarios = [load_scenario(name) for name in ("baseline", "no-policy")]
    results = run_ensemble(
        scenarios, out=tmp_path / "panel", replicates=1, scale=0.005, until=2020, workers=1, firms_panel=60
    )
    firms = results.firms
    assert firms.groupby(["scenario", "quarter"])["firm"].nunique().le(60).all()
    first = firms[firms["quarter"] == firms["quarter"].min()]
    assert len(first) == 2 * 60
    one, other = (set(first.loc[first["scenario"] == name, "firm"]) for name in ("baseline", "no-policy"))
    assert one == other
    assert (first["employment"] >= 20).all()
    assert (first["rd_intensity"] > 0).mean() >= 0.5
    assert set(firms["quarter"].dt.quarter) == {4}


def test_without_a_panel_there_is_no_table_of_firms(results):
    assert "firms" not in results.tables
    with pytest.raises(KeyError, match="unknown table 'firms'"):
        results.table("firms")
