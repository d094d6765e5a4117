"""The tornado from a directory of ``srdi effects``: what it was when the runs were made, and when there is none."""

from __future__ import annotations

import pandas as pd
import pytest
from evidence_draws import evidence_folder
from seen import HtmlPage

from scenarios import load_results, load_scenario
from scenarios.analysis.effects import kept_information, measure_effects
from scenarios.analysis.tornado import widest
from scenarios.ensembles.parameter_draws import EVIDENCE, PACKAGED, read_parameter_draws
from scenarios.errors import InputError, ResultsError
from viz import LANGUAGES
from viz.report.document import render
from viz.shared.compared import Compared
from viz.words.language import Words

LEVERS = ("matchmaking_sales", "joint_branding", "digital_empowerment")
#: Columns that do not depend on draws that no run used.
SAME = ["parameter", "lever", "label", "studies", "value", "noise", "clear", "switches"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Effects of three levers with draws of strengths, and the directory they are kept in."""
    folder = tmp_path_factory.mktemp("kept")
    draws = read_parameter_draws(str(evidence_folder(folder / "package") / PACKAGED[EVIDENCE]))
    parent = load_scenario(
        "baseline", ("levers.digital_empowerment.start=2020Q1", "levers.digital_empowerment.end=2021Q4")
    )
    found = measure_effects(
        LEVERS, parent, out=folder / "out", replicates=4, draws=draws, scale=0.001, until=2024, workers=1
    )
    return found, folder / "out"


def test_it_is_that_of_the_runs_themselves(measured):
    found, folder = measured
    kept = kept_information(load_results(folder))
    assert found.information is not None
    assert kept is not None
    assert kept.metric == found.information.metric
    pd.testing.assert_frame_equal(kept.ranking, found.information.ranking)
    order = ["parameter", "lever"]
    first, again = (each.rows.sort_values(order)[SAME].reset_index(drop=True) for each in (found.information, kept))
    pd.testing.assert_frame_equal(first, again)
    assert set(kept.rows["lever"].dropna()) >= {"matchmaking_sales"}


def test_a_report_of_it_has_the_tornado(measured):
    _, folder = measured
    results = load_results(folder)
    bars = widest(kept_information(results))
    for language in LANGUAGES:
        words, found = Words(language), HtmlPage(render(Compared(results), language)).texts["doubt"]
        if bars.empty:
            assert words("doubt.command") in found
        for row in bars.itertuples():
            assert words("doubt.strength", lever=words.lever(row.lever), parameter=row.parameter) in found


def test_other_results_have_none(measured):
    alone = load_results(measured[1] / "crossed")
    assert kept_information(alone) is None
    with pytest.raises(InputError, match="did you mean 'little_giants'"):
        kept_information(alone, "little_giant")


def test_half_of_it_is_refused(measured):
    folder = measured[1]
    manifest = folder / "crossed" / "manifest.json"
    kept = manifest.read_bytes()
    manifest.unlink()
    try:
        with pytest.raises(ResultsError, match=r"has runs but no manifest|has no manifest"):
            kept_information(load_results(folder))
    finally:
        manifest.write_bytes(kept)
