"""The page "Data and about": downloads, the upload of a scenario, and what the model is."""

from __future__ import annotations

import solara
import solara.lab
from markupsafe import Markup

from scenarios.files.describe import scenario_toml
from scenarios.files.labels import lever_labels
from viz.app.about import ABOUT, figures_table, odd_html, parameters_table
from viz.app.downloads import (
    CENTRAL,
    ENSEMBLE,
    PREVIEW,
    TABLE_FORMATS,
    bundle_zip,
    columns_table,
    command,
    file_name,
    gathered,
    preview,
    runs_of,
    scenario_argument,
    short_toml,
    tables_zip,
)
from viz.app.elements import Busy, MadeFile, choice, code, heading, html_button, html_table, note, toggle
from viz.app.policies import settings_of
from viz.app.state import Session, use_session, written_scenario
from viz.app.uploads import UploadedPolicy
from viz.live.gathered import GatheredResults
from viz.live.session import Answer
from viz.report.caveats import source_counts

#: Sections on how to read the page.
READING = ("model", "page", "intervals", "assumed", "limits")


@solara.component
def DataPage():
    """Numbers, scenario, about."""
    with solara.Div(classes=["srdi-stack"]):
        with solara.Div(classes=["srdi-cards", "srdi-two"]):
            with solara.Div(classes=["srdi-card", "srdi-stack"]):
                Numbers()
            with solara.Div(classes=["srdi-card", "srdi-stack"]):
                ScenarioFile()
        with solara.Div(classes=["srdi-card", "srdi-stack"]):
            Preview()
        with solara.Div(classes=["srdi-card", "srdi-stack"]):
            About()


def results_of(session: Session) -> GatheredResults | None:
    """The chosen runs of the current answer as results; None before there is an answer."""
    answer = session.answer.value
    if answer is None:
        return None
    scenario = written_scenario(settings_of(answer.scenario))
    return gathered(session.runner, answer, scenario, runs_of(answer, session.chosen("runs")))


# --- numbers


@solara.component
def Numbers():
    """Tables of the current answer to download, and the command that produces them."""
    session = use_session()
    words, answer = session.words, session.answer.value
    heading(words("data.numbers"))
    Busy()
    results = results_of(session)
    if answer is None or results is None:
        return
    runs = runs_of(answer, session.chosen("runs"))
    title = words.scenario(results.manifest["scenarios"][0])
    note(words("data.of" if len(results.manifest["scenarios"]) > 1 else "data.of_baseline", title=title))
    if answer.runs:
        titles = {
            ENSEMBLE: words("data.ensemble", runs=len(answer.runs)),
            CENTRAL: words("data.central"),
        }
        with solara.Div(classes=["srdi-row"]):
            choice(words("data.runs"), runs, titles, lambda name: session.choose("runs", name))
    else:
        note(words("data.central_only"))
    with solara.Div(classes=["srdi-row"]):
        for form in TABLE_FORMATS:
            MadeFile(
                label=words(f"data.{form}"),
                name=f"{results.path.name}-{form}.zip",
                make=lambda form=form: tables_zip(results, form),
            ).key(form)
    heading(words("data.bundle_title"), "h3")
    note(words("data.bundle_about"))
    scenario = written_scenario(settings_of(answer.scenario))
    MadeFile(
        label=words("data.bundle"),
        name=f"{results.path.name}-bundle.zip",
        make=lambda: bundle_zip(results, scenario, words),
    )
    heading(words("data.command_title"), "h3")
    code(command(results))
    argument = scenario_argument(scenario.name)
    note(words("data.command_file" if argument.endswith(".toml") else "data.command_name", argument=argument))


# --- the scenario


@solara.component
def ScenarioFile():
    """The scenario as a file, and a file as the scenario."""
    session = use_session()
    words = session.words
    scenario = session.scenario
    whole = solara.use_reactive(False)
    heading(words("data.scenario"))
    short = short_toml(scenario)
    # If the scenario cannot be written as a difference, only the whole file is offered.
    choosable = short != scenario_toml(scenario)
    text = scenario_toml(scenario) if whole.value else short
    if choosable:
        with solara.Div(classes=["srdi-row"]):
            for value, name in ((False, "short"), (True, "whole")):
                toggle(words(f"data.{name}"), whole.value == value, lambda value=value: whole.set(value))
    note(words("data.whole_about" if whole.value or not choosable else "data.short_about"))
    code(text, words("data.scenario"))
    MadeFile(
        label=words("data.save", file=file_name(scenario.name)),
        name=file_name(scenario.name),
        make=text.encode,
        mime="application/toml",
    )
    UploadedPolicy()


# --- a table


@solara.component
def Preview():
    """The first rows of a table and the meaning of its columns."""
    session = use_session()
    heading(session.words("data.preview"))
    answer, results = session.answer.value, results_of(session)
    if answer is not None and results is not None:
        Shown(results, answer)


@solara.component
def Shown(results: GatheredResults, answer: Answer) -> None:
    """A choice of the tables of an answer, and the chosen one."""
    session = use_session()
    words = session.words
    titles = {name: words(f"data.table_{name}") for name in results.columns}
    chosen = session.chosen("table")
    chosen = chosen if chosen in titles else next(iter(titles))
    task = solara.lab.use_task(
        lambda: preview(results, chosen),
        dependencies=[answer.number, runs_of(answer, session.chosen("runs")), chosen],
        raise_error=False,
    )
    with solara.Div(classes=["srdi-row"]):
        choice(words("data.table"), chosen, titles, lambda name: session.choose("table", name))
    if task.value is None:
        note(words("app.loading"))
    else:
        table, rows = task.value
        note(words("data.rows" if rows > PREVIEW else "data.rows_all", shown=PREVIEW, rows=words.number(rows)))
        with solara.Div(classes=["srdi-tall", "srdi-raw"]):
            html_table(table, titles[chosen], cards=False)
    heading(words("data.columns"), "h3")
    with solara.Div(classes=["srdi-tall"]):
        html_table(columns_table(results, chosen, words), words("data.columns"))


# --- about


@solara.component
def About():
    """What the model is and what it is based on."""
    session = use_session()
    words = session.words
    part = session.chosen("about")
    part = part if part in ABOUT else ABOUT[0]
    heading(words("data.about"))
    with solara.Div(classes=["srdi-row"]):
        for name in ABOUT:
            toggle(words(f"data.about_{name}"), name == part, lambda name=name: session.choose("about", name))
    if part == "reading":
        counts = {key: words.number(count) for key, count in source_counts().items()}
        counts["levers"] = words.strengths(lever_labels(session.runner.draws.labels))
        text = Markup("").join(
            Markup("<section><h3>{}</h3><p>{}</p></section>").format(
                words(f"data.read_{key}_title"), words(f"data.read_{key}", **counts)
            )
            for key in READING
        )
        solara.HTML(tag="div", classes=["srdi-prose", "srdi-beside"], unsafe_innerHTML=text)
    elif part == "odd":
        solara.HTML(tag="div", classes=["srdi-prose"], unsafe_innerHTML=odd_html(words.language))
    else:
        Searched(part).key(part)


@solara.component
def Searched(part: str) -> None:
    """A long table with a search field."""
    session = use_session()
    words = session.words
    search = solara.use_reactive("")
    note(words(f"data.{part}_about"))
    with solara.Div(classes=["srdi-row"]):
        solara.InputText(
            label=words("data.search"),
            value=search,
            continuous_update=True,
            dense=True,
            hide_details=True,
            classes=["srdi-name"],
        )
        if part == "figures":
            table = figures_table(words, search.value)
        else:
            table = parameters_table(words, search.value, session.runner.central, session.runner.draws.labels)
        note(words("data.found", rows=len(table.rows)))
        if search.value:
            html_button(words("data.clear"), lambda: search.set(""))
    with solara.Div(classes=["srdi-tall"]):
        html_table(table, words(f"data.about_{part}"))
