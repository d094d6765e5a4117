"""The command ``srdi bench``, found by the command line through the entry-point group ``srdi.commands``.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.options import console, json_option, last_line

if TYPE_CHECKING:
    from rich.table import Table

    from benchmarks.suite import Suite


@click.command()
@click.option("--quick", is_flag=True, help="Fewer repeats, and without 52 million firms.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="JSON file to write.")
@click.option("--track", is_flag=True, help="Append the figures to the history, as one line.")
@click.option("--against", is_flag=True, help="Print the last tracked figures beside the new ones.")
@click.option(
    "--history",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="History to use (default: benchmarks/history.jsonl).",
)
@json_option
def bench(quick: bool, out: Path | None, track: bool, against: bool, history: Path | None, as_json: bool) -> None:
    """Measure speed, memory and start-up of the model on this machine, against yardsticks and targets.

    Takes about nine minutes and up to 12 GiB of memory, with --quick about three minutes and 2 GiB. Other load
    on the machine falsifies the figures. With --json the tables go to stderr. --against takes the last
    measurement of the same kind (--quick or not) on the same machine, and marks what is worse by more than noise.

    \b
    Example:
      srdi bench --quick
      srdi bench --json --out bench.json
      srdi bench --track --against
    """
    from scenarios.errors import InputError, require_extra

    require_extra("srdi bench", "bench", "polars")
    from benchmarks import history as tracked

    if track and not history and not tracked.commit():
        raise InputError("--track needs --history FILE outside a checkout of the project")
    history = history or tracked.HISTORY
    # A measurement of minutes should not fail at its last line.
    for file in (out, history if track else None):
        if file and not os.access(file if file.exists() else file.absolute().parent, os.W_OK):
            raise InputError(f"{file} cannot be written")
    before = tracked.read_history(history) if track or against else []
    commit = tracked.commit()
    from benchmarks.suite import FULL, QUICK, Suite

    results = measured(Suite(QUICK if quick else FULL))
    new = tracked.measurement(results, quick, commit)
    if against:
        results["against"] = tracked.compare(before, new).model_dump(mode="json")
    if track:
        tracked.append(new, history)
    if out:
        from scenarios.storage import write_json

        write_json(results, out)
    screen = console(as_json, width=120)
    for title, table in tables(results):
        screen.print(title, style="italic", highlight=False)
        screen.print(table)
        screen.print()
    if against and not results["against"]["last"]:
        screen.print(f"Nothing of this kind was tracked on this machine in {history}", highlight=False)
    for size, reason in results["missing"].items():
        screen.print(f"{int(size):,} firms were not measured: {reason}", highlight=False)
    if out:
        screen.print(f"Results in {out}", highlight=False)
    if track:
        screen.print(f"Tracked in {history}", highlight=False)
    if as_json:
        last_line(results)


def measured(suite: Suite) -> dict:
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
    """Callbacks for the begin, with a label, and the end of each stage."""
    if not sys.stderr.isatty():
        return (lambda label: None), (lambda: None)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
    task = bar.add_task("", total=stages)
    return (lambda label: bar.update(task, description=label)), (lambda: bar.advance(task))


def tables(results: dict) -> list[tuple[str, Table]]:
    """The results for readers, titles and tables: against the targets, by size, by version, by part of the quarter."""
    machine = results["machine"]
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    found = [
        (f"{place}; {results['threads']} threads", _targets(results)),
        ("Whole step by size", _sizes(results)),
        ("Core step: the same rules in other ways", _core_step(results)),
        ("Memory limit of the pass over firms at 1:1", _limit(results)),
        ("Whole step by part of SRDIModel.step, ns per firm-quarter", _step(results)),
        ("Kernels over firms at 1:1", _kernels(results)),
        ("Pass over firms by phase of advance in sim/engine.py, on 1 thread", _pass(results)),
    ]
    if results.get("against", {}).get("last"):
        found.insert(1, _against(results))
    return found


def _table(first: str, *others: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _targets(results: dict) -> Table:
    table = _table("What", "Measured", "Target", "Ok")
    for row in results["targets"]:
        sign = "≥" if row["at_least"] else "≤"
        limit = f"{sign} {row['limit']:g} {row['unit']}"
        measured = "not measured" if row["measured"] is None else f"{_figure(row['measured'])} {row['unit']}"
        table.add_row(row["label"], measured, limit, "yes" if row["ok"] else "no")
    return table


def _against(results: dict) -> tuple[str, Table]:
    """Title and table of the last tracked figures beside the new ones; a change within noise has no verdict."""
    table = _table("What", "Last", "Now", "Change", "Noise", "Verdict")
    rows = {row["id"]: row for row in results["targets"]}
    for change in results["against"]["changes"]:
        row = rows[change["id"]]
        values = (f"{_figure(value)} {row['unit']}" if value else "–" for value in (change["before"], change["now"]))
        moved = "–" if change["change"] is None else f"{100 * change['change']:+.1f} %"
        table.add_row(row["label"], *values, moved, f"{100 * change['noise']:.0f} %", change["verdict"])
    last, tracked = results["against"]["last"], results["against"]["tracked"]
    return f"Against {last['date']:.10}, commit {last['commit'] or 'unknown'}, the last of {tracked} tracked", table


def _size(name: str) -> str:
    return f"{int(name):,}" if name.isdigit() else name


def _sizes(results: dict) -> Table:
    table = _table("Firms", "ns per firm-quarter", "Set-up s")
    for size, cost in results["firm_quarter_ns"].items():
        if cost is not None:
            table.add_row(_size(size), f"{cost:.1f}", f"{results['build_seconds'][size]:.1f}")
    return table


def _limit(results: dict) -> Table:
    limit = results["bandwidth"]
    table = _table("What", "Measured")
    table.add_row("Read, every column once", f"{limit['bytes_read_per_slot']:.0f} B per slot")
    table.add_row("Written, lines that change", f"{limit['bytes_written_per_slot']:.0f} B per slot")
    table.add_row("STREAM triad", f"{limit['triad_gb_per_s']:.1f} GB/s")
    table.add_row("Limit", f"{limit['limit_ns_per_slot']:.2f} ns per slot")
    table.add_row("Pass", f"{limit['pass_ns_per_slot']:.2f} ns per slot")
    return table


def _core_step(results: dict) -> Table:
    table = _table("Version", "ns per firm-quarter")
    for name, cost in results["core_step_ns"].items():
        table.add_row(name.replace("_counting", ", counting too"), f"{cost:,.1f}")
    return table


def _step(results: dict) -> Table:
    """Parts of the whole step by size, in model order; those that are small at every size are summed up."""
    sizes = results["profile"]["step"]
    table = _table("Part", *map(_size, sizes))
    parts = list(next(iter(sizes.values())))
    shown = [name for name in parts if any(step[name] >= 0.01 * sum(step.values()) for step in sizes.values())]
    for name in shown:
        table.add_row(name, *(f"{step[name]:.2f}" for step in sizes.values()))
    others = [name for name in parts if name not in shown]
    table.add_row(f"{len(others)} others", *(f"{sum(step[name] for name in others):.2f}" for step in sizes.values()))
    return table


def _kernels(results: dict) -> Table:
    kernels = results["profile"]["kernels"]
    return _shares("Kernel", dict(sorted(kernels.items(), key=lambda item: -item[1])))


def _pass(results: dict) -> Table:
    return _shares("Phase", results["profile"]["pass"])


def _shares(heading: str, costs: dict[str, float]) -> Table:
    """Costs in nanoseconds per firm-quarter, with their shares of the sum."""
    table = _table(heading, "ns per firm-quarter", "Share")
    whole = sum(costs.values())
    for name, cost in costs.items():
        table.add_row(name, f"{cost:.2f}", f"{100 * cost / whole:.0f} %")
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
