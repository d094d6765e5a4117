"""What is wrong with an input, in the user's language: what it is, the value found, and what is allowed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scenarios.errors import Fault, InputError, ResultsError, printable
from scenarios.files.loading import load_scenario
from scenarios.files.schema import RunDefaults, Scenario
from sim.calendar import LATEST_UNTIL, START, Quarter
from sim.feedbacks import Feedbacks
from sim.levers import Levers
from sim.parameters import parameter_table
from sim.rules import Rules
from sim.shocks import Shocks
from sim.wording import QUOTED, shortened
from viz.app.controls import bounds_of, control_of, defaults, field_of
from viz.words.language import Words, catalogue

#: Numbers beyond this are quoted as they were given.
_MOST = 1e16
#: Most wrong names of a list that are quoted.
_FEW = 3
#: Most keys that are listed in place of an unknown one.
_FEW_KEYS = 25
#: Letters of the longest list of allowed names that is whole, and of the beginning of a longer one.
_WHOLE, _BEGINNING = 700, 400


def fault_text(words: Words, error: BaseException | None, name: str = "") -> str:
    """What is wrong, in one sentence; empty without an error.

    Args:
        name: of the file in which it is.
    """
    if error is None:
        return ""
    fault = getattr(error, "fault", None)
    if fault is None:
        return _unworded(words, error)
    text = _TEXTS.get(fault.kind, _plain)(words, fault)
    return words("fault.in_file", name=_quote(name), text=text) if name else text


def _unworded(words: Words, error: BaseException) -> str:
    """The text of an error that nothing else words: in another language than English it is cited."""
    text = printable(shortened(str(error), 500))
    if isinstance(error, ResultsError):
        return words("fault.results", text=text)
    if isinstance(error, InputError):
        return words("fault.input", text=text)
    return words("fault.failed", kind=type(error).__name__, text=text)


# --- what is wrong


def _plain(words: Words, fault: Fault) -> str:
    values = {name: _quote(value) for name, value in fault.about.items()}
    key = f"fault.{fault.kind}"
    return words(key, what=_what(words, fault.key), code=_quote(fault.key), value=_quote(fault.value), **values)


def _value(words: Words, fault: Fault) -> str:
    """A value that is not allowed, and what is."""
    key = _setting(fault.key)
    wrong = fault.value
    return words(
        "fault.value",
        what=_what(words, key),
        code=key,
        value=_found(words, key, wrong),
        allowed=_allowed(words, key),
    )


def _unknown(words: Words, fault: Fault) -> str:
    """A key that there is not, and the one that was perhaps meant."""
    near, owner = str(fault.about["near"]), fault.key.rpartition(".")[0]
    known = [f"{owner}.{name}".lstrip(".") for name in cast(list[str], fault.about["known"])]
    inside = _title(words, owner)
    text = words("fault.unknown_in" if inside else "fault.unknown", code=_quote(fault.key), owner=inside)
    if near:
        return words("fault.perhaps", text=text, what=_what(words, near), code=near)
    if len(known) > _FEW_KEYS:
        return text
    names = [
        (key.rpartition(".")[2], words.setting_label(key) if key in defaults() else _what(words, key)) for key in known
    ]
    return words("fault.known", text=text, names=names_text(words, names))


def _choice(words: Words, fault: Fault) -> str:
    """A choice in the address that is not allowed, and what is (see `viz.app.choices`)."""
    allowed = cast(Callable[[Words], str], fault.about["allowed"])
    return words(
        "fault.value",
        what=_named(words, words(f"fault.choice.{fault.key}")),
        code=fault.key,
        value=words("fault.quoted", value=_quote(fault.value)),
        allowed=allowed(words),
    )


def _further(words: Words, fault: Fault) -> str:
    """One fault of an address, and the keys of others."""
    first, keys = cast(Exception, fault.about["first"]), cast(list[str], fault.about["keys"])
    quoted = words.joined([words("fault.quoted", value=key) for key in keys])
    return words("fault.further", text=fault_text(words, first), keys=quoted)


def _too_large(words: Words, fault: Fault) -> str:
    """A file above the limit."""
    size, most = (words.number(float(str(number))) for number in (fault.value, fault.about["most"]))
    return words("fault.too_large", value=size, most=most)


def _order(words: Words, fault: Fault) -> str:
    """An announcement after the start, or an end before it."""
    value, start = (words.quarter(str(fault.about[name])) for name in ("value", "start"))
    return words(f"fault.{fault.kind}", what=_what(words, fault.key), code=fault.key, value=value, start=start)


def _encoding(words: Words, fault: Fault) -> str:
    """A text that is not UTF-8, and what it seems to be."""
    return words("fault.encoding_of" if fault.value else "fault.encoding", value=_quote(fault.value))


def _extends(words: Words, fault: Fault) -> str:
    """A parent that is not in the catalogue, and one that is."""
    near = str(fault.about["near"])
    example = _inner(words.scenario(load_scenario(near).model_dump()))
    return words("fault.extends", value=_quote(fault.value), code=fault.key, example=example, near=near)


_TEXTS = {
    "value": _value,
    "choice": _choice,
    "further": _further,
    "unknown": _unknown,
    "announced_late": _order,
    "end_early": _order,
    "encoding": _encoding,
    "extends": _extends,
    "too_large": _too_large,
}


# --- what it is


def _setting(key: str) -> str:
    """The key of a setting whose part is at fault, such as one place of a list."""
    while key and not (key in defaults() or _field(key) or key.partition(".")[0] == "parameters"):
        key = key.rpartition(".")[0]
    return key


def _field(key: str) -> FieldInfo | None:
    """Declaration of a setting that is neither of the policy nor a parameter."""
    table, _, name = key.rpartition(".")
    owners: dict[str, type[BaseModel]] = {"": Scenario, "run": RunDefaults, "model": Feedbacks}
    owner = owners.get(table)
    field = owner.model_fields.get("schema_version" if key == "schema" else name) if owner else None
    return field if field and key not in ("levers", "rules", "shocks", "run", "model", "parameters") else None


def _what(words: Words, key: str) -> str:
    """A setting or a table in the page's words."""
    return _title(words, key) or words("fault.setting")


def _title(words: Words, key: str) -> str:
    """As `_what`; empty for a key that there is not."""
    table, _, name = key.rpartition(".")
    if key in defaults():
        return _of(words, _title(words, table), words.setting_label(key))
    first, _, rest = key.partition(".")
    if first == "parameters" and rest in parameter_table():
        title = catalogue(words.language)["fit"]["parameter_title"].get(rest)
        own = words("compare.parameter")
        return _of(words, own, title) if title else own
    if first == "levers" and rest in Levers.model_fields:
        return _named(words, words.lever(rest))
    if first == "shocks" and rest in Shocks.model_fields:
        return _named(words, words(f"shock.{rest}"))
    if first == "rules" and rest in Rules.model_fields:
        return _of(words, words("group.rules"), words(f"rule_group.{rest}"))
    known = catalogue(words.language)["fault"]["name"]
    if table == "model" and name in Feedbacks.model_fields:
        return known["model"]
    return known.get(key.replace(".", "_"), "")


def _of(words: Words, owner: str, label: str) -> str:
    return words("fault.of", owner=owner, label=_inner(label))


def _named(words: Words, name: str) -> str:
    return words("fault.named", name=_inner(name))


def _inner(text: str) -> str:
    """A text with the quotation marks that it has within others."""
    return text.replace("“", "‘").replace("”", "’")


# --- the value found, and what is allowed


def _quote(value: object) -> str:
    """A value as it was given, short and harmless."""
    if value is None or isinstance(value, bool | list | dict):
        try:
            value = json.dumps(value, ensure_ascii=False, default=str)
        except (ValueError, RecursionError):  # nested more deeply than any reader would
            value = "…"
    return printable(shortened(str(value), QUOTED))


def _is_number(value: object) -> bool:
    """Whether a value is a number that can be written as one; nan is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST


def _found(words: Words, key: str, value: Any) -> str:
    """A value found, in the unit of its setting if it is a number; otherwise in quotation marks."""
    control: dict[str, Any] = control_of(words, key) if key in defaults() else {"kind": ""}
    if _is_number(value):
        is_amount = control["kind"] in ("number", "count") or key.startswith("run.")
        return _amount(words, value, _unit_of(key)) if is_amount else f"{value:.10g}"
    if control["kind"] == "quarter" and _is_quarter(value):
        return words.quarter(value)
    if control["kind"] == "several" and isinstance(value, list):
        known = dict(control["options"])
        value = [each for each in value if not isinstance(each, str) or each not in known] or value
        return words.joined([words("fault.quoted", value=_quote(each)) for each in value[:_FEW]])
    return words("fault.quoted", value=_quote(value))


def _is_quarter(value: object) -> bool:
    try:
        return bool(Quarter.parse(str(value)))
    except ValueError:
        return False


def _unit_of(key: str) -> str:
    """The unit in which a setting is stored."""
    extra = (_field(key) or field_of(key)).json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _amount(words: Words, value: float, unit: str) -> str:
    """A number in a unit, a share in per cent."""
    if unit == "ratio":
        return words.number(value)
    if unit == "year":
        return f"{value:g}"
    if unit.startswith("share"):
        return words.percent(value)
    return words("fault.amount", number=words.number(value), unit=words.unit(unit) if unit else "").strip()


def _allowed(words: Words, key: str) -> str:
    """What is allowed for a setting."""
    if key in defaults():
        return _allowed_of_control(words, key, control_of(words, key))
    if key.startswith("parameters."):
        parameter = parameter_table().get(key.removeprefix("parameters."))
        if parameter is None:
            return words("fault.allowed_number", range="")
        return words("fault.allowed_number", range=range_text(words, {"ge": parameter.low, "le": parameter.high}))
    field = _field(key)
    if field is None:
        return words("fault.allowed_other")
    if field.annotation is bool:
        return words("fault.allowed_switch")
    if key == "schema":
        return words("fault.allowed_schema")
    if key == "name":
        return words("fault.allowed_name")
    if field.annotation is str:
        most = next((rule.max_length for rule in field.metadata if hasattr(rule, "max_length")), 0)
        return words("fault.allowed_text", most=most)
    kind = "count" if field.annotation is int else "number"
    return words(f"fault.allowed_{kind}", range=range_text(words, bounds_of(field), _unit_of(key)))


def _allowed_of_control(words: Words, key: str, control: dict) -> str:
    kind = control["kind"]
    if kind == "quarter":
        first, last = words.quarter(str(START + 1)), words.quarter(f"{LATEST_UNTIL}Q4")
        return words("fault.allowed_quarter", first=first, last=last)
    if kind == "switch":
        return words("fault.allowed_switch")
    if kind in ("choice", "several"):
        return words(f"fault.allowed_{kind}", names=names_text(words, control["options"]))
    return words(f"fault.allowed_{kind}", range=range_text(words, bounds_of(field_of(key)), _unit_of(key)))


def range_text(words: Words, bounds: dict[str, float], unit: str = "") -> str:
    """Ends of a range, as part of a sentence; empty without ends."""
    if set(bounds) == {"ge", "le"}:
        # The unit once, after the second number; but "10% to 20%".
        low = _amount(words, bounds["ge"], unit if unit.startswith("share") or unit == "year" else "")
        return words("fault.between", low=low, high=_amount(words, bounds["le"], unit))
    ends = [words(f"fault.{sign}", bound=_amount(words, bound, unit)) for sign, bound in bounds.items()]
    return words("fault.range", ends=words("fault.and").join(ends)) if ends else ""


def names_text(words: Words, options: Iterable[tuple[str, str]]) -> str:
    """Names that are allowed, each with its title where that differs; of a long list the first, and a count."""
    texts = [title if title == name else words("number.bracketed", value=title, about=name) for name, title in options]
    whole = words.joined(texts)
    if len(whole) <= _WHOLE:
        return whole
    lengths = accumulate(map(len, texts))
    first = max(sum(length <= _BEGINNING for length in lengths), 1)
    return words("fault.shortened", names=words.joined(texts[:first]), more=len(texts) - first)
