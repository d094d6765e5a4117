"""Whether a policy is worth it: tables and sentences of `scenarios.analysis.value`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from scenarios.analysis.value import NOT_COUNTED, WAGE_YEAR, Assumptions, Value, switched_off
from scenarios.records.results import Results
from viz.shared.ranges import estimate_texts
from viz.shared.texts import TextTable
from viz.words.language import Words

#: Parts in the order of the sum, and the sign with which each enters the net benefit; those with 0 are no part of it.
PARTS = {
    "revenue_yuan": 0,
    "job_years": 0,
    "research_yuan": 0,
    "value_added_yuan": 1,
    "labour_yuan": -1,
    "research_moved_yuan": -1,
    "gain_yuan": 1,
    "tax_back_yuan": 0,
    "public_cost_yuan": -1,
    "cost_lever_yuan": 0,
    "cost_tax_yuan": 0,
    "cost_title_yuan": 0,
}


def against_baseline(found: Value, name: str) -> pd.DataFrame:
    """The rows of a scenario against the baseline, without its ranks against others."""
    return found.rows[(found.rows["scenario"] == name) & (found.rows["other"] == found.baseline)]


def parts_title(words: Words) -> str:
    """Title of the parts, with the quarter whose yuan they are in."""
    return words("value.parts", present=words.quarter(Assumptions().present))


def drawn_parts(words: Words, rows: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """What a chart of the parts shows: their titles, and value, low and high as they enter the sum, in yuan.

    Args:
        rows: of `against_baseline`.
    """
    found = {row["quantity"]: row for _, row in rows.iterrows()}
    drawn = [
        *((words(f"value.{part}"), _signed(found[part], sign)) for part, sign in PARTS.items() if sign),
        *(
            (words("value.net_at", funds=words.number(row["cost_of_funds"])), _signed(row, 1))
            for _, row in rows[rows["quantity"] == "net_benefit_yuan"].iterrows()
        ),
    ]
    return [title for title, _ in drawn], pd.DataFrame([each for _, each in drawn])


def parts_table(words: Words, rows: pd.DataFrame) -> TextTable:
    """The parts of a scenario's net benefit, each with what it rests on; rows as in `drawn_parts`."""
    found = {row["quantity"]: row for _, row in rows.iterrows()}
    return TextTable(
        [words(f"value.{head}") for head in ("part", "unit", "basis", "mean")] + [words("gain.band")],
        [_part(words, part, found[part], sign or 1) for part, sign in PARTS.items()],
        words=3,
    )


def ratios_table(words: Words, rows: pd.DataFrame) -> TextTable:
    """Net benefit and ratios at each marginal cost of public funds; rows as in `drawn_parts`."""
    heads = ("funds", "net", "net_band", "ratio", "ratio_band", "positive", "mvpf", "mvpf_band")
    mvpf = rows[rows["quantity"] == "mvpf"].iloc[0]
    texts = []
    for funds, own in rows.dropna(subset=["cost_of_funds"]).groupby("cost_of_funds", sort=False):
        found = {row["quantity"]: row for _, row in own.iterrows()}
        net, ratio = found["net_benefit_yuan"], found["benefit_cost"]
        texts.append(
            [
                words.number(funds) if funds else "0",
                *estimate_texts(words, net, "yuan", signed=True),
                *estimate_texts(words, ratio, ""),
                words.value(found["positive_share"]["value"], "share"),
                *estimate_texts(words, mvpf, ""),
            ]
        )
    return TextTable([words(f"value.{head}") for head in heads], texts)


def reasons(words: Words, found: Value, name: str) -> list[str]:
    """Why a ratio of a scenario or its range is missing, in sentences."""
    return [
        words(
            f"value.no_{quantity}",
            reason=words(
                f"value.reason_{reason.key}", some=words.number(reason.some), pairs=words.number(reason.pairs)
            ),
        )
        for (scenario, quantity), reason in found.reasons.items()
        if scenario == name and quantity in ("benefit_cost", "mvpf")
    ]


def not_counted(words: Words) -> list[str]:
    """What the worth of a policy does not hold."""
    return [words(f"value.not_counted_{number}") for number in range(1, len(NOT_COUNTED) + 1)]


def assumptions(words: Words, results: Results, titles: Mapping[str, str]) -> list[str]:
    """What the worth of a policy takes from the reader, and which settings of the runs make it incomplete.

    Args:
        titles: of the scenarios of the results, by name.
    """
    given = Assumptions()
    sentences = [
        words(
            "value.assumed",
            rate=words.percent(given.discount_rate),
            present=words.quarter(given.present),
            share=words.percent(given.value_added_share),
            wage=words.number(given.wage),
            year=WAGE_YEAR,
            growth=words.percent(given.wage_growth),
            labour=words.percent(given.labour_moved),
            research=words.percent(given.research_moved),
            tax=words.percent(given.tax_share),
        )
    ]
    for (_, parameter), names in switched_off(results).items():
        scenarios = words.joined([titles[name] for name in names])
        sentences.append(words(f"value.off_{parameter}", scenarios=scenarios))
    return sentences


def _signed(row: pd.Series, sign: int) -> dict[str, float]:
    """A number and its range with the sign with which it enters the sum."""
    low, high = sorted((sign * row["low"], sign * row["high"])) if row["low"] == row["low"] else (math.nan, math.nan)
    return {"value": sign * row["value"], "low": low, "high": high}


def _part(words: Words, part: str, row: pd.Series, sign: int) -> list[str]:
    unit, number = row["unit"], _signed(row, sign)
    return [
        words(f"value.{part}"),
        words.unit(unit),
        words(f"label.{row['label']}"),
        *estimate_texts(words, number, unit, signed=True),
    ]
