"""Output of a sensitivity analysis: printed, and as plain values."""

from __future__ import annotations

import numpy as np
import pandas as pd
from rich.console import Console

from calibration.sensitivity.analysis import Sensitivity
from scenarios.analysis.outcomes import Outcome
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say
from scenarios.records.storage import records

#: Number of factors without indices printed for each output.
_OTHERS = 6


def record(result: Sensitivity, outcomes: tuple[Outcome, ...]) -> dict:
    """The whole result as plain values: one entry per output with one per factor, strongest effect first."""
    table = result.table().reset_index()
    return {
        "kept": list(result.kept),
        "outputs": [
            {
                "output": outcome.text,
                "unit": outcome.unit,
                "variance": float(result.variance[outcome.text]),
                "luck_share": records(result.noise.loc[[outcome.text]])[0],
                "factors": records(
                    table[table["output"] == outcome.text]
                    .drop(columns="output")
                    .sort_values("relative", ascending=False)
                ),
            }
            for outcome in outcomes
        ],
    }


def print_sensitivity(result: Sensitivity, outcomes: tuple[Outcome, ...], console: Console) -> None:
    """Print one table per output: indices of the kept factors, and effects of the strongest others."""
    for outcome in outcomes:
        print_table(_table(result, outcome), console)
        noise = result.noise.loc[outcome.text]
        share = (
            "does not vary"
            if np.isnan(noise["share"])
            else (
                f"simulation noise, share of the variance: {noise['share']:.3f} "
                f"[{noise['low']:.3f}, {noise['high']:.3f}]"
            )
        )
        say(console, f"{share}\n")
    say(
        console,
        "Effect: mean absolute effect of moving the factor over its whole range (Morris mu*), in the output's unit; "
        "spread: of these effects (sigma; interaction or curvature). First and total: Sobol shares of the variance "
        "with 95 % bootstrap intervals; factors without them stay at their centre. noise?: the interval of the total "
        "share does not lie above the share of simulation noise. If intervals are wide, use more --samples.",
        "dim",
    )


def _table(result: Sensitivity, outcome: Outcome) -> Cells:
    rows = result.table().loc[outcome.text]
    kept = rows.loc[list(result.kept)].sort_values("st", ascending=False, na_position="last")
    others = rows.drop(index=list(result.kept)).sort_values("relative", ascending=False)
    texts: list[tuple[str, ...]] = [
        (
            str(name),
            format_number(row["mu_star"], outcome.unit),
            format_number(row["sigma"], outcome.unit),
            _index(row, "s1"),
            _index(row, "st"),
            "noise?" if row["above_noise"] is False else "",
        )
        for name, row in kept.iterrows()
    ]
    texts += [
        (str(name), *(format_number(row[column], outcome.unit) for column in ("mu_star", "sigma")), "", "", "")
        for name, row in others.head(_OTHERS).iterrows()
    ]
    if len(others) > _OTHERS:
        texts.append((f"… {len(others) - _OTHERS} with smaller effects", *[""] * 5))
    title = f"{outcome.text} ({unit_name(outcome.unit)}), {outcome.when}"
    return Cells(title, ("Factor", ">Effect", ">Spread", ">First", ">Total", ""), texts)


def _index(row: pd.Series, name: str) -> str:
    if np.isnan(row[name]):
        return "–"
    return f"{row[name]:.2f} [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"
