"""The page under load, small: every reader gets an answer with numbers of its own, and leaves nothing behind."""

import pytest

from benchmarks.load import expected_texts, measure, summarise_moves, values_of
from benchmarks.page import SETTING

pytestmark = pytest.mark.browser
SCALE, SESSIONS = 0.001, 2


@pytest.mark.slow
def test_readers_get_their_own_numbers_and_leave_nothing_behind(chromium, monkeypatch):
    monkeypatch.setattr("benchmarks.load.PAUSE_S", (0.1, 0.2))
    monkeypatch.setattr("benchmarks.load._AFTER_S", 2.0)
    moves, found = measure(chromium, SESSIONS, 0.1, SCALE)
    values = [value for session in range(SESSIONS) for value in values_of(session)]
    expected = expected_texts(SCALE, values)
    assert len({tuple(texts) for texts in expected.values()}) == len(values), SETTING
    result = summarise_moves(moves, expected.__getitem__)
    assert result["moves"] >= 2 * SESSIONS
    assert result["checked"] > 0
    assert (result["lost"], result["wrong"], result["silent"]) == (0, 0, 0)
    assert 0.0 < result["median_s"] <= result["p95_s"]
    assert 0.0 < found["gb_before"] <= found["gb_peak"]
    assert (found["sessions_after"], found["faults"], found["tracebacks"]) == (0, 0, 0)
