"""The command ``srdi bench``, found by the command line through the entry-point group ``srdi.commands``.

Only click is imported at once: ``srdi --help`` loads this file.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.options import json_option, last_line, screen_of

if TYPE_CHECKING:
    from benchmarks.suite import Suite
    from scenarios.display.screen import Cells


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
    """Measure speed, memory and start-up of the model on this machine, against plain Mesa and targets.

    Takes about nine minutes and up to 12 GiB of memory, with --quick about three minutes and 2 GiB. Other load
    on the machine falsifies the figures. With --json the tables go to stderr. --against takes the last
    measurement of the same kind (--quick or not) on the same machine, and marks what is worse by more than noise.

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

    results = measured(Suite(QUICK if quick else FULL))
    new = tracked.measurement(results, quick, commit)
    if against:
        results["against"] = tracked.compare(before, new).model_dump(mode="json")
    if track:
        tracked.append(new, history)
    if out:
        from scenarios.records.storage import write_json

        write_json(results, out)
    from scenarios.display.screen import print_table, say, say_where

    screen = screen_of(as_json)
    for table in tables(results):
        print_table(table, screen)
        screen.print()
    for size, reason in results["missing"].items():
        say(screen, f"{int(size):,} firms were not measured: {reason}")
    if against and not results["against"]["last"]:
        say_where(screen, "Nothing of this kind was tracked on this machine in", history)
    if out:
        say_where(screen, "Results in", out)
    if track:
        say_where(screen, "Tracked in", history)
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
    from scenarios.display.screen import progress

    bar = stack.enter_context(progress(elapsed=True))
    task = bar.add_task("", total=stages)
    return (lambda label: bar.update(task, description=label)), (lambda: bar.advance(task))


def tables(results: dict) -> list[Cells]:
    """The results for readers: against the targets, by size, by version, by part of the quarter."""
    found = [
        _targets(results),
        _sizes(results),
        _core_step(results),
        _limit(results),
        _step(results),
        _kernels(results),
        _pass(results),
    ]
    if results.get("against", {}).get("last"):
        found.insert(1, _against(results))
    return found


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Cells:
    """A table with names on the left and figures beside them."""
    from scenarios.display.screen import Cells

    return Cells(title, (heads[0], *(f">{head}" for head in heads[1:])), rows)


def _targets(results: dict) -> Cells:
    machine, rows = results["machine"], []
    for row in results["targets"]:
        sign = "≥" if row["at_least"] else "≤"
        limit = f"{sign} {row['limit']:g} {row['unit']}"
        measured = "not measured" if row["measured"] is None else f"{_figure(row['measured'])} {row['unit']}"
        rows.append((row["label"], measured, limit, "yes" if row["ok"] else "no"))
    place = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
    return _table(f"{place}; {results['threads']} threads", ("What", "Measured", "Target", "Ok"), rows)


def _against(results: dict) -> Cells:
    """The last tracked figures beside the new ones; a change within noise has no verdict."""
    targets, rows = {row["id"]: row for row in results["targets"]}, []
    for change in results["against"]["changes"]:
        row = targets[change["id"]]
        values = (f"{_figure(value)} {row['unit']}" if value else "–" for value in (change["before"], change["now"]))
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
    limit = results["bandwidth"]
    rows = [
        ("Read, every column once", f"{limit['bytes_read_per_slot']:.0f} B per slot"),
        ("Written, lines that change", f"{limit['bytes_written_per_slot']:.0f} B per slot"),
        ("STREAM triad", f"{limit['triad_gb_per_s']:.1f} GB/s"),
        ("Limit", f"{limit['limit_ns_per_slot']:.2f} ns per slot"),
        ("Pass", f"{limit['pass_ns_per_slot']:.2f} ns per slot"),
    ]
    return _table("Memory limit of the pass over firms at 1:1", ("What", "Measured"), rows)


def _core_step(results: dict) -> Cells:
    rows = [
        (name.replace("_counting", ", counting too"), f"{cost:,.1f}") for name, cost in results["core_step_ns"].items()
    ]
    return _table("Core step: engine and plain Mesa", ("Version", "ns per firm-quarter"), rows)


def _step(results: dict) -> Cells:
    """Parts of the whole step by size, in model order; those that are small at every size are summed up."""
    sizes = results["profile"]["step"]
    parts = list(next(iter(sizes.values())))
    shown = [name for name in parts if any(step[name] >= 0.01 * sum(step.values()) for step in sizes.values())]
    others = [name for name in parts if name not in shown]
    rows = [(name, *(f"{step[name]:.2f}" for step in sizes.values())) for name in shown]
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
    """Costs in nanoseconds per firm-quarter, with their shares of the sum."""
    whole = sum(costs.values())
    rows = [(name, f"{cost:.2f}", f"{100 * cost / whole:.0f} %") for name, cost in costs.items()]
    return _table(title, (head, "ns per firm-quarter", "Share"), rows)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
