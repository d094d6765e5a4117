"""The tables printed by ``srdi target``, with notes that explain them."""

from __future__ import annotations

import math

from rich.console import Console

from scenarios.commands.run_tables import variation_note
from scenarios.commands.search_tables import value_text
from scenarios.display.formatting import format_number, unit_name
from scenarios.display.screen import Cells, print_table, say
from scenarios.search.target_runs import Target

_COST = {
    "public_cost_yuan": "public cost over the base",
    "cost_lever_yuan": "  of which levers",
    "cost_tax_yuan": "  of which tax relief on R&D",
    "cost_title_yuan": "  of which awards for titles",
}


def print_target(found: Target, console: Console) -> None:
    """Print the verdict, the settings found, the levels and the chance of meeting them, the cost, and notes."""
    say(console, _verdict(found), "bold")
    console.print()
    print_table(_settings(found), console)
    console.print()
    print_table(_levels(found), console)
    console.print()
    print_table(_cost(found), console)
    console.print()
    for sentence in _notes(found):
        say(console, sentence, "dim")


def _percent(row: dict) -> str:
    """A share with its interval, in per cent."""
    text = f"{100.0 * row['value']:.0f} %"
    return text if math.isnan(row["low"]) else f"{text} [{100.0 * row['low']:.0f}, {100.0 * row['high']:.0f}]"


def _verdict(found: Target) -> str:
    asked = f"{format_number(found.chance, 'share')} %"
    chance, runs = _percent(found.number("chance")), f"{found.runs} runs on new luck"
    if not found.reachable:
        edge = "" if found.verdict == "missed" else " Those runs do not rule the chance out: try more trials."
        return (
            f"Not reachable within these ranges: none of {len(found.tried)} points tried meets the levels with a "
            f"chance of {asked}. The nearest meets them in {chance} of {runs}.{edge}"
        )
    words = {
        "met": f"which meets the {asked} asked for",
        "within sampling error": f"which differs from the {asked} asked for by no more than sampling error",
        "missed": f"which is clearly below the {asked} asked for: the search was lucky; use more --replicates",
    }[found.verdict]
    return f"The cheapest settings found meet the levels in {chance} of {runs}, {words}."


def _settings(found: Target) -> Cells:
    rows = []
    for row in found.settings.to_dict("records"):
        ends = [row["low"], row["high"]]
        limits = "listed" if None in ends else " … ".join(map(value_text, ends))
        base = "off" if row["base"] is None else value_text(row["base"])
        label = f"{row['label']} ({row['studies']})" if row["studies"] else row["label"]
        rows.append((row["setting"], row["unit"], limits, base, value_text(row["value"]), label))
    heads = ("Setting", "Unit", ">Range", ">In the base", ">Set to", "Its effect is")
    return Cells("Free settings", heads, rows)


def _levels(found: Target) -> Cells:
    base = found.base.name
    rows = []
    for level in found.levels:
        unit = level.outcome.unit
        of = found.number("level", level.text)
        reached = found.number("level_reached", level.text)["value"]
        rows.append(
            (
                level.outcome.text,
                unit_name(unit),
                f"{'≥' if level.at_least else '≤'} {format_number(level.value, unit)}",
                format_number(of["value"], unit),
                " … ".join(format_number(of[end], unit) for end in ("low", "high")),
                format_number(reached, unit),
                _percent(found.number("level_met", level.text)),
                format_number(found.number("level", level.text, base)["value"], unit),
                _percent(found.number("level_met", level.text, base)),
            )
        )
    chances = (_percent(found.number("chance")), "", _percent(found.number("chance", scenario=base)))
    rows.append(("all together", "", "", "", "", "", *chances))
    share = format_number(found.chance, "share")
    heads = (
        *("Level", "Unit", ">Asked", ">Mean", ">10–90 % of runs", f">{share} % of runs\nreach or keep to"),
        *(">Met in", ">Mean in\nthe base", ">Met in\nthe base in"),
    )
    return Cells(f"Levels: {found.runs} runs on new luck", heads, rows)


def _cost(found: Target) -> Cells:
    rows = []
    for name, word in _COST.items():
        row = found.number(name)
        label = f"{row['label']} ({row['studies']})" if row["studies"] else row["label"]
        low, high = (format_number(row[end], "yuan", signed=True) for end in ("low", "high"))
        rows.append((word, format_number(row["value"], "yuan", signed=True), f"{low} … {high}", label))
    title = f"Full public cost over the whole run, {unit_name('yuan')}"
    return Cells(title, ("Part", ">Mean", ">10–90 % of pairs", "Rests on what is"), rows)


def _notes(found: Target) -> list[str]:
    chance = found.number("chance")
    label = f"{chance['label']} ({chance['studies']})" if chance["studies"] else chance["label"]
    searched = _percent(found.number("chance_in_search"))
    sentences = [
        f"Chances are shares of runs, which {variation_note(found.parameters_vary)}. Their 95 % intervals by Wilson "
        f"hold the doubt from having only {found.runs} runs. Chances and levels rest on what is {label}.",
        f"In the search and its check {searched} of the runs met the levels, but for that the point was chosen. The "
        "runs above have other seeds and had no part in the choice.",
        "Cheapest means among the points tried: a search with more trials may find cheaper ones.",
    ]
    if found.repeated_draws:
        sentences.append(
            f"{found.repeated_draws} of the {found.runs} parameter draws on new luck are those of the search, because "
            "there are no others."
        )
    return sentences
