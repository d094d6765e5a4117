"""Long jobs on a page: started by a button, with progress and a button to cancel, and their result kept in view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import solara

from scenarios.analysis.equal_money import OutOfReach
from scenarios.analysis.metrics import Metric
from scenarios.files.scaling import NothingToScale
from viz.app.elements import choice, html_button, note, progress
from viz.app.faults import fault_text
from viz.app.state import use_session
from viz.live.background import Background, Progress
from viz.live.rescaling import CostsNoMore
from viz.live.session import Status
from viz.words.language import Words

T = TypeVar("T")
#: Stages in which a job is not at work.
_IDLE = ("waiting", "done", "cancelled", "failed")


@dataclass(frozen=True, eq=False)
class Job(Generic[T]):
    """A job of the page.

    Attributes:
        found: its last result, or None. status: its stage. background: starts and cancels it.
    """

    found: T | None
    status: Status
    background: Background[T]

    @property
    def is_idle(self) -> bool:
        """Whether it is not at work."""
        return self.status.stage in _IDLE

    def start(self, work: Callable[[Progress], T]) -> None:
        """Begin, in place of what is at work."""
        self.background.start(work)


def use_job(about: Sequence[object], on_found: Callable[[Any], None] = lambda found: None) -> Job:
    """A job of the component; if what it is about changes, it ends and its result is forgotten.

    Args:
        about: compared with that of the last drawing. on_found: called from the job's thread with its result.
    """
    found: solara.Reactive[Any] = solara.use_reactive(None)
    status = solara.use_reactive(Status("waiting"))

    def take(result: Any) -> None:
        found.value = result
        on_found(result)

    background = solara.use_memo(lambda: Background(take, status.set), [*about])

    def live() -> Callable[[], None]:
        found.value, status.value = None, Status("waiting")
        return background.close

    solara.use_effect(live, [background])
    return Job(found.value, status.value, background)


@solara.component
def JobControls(job: Job, title: str, work: Callable[[Progress], Any]) -> None:
    """The button that starts a job, and below it how far it is.

    Args:
        title: of the button. work: the job.
    """
    words, status = use_session().words, job.status
    with solara.Div(classes=["srdi-stack"]):
        with solara.Div(classes=["srdi-row"]):
            html_button(title, lambda: job.start(work), disabled=not job.is_idle)
        if status.stage in ("central", "ensemble"):
            AtWork(status, job.background.cancel)
        elif status.stage == "cancelled":
            note(words("funds.cancelled"))
        elif status.stage == "failed":
            note(fault_of(words, status))


@solara.component
def AtWork(status: Status, cancel: Callable[[], None]) -> None:
    """How far a job is, with a button to cancel."""
    words = use_session().words
    key = "begins" if status.stage == "central" else "runs_of" if status.of else "runs_done"
    share = status.done / status.of if status.of else None
    progress(words(f"funds.{key}", done=status.done, of=status.of), status.stage, share, cancel, passing=True)


def metric_choice(words: Words, quantities: Sequence[Metric], chosen: solara.Reactive[str]) -> Metric:
    """A list of the quantities of a job's result, and the chosen one."""
    titles = {metric.name: words.quarterly(metric.name) for metric in quantities}
    choice(words("compare.quantity"), chosen.value, titles, chosen.set)
    return next(metric for metric in quantities if metric.name == chosen.value)


def fault_of(words: Words, status: Status) -> str:
    """Why a job failed, in the user's language where the reason is a known one."""
    fault = status.fault
    if isinstance(fault, NothingToScale):
        return words("funds.nothing_to_scale")
    if isinstance(fault, CostsNoMore):
        return words("funds.costs_no_more")
    if isinstance(fault, OutOfReach):
        return words("funds.least" if fault.least else "funds.most", cost=words.number(fault.cost))
    return words("funds.failed", text=fault_text(words, fault))
