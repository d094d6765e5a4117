"""The page of questions: guided comparisons, and all scenarios of the catalogue with a line each."""

from __future__ import annotations

from html import escape

import solara

from scenarios.catalogue import catalogue_groups
from viz.app.address import State, to_query
from viz.app.elements import heading, note
from viz.app.policies import group_title, presets, settings_of, title_of_preset
from viz.app.state import Session, link_to, use_session
from viz.app.stories import Story, stories


@solara.component
def StoriesPage():
    """Questions first, then the scenarios by group."""
    session = use_session()
    words = session.words
    with solara.Div(classes=["srdi-stack"]):
        heading(words("stories.heading"))
        note(words("stories.about"))
        with solara.Div(classes=["srdi-cards"]):
            for story in stories().values():
                Question(story).key(story.name)
        heading(words("stories.scenarios"))
        note(words("stories.scenarios_about"))
        with solara.Div(classes=["srdi-cards", "srdi-two"]):
            for group in catalogue_groups():
                with solara.Div(classes=["srdi-card", "srdi-stack"]):
                    heading(group_title(words, group), "h3")
                    solara.HTML(
                        tag="dl",
                        classes=["srdi-lines"],
                        unsafe_innerHTML="".join(_line(session, name) for name in group.scenarios),
                    )


@solara.component
def Question(story: Story) -> None:
    """A story: its question, the scenarios it compares, what to look at, and a link to its answer."""
    session = use_session()
    words = session.words
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        heading(story.text(words, "question"), "h3")
        titles = words("stories.and").join(title_of_preset(words, name) for name in story.scenarios)
        note(words("stories.compares", scenarios=titles))
        note(words("stories.look", text=story.text(words, "look")))
        text = words("stories.open", page=words(f"app.{story.page}"))
        solara.HTML(
            tag="a",
            attributes={"href": story.address(session), "aria-label": f"{story.text(words, 'question')} {text}"},
            unsafe_innerHTML=escape(text),
        )


def _line(session: Session, name: str) -> str:
    """A scenario as HTML: its title, which opens it on the policy page, and what it does."""
    words, scenario = session.words, presets()[name]
    state = State(settings_of(scenario), session.chosen_language.value, session.chosen_dark.value)
    title, about = title_of_preset(words, name), words.description(scenario.model_dump())
    return f'<dt><a href="{escape(link_to("/", to_query(state)))}">{escape(title)}</a></dt><dd>{escape(about)}</dd>'
