"""What numbers of an answer rest on, and what is known badly of them, in sentences."""

from __future__ import annotations

from collections.abc import Callable

from scenarios.files.labels import Label, change_label, labels_in_run, level_label, lever_labels
from viz.app.state import Session
from viz.live.session import Answer


def difference_label(answer: Answer, session: Session) -> Label:
    """What the differences of an answer to the baseline rest on."""
    return _labelled(answer, session, change_label)


def basis_text(answer: Answer, session: Session) -> str:
    """What levels and, under a policy, differences of an answer rest on."""
    words = session.words
    texts = [words("label.level", label=words.label(_labelled(answer, session, level_label)))]
    if not answer.is_baseline:
        texts.insert(0, words("label.difference", label=words.label(difference_label(answer, session))))
    return words.sentences(texts)


def _labelled(answer: Answer, session: Session, label: Callable[..., Label]) -> Label:
    before, after = (
        scenario.model_dump(by_alias=True, mode="json") for scenario in (session.runner.baseline, answer.scenario)
    )
    drawn = labels_in_run((before, after), session.runner.draws.labels)
    return label(before, after, lever_labels(drawn))
