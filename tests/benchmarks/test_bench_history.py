"""Measurements tracked over time: what a line holds, what noise is, and what is told to be worse."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from made_up import MACHINE, suite_results

from benchmarks import history
from benchmarks.command import bench
from benchmarks.history import ASSUMED_NOISE, MIN_NOISE, Measurement, TargetValue, compare, noise, read_history
from benchmarks.suite import TARGETS
from scenarios.errors import InputError

COMMIT = "0123456789ab"


def line(day: int = 0, **measured: float | None) -> Measurement:
    """A measurement of a day, as the history holds it."""
    new = history.measurement(suite_results(**measured), quick=False, commit=COMMIT)
    return new.model_copy(update={"date": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)})


def verdicts(tracked: list[Measurement], **measured: float | None) -> dict[str, str]:
    """What is said of each figure that is not within noise."""
    return {change.id: change.verdict for change in compare(tracked, line(99, **measured)).changes if change.verdict}


# --- a line


def test_a_line_holds_where_and_when_it_was_measured_and_every_target(tmp_path):
    file = tmp_path / "history.jsonl"
    assert read_history(file) == []
    first, second = line(0, mesa_ratio=638.25), line(1, peak_gib=None)
    for each in (first, second):
        history.append(each, file)
    assert read_history(file) == [first, second]
    stored = json.loads(file.read_text().splitlines()[0])
    assert stored["date"] == "2026-01-01T00:00:00Z"
    assert (stored["commit"], stored["plan"], stored["threads"]) == (COMMIT, "full", 2)
    assert stored["machine"] == MACHINE
    assert stored["versions"] == {"python": "3.11.7", "numba": "0.68.1"}
    assert stored["firm_quarter_ns"] == {"100000": 80.0, "national": 33.0}
    assert set(stored["targets"]) == {target.id for target in TARGETS}
    assert stored["targets"]["mesa_ratio"] == {"measured": 638.25, "limit": 800.0, "at_least": True}


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "line 2: invalid JSON"), ('{"date": 1}', "line 2: commit is missing"), ("", "line 2: invalid JSON")],
)
def test_a_damaged_history_is_named_by_its_line(tmp_path, text, words):
    file = tmp_path / "history.jsonl"
    history.append(line(), file)
    with file.open("a") as opened:
        opened.write(f"{text}\n")
    with pytest.raises(InputError, match=words):
        read_history(file)


def test_the_commit_is_that_of_the_source_and_changes_of_the_history_do_not_count(tmp_path, monkeypatch):
    source = tmp_path / "benchmarks"
    source.mkdir()
    for name in ("history.py", "history.jsonl"):
        (source / name).write_text("before")
    monkeypatch.setattr(history, "HISTORY", source / "history.jsonl")
    assert history.commit() == ""

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        return subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    git("init")
    assert history.commit() == ""  # as where the package is installed into the tree of something else
    git("add", ".")
    git("commit", "-m", "a")
    head = git("rev-parse", "HEAD")[:12]
    (source / "history.jsonl").write_text("after")
    assert history.commit() == head
    (source / "history.py").write_text("after")
    assert history.commit() == f"{head}+"


# --- noise


def test_noise_is_assumed_until_three_changes_tell_it():
    assert noise([100.0, 101.0, 100.0]) == ASSUMED_NOISE
    assert noise([100.0, 102.0, 100.0, 102.0]) == pytest.approx(3 * 0.0198, abs=1e-3)


def test_noise_is_never_nothing_and_takes_no_notice_of_one_step():
    assert noise([100.0] * 9) == MIN_NOISE
    steady = [100.0, 101.0, 100.0, 101.0, 100.0]
    assert noise([*steady, *(value / 2 for value in steady)]) == noise(steady)


def test_noise_is_that_of_late():
    loud, quiet = [100.0, 150.0] * 8, [100.0, 100.1] * 8
    assert noise(loud + quiet) == MIN_NOISE


# --- what is worse


def test_a_figure_is_worse_where_it_moves_the_wrong_way_by_more_than_noise():
    tracked = [line(0, mesa_ratio=600.0, flatness=2.0)]
    assert verdicts(tracked, mesa_ratio=500.0, flatness=1.5) == {"mesa_ratio": "worse", "flatness": "better"}
    assert verdicts(tracked, mesa_ratio=720.0, flatness=2.5) == {"mesa_ratio": "better", "flatness": "worse"}
    assert verdicts(tracked, mesa_ratio=560.0, flatness=2.15) == {}


def test_what_is_said_follows_the_noise_of_the_figure():
    ratios = [600.0, 690.0, 600.0, 690.0, 600.0]
    tracked = [line(day, mesa_ratio=ratio) for day, ratio in enumerate(ratios)]
    assert verdicts(tracked, mesa_ratio=500.0) == {}
    assert verdicts(tracked, mesa_ratio=600.0, thread_speedup=9.5) == {"thread_speedup": "worse"}


def test_only_the_same_plan_on_the_same_machine_is_held_against():
    old, new = line(0), line(1)
    others = [
        old.model_copy(update={"plan": "quick"}),
        old.model_copy(update={"threads": 1}),
        *(old.model_copy(update={"machine": MACHINE | {key: "b"}}) for key in ("processor", "cores", "system")),
    ]
    assert compare(others, new).model_dump() == {"tracked": 0, "last": None, "changes": []}
    # Memory that is told a little otherwise is the same machine.
    same = line(2).model_copy(update={"machine": MACHINE | {"memory_gib": 23.4}})
    assert compare([old, same, *others], new).last == same


def test_what_was_not_measured_has_no_change():
    (old,) = tracked = [line(0, peak_gib=None, bandwidth_ratio=None)]
    changes = {change.id: change for change in compare(tracked, line(1, thread_speedup=None)).changes}
    for name, before, now in (("peak_gib", None, 10.0), ("thread_speedup", 10.0, None)):
        found = changes[name]
        assert (found.before, found.now, found.change, found.verdict) == (before, now, None, "")
    assert changes["mesa_ratio"].change == 0.0
    figures = {name: figure for name, figure in old.targets.items() if name != "flatness"}
    older = old.model_copy(update={"targets": figures | {"gone": TargetValue(measured=1.0, limit=1.0, at_least=True)}})
    names = {change.id: change.before for change in compare([older], line(1)).changes}
    assert names["flatness"] is None
    assert "gone" not in names


# --- the command


@pytest.fixture
def measure(monkeypatch, tmp_path):
    """Runs ``srdi bench`` with a history of its own, as if a suite had given figures."""
    monkeypatch.setattr(history, "HISTORY", tmp_path / "history.jsonl")
    monkeypatch.setattr(history, "commit", lambda: "0123456789ab")

    def run(*options: str, **measured: float | None):
        monkeypatch.setattr("benchmarks.command.run_suite", lambda suite: suite_results(**measured))
        return CliRunner().invoke(bench, options, catch_exceptions=False)

    return run


def test_the_command_tracks_and_tells_what_is_worse_than_the_last(measure, tmp_path):
    file = tmp_path / "history.jsonl"
    assert "No measurement of this kind on this machine is in" in measure("--against").output
    assert not file.exists()
    measure("--track", mesa_ratio=600.0, peak_gib=None)
    done = measure("--track", "--against", "--json", mesa_ratio=400.0, peak_gib=6.7)
    compared = json.loads(done.stdout.splitlines()[-1])["against"]
    assert compared["tracked"] == 1
    assert compared["last"] == read_history(file)[0].model_dump(mode="json")
    changes = {change["id"]: change for change in compared["changes"]}
    assert changes["mesa_ratio"]["verdict"] == "worse"
    assert changes["mesa_ratio"]["change"] == pytest.approx(-1 / 3)
    rows = {" ".join(row.split()) for row in done.stderr.splitlines()}
    assert "Core step: plain Mesa over engine 600 x 400 x -33.3 % 10 % worse" in rows
    assert "Peak memory at 52 million – 6.7 GiB – 10 %" in rows
    assert [each.targets["mesa_ratio"].measured for each in read_history(file)] == [600.0, 400.0]


def test_outside_a_checkout_the_history_has_to_be_named(measure, monkeypatch, tmp_path):
    monkeypatch.setattr(history, "commit", lambda: "")
    with pytest.raises(InputError, match="--track needs --history FILE"):
        measure("--track")
    measure("--track", "--history", str(tmp_path / "mine.jsonl"))
    assert len(read_history(tmp_path / "mine.jsonl")) == 1


def test_without_the_options_nothing_is_tracked_or_read(measure, tmp_path):
    (tmp_path / "history.jsonl").write_text("damaged")
    assert "against" not in json.loads(measure("--json").stdout.splitlines()[-1])
    assert (tmp_path / "history.jsonl").read_text() == "damaged"


@pytest.mark.parametrize("option", ["--track", "--against"])
def test_a_damaged_history_is_said_before_measuring(monkeypatch, tmp_path, option):
    monkeypatch.setattr("benchmarks.command.run_suite", None)
    (tmp_path / "mine.jsonl").write_text("damaged")
    with pytest.raises(InputError, match=r"mine\.jsonl, line 1"):
        CliRunner().invoke(bench, [option, "--history", str(tmp_path / "mine.jsonl")], catch_exceptions=False)


def test_a_history_that_cannot_be_written_is_refused_before_measuring(monkeypatch, tmp_path):
    monkeypatch.setattr("benchmarks.command.run_suite", None)
    file = tmp_path / "none" / "history.jsonl"
    with pytest.raises(InputError, match="cannot be written"):
        CliRunner().invoke(bench, ["--track", "--history", str(file)], catch_exceptions=False)
    assert not file.parent.exists()


def test_the_history_that_comes_with_the_source_can_be_read():
    assert all(set(each.targets) for each in read_history(history.HISTORY))
