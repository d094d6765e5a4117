"""What the benchmark of the page under load makes of what readers noted."""

import math

from benchmarks.load import summarise_moves, values_of


def move(value, seconds, shown=(), intervals=False):
    return {"value": value, "seconds": seconds, "shown": list(shown), "intervals": intervals}


def expected(value):
    return [str(value)]


def test_lost_and_wrong_answers_are_counted():
    sessions = [
        [move(110, 1.0, ["110"]), move(115, 3.0, ["110"]), move(110, None)],
        [move(120, None)],
        [move(130, 2.0, ["139"], intervals=True)],
    ]
    found = summarise_moves(sessions, expected)
    assert {name: found[name] for name in ("moves", "lost", "checked", "wrong", "silent")} == {
        "moves": 5,
        "lost": 2,
        "checked": 2,
        "wrong": 1,
        "silent": 1,
    }
    assert found["median_s"] == 2.0
    assert 2.0 < found["p95_s"] <= 3.0


def test_nothing_answered_has_no_times():
    found = summarise_moves([[move(110, None)], []], expected)
    assert (found["lost"], found["silent"]) == (1, 2)
    assert math.isnan(found["median_s"])


def test_no_two_sessions_set_the_same_value():
    values = [value for session in range(100) for value in values_of(session)]
    assert len(set(values)) == len(values)
    assert max(values) <= 2000
