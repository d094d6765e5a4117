"""Stories: guided comparisons, each a question whose answer is read from the runs. Declared in ``stories.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib.resources import files

import solara

from scenarios.files.schema import Scenario
from viz.app import charts
from viz.app.address import Saved, State, kept_name, to_query
from viz.app.elements import heading, html_button, note
from viz.app.policies import presets, settings_key, settings_of, title_of_preset
from viz.app.state import Session, is_computing, link_to, use_session
from viz.live.findings import Findings
from viz.live.measures import effect
from viz.live.session import Answer
from viz.shared.compared import BASELINE, Compared
from viz.shared.estimates import Estimate, direction, verdict
from viz.shared.units import unit_of
from viz.words.language import Words

#: Paths of the pages on which a story may be told.
PATHS = {"policy": "/", "compare": "/compare"}
#: What the texts of a story are, in each language; the last three are answers by the sign of its first number.
TEXTS = ("question", "look", "higher", "lower", "unclear")


@dataclass(frozen=True)
class Story:
    """A guided comparison.

    Attributes:
        name: in addresses. page: one of PATHS on which it is told.
        scenarios: of the catalogue; one alone on the policy page.
        against: what the first of them is compared with: another of them, or the baseline.
        quantities: national quantities of the answer; the sign of the first decides on the answer.
        texts: TEXTS by language.
    """

    name: str
    page: str
    scenarios: tuple[str, ...]
    against: str
    quantities: tuple[str, ...]
    texts: Mapping[str, Mapping[str, str]]

    def text(self, words: Words, key: str) -> str:
        """One of TEXTS."""
        return self.texts[words.language][key]

    def saved(self, words: Words) -> tuple[Saved, ...]:
        """The scenarios as policies kept to compare."""
        return tuple(
            Saved(kept_name(title_of_preset(words, name)), settings_of(presets()[name])) for name in self.scenarios
        )

    def address(self, session: Session) -> str:
        """Address of the page that tells it, in the reader's language and look."""
        state = State({}, session.chosen_language.value, session.chosen_dark.value, {"story": self.name})
        if self.page == "policy":
            state = replace(state, settings=settings_of(presets()[self.scenarios[0]]))
        else:
            view = state.view | {"over_time": self.quantities[0]}
            state = replace(state, view=view, saved=self.saved(session.words))
        return link_to(PATHS[self.page], to_query(state))


@cache
def stories() -> dict[str, Story]:
    """The stories by name, in the order they are told."""
    rows = tomllib.loads(files("viz.app").joinpath("stories.toml").read_text(encoding="utf-8"))["story"]
    return {
        row["name"]: Story(
            name=row["name"],
            page=row["page"],
            scenarios=tuple(row["scenarios"]),
            against=row.get("against", BASELINE),
            quantities=tuple(row["quantities"]),
            texts={language: row[language] for language in ("en", "zh")},
        )
        for row in rows
    }


def story_on(session: Session, page: str) -> Story | None:
    """The story that the address asks for, if it is told on this page."""
    story = stories().get(session.chosen("story"))
    return story if story is not None and story.page == page else None


#: Difference at the end of a scenario from another one, in a quantity.
Difference = Callable[[str, str, str], Estimate]


def sentences(words: Words, story: Story, year: int, difference: Difference) -> list[str]:
    """The answer of a story in two or three sentences: what it is, and the numbers of each scenario.

    Args:
        year: at whose end the numbers are. difference: gives them.
    """
    main = story.quantities[0]
    found = difference(story.scenarios[0], story.against, main)
    said = direction(found, unit_of(main))
    texts = [words("stories.wait")]
    if found.known:
        sign = said.removeprefix("likely_")
        text = story.text(words, sign if sign in ("higher", "lower") else "unclear")
        texts = [words("stories.likely", text=text) if sign != said else text]
    for name in story.scenarios:
        numbers = [_number(words, quantity, difference(name, BASELINE, quantity)) for quantity in story.quantities]
        title = title_of_preset(words, name)
        texts.append(words("stories.numbers", policy=title, year=year, numbers=words("stories.and").join(numbers)))
    return texts


def _number(words: Words, quantity: str, found: Estimate) -> str:
    """A difference with its interval and what it says."""
    unit = unit_of(quantity)
    change, ends = words.estimate(found.mean, found.low, found.high, unit, signed=True)
    known = {"interval": ends} if found.known else {}
    return words(
        "stories.number" if known else "stories.number_one",
        title=words.column(quantity),
        change=change,
        unit=words.unit(unit),
        verdict=verdict(words, found, unit),
        **known,
    )


@solara.component
def PolicyStory():
    """The story of the policy page, with its answer once the policy has been run."""
    session = use_session()
    story, answer, words = story_on(session, "policy"), session.answer.value, session.words
    if story is None:
        return
    settings = settings_of(presets()[story.scenarios[0]])
    whole = settings_key(session.settings.value) == settings_key(settings)
    texts: list[str] = []
    if whole and answer is not None and not is_computing(session):
        view = charts.View.of(session, answer)
        texts = sentences(words, story, view.last, _of_answer(answer, view.at(answer)))
    Told(story, texts, whole, lambda: session.put(settings))


def _of_answer(answer: Answer, at: int) -> Difference:
    return lambda name, against, quantity: effect(answer, quantity, at).difference


@solara.component
def ComparedStory(findings: Findings | None) -> None:
    """The story of the comparison page, with its answer once its policies have been run."""
    session = use_session()
    story, words, saved = story_on(session, "compare"), session.words, session.saved.value
    if story is None:
        return
    wanted = {name: settings_key(settings_of(presets()[name])) for name in story.scenarios}
    kept = {settings_key(each.settings) for each in saved}
    # By what they do, not by place: the findings may still be of policies kept before.
    compared = _by_settings(findings) if findings is not None else {}
    places = {name: compared[key] for name, key in wanted.items() if key in compared}
    whole = kept.issuperset(wanted.values())
    texts: list[str] = []
    if whole and findings is not None and len(places) == len(wanted):
        texts = sentences(words, story, findings.compared.last.year, _of_findings(findings, places))
    Told(story, texts, whole, lambda: session.saved.set(story.saved(words)))


def _by_settings(findings: Findings) -> dict[frozenset, str]:
    """Names of the scenarios of a comparison by what they change in the baseline."""
    scenarios = map(Scenario.model_validate, findings.compared.results.manifest["scenarios"])
    return {settings_key(settings_of(scenario)): scenario.name for scenario in scenarios}


def _of_findings(findings: Findings, places: Mapping[str, str]) -> Difference:
    """Differences of a comparison, by the names of its scenarios."""
    names = {BASELINE: findings.compared.baseline, **places}

    def difference(name: str, against: str, quantity: str) -> Estimate:
        return Compared(findings.compared.results, names[against]).difference(names[name], quantity)

    return difference


@solara.component
def Told(story: Story, texts: list[str], whole: bool, restore: Callable[[], None]) -> None:
    """A question with what to look at and the answer.

    Args:
        texts: sentences of the answer; none while it is computed. whole: whether the page still has its scenarios.
        restore: gives them back.
    """
    session = use_session()
    words = session.words
    with solara.Div(
        classes=["srdi-card", "srdi-stack", "srdi-told"],
        attributes={"role": "region", "aria-label": words("stories.region"), "data-story": story.name},
    ):
        heading(story.text(words, "question"))
        note(words("stories.look", text=story.text(words, "look")))
        if not whole:
            note(words("stories.changed"))
        else:
            body = "".join(f"<p>{escape(text)}</p>" for text in texts) or f"<p>{escape(words('app.loading'))}</p>"
            solara.HTML(
                tag="div",
                classes=["srdi-answered"],
                attributes={"aria-live": "polite", "aria-busy": str(not texts).lower()},
                unsafe_innerHTML=body,
            )
        with solara.Div(classes=["srdi-row"]):
            if not whole:
                html_button(words("stories.restore"), restore)
            html_button(words("stories.close"), lambda: session.choose("story", ""))
            following = _after(story)
            if following is not None:
                text = words("stories.next", question=following.text(words, "question"))
                solara.HTML(tag="a", attributes={"href": following.address(session)}, unsafe_innerHTML=escape(text))


def _after(story: Story) -> Story | None:
    """The next story."""
    names = list(stories())
    place = names.index(story.name) + 1
    return stories()[names[place]] if place < len(names) else None
