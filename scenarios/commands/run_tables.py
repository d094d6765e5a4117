"""The tables printed by ``srdi run`` and ``srdi effects``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from rich.console import Console

from scenarios.analysis.comparison import COST_OF_FUNDS
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
        f"Intervals over {runs} runs {_variation_note(parameters_vary)}."
        if runs > 1
        else "One run: no interval for simulation noise."
    )


def _variation_note(parameters_vary: bool) -> str:
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


def print_effects(effects: pd.DataFrame, console: Console, parameters_vary: bool = False) -> None:
    """Print the table of `scenarios.analysis.effects.run_effects`, and notes on outcomes that did not move as expected.

    Args:
        drawn: whether the runs used parameter draws.
    """
    heads = ("Lever", "Outcome it acts on first", "Unit", ">Baseline", ">Effect", ">95 % interval", ">Little giants")
    costs = (">Cost bn", ">95 % interval", ">of which\nlevers", ">tax\nrelief", ">titles")
    table = Cells(
        "Effects at reference intensity, paired with the baseline",
        (*heads, ">SRDI SMEs", *costs, ">M per SRDI"),
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
                _billions(row.cost_yuan),
                "–"
                if pd.isna(row.cost_low_yuan)
                else f"{_billions(row.cost_low_yuan)} … {_billions(row.cost_high_yuan)}",
                *(_billions(yuan) for yuan in (row.cost_lever_yuan, row.cost_tax_yuan, row.cost_title_yuan)),
                _prices(row.cost_per_srdi_sme_yuan),
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
        "at the end of the run. Cost: additional public cost over the run in billion yuan with its interval, and "
        "million yuan per additional SRDI SME, if there are clearly more of them, at marginal costs of public funds of "
        f"{_side_by_side(f'{each:g}' for each in COST_OF_FUNDS)}. "
        f"Intervals over paired runs {_variation_note(parameters_vary)}.",
        "dim",
    )


def _billions(yuan: float) -> str:
    return f"{yuan / 1e9:.2f}"


def _prices(yuan: float) -> str:
    """Million yuan at each marginal cost of public funds."""
    if pd.isna(yuan):
        return ""
    return _side_by_side(format_number((1.0 + each) * yuan / 1e6) for each in COST_OF_FUNDS)


def _side_by_side(texts: Iterable[str]) -> str:
    return " · ".join(texts)


def _difference(mean: float, low: float, high: float) -> str:
    return "–" if np.isnan(mean) else f"{format_number(mean, signed=True)} ± {format_number((high - low) / 2)}"
