"""What is paid when, and when budgets are used up: tables of `scenarios.analysis.cash`."""

from __future__ import annotations

import pandas as pd

from scenarios.analysis.cash import ALL, NOT_USED_UP
from viz.shared.ranges import estimate_texts
from viz.shared.texts import TextTable
from viz.words.language import NOTHING, Words


def kinds(rows: pd.DataFrame) -> list[str]:
    """The kinds of payments of a scenario's rows, in order, without their sum."""
    return [kind for kind in rows["kind"].unique() if kind != ALL]


def by_year(rows: pd.DataFrame, kind: str, quantity: str = "paid_yuan") -> pd.DataFrame:
    """A scenario's rows of one kind (`ALL` for the sum) in full years, by year."""
    own = rows[(rows["kind"] == kind) & (rows["lever"] == ALL) & (rows["quarters"] == 4)]
    return own[own["quantity"] == quantity].set_index("year")


def payments_table(words: Words, rows: pd.DataFrame, kind: str) -> TextTable:
    """Payments of a kind by year with their range, and the sum so far."""
    so_far = by_year(rows, kind, "paid_cumulative_yuan")["value"]
    return TextTable(
        [*(words(f"cash.{head}") for head in ("year", "paid")), words("gain.band"), words("cash.so_far")],
        [
            [
                str(year),
                *estimate_texts(words, row, "yuan"),
                words.number(so_far[year]),
            ]
            for year, row in by_year(rows, kind).iterrows()
        ],
    )


def budgets_table(words: Words, rows: pd.DataFrame) -> TextTable:
    """Each budget of a scenario: how much of it is committed at the end, and when it is used up.

    Args:
        rows: those of the scenario in `scenarios.analysis.cash.Cash.budgets`.
    """
    heads = ("budget", "committed", "committed_band", "used_up", "used_up_band", "used_up_share")
    texts = []
    for lever, own in rows.groupby("lever", sort=False):
        found = {row["quantity"]: row for _, row in own.iterrows()}
        share, when = found["budget_used_share"], found["used_up_quarter"]
        texts.append(
            [
                words.lever(str(lever)),
                words.number(found["budget_yuan"]["value"]),
                *estimate_texts(words, share, "share"),
                used_up_text(words, when["value"]),
                used_up_band(words, when["low"], when["high"]),
                words.value(found["used_up_share"]["value"], "share"),
            ]
        )
    return TextTable([words("cost.lever"), *(words(f"cash.{head}") for head in heads)], texts)


def used_up_text(words: Words, quarter: str) -> str:
    """The quarter in which a budget is used up, or that it is not."""
    return words("cash.not_used_up") if quarter == NOT_USED_UP else words.quarter(quarter)


def used_up_band(words: Words, low: str | float, high: str | float) -> str:
    """The range of quarters; one of them if they are the same, a dash for a single run."""
    if not (isinstance(low, str) and isinstance(high, str)):
        return NOTHING
    return used_up_text(words, low) if low == high else words.span(used_up_text(words, low), used_up_text(words, high))
