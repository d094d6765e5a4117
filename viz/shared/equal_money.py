"""Policies at the same public cost: tables and sentences of `scenarios.analysis.equal_money`."""

from __future__ import annotations

import math
from itertools import combinations

import pandas as pd

from scenarios.analysis.equal_money import EqualMoney
from scenarios.analysis.metrics import Metric
from scenarios.files.scaling import TIMES
from viz.shared.answers import error_text, pairs_note, part_name
from viz.shared.ranges import estimate_texts
from viz.shared.texts import TextTable
from viz.words.language import NOTHING, Words


def titles_of(words: Words, found: EqualMoney) -> dict[str, str]:
    """Titles of the policies, without their factors, by their names as given."""
    titles = {scenario.name: words.scenario(scenario.model_dump()) for scenario in found.scenarios}
    return {row["scenario"]: titles[row["scaled"]].rpartition(TIMES)[0] for _, row in found.policies.iterrows()}


def about(words: Words, found: EqualMoney, baseline: str) -> list[str]:
    """What was made equal, and of what means are.

    Args:
        baseline: its title.
    """
    return [
        words("equal_money.about", baseline=baseline, cost=words.number(found.cost_yuan)),
        pairs_note(words, found.pairs, found.parameters_vary),
    ]


def policies_table(words: Words, found: EqualMoney) -> TextTable:
    """By what factor each policy was scaled, and what it costs as given and then."""
    titles = titles_of(words, found)
    texts = []
    for _, row in found.policies.iterrows():
        cost = pd.Series({"value": row["cost_yuan"], **{end: row[f"cost_{end}_yuan"] for end in _ENDS}})
        texts.append(
            [
                titles[row["scenario"]],
                words.basis(row),
                words.number(row["cost_given_yuan"], signed=True),
                words.number(row["factor"]),
                *estimate_texts(words, cost, "yuan", signed=True),
                error_text(words, cost, "yuan"),
                words.percent(row["off"], signed=True),
            ]
        )
    heads = [words("equal_money.policy"), words("answers.basis"), words("equal_money.cost_given")]
    heads += [words("equal_money.factor"), words("equal_money.cost"), words("answers.band"), words("answers.error")]
    return TextTable([*heads, words("equal_money.off")], texts, words=2)


_ENDS = ("low", "high", "error")


def effects(found: EqualMoney, quantity: str, quarter: str) -> pd.DataFrame:
    """The rows of a quantity and quarter, one for each policy."""
    return found.rows[(found.rows["quantity"] == quantity) & (found.rows["quarter"] == quarter)]


def effects_table(words: Words, found: EqualMoney, metric: Metric, quarter: str) -> TextTable:
    """What each policy does at the same cost."""
    titles = titles_of(words, found)
    heads = [words("equal_money.policy"), words("answers.basis"), words("equal_money.difference")]
    heads += [words("answers.band"), words("answers.error"), words("equal_money.per_billion")]
    return TextTable(
        heads,
        [
            [
                titles[row["scenario"]],
                words.basis(row),
                *estimate_texts(words, row, metric.unit, signed=True),
                error_text(words, row, metric.unit),
                words.value(row["per_billion_yuan"], metric.unit, signed=True),
            ]
            for _, row in effects(found, metric.name, quarter).iterrows()
        ],
        words=2,
    )


def chances_table(words: Words, found: EqualMoney, quarter: str) -> TextTable:
    """In what share of the pairs one policy is better than another, in all and per yuan, for each two policies."""
    titles = titles_of(words, found)
    own = found.chances[found.chances["quarter"] == quarter]
    by = own.set_index(["quantity", "scenario", "other", "measure"]).sort_index()
    texts = []
    for metric in found.quantities:
        for one, other in combinations(found.policies["scenario"], 2):
            row = by.loc[(metric.name, one, other, "in_all")]
            gap = {"value": row["difference"], "low": row["difference_low"], "high": row["difference_high"]}
            chances = (
                by.loc[(metric.name, *order, measure)]
                for measure in _MEASURES
                for order in ((one, other), (other, one))
            )
            texts.append(
                [
                    words("number.bracketed", value=words.quarterly(metric.name), about=words.unit(metric.unit)),
                    titles[one],
                    titles[other],
                    words(f"label.{row['label']}"),
                    *(_chance(words, chance) for chance in chances),
                    *estimate_texts(words, gap, metric.unit, signed=True),
                ]
            )
    heads = [words("answers.outcome"), words("equal_money.one"), words("equal_money.other"), words("answers.basis")]
    heads += [words(f"equal_money.{measure}_{who}") for measure in _MEASURES for who in ("one", "other")]
    return TextTable([*heads, words("equal_money.gap"), words("answers.band")], texts, words=4)


_MEASURES = ("in_all", "per_yuan")


def _chance(words: Words, row: pd.Series) -> str:
    """A chance with its interval; a dash if it is not known."""
    if math.isnan(row["value"]):
        return NOTHING
    share, high = (words.value(round(row[name], 2), "share") for name in ("value", "high"))
    return words("equal_money.chance", share=share, low=words.number(round(100.0 * row["low"])), high=high)


def notes(words: Words, found: EqualMoney) -> list[str]:
    """What missed the cost or was not scaled, and what better means."""
    return [*cost_notes(words, found), better_note(words, found)]


def cost_notes(words: Words, found: EqualMoney) -> list[str]:
    """What missed the cost or was not scaled."""
    titles = titles_of(words, found)
    sentences = [
        words(
            "equal_money.unscaled",
            policy=titles[row["scenario"]],
            parts=words.joined([part_name(words, part) for part in row["unscaled"].split(", ")]),
        )
        for _, row in found.policies.iterrows()
        if row["unscaled"]
    ]
    missed = [titles[name] for name in found.policies.loc[~found.policies["within"].astype(bool), "scenario"]]
    if missed:
        sentences.append(
            words(
                "equal_money.missed",
                tolerance=words.percent(found.tolerance),
                policies=words.joined(missed),
                firms=words.number(found.firms),
            )
        )
    return sentences


def better_note(words: Words, found: EqualMoney) -> str:
    """What better means, and what the intervals of chances are."""
    less = [words.quarterly(metric.name) for metric in found.quantities if metric.less_is_better]
    return words("equal_money.note" if less else "equal_money.note_more", less=words.joined(less))
