"""The parts in which a policy differs from a baseline, and mixtures that have some of them.

A part is a lever, the rules of a tier or another rule, a shock, a feedback or a parameter; or a group of such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.errors import InputError, nearest
from scenarios.files.schema import NAMING_KEYS, Scenario, build
from sim.feedbacks import Feedbacks
from sim.levers import Levers
from sim.rules import REPORTED, Rules
from sim.shocks import Shocks

#: Settings of the rules that say when they hold, not what they are.
_DATES = ("announced", "start")
_ABSENT = object()


@dataclass(frozen=True)
class Part:
    """Something in which a policy differs from a baseline.

    Attributes:
        name: a lever, a dotted key such as ``rules.srdi`` or ``shocks.demand_slump``, or the name of a group.
        keys: dotted keys that are taken from the policy; all else comes from the baseline.
    """

    name: str
    keys: tuple[str, ...]


def differing_parts(baseline: Scenario, scenario: Scenario) -> list[Part]:
    """The parts in which a policy differs from a baseline, in the order of a scenario file.

    A lever or shock that is off in both is none. Dates of the rules go with every rule; if rules of the baseline itself
    are not the reported ones, and dates differ, all rules are one part.
    """
    before, after = _values(baseline), _values(scenario)

    def differs(key: str) -> bool:
        return _get(before, key) != _get(after, key)

    parts = []
    for name in Levers.model_fields:
        on = getattr(baseline.levers, name).enabled or getattr(scenario.levers, name).enabled
        if on and differs(f"levers.{name}"):
            parts.append(Part(name, (f"levers.{name}",)))
    parts += _rules(baseline, scenario, [key for key in _fields(Rules, "rules") if differs(key)])
    for name in Shocks.model_fields:
        on = max(getattr(each.shocks, name).severity for each in (baseline, scenario)) > 0.0
        if on and differs(f"shocks.{name}"):
            parts.append(Part(f"shocks.{name}", (f"shocks.{name}",)))
    names = dict.fromkeys((*baseline.parameters, *scenario.parameters))
    others = (*_fields(Feedbacks, "model"), *(f"parameters.{name}" for name in names))
    return parts + [Part(key, (key,)) for key in others if differs(key)]


def _rules(baseline: Scenario, scenario: Scenario, differing: list[str]) -> list[Part]:
    """Parts of the rules, from their settings that differ."""
    dates = tuple(f"rules.{name}" for name in _DATES)
    own = [key for key in differing if key not in dates]
    moved = len(own) < len(differing)
    reported = baseline.rules.model_copy(update={name: getattr(REPORTED, name) for name in _DATES}) == REPORTED
    if moved and not reported:
        return [Part("rules", ("rules",))]
    return [Part(key, (key, *dates)) for key in own]


def grouped(parts: list[Part], groups: Mapping[str, Iterable[str]]) -> list[Part]:
    """The parts, with those of each group as one, in the place of its first.

    Args:
        groups: names of parts by name of the group.

    Raises:
        InputError: an unknown part, one in two groups, an empty group, or a name that is taken.
    """
    known = {part.name: part for part in parts}
    home: dict[str, str] = {}
    for group, names in groups.items():
        names = [names] if isinstance(names, str) else list(names)
        if not names:
            raise InputError(f"group {group!r} is empty: name parts of the policy ({', '.join(known)})")
        if group in known and group not in names:
            raise InputError(f"group {group!r} has the name of a part that is not in it; choose another name")
        for name in names:
            if name not in known:
                raise InputError(
                    f"group {group!r} has {name!r}{nearest(name, known)} (parts of the policy: {', '.join(known)})"
                )
            if home.setdefault(name, group) != group:
                raise InputError(f"{name} is in two groups, {home[name]!r} and {group!r}; it can be in one")
    keys: dict[str, dict[str, None]] = {}
    for part in parts:
        keys.setdefault(home.get(part.name, part.name), {}).update(dict.fromkeys(part.keys))
    return [Part(name, tuple(of_part)) for name, of_part in keys.items()]


def mixture(baseline: Scenario, scenario: Scenario, parts: Iterable[Part], name: str) -> Scenario:
    """The baseline with some parts of a policy.

    Raises:
        ScenarioError: together they are not valid.
    """
    parts = list(parts)
    values, after = _values(baseline), _values(scenario)
    for part in parts:
        for key in part.keys:
            _set(values, key, _get(after, key))
    title = f"{baseline.name} with {', '.join(part.name for part in parts)} of {scenario.name}"
    return build({**values, **dict.fromkeys(NAMING_KEYS, ""), "name": name, "title": title[:200]}, name)


def _values(scenario: Scenario) -> dict:
    return scenario.model_dump(by_alias=True, mode="json")


def _fields(model: type, prefix: str) -> list[str]:
    return [f"{prefix}.{name}" for name in model.model_fields]  # type: ignore[attr-defined]


def _get(values: dict, key: str) -> Any:
    """The value at a dotted key of two parts at most; a marker if there is none."""
    table, _, name = key.partition(".")
    return values[table].get(name, _ABSENT) if name else values[table]


def _set(values: dict, key: str, value: Any) -> None:
    table, _, name = key.partition(".")
    if not name:
        values[table] = value
    elif value is _ABSENT:
        values[table].pop(name, None)
    else:
        values[table][name] = value
