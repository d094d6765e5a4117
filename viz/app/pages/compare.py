"""The comparison page: policies the user keeps, or the scenarios of a results directory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache

import solara
import solara.lab

from scenarios.display.drawing import OKABE_ITO
from scenarios.errors import InputError
from scenarios.files.schema import Scenario
from scenarios.records.results import Results
from viz.app import charts, state
from viz.app.address import MOST_SAVED, Saved
from viz.app.changes import changes_sentence, changes_table
from viz.app.compare_tables import effects_table, prices_notes, prices_table, robustness_tables
from viz.app.elements import MadeFile, choice, heading, html_button, html_table, note, progress, remark_on
from viz.app.equal_money import AtEqualMoney
from viz.app.faults import fault_text
from viz.app.least_cost import LeastCost
from viz.app.policies import policy_of, preset_options, presets, settings_of, title_of_preset
from viz.app.sources import compared_source
from viz.app.state import VIEWS, Session, use_session
from viz.app.stories import ComparedStory
from viz.app.widgets.chart import Chart, band, interval, line, time_chart
from viz.app.widgets.panels import Choice
from viz.live.comparing import Comparer, kept_of
from viz.live.findings import Findings, find, lines
from viz.live.session import Status
from viz.report.panels import stroke
from viz.report.sections import Sections
from viz.shared.compared import Compared
from viz.shared.known import remark
from viz.shared.quantities import ENDS
from viz.shared.units import unit_of
from viz.words.language import Words

#: Quantities whose effects are drawn with their intervals.
FORESTS = ("little_giants", "srdi_smes")


@solara.component
def ComparePage():
    """Kept policies compared with the baseline, or a results directory."""
    session = use_session()
    words, directories = session.words, state.served.results if state.served else {}
    source = session.chosen("source")
    with solara.Div(classes=["srdi-stack"]):
        with solara.Div(classes=["srdi-row"]):
            heading(words("compare.heading"))
            if directories:
                titles = {"": words("compare.own"), **{name: words("compare.of", name=name) for name in directories}}
                choice(words("compare.source"), source, titles, lambda name: _choose_source(session, name))
        if source in directories:
            Directory(source).key(f"directory-{source}")
        else:
            Own().key("own")
        LeastCost()


def _choose_source(session: Session, name: str) -> None:
    session.choose("against", "")
    session.choose("source", name)


# --- policies the user keeps


@solara.component
def Own():
    """The kept policies, the status of their runs, and their comparison."""
    session = use_session()
    words, saved = session.words, session.saved.value
    findings: solara.Reactive[Findings | None] = solara.use_reactive(None)
    status = solara.use_reactive(Status("central"))
    comparer = solara.use_memo(lambda: Comparer(kept_of(session.runner), findings.set, status.set), [])

    def ask():
        policies = [policy for policy in kept_policies(saved) if isinstance(policy, Scenario)]
        answer = session.answer.value
        if answer is not None and any(policy.policy == answer.scenario.policy for policy in policies):
            kept_of(session.runner).keep(answer.scenario.policy, (answer.central, *answer.runs))
        if policies:
            status.set(Status("central", 0, len(policies)))
            comparer.ask(policies)
        else:
            comparer.close()
            findings.set(None)

    solara.use_effect(ask, [saved])
    solara.use_effect(lambda: comparer.close, [])
    ComparedStory(findings.value)
    Policies()
    if not saved:
        note(words("compare.empty"))
        return
    Progress(status.value, comparer.cancel)
    if findings.value is not None:
        ComparedPolicies(findings.value)
    AtEqualMoney(tuple(policy for policy in kept_policies(saved) if isinstance(policy, Scenario)))


def kept_policies(saved: tuple[Saved, ...]) -> list[Scenario | InputError]:
    """Kept policies as scenarios, named by position; for an invalid one, its error."""
    policies: list[Scenario | InputError] = []
    for number, each in enumerate(saved, start=1):
        try:
            policies.append(policy_of(each.settings, f"policy-{number}", each.name))
        except InputError as error:
            policies.append(error)
    return policies


@solara.component
def Policies():
    """The list of kept policies, with controls to add to it."""
    session = use_session()
    words, saved, settings = session.words, session.saved.value, session.settings.value
    full = len(saved) >= MOST_SAVED
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        for place, (each, policy) in enumerate(zip(saved, kept_policies(saved), strict=True)):
            fault = fault_text(words, policy) if isinstance(policy, InputError) else ""
            KeptPolicy(place, each, fault).key(f"{place}-{each.name}")
        with solara.Div(classes=["srdi-row"]):
            known = any(each.settings == settings for each in saved)
            html_button(
                words("compare.add", name=session.title),
                lambda: session.keep(session.name_to_keep),
                disabled=full or known or not settings,
            )
            Choice(
                label=words("compare.add_preset"),
                value="",
                options=[["", words("compare.choose")], *addable_presets(words)],
                disabled=full,
                once=True,
                event_choose=lambda name: _keep_preset(session, name) if name else None,
            )
        if full:
            note(words("compare.full", most=MOST_SAVED))
        elif not settings:
            note(words("compare.add_none"))


def addable_presets(words: Words) -> list[list]:
    """The scenarios that can be compared with the baseline, by group, as options of a `Choice`."""
    groups = preset_options(words.language)
    return [[title, [pair for pair in pairs if settings_of(presets()[pair[0]])]] for title, pairs in groups]


def _keep_preset(session: Session, name: str) -> None:
    session.keep(title_of_preset(session.words, name), settings_of(presets()[name]))


@solara.component
def KeptPolicy(place: int, saved: Saved, fault: str) -> None:
    """One kept policy: its name, its changes, and its buttons."""
    session = use_session()
    words = session.words
    opened = solara.use_reactive(False)
    with solara.Div(classes=["srdi-kept"]):
        with solara.Div(classes=["srdi-row"]):
            swatch(place + 1)
            solara.InputText(
                label=words("compare.name"),
                value=saved.name,
                on_value=lambda text: session.rename(saved.name, text),
                continuous_update=False,
                dense=True,
                hide_details=True,
                classes=["srdi-name"],
            )
            current = saved.settings == session.settings.value
            html_button(
                words("compare.current" if current else "compare.take"),
                lambda: session.put(dict(saved.settings)),
                disabled=current or bool(fault),
            )
            html_button(words("compare.drop"), lambda: session.drop(saved.name))
            if not fault:
                text = words("compare.hide" if opened.value else "compare.changes", count=len(saved.settings))
                html_button(text, lambda: opened.set(not opened.value))
        if fault:
            note(words("compare.fault", text=fault))
        elif opened.value:
            changes = words("compare.changes", count=len(saved.settings))
            html_table(changes_table(saved.settings, words), changes)
        else:
            note(words("compare.about", text=changes_sentence(saved.settings, words)))


@solara.component
def Progress(status: Status, cancel: Callable[[], None]) -> None:
    """The status of the runs."""
    words = use_session().words
    fault = fault_text(words, status.fault)
    text = words(f"compare.status_{status.stage}", done=status.done, of=status.of, text=fault)
    running = status.stage == "ensemble"
    progress(text, status.stage, status.done / max(status.of, 1) if running else None, cancel if running else None)


# --- results directories


@solara.component
def Directory(name: str) -> None:
    """The scenarios of a results directory, compared with one of them."""
    session = use_session()
    words, results = session.words, state.serving().results[name]
    scenarios = {each["name"]: words.scenario(each) for each in results.manifest["scenarios"]}
    against = session.chosen("against")
    against = against if against in scenarios else _usual_baseline(results)
    task = solara.lab.use_task(lambda: findings_of(results, against), dependencies=[name, against], raise_error=False)
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        with solara.Div(classes=["srdi-row"]):
            choice(words("compare.against"), against, scenarios, lambda text: session.choose("against", text))
            MadeFile(
                label=words("compare.report"),
                name=f"{name}-{words.language}.html",
                make=lambda: report_page(results, against, words.language),
                mime="text/html",
                link=words("compare.report_open"),
            )
        note(directory_sentence(results, words))
    if task.pending:
        note(words("compare.reading"))
    elif task.exception is not None:
        note(words("compare.fault", text=fault_text(words, task.exception)))
    elif task.value is not None:
        ComparedPolicies(task.value)


def _usual_baseline(results: Results) -> str:
    return Compared(results).baseline


_reading = threading.Lock()


def findings_of(results: Results, baseline: str) -> Findings:
    """The comparison of a results directory; cached for all users."""
    with _reading:  # tables of one directory are read once, not by two threads at a time
        return _findings_of(results, baseline)


@lru_cache(maxsize=8)
def _findings_of(results: Results, baseline: str) -> Findings:
    return find(results, baseline)


def report_page(results: Results, baseline: str, language: str) -> bytes:
    """The full report of results as one HTML page, UTF-8."""
    from viz.report.document import render

    return render(Compared(results, baseline), language).encode("utf-8")


def directory_sentence(results: Results, words: Words) -> str:
    """A sentence on the contents of a results directory."""
    manifest = results.manifest
    drawn = manifest["parameter_draws"]
    return words(
        "compare.holds_draws" if drawn else "compare.holds",
        scenarios=len(manifest["scenarios"]),
        runs=words.number(manifest["runs"]),
        scale=f"{manifest['scale']:g}",
        draws=words.number(manifest["draws"]),
        first=words.quarter(manifest["first_quarter"]),
        last=words.quarter(manifest["last_quarter"]),
    )


# --- the comparison


@solara.component
def ComparedPolicies(findings: Findings) -> None:
    """Tables and charts of a comparison."""
    words = use_session().words
    year = findings.compared.last.year
    with solara.Div(classes=["srdi-cards", "srdi-two"]):
        for quantity in FORESTS:
            with solara.Div(classes=["srdi-card"]):
                Forest(findings, quantity)
    OverTime(findings)
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        heading(words("compare.effects", year=year))
        note(words("compare.pairs" if findings.pairs > 1 else "compare.one_pair", pairs=findings.pairs))
        with solara.Div(classes=["srdi-compared"]):
            html_table(effects_table(findings, words), words("compare.effects", year=year))
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        heading(words("compare.costs"))
        with solara.Div(classes=["srdi-compared"]):
            html_table(prices_table(findings, words), words("compare.costs"))
        for text in prices_notes(findings, words):
            note(text)
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        heading(words("compare.robust"))
        if findings.pairs > 1:
            with solara.Div(classes=["srdi-cards", "srdi-pairs"]):
                for title, table in robustness_tables(findings, words):
                    with solara.Div():
                        heading(title, "h3")
                        html_table(table, title)
            note(words("compare.robust_note", states=findings.pairs))
        else:
            note(words("compare.robust_wait"))


@solara.component
def Forest(findings: Findings, quantity: str) -> None:
    """Effects of all policies on a quantity."""
    session = use_session()
    spec, source = forest(findings, quantity, session), compared_source(session, findings)
    Chart(spec=spec, version=f"{id(findings)}", source=source)


@solara.component
def OverTime(findings: Findings) -> None:
    """A chosen quantity over time: levels, and differences to the baseline."""
    session = use_session()
    words = session.words
    quantity = session.chosen("over_time")
    quantity = quantity if quantity in ENDS else VIEWS["over_time"]
    titles = {name: words.column(name) for name in ENDS}
    with solara.Div(classes=["srdi-row"]):
        choice(words("compare.over_time"), quantity, titles, lambda name: session.choose("over_time", name))
    with solara.Div(classes=["srdi-cards", "srdi-two"]):
        for differences in (False, True):
            with solara.Div(classes=["srdi-card"]):
                spec = over_time(findings, quantity, session, differences)
                Chart(spec=spec, version=f"{id(findings)} {quantity}", source=compared_source(session, findings))
    remark_on(remark(words, quantity))


def forest(findings: Findings, quantity: str, session: Session) -> dict:
    """Chart of every policy's effect on a quantity at the end, with its interval."""
    words, compared = session.words, findings.compared
    titles = Sections(compared, words).titles
    effects = [findings.ends[name, quantity].difference for name in compared.others]
    title = words("compare.forest", title=words.column(quantity), year=compared.last.year)
    return charts.changes_chart(
        session,
        [titles[name] for name in compared.others],
        interval(
            words("compare.effect"),
            [each.low for each in effects],
            [each.mean for each in effects],
            [each.high for each in effects],
            colour=OKABE_ITO[0],
        ),
        title=title,
        label=words("compare.forest_label", title=title),
        unit=unit_of(quantity),
    )


def over_time(findings: Findings, quantity: str, session: Session, differences: bool) -> dict:
    """Chart of a quantity over time under every policy, with the spread of the baseline.

    Args:
        differences: show the policies' differences to the baseline instead.
    """
    words, compared, unit = session.words, findings.compared, unit_of(quantity)
    titles, course = Sections(compared, words).titles, lines(findings, quantity)
    shown = {name: found[0] for name, found in course.differences.items()} if differences else course.levels
    series = []
    if not differences:
        series.append(line(titles[compared.baseline], course.levels[compared.baseline], colour=charts.BASELINE))
        if findings.pairs > 1:
            series.insert(0, band(words("compare.band"), course.low, course.high, colour=charts.BASELINE))
    if differences and findings.pairs > 1 and len(compared.others) == 1:
        low, high = course.differences[compared.others[0]][1:]
        series.append(band(words("compare.effect_band"), low, high, colour=policy_look(1)[0]))
    for place, name in enumerate(compared.others, start=1):
        colour, dash = policy_look(place)
        series.append(line(titles[name], shown[name], colour=colour, dash=dash))
    title = words("compare.difference" if differences else "compare.level", title=words.column(quantity))
    return time_chart(
        course.quarters,
        series,
        title=title,
        label=words("compare.lines_label", title=title),
        unit=unit,
        unit_text=words.unit(unit),
        from_zero=unit == "firms" and not differences,
        signed=differences,
        **charts.look(session),
    )


def policy_look(place: int) -> tuple[str, tuple[float, ...]]:
    """Colour and dashes (in px) of a policy by position, from 1 on."""
    look = stroke(place)
    return OKABE_ITO[(place - 1) % len(OKABE_ITO)], tuple(2.0 * length for length in look.dashes)


def swatch(place: int) -> None:
    """A sample of a policy's line in the chart over time."""
    colour, dashes = policy_look(place)
    dashed = f' stroke-dasharray="{" ".join(f"{length:g}" for length in dashes)}"' if dashes else ""
    solara.HTML(
        tag="span",
        attributes={"aria-hidden": "true"},
        unsafe_innerHTML=f'<svg width="34" height="12"><line x1="1" x2="33" y1="6" y2="6" stroke="{colour}" '
        f'stroke-width="3"{dashed}/></svg>',
    )
