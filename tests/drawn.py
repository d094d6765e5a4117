"""Pages of the web page drawn without a browser, and answers for them."""

from __future__ import annotations

from collections.abc import Callable

import reacton
import solara
from seen import texts_of

from viz.app.policies import policy_of
from viz.app.state import Session, session_context
from viz.live.runner import Runner
from viz.live.session import Answer


def draw_page(session: Session, page: Callable[[], object]) -> tuple[Callable[[], None], Callable[[], str]]:
    """Draw a page for a session: a function that ends it, and one of all texts that stand on it, as HTML."""

    @solara.component
    def Framed():
        session_context.provide(session)
        page()

    box, context = reacton.render(Framed(), handle_error=False)
    return context.close, lambda: " ".join(texts_of(box))


def both_answers(runner: Runner, settings: dict[str, object], members: int) -> tuple[Answer, Answer]:
    """Answers without and with intervals, to request 1."""
    policy = policy_of(settings)
    central, *runs = (runner.run(policy.policy, member) for member in range(members + 1))
    beside, *baselines = (runner.baseline_run(member) for member in range(members + 1))
    return Answer(policy, 1, central, beside), Answer(policy, 1, central, beside, tuple(runs), tuple(baselines))
