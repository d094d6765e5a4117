"""A total to hold: the reader sets what a policy may cost, and the page says whether it does, and rescales it."""

from __future__ import annotations

import solara

from scenarios.analysis.metrics import CUMULATIVE_COST
from scenarios.errors import printable
from scenarios.files.scaling import NothingToScale, scaling
from sim.wording import shortened
from viz.app.background import Job, JobControls, use_job
from viz.app.changes import moves_table
from viz.app.elements import entered_number, folded, items, note
from viz.app.policies import policy_of, settings_of
from viz.app.state import Session, is_computing, use_session
from viz.live.measures import best_runs, effect, national
from viz.live.rescaling import Rescaled, rescale
from viz.live.session import Answer
from viz.words.language import Words

#: The unit of the field by language, in yuan.
UNIT = {"en": 1e9, "zh": 1e8}
#: Largest total, in yuan.
MOST = 1e14


@solara.component
def Total():
    """A field for the total, whether the policy in view keeps it, and a button that rescales the policy to it."""
    session = use_session()
    words, settings, answer = session.words, session.settings.value, session.answer.value
    total = total_of(session)
    # The result stays in view only as long as the settings are those that it has led to.
    led_to: solara.Reactive[Rescaled | None] = solara.use_reactive(None)

    def take(found: Rescaled) -> None:
        led_to.value = found
        session.put(settings_of(found.scenario))

    job: Job[Rescaled] = use_job([session.remembered.value, total], on_found=take)
    # What was entered, if it is no total.
    refused = solara.use_reactive("")

    def enter(text: str) -> None:
        value = read_total(text, words)
        refused.value = text if value is None else ""
        if value is not None:
            session.choose("total", f"{value:g}" if value else "")

    with solara.Div(classes=["srdi-stack", "srdi-total"], attributes={"data-total": f"{total:g}"}) as content:
        note(words("funds.total_label", year=session.runner.until))
        solara.InputText(
            label=words("funds.total_unit"),
            value=f"{total / UNIT[words.language]:.10g}" if total else "",
            on_value=enter,
            continuous_update=False,
            dense=True,
            hide_details=True,
        )
        if refused.value:
            most = words.number(MOST / UNIT[words.language])
            note(words("funds.total_refused", text=printable(shortened(refused.value)), most=most))
        if not total:
            note(words("funds.total_about"))
        elif answer is None or is_computing(session):
            note(words("funds.total_wait"))
        else:
            for text in verdict_on(words, answer, total):
                note(text)
            Rescaling(job, answer, total)
        found = led_to.value
        if found is not None and settings_of(found.scenario) == settings:
            Led(found)
    folded(words("funds.total"), [content], unfolded=bool(total))


@solara.component
def Rescaling(job: Job, answer: Answer, total: float) -> None:
    """The button that rescales the policy, or why it cannot be."""
    session = use_session()
    words, runner = session.words, session.runner
    scenario = policy_of(settings_of(answer.scenario))
    try:
        unscaled = scaling(runner.baseline, scenario).unscaled
    except NothingToScale:
        note(words("funds.nothing_to_scale"))
        return
    JobControls(job, words("funds.rescale"), lambda progress: rescale(runner, scenario, total, progress))
    if unscaled:
        note(words("funds.unscaled"))


@solara.component
def Led(found: Rescaled) -> None:
    """What a rescaling has found, and the settings it has changed."""
    words = use_session().words
    key = "funds.rescaled" if found.within else "funds.rescaled_near"
    texts = {"factor": words.number(found.factor), "cost": words.number(found.cost), "pairs": found.pairs}
    note(words(key, total=words.number(found.wanted), **texts))
    rows = moves_table(settings_of(found.scaling.scenario), settings_of(found.scenario), words).rows
    items([words("funds.rescaled_setting", lever=row[0], setting=row[1], before=row[2], now=row[3]) for row in rows])


def total_of(session: Session) -> float:
    """The reader's total in yuan; 0 for none."""
    text = session.chosen("total")
    return float(text) if is_total(text) else 0.0


def is_total(text: str) -> bool:
    """Whether a text of the address is a total in yuan."""
    try:
        return _allowed(float(text)) is not None
    except ValueError:
        return False


def read_total(text: str, words: Words) -> float | None:
    """A total as it was entered, in the unit of the language, in yuan; 0 for none, None if it is no valid amount."""
    if not text.strip():
        return 0.0
    number = entered_number(text)
    return None if number is None else _allowed(number * UNIT[words.language])


def _allowed(total: float) -> float | None:
    """A total that may be held; None for any other number."""
    return total if 0.0 < total <= MOST else None


def verdict_on(words: Words, answer: Answer, total: float) -> list[str]:
    """Whether a policy keeps a total: its additional cost over the whole run, and in how many pairs of runs it does."""
    if answer.is_baseline:
        return [words("funds.total_baseline")]
    found = effect(answer, CUMULATIVE_COST).difference
    if found.mean <= 0.0:
        return [words("funds.total_saves")]
    cost, ends = words.estimate(found.mean, found.low, found.high, "yuan")
    over = found.mean - total
    cost = words("number.bracketed", value=cost, about=ends if found.known else words("policy.one_pair"))
    key = "funds.total_over" if over > 0.0 else "funds.total_kept"
    texts = [words(key, cost=cost, total=words.number(total), difference=words.number(abs(over)))]
    pairs = [
        national(run, CUMULATIVE_COST)[-1] - national(beside, CUMULATIVE_COST)[-1]
        for run, beside in zip(*best_runs(answer), strict=True)
    ]
    if len(pairs) > 1:
        texts.append(words("funds.total_pairs", kept=sum(each <= total for each in pairs), pairs=len(pairs)))
    return texts
