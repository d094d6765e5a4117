"""``srdi calibrate`` and ``srdi validate`` as a user meets them."""

from __future__ import annotations

import json

import pytest
from command_line import srdi

from calibration.confirm import confirm
from calibration.studies.study import SUMMARY, packaged_calibration, run_digest
from scenarios.analysis.reported import reported_figures
from scenarios.ensembles.parameter_draws import EVIDENCE_SUMMARY


def test_bad_input_ends_with_one_sentence(tmp_path):
    (tmp_path / "actuals.toml").write_text(
        '[[actual]]\nquantity = "srdi_sme"\ndate = "2025-12-31"\nlow = 1\nhigh = 1\nsource = "x"\n'
    )
    (tmp_path / "file").write_text("")
    for arguments, words in (
        (("calibrate", "--scale", "11"), "run.scale is 11"),
        (("calibrate", "--out", tmp_path / "file"), "file"),
        (("validate", "--actuals", tmp_path / "none.toml"), "none.toml does not exist"),
        (("validate", "--actuals", tmp_path / "actuals.toml"), "did you mean 'srdi_smes'"),
    ):
        answer = srdi(*arguments, cwd=tmp_path)
        assert answer.returncode == 2, answer.stderr
        assert words in answer.stderr
        assert "Traceback" not in answer.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["actuals.toml", "file"]


@pytest.mark.slow
def test_calibrate_and_validate_write_what_they_promise(tmp_path):
    """About four minutes: a fit far too small to be of use, but whole."""
    small = ("--scale", "0.03", "--workers", "2", "--json")
    size = ("--first", "120", "--later", "60", "--draws", "200")
    answer = srdi("calibrate", *small, *size, "--out", tmp_path / "fit", timeout=1800)
    assert answer.returncode == 0, answer.stderr
    last = json.loads(answer.stdout.splitlines()[-1])
    assert {"posterior", "minutes", "targets_inside", "coverage_90"} <= set(last)
    for name in ("posterior.parquet", "calibration.json", "report.html"):
        assert (tmp_path / "fit" / name).exists(), name
    answer = srdi("validate", *small, "--draws", "20", "--out", tmp_path / "check", timeout=1800)
    assert answer.returncode == 0, answer.stderr
    last = json.loads(answer.stdout.splitlines()[-1])
    assert [row["id"] for row in last["targets"]] == [figure.id for figure in reported_figures()]
    assert {"facts", "forecasts", "estimates"} <= set(last)
    forecasts = json.loads((tmp_path / "check" / "forecasts.json").read_text())["forecasts"]
    assert {row["date"][:4] for row in forecasts} == {str(year) for year in range(2024, 2031)}
    for row in forecasts:
        assert row["q05"] <= row["q25"] <= row["q50"] <= row["q75"] <= row["q95"]


def test_a_calibration_is_confirmed_for_a_model_with_the_same_bits_only(tmp_path, monkeypatch):
    packaged = packaged_calibration()[0]
    # The recorded bits are those of another kind of processor, maybe.
    bits = run_digest(packaged["default"]["values"])
    monkeypatch.setattr("calibration.confirm.run_digest", lambda values: bits)
    stale = packaged | {"model": "stale", "bits": bits}

    def write(summary: dict, evidence: str) -> None:
        (tmp_path / SUMMARY).write_text(json.dumps(summary), encoding="utf-8")
        (tmp_path / EVIDENCE_SUMMARY).write_text(json.dumps({"model": evidence}), encoding="utf-8")

    def models() -> list[str]:
        files = (tmp_path / SUMMARY, tmp_path / EVIDENCE_SUMMARY)
        return [json.loads(file.read_text(encoding="utf-8"))["model"] for file in files]

    current = packaged["model"]
    write(stale, "stale")
    assert confirm(tmp_path)
    assert models() == [current, current]
    write(stale, "older")
    assert confirm(tmp_path)
    assert models() == [current, "older"], "draws that were made with another model stay marked as such"
    write(stale | {"bits": "of another model"}, "stale")
    assert not confirm(tmp_path)
    assert models() == ["stale", "stale"]
