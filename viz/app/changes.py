"""A policy's changes to the baseline, in the words of its controls."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sim.parameters import parameter_table
from viz.app.controls import control_groups, defaults
from viz.shared.texts import TextTable
from viz.words.language import Words


@cache
def _controls(language: str) -> dict[str, tuple[str, dict]]:
    """Title of the lever, rules or shock, and control, by dotted key; a switch has only a label."""
    words = Words(language)
    controls = {}
    for group in control_groups(language):
        for item in group["items"]:
            title = item["title"]
            if group["key"] == "rules":  # the items are named only by their tier
                title = words("number.bracketed", value=title, about=group["title"])
            for control in (*item["controls"], *item["more"]):
                controls[control["key"]] = (title, control)
            if item["switch"]:
                label = words.setting_label(item["switch"])
                controls[item["switch"]] = (title, {"kind": "switch", "label": label})
    return controls


def changes_table(settings: Mapping[str, object], words: Words) -> TextTable:
    """One row for each setting that differs from the baseline: owner, label, value before and now."""
    return moves_table({}, settings, words)


def moves_table(before: Mapping[str, object], after: Mapping[str, object], words: Words) -> TextTable:
    """One row for each setting that differs between two policies: owner, label, value in the first and the second.

    Args:
        before, after: what each changes in the baseline, by dotted key.
    """
    rows = []
    for key in sorted({*before, *after}):
        known = key in _controls(words.language)
        usual = defaults()[key] if known else parameter_table()[key.removeprefix("parameters.")].value
        was, now = before.get(key, usual), after.get(key, usual)
        if was == now:
            continue
        if known:
            title, control = _controls(words.language)[key]
            rows.append([title, control["label"], _text(control, was, words), _text(control, now, words)])
        else:
            name = key.removeprefix("parameters.")
            rows.append([words("compare.parameter"), name, words.setting(was), words.setting(now)])
    return TextTable([words(f"compare.{head}") for head in ("what", "setting", "before", "now")], rows, words=4)


def changes_sentence(settings: Mapping[str, object], words: Words) -> str:
    """The titles of the levers, rules and shocks that a policy changes."""
    titles = dict.fromkeys(row[0] for row in changes_table(settings, words).rows)
    return words.joined(list(titles))


def _text(control: dict, value: Any, words: Words) -> str:
    """A value as shown by its control."""
    kind = control["kind"]
    if value is None or kind == "switch":
        return words.setting(value)
    if kind in ("number", "count"):
        return f"{words.number(value / control['factor'])} {control['unit']}".strip()
    titles = dict(control["options"])
    if kind == "several":
        return words.joined([titles[each] for each in value]) or words("number.everywhere")
    return titles.get(value) or (words.quarter(value) if kind == "quarter" else str(value))
