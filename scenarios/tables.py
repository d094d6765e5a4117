"""The tables ``srdi run`` and ``srdi effects`` print."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from scenarios.formatting import format_interval, format_number, unit_name
from scenarios.reported import compare_with_reported
from scenarios.results import Results

_ROLES = {"fit": "fitted", "check": "check", "given": "given"}
#: Columns of the ladder over time and their headings.
_LADDER = {
    "innovative_smes": "Innovative\nSMEs",
    "srdi_smes": "SRDI\nSMEs",
    "little_giants": "Little\ngiants",
    "counties_with_little_giant": "Counties with\na little giant",
    "clusters": "\nClusters",
    "digital_supported": "Digitally\nsupported",
}


def print_run(results: Results, console: Console) -> None:
    """Print what was run: reported against simulated, then the ladder over time of each scenario."""
    names = [scenario["name"] for scenario in results.manifest["scenarios"]]
    console.print(_reported_table(results, names[0]))
    console.print(_note(results), style="dim", highlight=False)
    for name in names:
        console.print()
        console.print(_ladder_table(results, name))


def _of(table: pd.DataFrame, scenario: str) -> pd.DataFrame:
    return table[table["scenario"] == scenario]


def _reported_table(results: Results, scenario: str) -> Table:
    table = Table(title=f"Reported and simulated: {scenario}", title_justify="left", box=None, pad_edge=False)
    table.add_column("Figure")  # wraps, so that no number is cut
    table.add_column("Reported", justify="right", no_wrap=True)
    table.add_column("Median", justify="right", no_wrap=True)
    table.add_column("5–95 %", justify="right", no_wrap=True)
    table.add_column("Off", justify="right", no_wrap=True)
    table.add_column("Role", no_wrap=True)
    tables = {name: _of(results.table(name), scenario) for name in ("national", "tier", "cluster")}
    rows = compare_with_reported(tables)
    for row in rows.itertuples():
        table.add_row(
            row.label,
            format_interval(row.low, row.high),
            format_number(row.median),
            format_interval(row.p05, row.p95),
            f"{100 * row.deviation:+.1f} %",
            _ROLES[row.role],
        )
    return table


def _note(results: Results) -> str:
    manifest = results.manifest
    runs = manifest["runs"] // len(manifest["scenarios"])
    return (
        "fitted: the parameters were fitted to this figure; check: not used for that; "
        "given: set from outside (the pilot batches of 2019 and 2020 as a most). "
        "Off: median against the middle of the reported interval. "
        f"{_intervals(runs, bool(manifest['parameter_draws']))} "
        f"Scale {manifest['scale']:g} ({manifest['firms_at_start']:,} firms simulated at the start; counts at 1:1), "
        f"seed {manifest['seed']}, {manifest['seconds']:.1f} s."
    )


def _intervals(runs: int, drawn: bool) -> str:
    return f"Intervals over {runs} runs {_held(drawn)}." if runs > 1 else "One run: nothing is said of luck."


def _held(drawn: bool) -> str:
    """What intervals over runs hold, with parameter draws or without."""
    return "hold luck and doubt about parameters" if drawn else "show luck only, not doubt about parameters"


def _ladder_table(results: Results, scenario: str) -> Table:
    """Year ends: medians over replicates; money summed over the year."""
    frame = _of(results.national, scenario)
    year = frame["quarter"].dt.year.rename("year")
    spending = frame.groupby(["draw", "replicate", year])["public_spending_yuan"].sum().groupby("year").median()
    ends = frame[frame["quarter"].dt.quarter == 4]
    medians = ends.groupby(ends["quarter"].dt.year).median(numeric_only=True)
    title = next(s["title"] for s in results.manifest["scenarios"] if s["name"] == scenario)
    table = Table(title=f"{scenario}: {title}", title_justify="left", box=None, pad_edge=False)
    table.add_column("\nEnd of")
    for heading in (*_LADDER.values(), "Public money in\nthe year, bn yuan"):
        table.add_column(heading, justify="right")
    for date, row in medians.iterrows():
        table.add_row(
            str(date),
            *(f"{row[name]:,.0f}" for name in _LADDER),
            f"{spending[date] / 1e9:.2f}",
        )
    return table


def print_effects(effects: pd.DataFrame, console: Console, drawn: bool = False) -> None:
    """Print the table of `scenarios.effects.run_effects`, and below it why an outcome did not move.

    Args:
        drawn: whether the runs took parameter draws.
    """
    table = Table(title="Effects at reference intensity, paired with the baseline", title_justify="left", box=None)
    for heading in ("Lever", "Outcome it acts on first", "Unit"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Baseline", "Effect", "95 % interval", "Little giants", "SRDI SMEs", "Cost bn", "M per SRDI"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in effects.itertuples():
        table.add_row(
            row.lever if row.moved else f"{row.lever} *",
            f"{row.outcome} ({row.expected})",
            unit_name(row.unit),
            format_number(row.baseline, row.unit),
            format_number(row.effect, row.unit, signed=True),
            f"{format_number(row.low, row.unit, signed=True)} … {format_number(row.high, row.unit, signed=True)}",
            _difference(row.little_giants, row.little_giants_low, row.little_giants_high),
            _difference(row.srdi_smes, row.srdi_smes_low, row.srdi_smes_high),
            f"{row.cost_yuan / 1e9:.2f}",
            format_number(row.cost_per_srdi_sme_yuan / 1e6) if pd.notna(row.cost_per_srdi_sme_yuan) else "",
        )
    console.print(table)
    for row in effects[~effects["moved"]].itertuples():
        console.print(f"* {row.lever}: {row.note}", highlight=False)
    console.print(
        "Baseline and effect: mean over the quarters in which the lever acts; little giants and SRDI SMEs: difference "
        "at the end of the run. Cost: billion yuan in all, and million yuan per additional SRDI SME where there are "
        "certainly some. "
        f"Intervals over paired runs {_held(drawn)}.",
        style="dim",
        highlight=False,
    )


def _difference(mean: float, low: float, high: float) -> str:
    return "–" if np.isnan(mean) else f"{format_number(mean, signed=True)} ± {format_number((high - low) / 2)}"
