"""The controls of the policy page, built from the declarations of levers, rules and shocks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scenarios.ensembles.default_draws import default_labels
from scenarios.files.describe import field_rows
from scenarios.files.labels import Label, lever_labels
from scenarios.files.loading import flatten, load_scenario
from scenarios.files.schema import nested_models
from sim.calendar import DEFAULT_UNTIL, START
from sim.fieldtypes import Provinces, Sectors
from sim.levers import Levers
from sim.levers.base import FirmLever, FirmProgramme, Lever, PlacedLever
from sim.levers.services import Kinds, ProducerServices
from sim.reference import province_names, sector_names
from sim.rules import Rules
from sim.shocks import Shock, Shocks
from viz.words.language import Words

#: Settings that every lever has, shown after its own.
_COMMON = tuple(dict.fromkeys(name for base in (Lever, PlacedLever, FirmLever) for name in base.model_fields))
#: Of these, the ones always shown; the others on demand.
_PLAIN = ("budget_yuan", "start", "end")
#: Upper end of a slider as a multiple of the default, if the allowed range is wider; number of its steps.
_REACH, _STEPS = 4.0, 100
#: Upper end of the slider for a number of firms or clusters without a default.
_FIRMS = 50_000.0
#: Units of money: yuan, key of the word. An amount is shown in the largest unit not above its default.
MONEY = {
    "en": ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"), (1.0, "one")),
    "zh": ((1e8, "hundred_million"), (1e4, "ten_thousand"), (1.0, "one")),
}


@cache
def defaults() -> dict[str, Any]:
    """Every setting of the baseline by dotted key."""
    values = load_scenario("baseline").model_dump(mode="json")
    return flatten({key: values[key] for key in ("levers", "rules", "shocks")})


@cache
def control_groups(language: str) -> list[dict]:
    """The groups of the policy page in the order of the declarations, as plain values.

    A group has key, title and items. An item is a lever, the rules of a tier or a shock; it has key, title, help, cost,
    basis (what the strength of a lever rests on), switch (key of the setting that turns it on, or None), controls and
    more (controls on demand). See `_control`.
    """
    words, labels = Words(language), lever_labels(default_labels())
    groups: dict[str, list[dict]] = {}
    for name, lever in nested_models(Levers, Lever).items():
        groups.setdefault(lever.group, []).append(_lever(words, name, lever, labels[name]))
    groups["rules"] = list(_rules(words))
    groups["shocks"] = [_shock(words, name, shock) for name, shock in nested_models(Shocks, Shock).items()]
    return [{"key": key, "title": words(f"group.{key}"), "items": items} for key, items in groups.items()]


def _lever(words: Words, name: str, lever: type[Lever], label: Label) -> dict:
    prefix = f"levers.{name}"
    controls = {key: _control(words, f"{prefix}.{key}", field) for key, field in lever.model_fields.items()}
    own = [key for key in lever.model_fields if key not in _COMMON and not key.endswith("_weight")]
    weights = [key for key in lever.model_fields if key.endswith("_weight")]
    if issubclass(lever, FirmProgramme):
        own = [key for key in own if key != "yuan_per_firm"] + ["yuan_per_firm"]
    # Levers that cost nothing have no budget.
    plain = [key for key in _PLAIN if key != "budget_yuan" or lever.model_fields[key].default > 0.0]
    shown = [*own[:3], *plain]
    others = dict.fromkeys((*own, "intensity", *weights, *_COMMON))
    more = [key for key in others if key in controls and key not in (*shown, *_PLAIN, "enabled")]
    return {
        "key": prefix,
        "title": words.lever(name),
        "help": words.lever_help(name),
        "cost": words.lever_cost(name),
        "basis": words.label(label),
        "switch": f"{prefix}.enabled",
        "controls": [controls[key] for key in shown],
        "more": [controls[key] for key in more],
    }


def _rules(words: Words) -> Iterator[dict]:
    """The general rules, and the rules of each tier."""
    tiers = nested_models(Rules, BaseModel)
    general = {key: field for key, field in Rules.model_fields.items() if key not in tiers}
    yield _plain_item(words, "rules", "general", words("rule_group.general"), "", general)
    for tier, rules in tiers.items():
        yield _plain_item(words, f"rules.{tier}", tier, words(f"rule_group.{tier}"), "", rules.model_fields)


def _shock(words: Words, name: str, shock: type[Shock]) -> dict:
    fields = {"severity": shock.model_fields["severity"], **shock.model_fields}
    return _plain_item(words, f"shocks.{name}", name, words(f"shock.{name}"), words(f"shock_help.{name}"), fields)


def _plain_item(words: Words, prefix: str, key: str, title: str, help_: str, fields: dict[str, FieldInfo]) -> dict:
    controls = [_control(words, f"{prefix}.{name}", field) for name, field in fields.items()]
    return {
        "key": f"{prefix}.{key}" if prefix == "rules" else prefix,
        "title": title,
        "help": help_,
        "cost": "",
        "basis": "",
        "switch": None,
        "controls": controls,
        "more": [],
    }


def control_of(words: Words, key: str) -> dict:
    """One setting as shown on the page, by its dotted key; see `_control`."""
    return _control(words, key, field_of(key))


def field_of(key: str) -> FieldInfo:
    """The declaration of a setting."""
    return _owner(key).model_fields[key.rpartition(".")[2]]


def _control(words: Words, key: str, field: FieldInfo) -> dict:
    """One setting as shown on the page.

    kind is switch, number, count, quarter, choice or several. Numbers have low and high (allowed range), least, most
    and step (of the slider), factor (shown = value / factor) and unit (in words). quarter, choice and several have
    options as (value, title).
    """
    default = defaults()[key]
    row = next(row for row in field_rows(_owner(key), key.rpartition(".")[0]) if row["key"] == key)
    control = {
        "key": key,
        "label": words.setting_label(key),
        "help": words.setting_help(key, row["description"]),
        "default": default,
    }
    kind = _kind(field)
    if kind in ("choice", "several"):
        return control | {"kind": kind, "options": _options(words, field)}
    if kind == "quarter":
        last = DEFAULT_UNTIL
        quarters = [f"{year}Q{number}" for year in range(START.year + 1, last + 1) for number in (1, 2, 3, 4)]
        options = [(text, words.quarter(text)) for text in quarters]
        optional = [("", words("control.none"))] if field.default is None else []
        return control | {"kind": "quarter", "options": optional + options}
    if kind == "switch":
        return control | {"kind": "switch"}
    bounds = bounds_of(field)
    low, high = bounds.get("ge", bounds.get("gt", 0.0)), bounds.get("le", bounds.get("lt", math.inf))
    usual = default if default else field.default
    factor, unit = _unit(words, row["unit"], usual)
    least = low if math.isfinite(low) else 0.0
    most = min(high, _nice(_REACH * float(usual)) if usual else _FIRMS)
    if high <= 1.0:
        most = high
    step = _nice((most - least) / _STEPS, down=True)
    if kind == "count":
        step = max(1, round(step))
    # If an end itself is not allowed, the slider stops one step before it.
    least += step if "gt" in bounds and least == low else 0.0
    most -= step if "lt" in bounds and most == high else 0.0
    return control | {
        "kind": kind,
        "unit": unit,
        "factor": factor,
        "low": low,
        "high": high,
        "least": least,
        "most": most,
        "step": step,
        "optional": default is None,
        "range": words("control.range", low=words.number(low / factor), high=words.number(high / factor)),
    }


def _owner(key: str) -> type[BaseModel]:
    """The class that declares a setting."""
    top, *path = key.split(".")[:-1]
    model: type[BaseModel] = {"levers": Levers, "rules": Rules, "shocks": Shocks}[top]
    for part in path:
        model = nested_models(model, BaseModel)[part]
    return model


def _kind(field: FieldInfo) -> str:
    annotation = field.annotation
    if annotation is bool:
        return "switch"
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple:
        return "several"
    kinds = {annotation, *(getattr(part, "__origin__", part) for part in get_args(annotation))}
    if str in kinds:
        return "quarter"
    return "count" if int in kinds else "number"


def _options(words: Words, field: FieldInfo) -> list[tuple[str, str]]:
    if get_origin(field.annotation) is Literal:
        return [(value, words(f"tier.{value}")) for value in get_args(field.annotation)]
    kinds = tuple(ProducerServices.model_fields["kinds"].default)
    checks = {
        _check(Provinces): (province_names(), words.province),
        _check(Sectors): (sector_names(), lambda name: words(f"sector.{name}")),
        _check(Kinds): (kinds, lambda name: words(f"choice.{name}")),
    }
    names, title = next(listed for check, listed in checks.items() if check in _checks(field))
    return [(name, title(name)) for name in names]


def _check(kind: Any) -> Any:
    """The function that validates values of an annotated type."""
    return get_args(kind)[1].func


def _checks(field: FieldInfo) -> list:
    return [getattr(rule, "func", None) for rule in field.metadata]


def bounds_of(field: FieldInfo) -> dict[str, float]:
    """Bounds of a number by their sign: ge, gt, le, lt."""
    signs = ("ge", "gt", "le", "lt")
    bounds = ((sign, getattr(rule, sign, None)) for rule in field.metadata for sign in signs)
    return {sign: float(value) for sign, value in bounds if value is not None}


def _unit(words: Words, unit: str, usual: object) -> tuple[float, str]:
    """Factor and name of the unit in which a quantity is shown."""
    if unit == "share":
        return 0.01, words("control.percent")
    if unit.startswith("share of "):
        return 0.01, words("control.percent_of", whole=words.unit(unit))
    if "yuan" in unit and isinstance(usual, int | float) and unit != "yuan per yuan":
        scales = MONEY[words.language]
        scale, name = next((each for each in scales if abs(usual) >= each[0]), scales[-1])
        return scale, words(f"control.{name}", unit=words.unit(unit))
    return 1.0, words.unit(unit)


def _nice(value: float, down: bool = False) -> float:
    """The nearest number of the form 1, 2 or 5 times a power of ten, above or below."""
    if value <= 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = [step * power for step in (1.0, 2.0, 5.0, 10.0)]
    return (
        max(step for step in steps if step <= value * 1.000001)
        if down
        else min(s for s in steps if s >= value * 0.999999)
    )
