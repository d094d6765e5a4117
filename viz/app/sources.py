"""What the charts of a page are of, in a line that goes with them into pictures, frames and print."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.metadata import version

from scenarios.analysis.reported import CUT_OFF
from viz.app.address import text_value
from viz.app.changes import changes_table
from viz.app.policies import settings_key
from viz.app.state import Session
from viz.live.findings import Findings
from viz.live.session import Answer
from viz.report.sections import Sections
from viz.words.language import Words

#: Changes of a policy that are told one by one.
_MOST_CHANGES = 4


@cache
def _version() -> str:
    return version("srdi")


def source(session: Session, answer: Answer) -> str:
    """The model, the policy with what it changes, and the runs behind the charts of an answer."""
    words, policy = session.words, session.title_of(answer)
    if changes := _changes(words.language, settings_key(session.settings_behind(answer))):
        policy = words("share.source_changes", policy=policy, changes=changes)
    return _line(session, policy, len(answer.runs))


def compared_source(session: Session, findings: Findings) -> str:
    """The same of a comparison, whose runs may be of a results directory."""
    words, compared = session.words, findings.compared
    titles = Sections(compared, words).titles
    return words(
        "share.source",
        version=compared.results.manifest["versions"]["srdi"],
        policy=words("share.source_compared", policies=words.joined([titles[name] for name in compared.names])),
        runs=words("share.source_pairs", pairs=words.number(findings.pairs)),
        weight=words.number(compared.firms_each),
    )


def fit_source(session: Session) -> str:
    """The same of the calibration."""
    words = session.words
    return words("share.source_fit", version=_version(), day=words.date(CUT_OFF))


def _line(session: Session, policy: str, runs: int) -> str:
    words, runner = session.words, session.runner
    text = words("share.source_one")
    if runs:
        text = words(f"share.source_runs_{runner.draws.identity['source']}", runs=words.number(runs))
    return words("share.source", version=_version(), policy=policy, runs=text, weight=words.number(1.0 / runner.scale))


@lru_cache(maxsize=64)
def _changes(language: str, settings: frozenset[tuple[str, str]]) -> str:
    """What a policy changes in the baseline, the first changes one by one.

    Args:
        settings: as `viz.app.policies.settings_key` gives them.
    """
    words = Words(language)
    rows = changes_table({key: text_value(text) for key, text in settings}, words).rows
    texts = [words("share.source_change", what=what, setting=setting, now=now) for what, setting, _, now in rows]
    if len(texts) > _MOST_CHANGES:
        more = words("share.source_more", number=len(texts) - _MOST_CHANGES + 1)
        texts = [*texts[: _MOST_CHANGES - 1], more]
    return words("stories.and").join(texts)
