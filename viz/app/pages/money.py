"""The page on money and people: what is paid when, who gains and who loses, and whether it is worth it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import solara
import solara.lab

from scenarios.analysis.cash import ALL, Cash
from scenarios.analysis.incidence import NATION
from scenarios.analysis.value import Value
from scenarios.display.drawing import OKABE_ITO
from scenarios.files.schema import Scenario
from viz.app import charts
from viz.app.anyway import WouldHaveAnyway
from viz.app.downloads import ENSEMBLE, gathered, runs_of
from viz.app.elements import Busy, choice, heading, html_table, items, note
from viz.app.faults import fault_text
from viz.app.policies import settings_of
from viz.app.sources import source
from viz.app.split import WhichLever
from viz.app.state import VIEWS, Session, use_session, written_scenario
from viz.app.widgets.chart import Chart, bar, interval, line, time_chart
from viz.live.accounts import Accounts
from viz.live.session import Answer
from viz.shared.gains import QUANTITIES_BY, Places, concentration_table, gains_table, place_name
from viz.shared.payments import budgets_table, by_year, kinds, payments_table
from viz.shared.worth import (
    against_baseline,
    assumptions,
    drawn_parts,
    not_counted,
    parts_table,
    parts_title,
    ratios_table,
    reasons,
)
from viz.words.language import Words

T = TypeVar("T")
#: Colours of the kinds of payments.
_KINDS = {"lever": OKABE_ITO[0], "title": OKABE_ITO[1], "tax": OKABE_ITO[2]}


@solara.component
def MoneyPage():
    """Payments, gains and losses, and worth of the latest whole answer."""
    session = use_session()
    answer = session.answer.value
    accounts = solara.use_memo(lambda: accounts_of(session, answer) if answer else None, [answer])
    # The parts have keys of the runs, so that numbers of one policy are never shown, or looked for, under another.
    with solara.Div(classes=["srdi-stack"], attributes={"id": "results"}):
        heading(session.words("money.heading", policy=session.title_of(answer) if answer else session.title))
        Busy()
        if answer is None or accounts is None:
            note(session.words("app.loading"))
            return
        with solara.Div(classes=["srdi-card", "srdi-stack"]):
            heading(session.words("section.cash"), "h3")
            Paid(answer, accounts).key(f"paid {id(accounts)}")
        with solara.Div(classes=["srdi-card", "srdi-stack"]):
            heading(session.words("section.gains"), "h3")
            if accounts.is_baseline:
                note(session.words("money.same"))
            else:
                Gains(answer, accounts).key(f"gains {id(accounts)}")
        with solara.Div(classes=["srdi-card", "srdi-stack"]):
            heading(session.words("section.value"), "h3")
            if accounts.is_baseline:
                note(session.words("money.same"))
            else:
                Worth(answer, accounts).key(f"worth {id(accounts)}")
        scenario = scenario_of(session, answer)
        with solara.Div(classes=["srdi-card", "srdi-stack"], attributes={"id": "split"}):
            heading(session.words("section.decomposition"), "h3")
            if accounts.is_baseline:
                note(session.words("money.same"))
            else:
                WhichLever(scenario)
        with solara.Div(classes=["srdi-card", "srdi-stack"], attributes={"id": "anyway"}):
            heading(session.words("section.additionality"), "h3")
            if accounts.is_baseline:
                note(session.words("money.same"))
            else:
                WouldHaveAnyway(answer, scenario, accounts)


def accounts_of(session: Session, answer: Answer) -> Accounts:
    """The analyses of an answer's runs: those with parameter draws once there are any, before that the central ones."""
    baseline, scenario = session.runner.baseline, scenario_of(session, answer)
    results = gathered(session.runner, answer, scenario, runs_of(answer, ENSEMBLE))
    return Accounts(results, scenario.name, baseline.name)


def scenario_of(session: Session, answer: Answer) -> Scenario:
    """The policy of an answer with its name and titles; the baseline if it differs in nothing that acts."""
    return session.runner.baseline if answer.is_baseline else written_scenario(settings_of(answer.scenario))


def ranges_text(words: Words, answer: Answer, *, pairs: bool) -> str:
    """What means and ranges are of, or that ranges are still to come."""
    if not answer.runs:
        return words("money.one_run")
    return words("money.pairs" if pairs else "money.runs", runs=len(answer.runs), pairs=len(answer.runs))


def use_found(find: Callable[[], T], *about: object) -> T | None:
    """The result of an analysis, made in a thread; until there is one, or if it failed, a note says so."""
    words = use_session().words
    task = solara.lab.use_task(find, dependencies=[*about], raise_error=False)
    if task.exception is not None:
        note(words("money.fault", text=fault_text(words, task.exception)))
    elif task.value is None:
        note(words("money.reading"))
    return task.value


# --- what is paid when


@solara.component
def Paid(answer: Answer, accounts: Accounts) -> None:
    """Payments by year and kind, and when budgets are used up."""
    session = use_session()
    words = session.words
    found = use_found(accounts.paid, answer)
    if found is None:
        return
    rows = found.rows[found.rows["scenario"] == accounts.policy]
    budgets = found.budgets[found.budgets["scenario"] == accounts.policy]
    label = words("label.amounts", label=words.label(accounts.results.level_label(accounts.policy)))
    Chart(
        spec=paid_chart(session, answer, accounts, found),
        version=charts.version_of(answer),
        source=source(session, answer),
    )
    note(words.sentences([words("cash.note"), ranges_text(words, answer, pairs=False), label]))
    with solara.Div(classes=["srdi-cards"]):
        for kind in kinds(rows):
            with solara.Div():
                title = words("money.of_kind", kind=words(f"cash.{kind}"))
                heading(title, "h4")
                html_table(payments_table(words, rows, kind), title, cards=False)
    heading(words("cash.budgets"), "h4")
    if budgets.empty:
        note(words("cash.no_budget"))
    else:
        html_table(budgets_table(words, budgets), words("cash.budgets"))
    note(words("cash.budget_note"))


def paid_chart(session: Session, answer: Answer, accounts: Accounts, found: Cash) -> dict:
    """Payments of the policy in full years, stacked by kind, beside the sum of the baseline."""
    words = session.words
    rows = found.rows[found.rows["scenario"] == accounts.policy]
    total = by_year(rows, ALL)["value"]
    series = [
        bar(words(f"cash.{kind}"), by_year(rows, kind)["value"], colour=_KINDS[kind], stack="paid")
        for kind in kinds(rows)
    ]
    if not accounts.is_baseline:
        before = by_year(found.rows[found.rows["scenario"] == accounts.baseline], ALL)["value"]
        series.append(line(words("money.baseline_sum"), before, colour=charts.BASELINE, dash=charts.DASHES))
    return time_chart(
        [str(year) for year in total.index],
        series,
        title=words("money.paid"),
        label=words("money.paid_label", value=words.number(float(total.sum()))),
        unit="yuan per year",
        unit_text=words.unit("yuan per year"),
        from_zero=True,
        **charts.look(session),
    )


# --- who gains and who loses


@solara.component
def Gains(answer: Answer, accounts: Accounts) -> None:
    """Changes from the baseline by a chosen dimension, and how concentrated they are."""
    session = use_session()
    words = session.words
    by = session.chosen("gain_by")
    by = by if by in QUANTITIES_BY else VIEWS["gain_by"]
    titles = {name: words(f"money.by_{name}") for name in QUANTITIES_BY}
    with solara.Div(classes=["srdi-row"]):
        choice(words("money.by"), by, titles, lambda name: session.choose("gain_by", name))
    found = use_found(lambda: accounts.gains(by), answer, by)
    # While another dimension is chosen, what was found is still of the last one.
    if found is None or found.by != by:
        return
    before, now = (found.by_place(name) for name in (accounts.baseline, accounts.policy))
    year = session.runner.until
    label = accounts.results.change_label(accounts.baseline, accounts.policy)
    basis = words("label.difference", label=words.label(label))
    texts = [words("money.gains_about", year=year), ranges_text(words, answer, pairs=True), basis]
    note(words.sentences(texts))
    with solara.Div(classes=["srdi-cards", "srdi-two"]):
        for quantity in now:
            with solara.Div(classes=["srdi-stack"]):
                spec = gains_chart(session, by, quantity, now[quantity])
                Chart(spec=spec, version=f"{charts.version_of(answer)} {by}", source=source(session, answer))
                html_table(gains_table(words, by, before[quantity], now[quantity]), words.column(quantity))
    title = words("money.concentration", year=year)
    heading(title, "h4")
    html_table(concentration_table(words, by, before, now), title)
    places = words(f"gain.places_{by}")
    money = words("gain.money" if found.money_is_placed else "gain.money_not_placed")
    note(words.sentences([words("gain.table_note", places=places), money]))


def gains_chart(session: Session, by: str, quantity: str, now: Places) -> dict:
    """Change of a quantity from the baseline in every place and the nation, with its range."""
    words, unit = session.words, now[NATION]["change"]["unit"]
    changes = [row["change"] for row in now.values()]
    ends = ([change[end] for change in changes] for end in ("low", "value", "high"))
    title = words.column(quantity)
    return charts.changes_chart(
        session,
        [place_name(words, by, place) for place in now],
        interval(words("money.change"), *ends, colour=charts.POLICY),
        title=title,
        label=words("money.gains_label", column=title),
        unit=unit,
    )


# --- is it worth it


@solara.component
def Worth(answer: Answer, accounts: Accounts) -> None:
    """The parts of the net benefit, the ratios, what is assumed and what is not counted."""
    session = use_session()
    words = session.words
    found = use_found(accounts.worth, answer)
    if found is None:
        return
    rows = against_baseline(found, accounts.policy)
    note(words.sentences([words("value.note"), ranges_text(words, answer, pairs=True)]))
    Chart(
        spec=worth_chart(session, found, accounts.policy),
        version=charts.version_of(answer),
        source=source(session, answer),
    )
    html_table(parts_table(words, rows), parts_title(words))
    heading(words("money.ratios"), "h4")
    html_table(ratios_table(words, rows), words("money.ratios"))
    for reason in reasons(words, found, accounts.policy):
        note(reason)
    note(words("value.ratios_note"))
    heading(words("money.assumed"), "h4")
    titles = {each["name"]: words.scenario(each) for each in accounts.results.manifest["scenarios"]}
    items(assumptions(words, accounts.results, titles))
    heading(words("value.not_counted"), "h4")
    items(not_counted(words))


def worth_chart(session: Session, found: Value, name: str) -> dict:
    """The parts of a policy's net benefit as they enter the sum, and the net benefit at each cost of funds."""
    words = session.words
    titles, ends = drawn_parts(words, against_baseline(found, name))
    return charts.changes_chart(
        session,
        titles,
        interval(words("money.change"), ends["low"], ends["value"], ends["high"], colour=charts.POLICY),
        title=parts_title(words),
        label=words("money.parts_label"),
        unit="yuan",
    )
