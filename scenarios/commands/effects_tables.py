"""The tables printed by ``srdi effects``."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from rich.console import Console

from scenarios.analysis.comparison import COST_OF_FUNDS
from scenarios.analysis.information import Information
from scenarios.commands.run_tables import variation_note
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say

#: Largest numbers of studies that are named, and of strengths in the table.
_STUDIES, _ROWS = 3, 30


def print_effects(effects: pd.DataFrame, console: Console, parameters_vary: bool = False) -> None:
    """Print the table of `scenarios.analysis.effects.Effects`, and notes on outcomes that did not move as expected.

    Args:
        parameters_vary: whether the runs used parameter draws.
    """
    heads = (
        "Lever",
        "Outcome it acts on first",
        "Rests on",
        "Unit",
        ">Baseline",
        ">Effect",
        ">95 % interval",
        ">Little giants",
    )
    costs = (">Cost bn", ">95 % interval", ">of which\nlevers", ">tax\nrelief", ">titles")
    table = Cells(
        "Effects at reference intensity, paired with the baseline",
        (*heads, ">SRDI SMEs", *costs, ">M per SRDI"),
        [
            (
                row.lever if row.moved else f"{row.lever} *",
                f"{row.outcome} ({row.expected})",
                row.label,
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
        f"Intervals over paired runs {variation_note(parameters_vary)}. Rests on: what is known of the strength of the "
        "lever; fitted (to reported figures), evidence (published studies, named in srdi show levers) or assumed.",
        "dim",
    )


def print_doubt(effects: pd.DataFrame, runs: int, console: Console) -> None:
    """Print where the doubt about each effect comes from.

    Args:
        effects: table of `scenarios.analysis.effects.Effects` with shares. runs: pairs of each comparison.
    """
    heads = ("Lever", "Unit", ">90 % of pairs", ">95 % interval", ">of luck alone", ">Strength", ">Fitted", ">Luck")
    rows = [
        (
            row.lever,
            unit_name(row.unit),
            *(
                _range(low, high, row.unit)
                for low, high in ((row.p05, row.p95), (row.low, row.high), (row.luck_low, row.luck_high))
            ),
            _share(row.strength_share, row.strength_share_error, row.strength_share_clear),
            _share(row.fitted_share, row.fitted_share_error, row.fitted_share_clear),
            _share(row.luck_share, row.luck_share_error, row.luck_share_clear),
        )
        for row in effects.itertuples()
    ]
    console.print()
    print_table(Cells("Where the doubt about each effect comes from: per cent of its variance", heads, rows), console)
    say(
        console,
        "Strength: parameters drawn from published evidence, of this lever, of others and of what they share. Fitted: "
        "parameters drawn by the fit to reported figures. "
        "Luck: random draws, what is left when all parameters are known. Shares of the variance over single pairs with "
        f"their standard errors, from {runs} pairs; ? marks shares that are not clearly above nothing. More "
        "--replicates narrow them. Of luck alone: the interval that would be left if all parameters were known.",
        "dim",
    )


def print_information(found: Information, console: Console) -> None:
    """Print the tornado as a table, and which study would be worth making."""
    unit = found.metric.unit
    heads = ("Strength", "Lever", "Rests on", ">at 10 %", ">at 90 %")
    gain = f"{found.metric.name} per bn yuan"
    more = (f">{gain}\nat 10 %", ">at 90 %", ">Another lever\nis best in", ">Value of\nknowing it")
    rows = [
        (
            row.parameter,
            "several" if pd.isna(row.lever) else row.lever,
            row.label,
            format_number(row.low),
            format_number(row.high),
            format_number(row.gain_low, unit, signed=True),
            format_number(row.gain_high, unit, signed=True),
            "–" if pd.isna(row.switches) else f"{100.0 * row.switches:.0f} %",
            "–"
            if pd.isna(row.value)
            else f"{format_number(row.value, unit, signed=True)}{'  ' if row.clear else ' ?'}",
        )
        for row in found.rows.head(_ROWS).itertuples()
    ]
    console.print()
    print_table(Cells("Whose doubt moves the ranking of levers", (*heads, *more), rows), console)
    if len(found.rows) > _ROWS:
        say(console, f"… and {len(found.rows) - _ROWS} more with narrower bars; --json has all")
    for sentence in information_in_words(found):
        say(console, sentence)
    say(
        console,
        "Levers are ranked by what they add at the end of the run per billion yuan of public cost; those without a "
        "clear cost are left out. At 10 % and 90 %: quantiles of the strength, and the gain given that strength. Value "
        "of knowing it: how much more the best lever would gain on average, per billion yuan, if one chose it knowing "
        "that strength and nothing else; ? marks values that chance alone may give somewhere in the table.",
        "dim",
    )


def information_in_words(found: Information) -> list[str]:
    """Which lever is best per yuan, and which study would be worth making, in plain sentences."""
    if len(found.ranking) < 2:
        return ["Fewer than two levers clearly cost something, so there is no ranking that a study could change."]
    unit, name = found.metric.unit, found.metric.name
    best = found.ranking.iloc[0]
    gain = format_number(best["gain_per_billion_yuan"], unit, signed=True)
    sentences = [f"Best per yuan by today's knowledge: {best['lever']}, {gain} {name} per billion yuan."]
    worth = found.studies_worth_making
    if worth.empty:
        return [
            *sentences,
            "No single strength, if it were known, would clearly change which lever is best; with more --replicates "
            "smaller values can be seen.",
        ]
    for row in worth.head(_STUDIES).itertuples():
        lever = "" if pd.isna(row.lever) else f" ({row.lever})"
        sentences.append(
            f"A study of {row.parameter}{lever} would be worth making: knowing it adds "
            f"{format_number(row.value, unit, signed=True)} {name} per billion yuan on average, because in "
            f"{100.0 * row.switches:.0f} per cent of cases another lever would be chosen."
        )
    return sentences


def _range(low: float, high: float, unit: str) -> str:
    return "–" if pd.isna(low) else " … ".join(format_number(end, unit, signed=True) for end in (low, high))


def _share(share: float, error: float, clear: bool) -> str:
    return "–" if pd.isna(share) else f"{100.0 * share:.0f} ± {100.0 * error:.0f}{'  ' if clear else ' ?'}"


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
