"""Of 100 supported firms, how many would have got there anyway: additionality, counted in the background."""

from __future__ import annotations

import solara

from scenarios.analysis.additionality import Additionality
from scenarios.analysis.again import DEFAULT_PAIRS
from scenarios.analysis.recipients import SUPPORTING
from scenarios.files.schema import Scenario
from viz.app import charts
from viz.app.background import Job, JobControls, use_job
from viz.app.elements import choice, heading, html_table, note
from viz.app.state import Session, use_session
from viz.app.widgets.chart import Chart, interval, interval_chart
from viz.live.accounts import Accounts
from viz.live.questions import additional
from viz.live.session import Answer
from viz.shared import additionality

#: Colours of what would have been anyway, and of what is so only with the policy.
_ANYWAY, _ADDED = charts.BASELINE, charts.POLICY


@solara.component
def WouldHaveAnyway(answer: Answer, scenario: Scenario, accounts: Accounts) -> None:
    """The button that follows single firms, and the answer.

    Args:
        answer: the whole answer in view. scenario: its policy. accounts: with its runs.
    """
    session = use_session()
    words, runner = session.words, session.runner
    job: Job[Additionality] = use_job([scenario.model_dump_json(), len(answer.runs)])
    pairs = min(DEFAULT_PAIRS, len(answer.runs))
    note(words("funds.anyway_about"))
    if not supporting(scenario, runner.baseline):
        note(words("funds.anyway_none"))
        return
    if not answer.runs:
        note(words("funds.anyway_wait"))
        return
    note(words("funds.anyway_runs", pairs=pairs, runs=2 * pairs))
    JobControls(
        job,
        words("funds.anyway_start"),
        lambda progress: additional(runner, accounts.results, accounts.baseline, progress, pairs),
    )
    if job.found is not None:
        Counted(job.found, accounts.policy, words.scenario(scenario.model_dump())).key(f"counted {id(job.found)}")


def supporting(scenario: Scenario, baseline: Scenario) -> bool:
    """Whether a lever that supports firms is on in a scenario and differs from the baseline."""
    return any(
        getattr(scenario.levers, name).enabled and getattr(scenario.levers, name) != getattr(baseline.levers, name)
        for name in SUPPORTING
    )


@solara.component
def Counted(found: Additionality, name: str, title: str) -> None:
    """What support changed, of 100 firms.

    Args:
        name, title: of the policy.
    """
    session = use_session()
    words = session.words
    baseline = words.scenario(session.runner.baseline.model_dump())
    groups, levers = found.groups(name), found.levers[name]
    lever, numbers = additionality.of_all(groups, levers)
    note(additionality.about(words, found, baseline))
    by = solara.use_reactive("lever" if len(levers) > 1 else "size")
    note(words.sentences(additionality.supported_sentences(words, lever, numbers)))
    if not additionality.has_firms(numbers):
        return
    Chart(spec=states_chart(session, numbers, title), version=f"{id(found)}")
    note(words("additionality.states_key"))
    html_table(additionality.states_table(words, numbers), words("additionality.states"))
    heading(words("additionality.amounts"), "h4")
    html_table(additionality.amounts_table(words, numbers), words("additionality.amounts"))
    dimensions = [each for each in additionality.TABLES if each != "lever" or len(levers) > 1]
    choice(words("money.by"), by.value, {each: words(f"additionality.group_{each}") for each in dimensions}, by.set)
    html_table(additionality.groups_table(words, by.value, groups), words("additionality.changed"))
    heading(words("additionality.rivals"), "h4")
    html_table(additionality.rivals_table(words, groups, lever), words("additionality.rivals"))
    titles = {found.baseline: baseline, name: title}
    note(words.sentences([*additionality.notes(words, found, titles), words("additionality.note_rivals")]))


def states_chart(session: Session, numbers: additionality.Numbers, policy: str) -> dict:
    """Of 100 supported firms, how many have what: anyway, and only with the policy.

    Args:
        policy: its title.
    """
    words = session.words
    names, rows = additionality.state_rows(words, numbers)
    texts = [
        words("additionality.state_alt", title=name, anyway=words.number(round(anyway, 1)), added=words.number(added))
        for name, anyway, added in zip(names, rows["anyway"], rows["added"].round(1), strict=True)
    ]
    anyway = rows["anyway"]
    return interval_chart(
        names,
        [
            interval(
                words("additionality.anyway"),
                anyway,
                anyway,
                anyway,
                colour=_ANYWAY,
                marker="square",
                steps=[(0.0, _ANYWAY)] * len(names),
            ),
            interval(
                words("additionality.added"),
                rows["low"],
                rows["added"],
                rows["high"],
                colour=_ADDED,
                steps=[(start, _ADDED) for start in anyway],
            ),
        ],
        title=words("additionality.states"),
        label=words("additionality.states_alt", scenario=policy, values=words.joined(texts)),
        unit_text=words("additionality.per_100"),
        zero_line=True,
        **charts.look(session),
    )
