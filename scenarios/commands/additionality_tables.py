"""The tables printed by ``srdi additionality``, with notes that explain them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console

from scenarios.analysis.additionality import ALL, ELSEWHERE, RIVALS, SAME_NICHE, TITLES, Additionality, Numbers
from scenarios.analysis.firm_runs import AMOUNTS
from scenarios.commands.run_tables import variation_note
from scenarios.display.formatting import format_number
from scenarios.display.screen import Cells, print_table, say

_STATES = {
    "firms": "still in business",
    "innovative_smes": "innovative SME or higher",
    "srdi_smes": "SRDI SME or higher",
    "little_giants": "little giant",
    "rd_firms": "does R&D",
    "exporters": "sells abroad",
}
_AMOUNTS = dict(zip(AMOUNTS, ("true R&D", "jobs", "exports", "revenue"), strict=True))
_RIVAL_GROUPS = (SAME_NICHE, ELSEWHERE)
#: A row of the table of numbers.
Row = Mapping[str, Any]


def print_additionality(found: Additionality, by: Iterable[str], console: Console) -> None:
    """Print, for each scenario, what support changed by lever and dimension, what rivals lose, and notes.

    Args:
        by: of `scenarios.analysis.additionality.DIMENSIONS`, those to print.
    """
    by = tuple(by)
    for scenario, levers in found.levers.items():
        own = found.rows[found.rows["scenario"] == scenario]
        versus = f"{scenario} against {found.baseline} ({found.quarter})"
        cells = found.groups(scenario)
        for lever in levers if len(levers) == 1 else (*levers, ALL):
            what = "any of these levers" if lever == ALL else lever
            numbers = cells[lever, "lever", lever]
            _say_supported(what, numbers, console)
            if numbers["supported", "simulated"]["value"]:
                print_table(_states(f"{versus}: of 100 firms supported by {what}, how many", numbers), console)
                console.print()
                print_table(_amounts(f"{versus}: a firm supported by {what}, mean", numbers), console)
                console.print()
                print_table(_rivals(f"{versus}: firms without support in the niches of {what}", cells, lever), console)
                had = sum(cells[lever, RIVALS, group]["rivals", "support_lost"]["value"] for group in _RIVAL_GROUPS)
                if had:
                    say(console, f"Of all firms without support, {format_number(had)} have it in the baseline.")
                console.print()
        for dimension in by:
            groups = {
                group: cells[ALL, dimension, group] for lever, name, group in cells if (lever, name) == (ALL, dimension)
            }
            print_table(
                _groups(f"{versus}: supported firms by {_HEADINGS[dimension]} before the support", groups), console
            )
            console.print()
        label = own.iloc[0]
        studies = f" ({label.studies})" if label.studies else ""
        say(console, f"Changes rest on what is {label.label}{studies}.")
        console.print()
    for caveat in found.caveats:
        say(console, f"Careful: {caveat.text}")
    for sentence in _notes(found, by):
        say(console, sentence, "dim")


_HEADINGS = {"tier": "tier", "size": "size class", "province": "province"}


def _band(row: Row) -> str:
    if math.isnan(row["low"]):
        return "–"
    return " … ".join(_one(row[end]) for end in ("low", "high"))


def _one(value: float) -> str:
    """Firms of 100, with one decimal."""
    return "–" if math.isnan(value) else f"{value:.1f}"


def _percent(row: Row) -> str:
    return "–" if math.isnan(row["value"]) else f"{100.0 * row['value']:.0f}"


def _relative(share: float) -> str:
    """A relative change in per cent."""
    return "–" if math.isnan(share) else f"{round(100.0 * share, 2) + 0.0:+.2f}".replace("-", "−")


def _say_supported(what: str, numbers: Numbers, console: Console) -> None:
    supported = {measure: row["value"] for (quantity, measure), row in numbers.items() if quantity == "supported"}
    text = f"Supported by {what}: {format_number(supported['count'])} firms"
    if not supported["simulated"]:
        say(console, f"{text}.")
        return
    text += f" ({format_number(supported['simulated'])} simulated in a run)."
    if supported["only_with"]:
        text += f" Of 100, {_one(supported['only_with'])} were founded with the policy alone."
    if supported["in_baseline"]:
        text += f" Of 100, {_one(supported['in_baseline'])} are supported by it in the baseline too, on other terms."
    changed = numbers["anything", "changed"]
    say(console, f"{text} Of 100, {_one(changed['value'])} changed anything at all.")


def _states(title: str, numbers: Numbers) -> Cells:
    heads = (
        *("Outcome", ">With the\npolicy", ">Would have\nanyway", ">Only with\nit", ">10–90 % of pairs"),
        *(">Only\nwithout", ">Anyway, %\nof with", ">Had it\nbefore", ">Reached it\nsince", ">of these\nanyway, %"),
    )
    texts = []
    for name, word in _STATES.items():
        row = {measure: numbers[name, measure] for measure in ("with", "anyway", "added", "lost", "anyway_share")}
        since: tuple[str, ...] = ("–", "–", "–")
        if name in TITLES:
            since = (
                *(_one(numbers[name, measure]["value"]) for measure in ("held_before", "reached")),
                _percent(numbers[name, "reached_anyway_share"]),
            )
        texts.append(
            (
                word,
                *(_one(row[measure]["value"]) for measure in ("with", "anyway", "added")),
                _band(row["added"]),
                _one(row["lost"]["value"]),
                _percent(row["anyway_share"]),
                *since,
            )
        )
    return Cells(title, heads, texts)


def _amounts(title: str, numbers: Numbers) -> Cells:
    heads = (
        *("Outcome", "Unit", ">With", ">Without", ">Change", ">10–90 % of pairs", ">Change,\n%"),
        *(">Of 100\nhigher", ">lower", ">within the\nthreshold"),
    )
    texts = []
    for name, word in _AMOUNTS.items():
        change = numbers[name, "change"]
        scale, unit = (1e-3, "thousand yuan a year") if change["unit"].startswith("yuan") else (1.0, "persons")
        share = numbers[name, "change_share"]["value"]
        ends = [format_number(scale * change[end], signed=True) for end in ("low", "high")]
        texts.append(
            (
                word,
                unit,
                *(format_number(scale * numbers[name, measure]["value"]) for measure in ("with", "without")),
                _signed(scale * change["value"], change),
                "–" if math.isnan(change["low"]) else " … ".join(ends),
                _relative(share),
                *(_one(numbers[name, measure]["value"]) for measure in ("higher", "lower", "same")),
            )
        )
    return Cells(title, heads, texts)


def _signed(value: float, row: Row) -> str:
    """A change; ? marks one whose band contains zero or that has no band. None at all in any pair is certain."""
    sure = row["low"] > 0.0 or row["high"] < 0.0 or row["low"] == row["high"]
    return format_number(value, signed=True) + ("  " if sure else " ?")


def _rivals(title: str, cells: Mapping[tuple[str, str, str], Numbers], lever: str) -> Cells:
    heads = (
        *("Outcome", "Unit", ">Firms that\nlose", ">gain", ">Losses", ">Gains", ">Net", ">10–90 % of pairs"),
        *(">Net per 100\nsupported", ">Net\nelsewhere"),
    )
    near, far = (cells[lever, RIVALS, group] for group in _RIVAL_GROUPS)
    texts = []
    for name, word in (_STATES | _AMOUNTS).items():
        net = near[name, "net"]
        counts = ("lost", "gained") if name in _STATES else ("lower", "higher")
        sums = ("lost", "gained") if name in _STATES else ("losses", "gains")
        signs = (-1.0, 1.0) if name in _STATES else (1.0, 1.0)
        yuan = net["unit"].startswith("yuan")
        # In billions for the nation, in millions for 100 firms.
        of_nation, of_100 = (1e-9, 1e-6) if yuan else (1.0, 1.0)
        losses, gains = (sign * near[name, measure]["value"] for sign, measure in zip(signs, sums, strict=True))
        ends = [format_number(of_nation * net[end], signed=True) for end in ("low", "high")]
        texts.append(
            (
                word,
                "bn yuan a year (per 100: million)" if yuan else net["unit"],
                *(format_number(near[name, measure]["value"]) for measure in counts),
                *(format_number(of_nation * value + 0.0, signed=True) for value in (losses, gains)),
                _signed(of_nation * net["value"], net),
                "–" if math.isnan(net["low"]) else " … ".join(ends),
                format_number(of_100 * near[name, "net_per_100"]["value"], signed=True),
                format_number(of_nation * far[name, "net"]["value"], signed=True),
            )
        )
    return Cells(title, heads, texts)


def _groups(title: str, groups: Mapping[str, Numbers]) -> Cells:
    heads = (
        *("Group", ">Supported\nfirms", ">Changed\nanything", ">SRDI SME\nonly with", ">anyway,\n% of with"),
        *(">Little giant\nonly with", ">anyway,\n% of with", ">R&D\nhigher", ">Jobs\nhigher", ">Exports\nhigher"),
        *(">Revenue\nhigher", ">Revenue,\nchange, %"),
    )
    texts = []
    for group, numbers in groups.items():
        if not numbers["supported", "simulated"]["value"]:
            continue
        titles = []
        for name in ("srdi_smes", "little_giants"):
            titles += [_one(numbers[name, "added"]["value"]), _percent(numbers[name, "anyway_share"])]
        share = numbers["revenue_yuan", "change_share"]["value"]
        texts.append(
            (
                group,
                format_number(numbers["supported", "count"]["value"]),
                _one(numbers["anything", "changed"]["value"]),
                *titles,
                *(_one(numbers[name, "higher"]["value"]) for name in AMOUNTS),
                _relative(share),
            )
        )
    return Cells(title, heads, texts)


def _notes(found: Additionality, by: tuple[str, ...]) -> list[str]:
    pairs = f"{found.pairs} pairs" if found.pairs > 1 else "1 pair"
    sentences = [
        f"Each firm is compared with itself in a run of {found.baseline!r} with the same draws, at the end of "
        f"{found.quarter}: {pairs} of {found.available} were run again (scale {found.scale:g}). Ranges hold 10 to 90 % "
        f"of the pairs, which {variation_note(found.parameters_vary)}; ? marks one that has zero in it or is missing.",
        "Supported: reached by the lever in any quarter so far. A firm that has closed, or was never founded, has no "
        "title and amounts of zero; another firm in its slot is not the same. Titles count the higher tiers too.",
        f"Higher and lower: an amount that differs by more than {100.0 * found.threshold:g} % of the one without the "
        "policy. R&D, exports and revenue: a year's, at the pace of the quarter.",
        "Firms without support: alive at the end of either run and reached by none of the levers that differ. Losses "
        "and gains are sums over all of them, however small; firms that lose or gain an amount count by the threshold. "
        "In the same niche: of any supported firm. What spills over to other firms is in their gains.",
    ]
    if any(len(levers) > 1 for levers in found.levers.values()):
        sentences.append(
            "With several levers, the changes of the firms of one come from all of them; run scenarios that differ in "
            "one lever to tell them apart."
        )
    if "size" in by:
        sentences.append(
            "Size: classes of the statistics office (2017) by employees alone: small from 20, medium from 300, large "
            "from 1,000 in manufacturing; from 10, 100 and 300 in software and services. The official ones ask for "
            "revenue too."
        )
    if found.pairs == 1:
        sentences.append("There is only one pair, so no range. Give more --pairs.")
    return sentences
