"""Runs for the page: bit-identical to the command line; the newest request wins, and nobody waits for others."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from scenarios import load_scenario, run_ensemble
from scenarios.analysis.metrics import COST_PARTS, CUMULATIVE_COST, with_derived
from viz.live.gathered import GatheredResults
from viz.live.measures import by_key, course, effect, national, quarters, spending_by_lever
from viz.live.session import Status, Worker

SCALE, UNTIL, MEMBERS = 0.002, 2027, 2


def policy(*settings: str):
    return load_scenario("baseline", settings).model_copy(update={"name": "policy"})


INCUBATION = "levers.incubation.enabled=true"
MORE_AWARDS = "levers.little_giant_awards.budget_yuan=20e9"


def asked(worker_arguments: dict, runner, requests, until, seconds=60.0):
    """All whole answers of a worker to requests until a stage is reached, and its statuses."""
    answers, stages, done = [], [], threading.Event()

    def say(status: Status) -> None:
        stages.append(status)
        if status.stage == until:
            done.set()

    worker = Worker(runner, answers.append, say, **worker_arguments)
    worker.start()
    try:
        requests(worker)
        assert done.wait(seconds), stages
    finally:
        worker.close()
    return [answer for answer in answers if answer.reached is None], stages


def test_members_are_the_runs_of_the_command_line(runner, tmp_path):
    scenario = policy(INCUBATION, MORE_AWARDS)
    members = range(1, MEMBERS + 1)
    runs = {
        "policy": [runner.run(scenario.policy, member) for member in members],
        "baseline": [runner.baseline_run(member) for member in members],
    }
    gathered = GatheredResults(runner, [scenario, runner.baseline], runs)
    written = run_ensemble(
        [scenario, load_scenario("baseline")],
        out=tmp_path / "out",
        replicates=MEMBERS,
        scale=SCALE,
        until=UNTIL,
        seed=1,
        workers=1,
        draws=runner.draws,
    )
    for table in written.tables:
        pd.testing.assert_frame_equal(gathered.table(table), written.table(table), check_categorical=False)
    same = ("scenarios", "replicates", "scale", "seeds", "parameter_draws", "draws", "runs", "firms_at_start", "model")
    assert {key: gathered.manifest[key] for key in same} == {key: written.manifest[key] for key in same}


def test_the_central_run_is_that_of_the_command_line(runner, tmp_path):
    scenario, one = policy(MORE_AWARDS), {"replicates": 1, "scale": SCALE, "until": UNTIL, "seed": 1, "workers": 1}
    written = run_ensemble([scenario], out=tmp_path / "out", draws=runner.central, **one)
    run = runner.run(scenario.policy, 0)
    np.testing.assert_array_equal(run.tables["national"]["little_giants"], written.national["little_giants"])
    assert len(run.tables["firms"]["quarter"])
    assert len(run.links.slot)


def test_a_policy_that_does_nothing_is_the_baseline_itself(runner):
    assert runner.run(policy("levers.incubation.budget_yuan=1e9").policy, 0) is runner.baseline_run(0)


def test_parameters_of_a_scenario_are_run_from_the_start(runner):
    scenario = policy("parameters.rd_urban=0.5")
    run = runner.run(scenario.policy, 0)
    assert not np.array_equal(national(run, "rd_true_yuan"), national(runner.baseline_run(0), "rd_true_yuan"))


def test_a_stopped_run_gives_nothing(runner):
    asked_times = []

    def stopped() -> bool:
        asked_times.append(None)
        return len(asked_times) > 3

    assert runner.run(policy(INCUBATION).policy, 0, stopped) is None
    assert len(asked_times) == 4


def test_many_at_once_get_their_own_numbers(runner):
    """Twenty readers with different grants, and each the number it would get alone."""
    policies = [policy(f"levers.cluster_recognition.commons_yuan={reader}e6") for reader in range(1, 21)]

    def spending(one):
        return national(runner.run(one.policy, 0), "public_spending_cumulative_yuan")

    with ThreadPoolExecutor(20) as readers:
        together = list(readers.map(spending, policies))
    for each, spent in zip(policies, together, strict=True):
        np.testing.assert_array_equal(spent, spending(each))
    ends = [spent[-1] for spent in together]
    assert ends == sorted(ends)
    assert len(set(ends)) == 20


def test_the_worker_answers_at_once_and_then_with_intervals(runner):
    quick = {"rest": 0.0, "patience": 0.0}
    answers, stages = asked(quick, runner, lambda worker: worker.ask(policy(INCUBATION)), "done")
    assert [len(answer.runs) for answer in answers] == [0, MEMBERS]
    assert [status.stage for status in stages] == ["central", "waiting", *["ensemble"] * MEMBERS, "done"]
    assert answers[1].central is answers[0].central


def test_the_newest_wish_wins(runner):
    def requests(worker):
        for budget in range(11, 31):
            worker.ask(policy(f"levers.little_giant_awards.budget_yuan={budget}e9"))
            time.sleep(0.005)

    answers, _ = asked({"rest": 0.0}, runner, requests, "done")
    last = answers[-1]
    assert last.number == 20
    assert last.scenario.levers.little_giant_awards.budget_yuan == 30e9
    assert len(answers) < 20
    numbers = [answer.number for answer in answers]
    assert numbers == sorted(numbers)


def test_an_ensemble_is_cancelled_and_what_is_known_stays(runner):
    def requests(worker):
        worker.ask(policy(INCUBATION))
        time.sleep(0.05)
        worker.cancel()

    answers, stages = asked({"rest": 30.0}, runner, requests, "cancelled")
    assert [len(answer.runs) for answer in answers] == [0]
    assert stages[-1].stage == "cancelled"


def test_a_run_that_fails_is_a_message_and_the_worker_goes_on(runner, monkeypatch):
    right = runner.run

    def wrong(asked_policy, *arguments, **options):
        if asked_policy.levers.incubation.enabled:
            raise MemoryError("no room")
        return right(asked_policy, *arguments, **options)

    monkeypatch.setattr(runner, "run", wrong)
    answers, stages, failed, done = [], [], threading.Event(), threading.Event()

    def say(status):
        stages.append(status)
        (failed if status.stage == "failed" else threading.Event()).set()
        (done if status.stage == "done" else threading.Event()).set()

    worker = Worker(runner, answers.append, say, rest=0.0)
    worker.start()
    worker.ask(policy(INCUBATION))
    assert failed.wait(30)
    assert "no room" in str(stages[-1].fault)
    worker.ask(policy(MORE_AWARDS))
    assert done.wait(60)
    worker.close()
    assert len([answer for answer in answers if answer.reached is None]) == 2


def test_measures_are_those_of_the_tables(runner):
    answers, _ = asked({"rest": 0.0}, runner, lambda worker: worker.ask(policy(MORE_AWARDS)), "done")
    first, last = answers
    frame = pd.DataFrame(first.central.tables["national"]).assign(scenario="policy", draw=0, replicate=0)
    derived = with_derived(frame)
    for quantity in (CUMULATIVE_COST, "genuine_little_giants", "genuine_srdi_smes", "little_giants"):
        np.testing.assert_allclose(national(first.central, quantity), derived[quantity], rtol=1e-12)
    labels = quarters(first.central)
    assert (labels[0], labels[1], labels[-1]) == ("2018Q4", "2019Q1", f"{UNTIL}Q4")
    assert course(first, "little_giants").fan is None
    shown = course(last, "little_giants")
    assert list(shown.fan) == [0.05, 0.25, 0.5, 0.75, 0.95]
    assert (np.diff(np.stack(list(shown.fan.values())), axis=0) >= 0).all()
    found = effect(last, CUMULATIVE_COST)
    assert found.pairs == MEMBERS
    assert found.difference.low <= found.difference.mean <= found.difference.high
    assert found.difference.mean == pytest.approx(found.value - found.baseline)
    years, money = spending_by_lever(last.runs)
    assert years[0] == "2019"
    assert len(years) == UNTIL - 2018
    spent = effect(last, COST_PARTS["lever"]).value
    assert sum(each.sum() for each in money.values()) == pytest.approx(spent)
    assert found.value > spent
    provinces, matrix = by_key(first.central, "province", "province", "little_giants")
    assert matrix.shape == (len(labels), 31)
    assert provinces[0] == "Beijing"
    np.testing.assert_allclose(matrix.sum(axis=1), national(first.central, "little_giants"))
