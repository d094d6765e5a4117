"""How many would have got there anyway: tables and sentences of `scenarios.analysis.additionality`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from scenarios.analysis.additionality import (
    ALL,
    DIMENSIONS,
    RIVALS,
    SAME_NICHE,
    STATES,
    Additionality,
    Numbers,
)
from scenarios.analysis.firm_runs import AMOUNTS, TITLES
from viz.shared.gains import place_name
from viz.shared.ranges import estimate_texts
from viz.shared.texts import TextTable
from viz.words.language import NOTHING, Words

#: Rows by lever, by and group (see `Additionality.groups`).
Groups = Mapping[tuple[str, str, str], Numbers]


def of_all(groups: Groups, levers: tuple[str, ...]) -> tuple[str, Numbers]:
    """The name of all levers together, or of the only one, and its numbers."""
    name = ALL if len(levers) > 1 else levers[0]
    return name, groups[name, "lever", name]


#: Titles whose firms would have them anyway is told in a sentence.
_TOLD = ("srdi_smes", "little_giants")


def has_firms(numbers: Numbers) -> bool:
    """Whether there is any supported firm."""
    return numbers["supported", "simulated"]["value"] > 0.0


def group_numbers(groups: Groups, by: str) -> dict[str, Numbers]:
    """The numbers of the groups of a dimension, or of the levers, that have supported firms."""
    if by == "lever":
        found = {group: own for (_, kind, group), own in groups.items() if kind == by and group != ALL}
    else:
        found = {group: own for (lever, kind, group), own in groups.items() if (lever, kind) == (ALL, by)}
    return {group: own for group, own in found.items() if has_firms(own)}


def group_name(words: Words, by: str, group: str) -> str:
    """Name of a group of a dimension, or of a lever."""
    if by == "lever":
        return words("additionality.any") if group == ALL else words.lever(group)
    if by == "size":
        return words(f"additionality.size_{group}")
    return place_name(words, by, group) if by == "tier" else words.province(group)


def supported_sentences(words: Words, lever: str, numbers: Numbers) -> list[str]:
    """How many firms a lever supports, or all of them, and what is to be known of these firms."""
    about = {measure: row["value"] for (quantity, measure), row in numbers.items() if quantity == "supported"}
    if not about["simulated"]:
        return [words("additionality.none")]
    changed, band = per_100(words, numbers["anything", "changed"])
    sentences = [
        words(
            "additionality.supported" if band == NOTHING else "additionality.supported_band",
            levers=group_name(words, "lever", lever),
            count=words.value(about["count"], "firms"),
            simulated=words.number(about["simulated"]),
            changed=changed,
            band=band,
        )
    ]
    sentences += [
        words(f"additionality.{name}", count=words.number(round(about[name], 1)))
        for name in ("only_with", "in_baseline")
        if round(about[name], 1)
    ]
    for name in _TOLD:
        shares = [numbers[name, measure]["value"] for measure in ("anyway_share", "reached_anyway_share")]
        if all(map(math.isfinite, shares)):
            share, since = (words.value(_whole(each), "share") for each in shares)
            sentences.append(words("additionality.anyway_of", title=words.column(name), share=share, since=since))
    return sentences


def per_100(words: Words, row: Mapping[str, Any]) -> tuple[str, str]:
    """A number of 100 firms and its range."""
    if math.isnan(row["low"]):
        return words.number(round(row["value"], 1)) if math.isfinite(row["value"]) else NOTHING, NOTHING
    return estimate_texts(words, row, "")


def state_rows(words: Words, numbers: Numbers) -> tuple[list[str], pd.DataFrame]:
    """What a chart of the states shows, of 100 firms: their titles; columns anyway, added, low and high (of added)."""
    rows = [
        {"anyway": numbers[name, "anyway"]["value"]}
        | {key: numbers[name, "added"][end] for key, end in (("added", "value"), ("low", "low"), ("high", "high"))}
        for name in STATES
    ]
    return [words(f"additionality.{name}") for name in STATES], pd.DataFrame(rows)


def states_table(words: Words, numbers: Numbers) -> TextTable:
    """What of 100 supported firms is so with the policy, without it, and only with it."""
    heads = ("with", "anyway", "added", "band", "lost", "anyway_share", "reached", "reached_anyway")
    texts = []
    for name in STATES:
        own = {measure: numbers[name, measure] for measure in ("with", "anyway", "added", "lost", "anyway_share")}
        reached = [NOTHING, NOTHING]
        if name in TITLES:
            since, anyway = (numbers[name, measure] for measure in ("reached", "reached_anyway_share"))
            reached = [per_100(words, since)[0], words.value(_whole(anyway["value"]), "share")]
        texts.append(
            [
                words(f"additionality.{name}"),
                *(per_100(words, own[measure])[0] for measure in ("with", "anyway")),
                *per_100(words, own["added"]),
                per_100(words, own["lost"])[0],
                words.value(_whole(own["anyway_share"]["value"]), "share"),
                *reached,
            ]
        )
    return TextTable([words("answers.outcome"), *_heads(words, heads)], texts)


def amount_rows(words: Words, numbers: Numbers) -> tuple[list[str], pd.DataFrame]:
    """What a chart of the amounts shows: their titles; value, low and high of their relative change, a share."""
    rows = [numbers[name, "change_share"] for name in AMOUNTS]
    return [words(f"additionality.{name}") for name in AMOUNTS], pd.DataFrame(rows)[["value", "low", "high"]]


def amounts_table(words: Words, numbers: Numbers) -> TextTable:
    """What a supported firm does in the mean with and without the policy."""
    heads = ("mean_with", "mean_without", "change", "band", "change_share", "band", "higher", "lower")
    texts = []
    for name in AMOUNTS:
        change, share = numbers[name, "change"], numbers[name, "change_share"]
        texts.append(
            [
                words(f"additionality.{name}"),
                words.unit("yuan per year" if change["unit"].startswith("yuan") else "persons"),
                *(words.number(numbers[name, measure]["value"]) for measure in ("with", "without")),
                *estimate_texts(words, change, "", signed=True),
                *relative_texts(words, share),
                *(per_100(words, numbers[name, measure])[0] for measure in ("higher", "lower")),
            ]
        )
    return TextTable([words("answers.outcome"), words("answers.unit"), *_heads(words, heads)], texts, words=2)


def relative_texts(words: Words, share: Mapping[str, Any]) -> tuple[str, str]:
    """A relative change in per cent, and its range."""
    percent = {name: 100.0 * share[name] for name in ("value", "low", "high")}
    text, band = estimate_texts(words, percent, "", signed=True)
    return text if text == NOTHING else words("number.percent", number=text), band


def rivals_table(words: Words, groups: Groups, lever: str) -> TextTable:
    """What firms without support lose and gain in the niches of supported ones.

    Args:
        lever: whose niches, or ``all``.
    """
    heads = ("rivals_lose", "rivals_gain", "losses", "gains", "net", "band", "net_per_100")
    near = groups[lever, RIVALS, SAME_NICHE]
    texts = []
    for name in (*STATES, *AMOUNTS):
        state = name in STATES
        net, per_firms = near[name, "net"], near[name, "net_per_100"]
        counts = ("lost", "gained") if state else ("lower", "higher")
        sums = ("lost", "gained") if state else ("losses", "gains")
        losses, gains = (near[name, measure]["value"] for measure in sums)
        texts.append(
            [
                words(f"additionality.{name}"),
                words.unit(net["unit"]),
                *(words.value(near[name, measure]["value"], "firms") for measure in counts),
                *(words.value(value, net["unit"], signed=True) for value in (-losses if state else losses, gains)),
                *estimate_texts(words, net, net["unit"], signed=True),
                words.number(per_firms["value"], signed=True),
            ]
        )
    return TextTable([words("answers.outcome"), words("answers.unit"), *_heads(words, heads)], texts, words=2)


def groups_table(words: Words, by: str, groups: Groups) -> TextTable:
    """Supported firms by a dimension, as they stood before the support, or by lever."""
    heads = ("count", "changed", "band", "srdi_added", "band", "srdi_anyway", "jobs_higher", "revenue_change")
    texts = []
    for group, numbers in group_numbers(groups, by).items():
        texts.append(
            [
                group_name(words, by, group),
                words.value(numbers["supported", "count"]["value"], "firms"),
                *per_100(words, numbers["anything", "changed"]),
                *per_100(words, numbers["srdi_smes", "added"]),
                words.value(_whole(numbers["srdi_smes", "anyway_share"]["value"]), "share"),
                per_100(words, numbers["employment", "higher"])[0],
                relative_texts(words, numbers["revenue_yuan", "change_share"])[0],
            ]
        )
    return TextTable([words(f"additionality.group_{by}"), *_heads(words, heads)], texts)


def about(words: Words, found: Additionality, baseline: str) -> str:
    """What is compared.

    Args:
        baseline: its title.
    """
    return words(
        "additionality.about",
        baseline=baseline,
        quarter=words.quarter(found.quarter),
        pairs=words.number(found.pairs),
        available=words.number(found.available),
        weight=words.number(1.0 / found.scale),
    )


def notes(words: Words, found: Additionality, titles: Mapping[str, str]) -> list[str]:
    """What the words mean, and what makes a number incomplete.

    Args:
        titles: of the scenarios by name.
    """
    sentences = [
        words(
            f"additionality.caveat_{caveat.key}",
            **{**caveat.values, **{key: titles.get(name, name) for key, name in _names(caveat.values)}},
        )
        for caveat in found.caveats
    ]
    sentences.append(words("additionality.note", threshold=words.percent(found.threshold)))
    if any(len(levers) > 1 for levers in found.levers.values()):
        sentences.append(words("additionality.note_levers"))
    return [*sentences, words("additionality.note_size")]


def _names(values: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    return ((key, name) for key, name in values.items() if key in ("scenario", "baseline"))


def _heads(words: Words, names: Iterable[str]) -> list[str]:
    return [words("answers.band" if name == "band" else f"additionality.{name}") for name in names]


def _whole(share: float) -> float:
    """A share in whole per cent, as it is one of few firms."""
    return share if math.isnan(share) else round(share, 2)


#: Dimensions that the report draws, and all that have a table.
DRAWN, TABLES = ("size", "tier"), ("lever", *DIMENSIONS)
