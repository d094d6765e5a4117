"""The tables printed by ``srdi cash``, with notes that explain them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from scenarios.analysis.cash import ALL, Cash
from scenarios.commands.run_tables import variation_note
from scenarios.display.formatting import format_number
from scenarios.display.screen import Cells, print_table, say

_MONEY = {
    "paid_yuan": (">Paid", ">10–90 %"),
    "paid_cumulative_yuan": (">Paid\nso far", ">10–90 %"),
    "committed_yuan": (">Committed", ">10–90 %"),
    "committed_cumulative_yuan": (">Committed\nso far", ">10–90 %"),
}


def print_cash(found: Cash, scenarios: Sequence[dict], console: Console) -> None:
    """Print money by year and the budgets of each scenario, and notes.

    Args:
        scenarios: as in a manifest, for their titles and the windows of levers.
    """
    about = {scenario["name"]: scenario for scenario in scenarios}
    for name in found.scenarios:
        rows, budgets = (frame[frame["scenario"] == name] for frame in (found.rows, found.budgets))
        title = about[name].get("title")
        print_table(_years(f"{name}: {title} (bn yuan)" if title else f"{name} (bn yuan)", rows), console)
        console.print()
        if budgets.empty:
            say(console, "No lever has a budget.")
        else:
            print_table(_budgets(f"{name}: budgets (bn yuan)", budgets, about[name].get("levers", {})), console)
        label = rows.iloc[0]
        studies = f" ({label.studies})" if label.studies else ""
        say(console, f"These amounts rest on what is {label.label}{studies}.")
        console.print()
    for sentence in _notes(found):
        say(console, sentence, "dim")


def _text(row: pd.Series | None) -> tuple[str, str]:
    """A number of yuan and its band."""
    if row is None:
        return "–", "–"
    band = "–" if math.isnan(row["low"]) else " … ".join(format_number(row[end], "yuan") for end in ("low", "high"))
    return format_number(row["value"], "yuan"), band


def _years(title: str, rows: pd.DataFrame) -> Cells:
    """One line per year, kind and lever that money went to; a kind of one item has no line of its own."""
    cells: dict[tuple[int, str, str], dict[str, pd.Series]] = {}
    for _, row in rows.iterrows():
        cells.setdefault((row["year"], row["kind"], row["lever"]), {})[row["quantity"]] = row
    items = list(dict.fromkeys(key[1:] for key in cells))
    alone = {kind for kind, lever in items if lever == ALL and sum(each[0] == kind for each in items) == 2}
    texts = []
    for (year, kind, lever), found in cells.items():
        if (lever == ALL and kind in alone) or not any(name in found and found[name]["value"] for name in _MONEY):
            continue
        quarters = found["paid_yuan"]["quarters"]
        texts.append(
            (
                f"{year}" if quarters == 4 else f"{year} *",
                kind,
                "" if kind == ALL else lever,
                *(text for name in _MONEY for text in _text(found.get(name))),
            )
        )
    return Cells(title, ("Year", "Kind", "Lever", *(head for heads in _MONEY.values() for head in heads)), texts)


def _budgets(title: str, rows: pd.DataFrame, levers: dict) -> Cells:
    heads = ("Lever", "Window", ">Budget", ">Committed", ">10–90 %", "Used up in", "10–90 %", ">Runs in which\nused up")
    texts = []
    for lever, own in rows.groupby("lever", sort=False):
        found = {row["quantity"]: row for _, row in own.iterrows()}
        share, when = found["budget_used_share"], found["used_up_quarter"]
        window = levers.get(lever, {})
        texts.append(
            (
                str(lever),
                f"{window['start']} to {window['end']}" if window else "–",
                format_number(found["budget_yuan"]["value"], "yuan"),
                _percent(share["value"]),
                "–" if math.isnan(share["low"]) else f"{_percent(share['low'])} … {_percent(share['high'])}",
                when["value"],
                _quarters(when["low"], when["high"]),
                _percent(found["used_up_share"]["value"]),
            )
        )
    return Cells(title, heads, texts)


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _quarters(low: str | float, high: str | float) -> str:
    """The range of quarters as text; one of them if they are the same, a dash for a single run."""
    if not isinstance(low, str):
        return "–"
    return low if low == high else f"{low} … {high}"


def _notes(found: Cash) -> list[str]:
    runs = f"{found.runs} runs" if found.runs > 1 else "1 run"
    sentences = [
        f"Means over {runs} and the band of 10 to 90 % of them, which {variation_note(found.parameters_vary)}. Kinds: "
        "lever (programmes), tax (relief on reported R&D), title (awards of provinces for new titles).",
        "Committed: what a lever has promised, paid or not, less what became free because firms closed or left. Tax "
        "relief and awards for titles have no budget, and their commitments are not recorded.",
        f"Used up in: the first quarter at whose end {100.0 * found.used_up:g} % of the budget is committed; median "
        "over the runs. Money too little for one more firm is left over, and at a small scale one simulated firm "
        "stands for many.",
        "* The results hold only a part of the year: a run begins with the last quarter of 2018.",
    ]
    if found.runs == 1:
        sentences.append("There is only one run, so no band. Run more --replicates.")
    return sentences
