"""`srdi bench`: the parts of the quarter are the model's own, and the command tells every figure it promises."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import tables_equal

from benchmarks import arithmetic, bandwidth, fresh_process, memory, phases, suite, whole_step
from benchmarks.command import bench
from benchmarks.performance import BEGIN, END, with_tables
from benchmarks.stages import COUNTING, ClockedModel, StagedPass, staged_pass
from benchmarks.suite import ALL_SMES, TARGETS, Plan
from scenarios.cli import main
from scenarios.errors import InputError
from sim.firms.columns import BYTES_PER_SLOT, COLUMNS
from sim.model import SRDIModel

SCALE = 0.001
CALL = fresh_process.call
TINY = Plan(
    sizes={"3000": 1, "national": 1, ALL_SMES: 1},
    national_scale=SCALE,
    until=2020,
    contest_firms=3000,
    contest_rounds=1,
    profile_firms=3000,
    profile_repeats=1,
    triad_elements=10_000,
    triad_repeats=1,
    start_scale=SCALE,
    start_repeats=1,
    overhead_scale=SCALE,
    overhead_replicates=1,
    overhead_rounds=1,
)
PROMISED = {
    "firm_quarter_ns": dict,
    "mesa_ratio": float,
    "bandwidth_ratio": float,
    "arithmetic_ratio": float,
    "thread_speedup": float,
    "bytes_per_firm": dict,
    "peak_gib": type(None),  # 52 million are not measured here
    "ensemble_overhead": float,
    "cold_start_cpu_s": float,
    "warm_start_cpu_s": float,
    "import_cpu_s": float,
    "flatness": float,
    "profile": dict,
    "machine": dict,
    "targets": list,
}


# --- the quarter in parts


def test_the_staged_pass_has_the_phases_of_the_engine_and_gives_its_bits():
    _, names = staged_pass()
    assert len(set(names)) == len(names)
    assert names[-1] == COUNTING
    plain, staged = (SRDIModel(scale=SCALE, rng=1, until=2020) for _ in range(2))
    StagedPass(staged)
    plain.run_model()
    staged.run_model()
    assert tables_equal(plain, staged)


def test_a_pass_that_stops_early_leaves_the_rest_undone():
    model = SRDIModel(scale=SCALE, rng=1)
    staged = StagedPass(model)
    staged.depth = 0
    before = [column.copy() for column in model.firms.columns]
    model.step()
    changed = {
        column.name for column, old, new in zip(COLUMNS, before, model.firms.columns, strict=True) if (old != new).any()
    }
    assert not changed & {"employment", "revenue", "age", "digital"}


def test_a_clocked_model_is_the_model_and_its_parts_are_named_as_in_the_step():
    plain, clocked = (SRDIModel(scale=SCALE, rng=1, until=2020) for _ in range(2))
    plain.run_model()
    clock = ClockedModel(clocked)
    while clocked.running:
        clock.step()
    assert tables_equal(plain, clocked)
    assert {whole_step.PASS, "take_stock", "ministry.step", "record"} <= set(clock.parts)
    assert {"advance", "take_orders", "count_certified"} <= set(clock.kernels)
    assert sum(clock.kernels.values()) < sum(clock.parts.values())


def test_the_time_by_phase_covers_every_phase():
    costs = phases.profile(SCALE, repeats=1, quarters_before=4)
    assert list(costs) == [phases.LOOP, *staged_pass()[1]]
    assert sum(costs.values()) > 0


def test_of_each_quarter_the_quickest_take_counts():
    def take(firms, seconds):
        return {"firms": firms, "parts": {"a": seconds, "b": 1.0}, "kernels": {}}

    runs = [{"quarters": [take(10, 1.0), take(30, 5.0)]}, {"quarters": [take(10, 2.0), take(30, 3.0)]}]
    assert whole_step.nanoseconds(whole_step.best_quarters(runs)) == pytest.approx(1e9 * (2.0 + 4.0) / 40)


# --- memory and bandwidth


def test_the_bytes_of_a_pass_come_from_the_columns():
    moved = bandwidth.bytes_moved(SCALE)
    assert moved["read"] == BYTES_PER_SLOT
    # Age and seven float32 columns of every living firm change each quarter.
    assert 2 + 7 * 4 < moved["written"] < BYTES_PER_SLOT


def test_a_column_is_written_by_lines():
    before = np.zeros(4 * 16, dtype=np.float32)
    after = before.copy()
    after[[17, 18]] = 1.0
    assert bandwidth.lines_changed(before, before) == 0.0
    assert bandwidth.lines_changed(before, after) == 0.25


@pytest.mark.slow
def test_the_operations_of_a_pass_are_counted_and_timed():
    counts = arithmetic.operations(0.0005)
    # At least for exit, credit, capability, customer, growth and productivity.
    assert set(counts) == set(arithmetic.OPERATIONS) == set(arithmetic.nanoseconds(threads=1, repeats=1, rounds=10))
    assert all(3.0 < number < 20.0 for number in counts.values())


def test_peak_memory_grows_with_what_is_held():
    before = memory.resident_bytes()
    block = np.ones(30_000_000)
    assert memory.peak_bytes() > before + 0.5 * block.nbytes
    assert memory.resident_bytes() <= memory.peak_bytes() <= memory.machine_bytes()


# --- processes of their own


def test_a_function_is_called_in_a_fresh_process_and_its_failure_is_reported():
    assert 0.0 < fresh_process.call("benchmarks.startup:import_model") < 60.0
    with pytest.raises(fresh_process.JobFailed, match="scale"):
        fresh_process.call("benchmarks.whole_step:measure", scale=-1.0, until=2020, threads=1)


# --- the command


def in_this_process(function, environment=None, **arguments):
    """`fresh_process.call` without the process, which takes seconds to start; it is needed for another environment."""
    if environment:
        return CALL(function, environment, **arguments)
    module, name = function.split(":")
    return json.loads(json.dumps(getattr(importlib.import_module(module), name)(**arguments)))


@pytest.fixture
def tiny(monkeypatch):
    """The suite at a tiny size on a machine too small for 52 million firms."""
    monkeypatch.setattr(suite, "QUICK", TINY)
    monkeypatch.setattr(suite, "machine_bytes", lambda: 2**30)


def test_the_command_tells_every_figure_and_what_it_could_not_measure(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(fresh_process, "call", in_this_process)
    starts = {"cold_start_cpu_s": 31.0, "warm_start_cpu_s": 2.0, "compile_rest_cpu_s": 9.0, "import_cpu_s": 1.0}
    monkeypatch.setattr("benchmarks.startup.start_up", lambda scale, repeats: starts)
    monkeypatch.setattr("benchmarks.startup.ensemble_overhead", lambda *arguments: 1.05)
    monkeypatch.setattr(arithmetic, "operations", lambda scale: dict.fromkeys(arithmetic.OPERATIONS, 6.0))
    out = tmp_path / "bench.json"
    done = CliRunner().invoke(bench, ["--quick", "--json", "--out", str(out)], catch_exceptions=False)
    results = json.loads(done.stdout.splitlines()[-1])
    assert results == json.loads(out.read_text(encoding="utf-8"))
    for key, kind in PROMISED.items():
        assert isinstance(results[key], kind), key
    assert set(results["firm_quarter_ns"]) == {"3000", "national", ALL_SMES}
    assert set(results["bytes_per_firm"]) == {"national", ALL_SMES}
    assert results["missing"] == {ALL_SMES: "this machine has less than 12 GiB of memory"}
    assert set(results["profile"]) == {"step", "kernels", "pass"}
    assert set(results["profile"]["step"]) == {"3000", "national"}
    assert sum(results["profile"]["step"]["3000"].values()) == pytest.approx(results["firm_quarter_ns"]["3000"])
    rows = {row["id"]: row for row in results["targets"]}
    assert set(rows) == {target.id for target in TARGETS}
    assert rows["ensemble_overhead"]["ok"]
    assert not rows["cold_start_cpu_s"]["ok"]
    assert not rows["peak_gib"]["ok"]
    for row in rows.values():
        assert row["label"] in done.stderr
    assert "not measured" in done.stderr
    page = with_tables(f"# Speed\n\n{BEGIN}\nold\n{END}\n\nMore.\n", results)
    assert page.startswith("# Speed")
    assert page.endswith(f"{END}\n\nMore.\n")
    assert "old" not in page
    assert "52,000,000 firms were not measured: this machine has less than 12 GiB of memory." in page
    assert all(f"| {row['label']} | " in page for row in rows.values())
    with pytest.raises(InputError, match="interrupted"):
        with_tables(page, results | {"interrupted": True})


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_an_interrupt_keeps_the_parts_that_are_finished(tiny, monkeypatch, tmp_path, stage):
    starts = {"cold_start_cpu_s": 31.0, "warm_start_cpu_s": 2.0, "compile_rest_cpu_s": 9.0, "import_cpu_s": 1.0}
    answers = iter([starts, {"engine": 10.0, "mesa": 6400.0}])

    def measured(*_, **__):
        answer = next(answers, None)
        if answer is None or done.append(answer) or len(done) > stage:
            raise KeyboardInterrupt
        return answer

    done: list[dict] = []
    monkeypatch.setattr(fresh_process, "call", measured)
    monkeypatch.setattr("benchmarks.startup.start_up", measured)
    out = tmp_path / "bench.json"
    answer = CliRunner().invoke(main, ["bench", "--quick", "--json", "--out", str(out)])
    assert answer.exit_code == 130, answer.stderr
    assert answer.stdout == ""
    if not stage:
        assert "interrupted; nothing has been measured yet" in answer.stderr
        assert not out.exists()
        return
    results = json.loads(out.read_text(encoding="utf-8"))
    assert results["interrupted"]
    assert results["warm_start_cpu_s"] == 2.0
    ids = ["cold_start_cpu_s", "warm_start_cpu_s"]
    assert [row["id"] for row in results["targets"]] == (["mesa_ratio", *ids] if stage == 2 else ids)
    assert ("Core step: engine and plain Mesa" in answer.stderr) == (stage == 2)
    assert "interrupted; the parts above are finished, the others are missing" in answer.stderr


@pytest.mark.slow
def test_every_stage_runs_in_processes_of_its_own(tiny):
    done = CliRunner().invoke(bench, ["--quick", "--json"], catch_exceptions=False)
    results = json.loads(done.stdout.splitlines()[-1])
    assert results["warm_start_cpu_s"] < results["cold_start_cpu_s"]
    assert results["import_cpu_s"] < results["warm_start_cpu_s"]


def test_a_result_file_that_cannot_be_written_is_refused_before_measuring(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        CliRunner().invoke(bench, ["--out", str(tmp_path / "none" / "bench.json")], catch_exceptions=False)
