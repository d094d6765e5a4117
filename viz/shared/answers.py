"""What the tables of further answers have in common: names of parts, settings and levels, and notes on pairs."""

from __future__ import annotations

import pandas as pd

from scenarios.analysis.decomposition import AND, REST, TOGETHER, WHOLE
from scenarios.analysis.metrics import CUMULATIVE_COST
from scenarios.analysis.outcomes import COST, Outcome
from scenarios.errors import printable
from sim.levers import Levers
from viz.words.language import Words

#: Names of what is no part of a policy.
_NO_PARTS = {TOGETHER: "together", REST: "rest", WHOLE: "whole"}


def part_name(words: Words, part: str) -> str:
    """Name of a part of a policy, of two parts, or of what several do together; of a group, the one it was given."""
    if part in _NO_PARTS:
        return words(f"decomposition.{_NO_PARTS[part]}")
    if AND in part:
        one, other = part.split(AND)
        return words("decomposition.pair", one=part_name(words, one), other=part_name(words, other))
    if part in Levers.model_fields:
        return words.lever(part)
    kind, _, rest = part.partition(".")
    if part == "rules":
        return words("answers.rules_all")
    if kind == "rules":
        return words("answers.rules", title=_rules(words, rest))
    if kind == "shocks" and rest:
        return words(f"shock.{rest}")
    if kind in ("model", "parameters") and rest:
        return words("answers.feedback" if kind == "model" else "answers.parameter", name=rest)
    return printable(part)


def setting_name(words: Words, key: str) -> str:
    """Name of a setting of a lever or rule with its owner, given its dotted key."""
    kind, name, *rest = key.split(".")
    if not rest:
        return part_name(words, key)
    owner = words.lever(name) if kind == "levers" else words("answers.rules", title=_rules(words, name))
    return words("target.setting_of", lever=owner, setting=words.setting_label(key))


def _rules(words: Words, name: str) -> str:
    """The rules of a tier, or one rule of all."""
    tiers = ("innovative", "srdi", "little_giant")
    return words(f"rule_group.{name}") if name in tiers else words.setting_label(f"rules.{name}")


def outcome_name(words: Words, outcome: Outcome, last: str) -> str:
    """Name of an outcome with the quarter in which it is measured.

    Args:
        last: last quarter of the runs, such as 2030Q4.
    """
    if outcome.total:
        if outcome.column == COST:
            return words.column(CUMULATIVE_COST)
        return words("answers.when_sum", column=words.quarterly(outcome.column))
    return quarterly_title(words, outcome.column, str(outcome.quarter or last))


def quarterly_title(words: Words, quantity: str, quarter: str) -> str:
    """Title of a national quantity in a quarter such as 2030Q4."""
    return words("answers.when", column=words.quarterly(quantity), quarter=words.quarter(quarter))


def pairs_note(words: Words, pairs: int, parameters_vary: bool) -> str:
    """Of what means and ranges are."""
    if pairs == 1:
        return words("answers.pairs_one")
    return words("answers.pairs_draws" if parameters_vary else "answers.pairs_luck", pairs=words.number(pairs))


def error_text(words: Words, row: pd.Series, unit: str) -> str:
    """A Monte Carlo standard error; a dash for a single pair."""
    text = words.value(row["error"], unit)
    return text if pd.isna(row["error"]) else f"±{text}"
