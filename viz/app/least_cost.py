"""Reach a number at least cost: writes the file and the command of ``srdi target``, and shows its finished answers.

The search takes hundreds to thousands of runs, more than a page with other users can spare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import solara
import tomli_w

from scenarios.errors import printable
from scenarios.files.schema import Scenario
from scenarios.search.target import TargetFile
from scenarios.search.target_runs import REPLICATES, Target
from sim.levers import Levers
from sim.wording import shortened
from viz.app import state
from viz.app.controls import defaults
from viz.app.downloads import file_name, scenario_argument, short_toml
from viz.app.elements import MadeFile, choice, code, entered_number, heading, html_button, html_table, items, note
from viz.app.policies import settings_of
from viz.app.state import use_session
from viz.shared import target
from viz.words.language import Words

#: National counts that can be aimed at, and the chances offered, in per cent.
AIMS = ("little_giants", "genuine_little_giants", "srdi_smes", "genuine_srdi_smes", "employment")
CHANCES = (50, 80, 90, 95)
#: Name of the file, and directory of the search.
FILE, OUT = "target.toml", "results/target"
#: Upper end of a budget's range, as a multiple of its value.
_REACH = 4.0
#: Most levers whose budgets are free.
_MOST_FREE = 4
#: Levels must be smaller.
MOST = 1e12


@dataclass(frozen=True)
class Aim:
    """What is to be reached: a quantity, at least how much, by the end of a year, with what chance in per cent."""

    quantity: str
    value: float
    year: int
    chance: int
    free: tuple[str, ...]


@solara.component
def LeastCost():
    """The fields of a target, its file and command, and the answers of finished searches."""
    session = use_session()
    words, scenario, until = session.words, session.scenario, session.runner.until
    years = {str(year): str(year) for year in range(2024, until + 1)}
    quantity, year = solara.use_reactive(AIMS[0]), solara.use_reactive(str(until))
    chance, value = solara.use_reactive(str(CHANCES[1])), solara.use_reactive("")
    free = solara.use_reactive(usual_levers(settings_of(scenario)))
    with solara.Div(classes=["srdi-card", "srdi-stack"], attributes={"id": "least-cost"}):
        heading(words("section.target"))
        note(words("funds.target_about", runs=words.number(TargetFile.model_fields["trials"].default * REPLICATES)))
        with solara.Div(classes=["srdi-row"]):
            choice(words("funds.target_of"), quantity.value, {each: words.column(each) for each in AIMS}, quantity.set)
            solara.InputText(
                label=words("funds.target_value"),
                value=value.value,
                on_value=value.set,
                continuous_update=False,
                dense=True,
                hide_details=True,
                classes=["srdi-name"],
            )
            choice(words("funds.target_by"), year.value, years, year.set)
            chances = {str(each): words.percent(each / 100.0) for each in CHANCES}
            choice(words("funds.target_chance"), chance.value, chances, chance.set)
        Free(free)
        number = read_level(value.value)
        if number is None or not free.value:
            note(missing_text(words, value.value, free.value))
        else:
            aim = Aim(quantity.value, number, int(year.value), int(chance.value), free.value)
            Order(aim, scenario)
        for name, found in targets_of().items():
            Finished(name, found).key(f"target {name}")


@solara.component
def Free(free: solara.Reactive[tuple[str, ...]]) -> None:
    """The levers whose budgets the search may set: a list to add to, and buttons to take one away."""
    words = use_session().words
    chosen = free.value
    addable = {"": words("compare.choose")} | {name: words.lever(name) for name in with_budget() if name not in chosen}
    with solara.Div(classes=["srdi-row"]):
        for name in chosen:
            others = tuple(each for each in chosen if each != name)
            html_button(words("funds.target_remove", lever=words.lever(name)), partial(free.set, others))
        if len(chosen) < _MOST_FREE:
            choice(
                words("funds.target_free"),
                "",
                addable,
                lambda name: free.set((*free.value, name)) if name else None,
            )


@solara.component
def Order(aim: Aim, scenario: Scenario) -> None:
    """The file of a target, the file of its base if it needs one, and the command that searches."""
    words = use_session().words
    text = target_toml(aim, scenario)
    base = scenario_argument(scenario.name)
    with solara.Div(classes=["srdi-row"]):
        MadeFile(label=words("funds.target_file", name=FILE), name=FILE, make=text.encode, mime="application/toml")
        if base == file_name(scenario.name):
            MadeFile(
                label=words("funds.target_file", name=base),
                name=base,
                make=lambda: short_toml(scenario).encode("utf-8"),
                mime="application/toml",
            )
    code(text, words("funds.target_file", name=FILE))
    code(command(), words("funds.target_command"))
    note(words("funds.target_after", command=f"srdi ui {OUT}"))


@solara.component
def Finished(name: str, found: Target) -> None:
    """The answer of a finished search, with a button that makes it the policy.

    Args:
        name: of its directory.
    """
    session = use_session()
    words = session.words
    heading(words("funds.target_found", name=name), "h3")
    note(words.sentences([target.asked_text(words, found), target.verdict_text(words, found)]))
    for key, table in (
        ("settings", target.settings_table(words, found)),
        ("levels", target.levels_table(words, found)),
        ("cost", target.cost_table(words, found)),
    ):
        heading(words(f"target.{key}"), "h4")
        html_table(table, words(f"target.{key}"))
    items(target.notes(words, found))
    settings = settings_of(found.scenario)
    html_button(
        words("compare.current" if settings == session.settings.value else "compare.take"),
        lambda: session.put(settings),
        disabled=settings == session.settings.value,
    )


def targets_of() -> Mapping[str, Target]:
    """Answers of finished searches that the server was given, by name of their directory."""
    return state.served.targets if state.served else {}


def with_budget() -> list[str]:
    """Levers that have a budget."""
    return [name for name in Levers.model_fields if defaults()[f"levers.{name}.budget_yuan"]]


def usual_levers(settings: Mapping[str, object]) -> tuple[str, ...]:
    """Levers with a budget that a policy switches on or changes; without any, those that are on in the baseline."""
    changed = [name for name in with_budget() if any(key.startswith(f"levers.{name}.") for key in settings)]
    on = [name for name in with_budget() if defaults()[f"levers.{name}.enabled"]]
    return tuple((changed or on)[:_MOST_FREE])


def read_level(text: str) -> float | None:
    """A level as it was entered; None if it is no number above 0."""
    value = entered_number(text)
    return value if value is not None and 0.0 < value < MOST else None


def missing_text(words: Words, text: str, free: tuple[str, ...]) -> str:
    """What an aim still lacks.

    Args:
        text: the level as it was entered. free: levers whose budgets the search may set.
    """
    if text.strip() and read_level(text) is None:
        return words("funds.target_value_refused", text=printable(shortened(text)), most=words.number(MOST))
    return words("funds.target_free_missing" if text.strip() else "funds.target_value_missing")


def target_toml(aim: Aim, scenario: Scenario) -> str:
    """The file of ``srdi target`` for an aim.

    Args:
        scenario: the policy to begin from, whose free budgets range from 0 to some times their values.
    """
    budgets = {name: float(getattr(scenario.levers, name).budget_yuan) for name in aim.free}
    return tomli_w.dumps(
        {
            "base": scenario_argument(scenario.name),
            "levels": [f"{aim.quantity}@{aim.year}Q4 >= {aim.value:.10g}"],
            "chance": aim.chance / 100.0,
            "factors": {
                f"levers.{name}.budget_yuan": {"from": 0.0, "to": _REACH * budget} for name, budget in budgets.items()
            },
        }
    )


def command() -> str:
    """The command that searches."""
    return f"srdi target {FILE} --out {OUT}"
