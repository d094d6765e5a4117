"""Cores of the page's server: who waits for whom."""

from __future__ import annotations

import threading
import time

import pytest

from viz.live.cores import Cores


class Runs:
    """Threads that hold a core until told otherwise; `begun` notes the order in which they got one."""

    def __init__(self, cores: Cores) -> None:
        self.cores, self.begun, self._ends, self._threads = cores, [], {}, []

    def start(self, name: str, patient: bool = False) -> None:
        """Start a run and wait until it holds a core or waits for one."""
        end = self._ends[name] = threading.Event()

        def run() -> None:
            with self.cores.one(patient):
                self.begun.append(name)
                end.wait(10.0)

        thread = threading.Thread(target=run)
        thread.start()
        self._threads.append(thread)
        until(lambda: name in self.begun or self.waiting)
        # The newest is the last of its queue by now.
        time.sleep(0.02)

    @property
    def waiting(self) -> int:
        return sum(map(len, self.cores._waiting.values()))

    def end(self, name: str) -> None:
        self._ends[name].set()

    def join(self) -> None:
        for end in self._ends.values():
            end.set()
        for thread in self._threads:
            thread.join(10.0)


def until(holds) -> None:
    """Wait until something holds, for some seconds."""
    last = time.monotonic() + 5.0
    while not holds():
        assert time.monotonic() < last, "it never came"
        time.sleep(0.002)


@pytest.fixture
def runs():
    made = []

    def make(count: int) -> Runs:
        made.append(Runs(Cores(count)))
        return made[-1]

    yield make
    for each in made:
        each.join()


def test_cores_are_had_in_the_order_of_asking(runs):
    asked = runs(1)
    for name in "abcd":
        asked.start(name)
    for index, name in enumerate("abc"):
        until(lambda index=index: len(asked.begun) == index + 1)
        asked.end(name)
    until(lambda: len(asked.begun) == 4)
    assert asked.begun == list("abcd")


def test_no_more_runs_than_cores_go_on(runs):
    asked = runs(2)
    for name in "abcd":
        asked.start(name)
    assert (asked.begun, asked.waiting) == (["a", "b"], 2)


def test_who_can_wait_comes_after_those_who_cannot(runs):
    asked = runs(1)
    asked.start("a")
    asked.start("patient", patient=True)
    asked.start("b")
    asked.end("a")
    until(lambda: len(asked.begun) == 2)
    assert asked.begun == ["a", "b"]
    asked.end("b")
    until(lambda: len(asked.begun) == 3)


def test_only_runs_that_a_user_waits_for_are_awaited(runs):
    asked = runs(1)
    asked.start("a")
    asked.start("b", patient=True)
    assert not asked.cores.awaited
    asked.start("c")
    assert asked.cores.awaited
    asked.end("a")
    until(lambda: "c" in asked.begun)
    assert not asked.cores.awaited


def test_who_can_wait_leaves_a_core(runs):
    asked = runs(3)
    for name in "abc":
        asked.start(name, patient=True)
    assert asked.begun == ["a", "b"]
    asked.start("d")
    assert asked.begun == ["a", "b", "d"]


def test_a_lone_run_has_all_threads():
    cores = Cores(4)
    with cores.one() as threads:
        assert threads == 4
        with cores.one() as more:
            assert more == 1
    with cores.one(patient=True) as threads:
        assert threads == 1
        with cores.one() as more:
            assert more == 4


def test_a_patient_run_stands_still_while_a_lone_one_has_all_cores(runs):
    asked = runs(4)
    with asked.cores.one(patient=True):
        asked.start("alone")
        assert asked.begun == ["alone"]
        threading.Timer(0.1, asked.end, ["alone"]).start()
        assert asked.cores.give_way()
        assert not asked.cores._in_use[False]
        # Two that are not patient have a core each, and leave it the others.
        for name in "ab":
            asked.start(name)
        assert asked.cores.give_way(stopped=lambda: pytest.fail("it waited"))


def test_what_is_not_wanted_any_more_waits_no_longer():
    cores = Cores(1)
    with cores.one(), cores.one(stopped=lambda: True) as threads:
        assert threads == 0
    with cores.one() as threads:
        assert threads == 1


def test_a_patient_run_lends_its_core_and_gets_it_back(runs):
    asked = runs(1)
    with asked.cores.one(patient=True):
        assert asked.cores.give_way()  # nobody waits
        asked.start("urgent")
        assert asked.begun == []
        threading.Timer(0.1, asked.end, ["urgent"]).start()
        assert asked.cores.give_way()
        assert asked.begun == ["urgent"]
    with asked.cores.one() as threads:
        assert threads == 1


def test_a_patient_run_that_lent_its_core_can_be_given_up(runs):
    asked = runs(1)
    with asked.cores.one(patient=True):
        asked.start("urgent")
        assert not asked.cores.give_way(stopped=lambda: True)
    asked.end("urgent")
    with asked.cores.one() as threads:
        assert threads == 1
