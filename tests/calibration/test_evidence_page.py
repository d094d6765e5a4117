"""The page on evidence: current, whole in both languages, and with the model's results once they are packaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from calibration.evidence.outcomes import NOT_MEASURED, OUTCOMES
from calibration.evidence.rows import BLOCKS, read_evidence
from calibration.reporting import evidence_page as pages
from calibration.reporting.evidence_page import PAGES, evidence_page, words_of
from scenarios.ensembles.default_draws import default_draws
from scenarios.ensembles.parameter_draws import read_parameter_draws
from scenarios.files.labels import study_name
from sim.levers import Levers

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("language", PAGES)
def test_the_page_is_what_the_file_says(language):
    text = (DOCS / PAGES[language]).read_text(encoding="utf-8")
    assert text == evidence_page(language), "python -m calibration.adopt writes the pages anew"


def test_both_languages_have_the_same_words_and_all_outcomes():
    english, chinese = words_of("en"), words_of("zh")
    assert english.keys() == chinese.keys()
    for table in ("outcome", "block", "signs"):
        assert english[table].keys() == chinese[table].keys()
    used = {row.outcome for row in read_evidence().estimates}
    assert used == set(english["outcome"])
    assert used <= {*OUTCOMES, *NOT_MEASURED}
    assert set(english["block"]) == set(BLOCKS)
    assert len(english["heads"]) == len(chinese["heads"])


@pytest.mark.parametrize("language", PAGES)
def test_every_row_and_lever_stands_on_the_page(language, monkeypatch):
    monkeypatch.setattr(pages, "packaged_summary", lambda: None)
    text = evidence_page(language)
    tables = [line for line in text.splitlines() if line.startswith("| ")]
    assert (
        len(tables) - sum("---" in line for line in tables) == len(read_evidence().estimates) + text.count("| ---") // 6
    )
    assert text.count("\n## ") >= len(Levers.model_fields)
    for row in read_evidence().estimates:
        assert study_name(row.study) in text
    assert "None" not in text.replace("None ", "")


def test_results_and_misses_stand_on_the_page_once_they_are_packaged(monkeypatch):
    row = {"study": "mine_2020", "outcome": "log_revenue", "horizon_years": 1.0, "compared": True, "note": "Shops."}
    row |= {"published": 0.05, "low": 0.01, "high": 0.09, "model": 0.2, "model_low": 0.15, "model_high": 0.25}
    rows = [row | {"inside": False}, row | {"inside": True}, row | {"inside": None, "compared": False}]
    figures = [{"figure": "srdi-2022", "before": -8.04, "after": 0.5}, {"figure": "other", "before": 1.0, "after": 1.5}]
    agreement = {"pairs": 200, "draws": 200_000, "effective": 1700.4, "figures": figures}
    monkeypatch.setattr(pages, "packaged_summary", lambda: {"rows": rows, "agreement": agreement})
    text = evidence_page("en")
    assert "by up to 8.0 % (SRDI SMEs, end of 2022); the draws that are used\n  move none by more than 1.5 %" in text
    assert "Of 200,000 draws, 1,700 keep weight." in text
    assert "90 % intervals; 1 of 2 estimates meet." in text
    assert "| Mine 2020 | sales, log | 1 | +0.0500 (+0.0100 … +0.0900) | +0.200 (+0.150 … +0.250) | no |" in text
    assert "- Mine 2020: Shops." in text
    assert "最多\n  偏离8.0 %；所用抽样最多偏离1.5 %" in evidence_page("zh")
    assert "2个估计值中有1个相符" in evidence_page("zh")


def test_packaged_draws_belong_to_the_packaged_fit():
    summary = pages.packaged_summary()
    if summary is None:
        pytest.skip("the package has no draws from evidence yet")
    draws, fitted = (read_parameter_draws(name) for name in ("evidence", "posterior"))
    assert draws.checksum == summary["draws"]["checksum"]
    assert draws.names[: len(fitted.names)] == fitted.names
    np.testing.assert_array_equal(draws.values[:, : len(fitted.names)], fitted.values)
    assert [row["id"] for row in summary["rows"]] == [row.id for row in read_evidence().estimates]
    # And to the model: otherwise they are not used by default.
    assert default_draws().note == "", "srdi evidence, then python -m calibration.adopt"
