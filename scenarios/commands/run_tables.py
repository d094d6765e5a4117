"""The tables ``srdi run`` and ``srdi effects`` print."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rich.console import Console

from scenarios.analysis.reported import compare_with_reported
from scenarios.display.formatting import format_interval, format_number, unit_name
from scenarios.display.screen import Cells, print_table, say
from scenarios.records.results import Results

_ROLES = {"fit": "fitted", "check": "check", "given": "given"}
#: Columns of the ladder over time and their headings.
_LADDER = {
    "innovative_smes": ">Innovative\nSMEs",
    "srdi_smes": ">SRDI\nSMEs",
    "little_giants": ">Little\ngiants",
    "counties_with_little_giant": ">Counties with\na little giant",
    "clusters": ">Clusters",
    "digital_supported": ">Digitally\nsupported",
}


def print_run(results: Results, console: Console) -> None:
    """Print what was run: reported against simulated, then the ladder over time of each scenario."""
    names = [scenario["name"] for scenario in results.manifest["scenarios"]]
    print_table(_reported_table(results, names[0]), console)
    say(console, _note(results), "dim")
    for name in names:
        console.print()
        print_table(_ladder_table(results, name), console)


def _of(table: pd.DataFrame, scenario: str) -> pd.DataFrame:
    return table[table["scenario"] == scenario]


def _reported_table(results: Results, scenario: str) -> Cells:
    tables = {name: _of(results.table(name), scenario) for name in ("national", "tier", "cluster")}
    rows = compare_with_reported(tables)
    return Cells(
        f"Reported and simulated: {scenario}",
        ("Figure", ">Reported", ">Median", ">5–95 %", ">Off", "Role"),
        [
            (
                row.label,
                format_interval(row.low, row.high),
                format_number(row.median),
                format_interval(row.p05, row.p95),
                f"{100 * row.deviation:+.1f} %",
                _ROLES[row.role],
            )
            for row in rows.itertuples()
        ],
    )


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
    return f"Intervals over {runs} runs {_held(drawn)}." if runs > 1 else "One run: no interval for simulation noise."


def _held(drawn: bool) -> str:
    """What intervals over runs reflect, with parameter draws or without."""
    return "reflect simulation noise and parameter uncertainty" if drawn else "reflect simulation noise only"


def _ladder_table(results: Results, scenario: str) -> Cells:
    """Year ends: medians over replicates; money summed over the year."""
    frame = _of(results.national, scenario)
    year = frame["quarter"].dt.year.rename("year")
    spending = frame.groupby(["draw", "replicate", year])["public_spending_yuan"].sum().groupby("year").median()
    ends = frame[frame["quarter"].dt.quarter == 4]
    medians = ends.groupby(ends["quarter"].dt.year).median(numeric_only=True)
    title = next(s["title"] for s in results.manifest["scenarios"] if s["name"] == scenario)
    return Cells(
        f"{scenario}: {title}",
        ("End of", *_LADDER.values(), ">Public money in\nthe year, bn yuan"),
        [
            (str(date), *(f"{row[name]:,.0f}" for name in _LADDER), f"{spending[date] / 1e9:.2f}")
            for date, row in medians.iterrows()
        ],
    )


def print_effects(effects: pd.DataFrame, console: Console, drawn: bool = False) -> None:
    """Print the table of `scenarios.analysis.effects.run_effects`, and below it why an outcome did not move.

    Args:
        drawn: whether the runs took parameter draws.
    """
    heads = ("Lever", "Outcome it acts on first", "Unit", ">Baseline", ">Effect", ">95 % interval", ">Little giants")
    table = Cells(
        "Effects at reference intensity, paired with the baseline",
        (*heads, ">SRDI SMEs", ">Cost bn", ">M per SRDI"),
        [
            (
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
            for row in effects.itertuples()
        ],
    )
    print_table(table, console)
    for row in effects[~effects["moved"]].itertuples():
        say(console, f"* {row.lever}: {row.note}")
    say(
        console,
        "Baseline and effect: mean over the quarters in which the lever acts; little giants and SRDI SMEs: difference "
        "at the end of the run. Cost: billion yuan in all, and million yuan per additional SRDI SME where there are "
        "certainly some. "
        f"Intervals over paired runs {_held(drawn)}.",
        "dim",
    )


def _difference(mean: float, low: float, high: float) -> str:
    return "–" if np.isnan(mean) else f"{format_number(mean, signed=True)} ± {format_number((high - low) / 2)}"
