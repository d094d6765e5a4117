"""A sensitivity analysis as tables on the screen and as plain values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from calibration.sensitivity import Sensitivity
from scenarios.formatting import format_number, unit_name
from scenarios.outcomes import Outcome
from scenarios.storage import records

#: Factors without indices that are shown of each output.
_OTHERS = 6


def record(found: Sensitivity, outcomes: tuple[Outcome, ...]) -> dict:
    """Everything found, as plain values: one entry an output, in it one a factor, strongest effect first."""
    table = found.table().reset_index()
    return {
        "kept": list(found.kept),
        "outputs": [
            {
                "output": outcome.text,
                "unit": outcome.unit,
                "variance": float(found.variance[outcome.text]),
                "luck_share": records(found.luck.loc[[outcome.text]])[0],
                "factors": records(
                    table[table["output"] == outcome.text]
                    .drop(columns="output")
                    .sort_values("relative", ascending=False)
                ),
            }
            for outcome in outcomes
        ],
    }


def print_sensitivity(found: Sensitivity, outcomes: tuple[Outcome, ...], console: Console) -> None:
    """Print one table an output: indices of the kept factors, and effects of the strongest others."""
    for outcome in outcomes:
        console.print(_table(found, outcome), markup=False)
        luck = found.luck.loc[outcome.text]
        share = (
            "does not vary"
            if np.isnan(luck["share"])
            else (f"luck's share of the variance: {luck['share']:.3f} [{luck['low']:.3f}, {luck['high']:.3f}]")
        )
        console.print(f"{share}\n", highlight=False, markup=False)
    console.print(
        "Effect: mean absolute effect of moving the factor over its whole range (Morris mu*), in the output's unit; "
        "spread: of these effects (sigma; interaction or curvature). First and total: Sobol shares of the variance "
        "with 95 % bootstrap intervals, the factors without them at their centre. luck?: the interval of the total "
        "share does not lie above luck's share. Intervals that are wide want more --samples.",
        style="dim",
        highlight=False,
    )


def _table(found: Sensitivity, outcome: Outcome) -> Table:
    table = Table(
        title=f"{outcome.text} ({unit_name(outcome.unit)}), {outcome.when}",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("Factor", no_wrap=True)
    for heading in ("Effect", "Spread", "First", "Total", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = found.table().loc[outcome.text]
    kept = rows.loc[list(found.kept)].sort_values("st", ascending=False, na_position="last")
    others = rows.drop(index=list(found.kept)).sort_values("relative", ascending=False)
    for name, row in kept.iterrows():
        table.add_row(
            str(name),
            format_number(row["mu_star"], outcome.unit),
            format_number(row["sigma"], outcome.unit),
            _index(row, "s1"),
            _index(row, "st"),
            "luck?" if row["beyond_luck"] is False else "",
        )
    for name, row in others.head(_OTHERS).iterrows():
        table.add_row(str(name), format_number(row["mu_star"], outcome.unit), format_number(row["sigma"], outcome.unit))
    if len(others) > _OTHERS:
        table.add_row(f"… {len(others) - _OTHERS} with smaller effects")
    return table


def _index(row: pd.Series, name: str) -> str:
    if np.isnan(row[name]):
        return "–"
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"
