"""The pages of comparisons and of data drawn without a browser: what stands on them, and that nothing breaks."""

import time
from html import unescape

import pytest
from drawn import draw_page
from evidence_draws import central_params

from scenarios import load_scenario, run_ensemble
from viz import LANGUAGES
from viz.app import state
from viz.app.about import ABOUT
from viz.app.address import Saved
from viz.app.pages.compare import ComparePage
from viz.app.pages.data import DataPage
from viz.app.policies import policy_of
from viz.app.state import Served, Session
from viz.live.session import Answer
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.002, 2022, 2
SETTINGS = {"levers.little_giant_awards.award_yuan": 20e6}


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("directories")
    pair = [load_scenario("baseline"), load_scenario("no-policy")]
    settings = {"scale": SCALE, "until": UNTIL, "workers": 1}
    return {
        "both": run_ensemble(pair, out=folder / "both", replicates=2, **settings),
        "alone": run_ensemble(pair[:1], out=folder / "alone", replicates=1, **settings),
    }


@pytest.fixture
def drawn(runner, directories, monkeypatch):
    """Draws a page for a session; gives the session and a function of all texts that stand on the page."""
    monkeypatch.setattr(state, "served", Served(runner, directories))
    closing = []

    def draw(page, query="", answered=False):
        session = Session(runner, query)
        if answered:
            run, baseline = runner.run(policy_of(SETTINGS).policy, 0), runner.baseline_run(0)
            session.answer.value = Answer(policy_of(session.settings.value), 1, run, baseline)
        close, says = draw_page(session, page)
        closing.append(close)
        return session, says

    yield draw
    for close in closing:
        close()


def wait_for(says, text):
    end = time.monotonic() + 90.0
    while text not in unescape(says()):
        assert time.monotonic() < end, f"{text!r} never stood on the page"
        time.sleep(0.1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_kept_policies_are_compared_as_far_as_they_are_run(drawn, language):
    session, says = drawn(ComparePage, f"lang={language}")
    words = Words(language)
    assert words("compare.empty") in says()
    session.keep("<b>a</b>", SETTINGS)
    wait_for(says, words("compare.status_done", of=2, done=2))
    text = says()
    assert words("compare.effects", year=2022) in text
    assert words("compare.pairs", pairs=2) in text
    assert words("compare.robust_note", states=2) in text
    assert "&lt;b&gt;a&lt;/b&gt;" in text
    assert words("compare.forest", title=words.column("srdi_smes"), year=2022) in text
    session.drop("<b>a</b>")
    wait_for(says, words("compare.empty"))


def test_a_kept_policy_of_a_link_that_is_not_valid_is_told(drawn):
    session, says = drawn(ComparePage)
    session.saved.value = (Saved("x", {"levers.cluster_recognition.per_year": 5000}),)
    wait_for(says, "from 0 to 2,000 clusters per year")


def test_a_results_directory_is_shown_or_what_it_lacks(drawn):
    words = Words("en")
    session, says = drawn(ComparePage, "source=both")
    wait_for(says, words("compare.effects", year=2022))
    assert words("compare.pairs", pairs=2) in says()
    session.choose("against", "no-policy")
    wait_for(says, words("compare.effects", year=2022))
    session.choose("source", "alone")
    wait_for(says, "nothing to compare it with")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_data_shows_tables_files_and_what_the_model_is(drawn, language):
    words = Words(language)
    session, says = drawn(DataPage, f"lang={language}&levers.little_giant_awards.award_yuan=20000000", answered=True)
    text = says()
    sizes = "--replicates 1 --scale 0.002 --until 2022 --firms-panel 400"
    assert f"srdi run my-policy.toml baseline {central_params()}{sizes}" in text
    assert 'extends = "baseline"' in text.replace("&#34;", '"')
    for form in ("csv", "parquet", "dta", "bundle"):
        assert words(f"data.{form}") in text
    wait_for(says, "2018-12-31")
    session.choose("table", "spending")
    wait_for(says, "committed_yuan")
    stands = {"reading": words("data.read_limits"), "odd": "ODD"}
    for part in ABOUT:
        session.choose("about", part)
        wait_for(says, stands.get(part) or words(f"data.{part}_about"))


def test_the_page_of_data_waits_for_the_first_answer(drawn):
    _, says = drawn(DataPage)
    assert Words("en")("data.numbers") in says()
