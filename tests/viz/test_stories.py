"""Stories as declared, their answers by the sign of the numbers, and the line that says what a chart is of."""

import math
import re
import threading
from dataclasses import replace
from html import unescape
from string import Formatter

import pytest
from drawn import both_answers, draw_page

from scenarios.analysis.metrics import CUMULATIVE_COST
from viz import LANGUAGES
from viz.app.policies import policy_of, preset_options, presets, settings_of, title_of_preset
from viz.app.sources import source
from viz.app.state import Session
from viz.app.stories import PATHS, TEXTS, ComparedStory, sentences, stories
from viz.live.comparing import Comparer, RunCache
from viz.shared.compared import BASELINE, Compared
from viz.shared.estimates import Estimate
from viz.shared.units import unit_of
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.001, 2025, 2


class NoRunner:
    """Stands where a session asks for no run."""


def test_stories_name_what_there_is_and_hold_no_number_of_the_model():
    assert 4 <= len(stories()) <= 6
    assert {story.page for story in stories().values()} == set(PATHS)
    for story in stories().values():
        assert set(story.scenarios) <= set(presets())
        assert story.against in (BASELINE, *story.scenarios[1:])
        # The policy page has one policy, the comparison several.
        assert (len(story.scenarios) == 1) == (story.page == "policy")
        for quantity in story.quantities:
            assert unit_of(quantity)
        for language in LANGUAGES:
            assert set(story.texts[language]) == set(TEXTS)
            for text in story.texts[language].values():
                assert not [field for _, field, _, _ in Formatter().parse(text) if field]
                # Years of the policy are its own; everything else is computed.
                assert re.findall(r"\d+", text) == re.findall(r"20\d\d", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("found", "key", "likely"),
    [
        (Estimate(1000.0, 500.0, 1500.0, 900.0, 1100.0), "higher", False),
        (Estimate(-1000.0, -1500.0, -500.0, -1100.0, -900.0), "lower", False),
        (Estimate(1000.0, -500.0, 2500.0, 400.0, 1600.0), "higher", True),
        (Estimate(10.0, -500.0, 500.0, -90.0, 110.0), "unclear", False),
        (Estimate(0.0, 0.0, 0.0, 0.0, 0.0), "unclear", False),
    ],
)
def test_the_answer_follows_the_sign_of_the_runs(language, found, key, likely):
    words, story = Words(language), stories()["clusters-or-digital"]
    asked = []

    def difference(name, against, quantity):
        asked.append((name, against, quantity))
        return found

    lead, *numbers = sentences(words, story, 2030, difference)
    text = story.text(words, key)
    assert lead == (words("stories.likely", text=text) if likely else text)
    assert asked[0] == (story.scenarios[0], story.against, story.quantities[0])
    assert len(numbers) == len(story.scenarios)
    for name, said in zip(story.scenarios, numbers, strict=True):
        assert title_of_preset(words, name) in said
        assert words.column(CUMULATIVE_COST) in said


def test_one_pair_of_runs_is_no_answer_in_words():
    words, story = Words("en"), stories()["awards"]
    one = Estimate(1000.0, math.nan, math.nan)
    lead, numbers = sentences(words, story, 2030, lambda *asked: one)
    assert lead == words("stories.wait")
    assert "+1,000 firms" in numbers
    assert "nan" not in numbers


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_address_of_a_story_has_its_policies(language):
    for story in stories().values():
        address = story.address(Session(NoRunner(), f"lang={language}"))
        path, _, query = address.partition("?")
        assert path == PATHS[story.page]
        reader = Session(NoRunner(), query)
        assert reader.chosen("story") == story.name
        if story.page == "policy":
            assert reader.title == title_of_preset(Words(language), story.scenarios[0])
        else:
            assert reader.saved.value == story.saved(Words(language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_scenarios_are_offered_in_groups(language):
    offered = [name for _, pairs in preset_options(language) for name, _ in pairs]
    assert offered == list(presets())
    words = Words(language)
    for name in presets():
        assert words.description(presets()[name].model_dump())


def test_numbers_are_those_of_the_policies_asked_for_wherever_they_stand(runner):
    """Of three policies compared the first has been removed since: the findings still have it."""
    words, story = Words("en"), stories()["clusters-or-digital"]
    names = ("no-policy", *story.scenarios)
    policies = [
        policy_of(settings_of(presets()[name]), f"policy-{place}", name) for place, name in enumerate(names, start=1)
    ]
    found, ended = [], threading.Event()
    comparer = Comparer(RunCache(runner), found.append, lambda status: status.stage == "done" and ended.set())
    comparer.ask(policies)
    assert ended.wait(120)
    compared = found[-1].compared
    session = Session(runner, story.address(Session(NoRunner())).partition("?")[2])
    close, says = draw_page(session, lambda: ComparedStory(found[-1]))
    text = unescape(says())
    close()
    places = {BASELINE: BASELINE, story.scenarios[0]: "policy-2", story.scenarios[1]: "policy-3"}

    def difference(name, against, quantity):
        return Compared(compared.results, places[against]).difference(places[name], quantity)

    for sentence in sentences(words, story, UNTIL, difference):
        assert sentence in text
    assert difference(story.scenarios[0], BASELINE, CUMULATIVE_COST).mean > 0.0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_chart_says_what_it_is_of(runner, language):
    session, words = Session(runner, f"lang={language}"), Words(language)
    one, several = both_answers(runner, settings_of(presets()["clusters-300"]), MEMBERS)
    for answer, runs in ((one, words("share.source_one")), (several, str(MEMBERS))):
        text = source(session, answer)
        assert title_of_preset(words, "clusters-300") in text
        assert "300" in text
        assert runs in text
        assert words.number(1.0 / SCALE) in text
    # Of many changes the first are told, and how many there are besides.
    everything = replace(one, scenario=presets()["all-levers"])
    assert words("share.source_more", number=len(settings_of(everything.scenario)) - 3) in source(session, everything)
