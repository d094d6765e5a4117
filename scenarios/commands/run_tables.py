"""The tables printed by ``srdi run``."""

from __future__ import annotations

import pandas as pd
from rich.console import Console

from scenarios.analysis.reported import compare_with_reported
from scenarios.display.formatting import format_interval, format_number
from scenarios.display.screen import Cells, print_table, say
from scenarios.records.results import Results

#: What size classes are.
SIZE_NOTE = (
    "Size: classes of the statistics office (2017) by employees alone: small from 20, medium from 300, large from "
    "1,000 in manufacturing; from 10, 100 and 300 in software and services. The official ones ask for revenue too."
)
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
    """Print reported and simulated values, then the ladder over time for each scenario."""
    names = [scenario["name"] for scenario in results.manifest["scenarios"]]
    print_table(_reported_table(results, names[0]), console)
    say(console, _note(results), "dim")
    for name in names:
        console.print()
        print_table(_ladder_table(results, name), console)


def _rows_of(table: pd.DataFrame, scenario: str) -> pd.DataFrame:
    return table[table["scenario"] == scenario]


def _reported_table(results: Results, scenario: str) -> Cells:
    tables = {name: _rows_of(results.table(name), scenario) for name in ("national", "tier", "cluster")}
    rows = compare_with_reported(tables)
    return Cells(
        f"Reported and simulated: {scenario}",
        ("Reported figure", ">Reported", ">Median", ">5–95 %", ">Off", "Role"),
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
        "given: set from outside (the pilot batches of 2019 and 2020 as an upper limit). "
        "Off: deviation of the median from the middle of the reported interval. "
        f"{_intervals(runs, bool(manifest['parameter_draws']))} "
        f"Scale {manifest['scale']:g} ({manifest['firms_at_start']:,} firms simulated at the start; counts at 1:1), "
        f"seed {manifest['seed']}, {manifest['seconds']:.1f} s."
    )


def _intervals(runs: int, parameters_vary: bool) -> str:
    return (
        f"Intervals over {runs} runs {variation_note(parameters_vary)}."
        if runs > 1
        else "One run: no interval for simulation noise."
    )


def variation_note(parameters_vary: bool) -> str:
    """What intervals over runs reflect, with or without parameter draws."""
    return "reflect simulation noise and parameter uncertainty" if parameters_vary else "reflect simulation noise only"


def _ladder_table(results: Results, scenario: str) -> Cells:
    """Medians over replicates at year ends; public money is summed over the year."""
    frame = _rows_of(results.national, scenario)
    year = frame["quarter"].dt.year.rename("year")
    sums = frame.groupby(["draw", "replicate", year])[["public_spending_yuan", "public_cost_yuan"]].sum()
    money = sums.groupby("year").median() / 1e9
    ends = frame[frame["quarter"].dt.quarter == 4]
    medians = ends.groupby(ends["quarter"].dt.year).median(numeric_only=True)
    title = next(s["title"] for s in results.manifest["scenarios"] if s["name"] == scenario)
    return Cells(
        f"{scenario}: {title}",
        ("End of", *_LADDER.values(), ">Levers,\nbn yuan", ">Public cost,\nbn yuan"),
        [
            (str(date), *(f"{row[name]:,.0f}" for name in _LADDER), *(f"{yuan:,.2f}" for yuan in money.loc[date]))
            for date, row in medians.iterrows()
        ],
    )
