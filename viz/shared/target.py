"""The answer to a target: tables and sentences of `scenarios.search.target_runs`."""

from __future__ import annotations

import pandas as pd

from scenarios.analysis.value import PARTS
from scenarios.search.target import Level
from scenarios.search.target_runs import Target
from viz.shared.answers import outcome_name, setting_name
from viz.shared.ranges import estimate_texts, share_span, share_text
from viz.shared.texts import TextTable
from viz.words.language import NOTHING, Words

_VERDICTS = {"met": "met", "within sampling error": "within", "missed": "missed"}


def asked_text(words: Words, found: Target) -> str:
    """What was asked for."""
    levels = words("brief.semicolon").join(_asked(words, found, level) for level in found.levels)
    return words("target.asked", levels=levels, chance=words.percent(found.chance))


def verdict_text(words: Words, found: Target) -> str:
    """Whether the answer meets what was asked for, on runs with luck that the search has not had."""
    chance = found.number("chance")
    about = {
        "share": share_text(words, chance["value"]),
        "interval": share_span(words, chance),
        "runs": words.number(found.runs),
        "chance": words.percent(found.chance),
        "trials": words.number(len(found.tried)),
    }
    if found.reachable:
        return words(f"target.{_VERDICTS[found.verdict]}", **about)
    sentences = [words("target.unreachable", **about)]
    if found.verdict != "missed":
        sentences.append(words("target.unreachable_open"))
    return words.sentences(sentences)


def settings_table(words: Words, found: Target) -> TextTable:
    """The free settings: ranges, values in the base and in the answer, and what their effect rests on."""
    rows = found.settings.to_dict("records")
    return TextTable(
        [words(f"target.{head}") for head in ("setting", "effect")]
        + [words("answers.unit"), *(words(f"target.{head}") for head in ("range", "base", "value"))],
        [
            [
                setting_name(words, row["setting"]),
                words.basis(row),
                words.unit(row["unit"]) or NOTHING,
                words("target.listed")
                if row["low"] is None
                else words.span(words.number(row["low"], beside=row["high"]), words.number(row["high"])),
                words("target.off") if row["base"] is None else words.setting(row["base"]),
                words.setting(row["value"]),
            ]
            for row in rows
        ],
        words=3,
    )


def levels_table(words: Words, found: Target) -> TextTable:
    """The levels asked for, what the answer and the base reach, and in how many runs they are met."""
    base = found.base.name
    texts = []
    for level in found.levels:
        unit, of = level.outcome.unit, found.number("level", level.text)
        met, base_met = (found.number("level_met", level.text, name) for name in (None, base))
        texts.append(
            [
                outcome_name(words, level.outcome, _last(found)),
                words.basis(of),
                words.unit(unit),
                _bound(words, level),
                *estimate_texts(words, of, unit),
                words.value(found.number("level_reached", level.text)["value"], unit),
                share_text(words, met["value"]),
                share_span(words, met),
                estimate_texts(words, found.number("level", level.text, base), unit)[0],
                share_text(words, base_met["value"]),
            ]
        )
    chance, before = found.number("chance"), found.number("chance", scenario=base)
    together = [
        share_text(words, chance["value"]),
        share_span(words, chance),
        NOTHING,
        share_text(words, before["value"]),
    ]
    texts.append([words("target.together"), words.basis(chance), *[NOTHING] * 5, *together])
    heads = [words("target.level"), words("answers.basis"), words("answers.unit")]
    heads += [words(f"target.{head}") for head in ("level_asked", "level_mean", "level_band")]
    heads.append(words("target.level_reached", share=words.percent(found.chance)))
    heads += [words(f"target.{head}") for head in ("level_met", "level_met_band", "level_base", "level_base_met")]
    return TextTable(heads, texts, words=3)


def cost_table(words: Words, found: Target) -> TextTable:
    """The full public cost of the answer over the base, and its parts."""
    rows = {name: found.number(name) for name in ("public_cost_yuan", *PARTS)}
    return TextTable(
        [words("target.part"), words("answers.basis"), words("target.mean"), words("answers.band")],
        [
            [words(f"target.{name}"), words.basis(row), *estimate_texts(words, row, "yuan", signed=True)]
            for name, row in rows.items()
        ],
        words=2,
    )


def tried_table(words: Words, found: Target) -> TextTable:
    """The points tried in the search with their cost and chance, and the answer on new luck."""
    texts = [
        [str(number), words.number(row["public_cost_yuan"], signed=True), share_text(words, row["met"])]
        for number, (_, row) in enumerate(found.tried.iterrows(), start=1)
    ]
    cost, chance = found.number("public_cost_yuan"), found.number("chance")
    texts.append([words("target.answer"), words.number(cost["value"], signed=True), share_text(words, chance["value"])])
    return TextTable([words(f"target.{head}") for head in ("tried", "tried_cost", "tried_met")], texts)


def answer_point(found: Target) -> pd.Series:
    """The answer on new luck in a chart: cost and chance with their ranges, as cost, cost_low, …, met, met_high."""
    cost, chance = found.number("public_cost_yuan"), found.number("chance")
    ends = {"": "value", "_low": "low", "_high": "high"}
    of = {"cost": cost, "met": chance}
    return pd.Series({f"{name}{end}": row[key] for name, row in of.items() for end, key in ends.items()})


def notes(words: Words, found: Target) -> list[str]:
    """How the chance was found."""
    searched = share_text(words, found.number("chance_in_search")["value"])
    sentences = [words("target.note", searched=searched)]
    if found.repeated_draws:
        about = {"repeated": words.number(found.repeated_draws), "runs": words.number(found.runs)}
        sentences.append(words("target.repeated", **about))
    return sentences


def _asked(words: Words, found: Target, level: Level) -> str:
    outcome, value = outcome_name(words, level.outcome, _last(found)), words.value(level.value, level.outcome.unit)
    return words("target.at_least" if level.at_least else "target.at_most", outcome=outcome, value=value)


def _bound(words: Words, level: Level) -> str:
    return f"{'≥' if level.at_least else '≤'} {words.value(level.value, level.outcome.unit)}"


def _last(found: Target) -> str:
    return f"{found.until}Q4"
