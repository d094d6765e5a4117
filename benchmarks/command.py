"""The command ``srdi bench``, found through the entry-point group ``srdi.commands``.

Only click is imported at the top, because ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import echo
from scenarios.commands.options import json_option, print_json, table_console

if TYPE_CHECKING:
    from rich.console import Console

    from benchmarks.suite import Suite
    from scenarios.display.screen import Cells


@click.command()
@click.option("--quick", is_flag=True, help="Fewer repeats, and without 52 million firms.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="JSON file to write.")
@click.option("--track", is_flag=True, help="Append the measurements to the history, as one line.")
@click.option("--against", is_flag=True, help="Compare with the last tracked measurement.")
@click.option(
    "--history",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="History to use (default: benchmarks/history.jsonl).",
)
@json_option
def bench(quick: bool, out: Path | None, track: bool, against: bool, history: Path | None, as_json: bool) -> None:
    """Measure speed, memory and start-up of the model on this machine, against plain Mesa and targets.

    Takes nine to sixteen minutes and up to 12 GiB of memory, with --quick about five minutes and 2 GiB. Other load on
    the machine distorts the results. With --json the tables go to stderr. --against compares with the last
    measurement of the same kind (--quick or not) on the same machine, and marks what is worse by more than noise.
    Ctrl-C prints what has been measured and writes it to --out, but does not track it.

    \b
    Example:
      srdi bench --quick
      srdi bench --json --out bench.json
      srdi bench --track --against
    """
    from benchmarks import history as tracked
    from scenarios.errors import InputError

    if track and not history and not tracked.commit():
        raise InputError("--track needs --history FILE outside a checkout of the project")
    history = history or tracked.HISTORY
    from scenarios.records.storage import refuse_unwritable

    for file in (out, history if track else None):
        if file:
            refuse_unwritable(file)
    before = tracked.read_history(history) if track or against else []
    commit = tracked.commit()
    from benchmarks.suite import FULL, QUICK, Suite

    suite = Suite(QUICK if quick else FULL)
    try:
        results = run_suite(suite)
    except KeyboardInterrupt:
        _keep(suite.so_far(), out, table_console(as_json))
        raise
    new = tracked.measurement(results, quick, commit)
    if against:
        results["against"] = tracked.compare(before, new).model_dump(mode="json")
    if track:
        tracked.append(new, history)
    if out:
        from scenarios.records.storage import write_json

        write_json(results, out)
    from scenarios.display.screen import print_path, say

    screen = table_console(as_json)
    _print_tables(results, screen)
    for size, reason in results["missing"].items():
        say(screen, f"{int(size):,} firms were not measured: {reason}")
    if against and not results["against"]["last"]:
        print_path(screen, "No measurement of this kind on this machine is in", history)
    if out:
        print_path(screen, "Results in", out)
    if track:
        print_path(screen, "Tracked in", history)
    if as_json:
        print_json(results)


def _keep(results: dict, out: Path | None, screen: Console) -> None:
    """Print and write what an interrupted suite has measured."""
    from scenarios.display.screen import print_path

    measured = _print_tables(results, screen)
    if measured and out:
        from scenarios.records.storage import write_json

        write_json(results, out)
        print_path(screen, "Results so far in", out)
    note = "the parts above are finished, the others are missing" if measured else "nothing has been measured yet"
    echo(f"srdi: interrupted; {note}", err=True)


def _print_tables(results: dict, screen: Console) -> int:
    """Print the tables of what has been measured, and return how many there are."""
    from scenarios.display.screen import print_table

    tables = result_tables(results)
    for table in tables:
        print_table(table, screen)
        screen.print()
    return len(tables)


def run_suite(suite: Suite) -> dict:
    """Run all stages of a suite, with a progress bar on stderr if that is a terminal."""
    with contextlib.ExitStack() as stack:
        stages = suite.stages()
        announce, done = _progress(stack, len(stages))
        for label, measure in stages:
            announce(label)
            measure()
            done()
    return suite.finish()


def _progress(stack: contextlib.ExitStack, stages: int) -> tuple[Callable[[str], None], Callable[[], None]]:
    """Callbacks for the start, with a label, and the end of each stage."""
    if not sys.stderr.isatty():
        return (lambda label: None), (lambda: None)
    from scenarios.display.screen import progress

    bar = stack.enter_context(progress(elapsed=True))
    task = bar.add_task("", total=stages)
    return (lambda label: bar.update(task, description=label)), (lambda: bar.advance(task))


def result_tables(results: dict) -> list[Cells]:
    """The results as tables: compared with the targets, by size, by version, by part of the quarter.

    Tables without a measurement, as in an interrupted suite, are left out.
    """
    profile = results["profile"]
    parts = (
        (_targets, results["targets"]),
        (_against, results.get("against", {}).get("last")),
        (_sizes, [cost for cost in results.get("build_seconds", {}).values() if cost is not None]),
        (_core_step, results.get("core_step_ns")),
        (_limit, results.get("arithmetic")),
        (_step, profile["step"]),
        (_kernels, profile.get("kernels")),
        (_pass, profile.get("pass")),
    )
    return [table(results) for table, measured in parts if measured]


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Cells:
    """A table with names in the first column and values in the others."""
    from scenarios.display.screen import Cells

    return Cells(title, (heads[0], *(f">{head}" for head in heads[1:])), rows)


def _targets(results: dict) -> Cells:
    machine, rows = results["machine"], []
    for row in results["targets"]:
        sign = "≥" if row["at_least"] else "≤"
        limit = f"{sign} {row['limit']:g} {row['unit']}"
        value = "not measured" if row["measured"] is None else f"{_value_text(row['measured'])} {row['unit']}"
        rows.append((row["label"], value, limit, "yes" if row["ok"] else "no"))
    description = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    return _table(f"{description}; {results['threads']} threads", ("What", "Measured", "Target", "Ok"), rows)


def _against(results: dict) -> Cells:
    """The last tracked values and the new ones; a change within noise has no verdict."""
    targets, rows = {row["id"]: row for row in results["targets"]}, []
    for change in results["against"]["changes"]:
        row = targets[change["id"]]
        values = (
            f"{_value_text(value)} {row['unit']}" if value else "–" for value in (change["before"], change["now"])
        )
        moved = "–" if change["change"] is None else f"{100 * change['change']:+.1f} %"
        rows.append((row["label"], *values, moved, f"{100 * change['noise']:.0f} %", change["verdict"]))
    last, tracked = results["against"]["last"], results["against"]["tracked"]
    title = f"Against {last['date']:.10}, commit {last['commit'] or 'unknown'}, the last of {tracked} tracked"
    return _table(title, ("What", "Last", "Now", "Change", "Noise", "Verdict"), rows)


def _size(name: str) -> str:
    return f"{int(name):,}" if name.isdigit() else name


def _sizes(results: dict) -> Cells:
    rows = [
        (_size(size), f"{cost:.1f}", f"{results['build_seconds'][size]:.1f}")
        for size, cost in results["firm_quarter_ns"].items()
        if cost is not None
    ]
    return _table("Whole step by size", ("Firms", "ns per firm-quarter", "Set-up s"), rows)


def _limit(results: dict) -> Cells:
    limit, arithmetic = results["bandwidth"], results["arithmetic"]
    rows = [
        ("Read, every column once", f"{limit['bytes_read_per_slot']:.0f} B per slot"),
        ("Written, lines that change", f"{limit['bytes_written_per_slot']:.0f} B per slot"),
        ("STREAM triad", f"{limit['triad_gb_per_s']:.1f} GB/s"),
        ("Memory limit", f"{limit['limit_ns_per_slot']:.2f} ns per slot"),
        *(
            (f"Each {name}, of which {number:.1f} per slot", f"{arithmetic['ns'][name]:.2f} ns")
            for name, number in arithmetic["per_slot"].items()
        ),
        ("Arithmetic limit", f"{arithmetic['limit_ns_per_slot']:.2f} ns per slot"),
        ("Pass", f"{limit['pass_ns_per_slot']:.2f} ns per slot"),
    ]
    return _table("Limits of the pass over firms at 1:1", ("What", "Measured"), rows)


def _core_step(results: dict) -> Cells:
    rows = [
        (name.replace("_counting", ", counting too"), f"{cost:,.1f}") for name, cost in results["core_step_ns"].items()
    ]
    return _table("Core step: engine and plain Mesa", ("Version", "ns per firm-quarter"), rows)


def _step(results: dict) -> Cells:
    """Parts of the whole step by size, in model order; parts that are small at every size are summed."""
    sizes = results["profile"]["step"]
    names = list(next(iter(sizes.values())))
    large = [name for name in names if any(step[name] >= 0.01 * sum(step.values()) for step in sizes.values())]
    others = [name for name in names if name not in large]
    rows = [(name, *(f"{step[name]:.2f}" for step in sizes.values())) for name in large]
    rows.append((f"{len(others)} others", *(f"{sum(step[name] for name in others):.2f}" for step in sizes.values())))
    return _table("Whole step by part of SRDIModel.step, ns per firm-quarter", ("Part", *map(_size, sizes)), rows)


def _kernels(results: dict) -> Cells:
    kernels = results["profile"]["kernels"]
    by_cost = dict(sorted(kernels.items(), key=lambda item: -item[1]))
    return _shares("Kernels over firms at 1:1", "Kernel", by_cost)


def _pass(results: dict) -> Cells:
    title = "Pass over firms by phase of advance in sim/engine.py, on 1 thread"
    return _shares(title, "Phase", results["profile"]["pass"])


def _shares(title: str, head: str, costs: dict[str, float]) -> Cells:
    """Costs in nanoseconds per firm-quarter, with their shares of the total."""
    whole = sum(costs.values())
    rows = [(name, f"{cost:.2f}", f"{100 * cost / whole:.0f} %") for name, cost in costs.items()]
    return _table(title, (head, "ns per firm-quarter", "Share"), rows)


def _value_text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
