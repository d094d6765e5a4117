"""Loading of scenarios: catalogue names, files, ``extends`` and ``--set``."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.catalogue import catalogue_names, read_catalogue_file
from scenarios.errors import MAX_MESSAGE_LENGTH, Fault, ScenarioError, nearest
from scenarios.files.schema import NAME_PATTERN, NAMING_KEYS, Scenario, build, check_starts, known_keys
from sim.arguments import quoted
from sim.policy import POLICY_TABLES, Policy
from sim.wording import shortened

#: Keys that describe the file itself and are not inherited from its parents.
_OWN_KEYS = (*NAMING_KEYS, "extends")
_MAX_BYTES = 1_000_000
#: Largest length of a file name in a message.
_NAME_LENGTH = 200
#: Names of parameter draws (see `scenarios.ensembles.parameter_draws`), and all that ``--params`` takes besides files.
DRAW_NAMES = ("posterior", "evidence", "median")
PARAMETER_SOURCES = ("default", *DRAW_NAMES)
#: Short forms of true and false in ``--set``.
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_QUARTER = re.compile(r"(\d{4})[- ]?[qQ]([1-4])", re.ASCII)
_NUMBER = re.compile(r"[+-]?[\d_.]{1,18}(e[+-]?\d{1,4})?", re.IGNORECASE | re.ASCII)
#: Numbers with commas, which separate thousands in some countries and decimals in others, and percentages.
_AMBIGUOUS_NUMBER = re.compile(r"[+-]?[\d.]+((,[\d.]+)+ *%?| *%)", re.ASCII)
#: Size of a whole number in TOML.
_BITS = 64
#: More parts than any known key has. The time of the TOML parser grows with the square of their number.
_MAX_KEY_PARTS = 16
_LONG_KEY = re.compile(rf"""(?<![\w"'.-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MAX_KEY_PARTS}}}""")

#: The place that a message of the TOML parser names.
_PLACE = re.compile(r"\(at line (?P<line>\d+), column (?P<column>\d+)\)$")


def load_scenario(
    name_or_path: str | Path, settings: tuple[str, ...] | str = (), *, until: int | None = None
) -> Scenario:
    """A scenario by catalogue name or path, with its parents merged and settings applied.

    What starts after the end of the run is refused. A run may be shortened by `until` or the setting ``run.until``;
    then only the starts among the settings must lie within it, and what else starts later has no effect.

    Args:
        name_or_path: a catalogue name, or the path of a TOML file.
        settings: one or several ``KEY=VALUE`` texts, as for ``--set``, such as
            ``levers.cluster_recognition.per_year=300``.
        until: last year of the run, as given by ``--until``; None means that of the scenario. It is not stored.

    Raises:
        ScenarioError: the scenario is not valid; the message has the file, the key, the value and what is allowed.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise ScenarioError(f"a scenario is loaded by name or path; {quoted(name_or_path)} is neither")
    settings = (settings,) if isinstance(settings, str) else settings
    values = _resolve(str(name_or_path), base=None, chain=())
    source = str(name_or_path)
    scenario = build(values, source)
    own_end = scenario.run.until
    keys = [_apply(values, setting) for setting in settings]
    if settings:
        source = f"{source} with {', '.join(settings)}"
        scenario = build(values, source)
    end = until or scenario.run.until
    check_starts(scenario, max(own_end, end), source)
    check_starts(scenario, end, source, keys)
    return scenario


def catalogue_policy(name: str) -> Policy:
    """Policy of a shipped scenario; the entry point through which the model finds scenarios by name.

    Raises KeyError for a name that is not in the catalogue.
    """
    if name not in catalogue_names():
        raise KeyError(name)
    return load_scenario(name).policy


def parse_toml(text: str, source: str) -> dict:
    """Parsed TOML; raises ScenarioError with the location of the error.

    Whole numbers may have at most 64 bits, and keys at most 16 parts.
    """
    long_key = _LONG_KEY.search(text)
    if long_key:
        line = text.count("\n", 0, long_key.start()) + 1
        raise ScenarioError(
            f"{source}: the key {shortened(long_key.group())} in line {line} has more than {_MAX_KEY_PARTS} parts",
            Fault("toml_key", value=long_key.group(), about={"line": line, "most": _MAX_KEY_PARTS}),
        )
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise ScenarioError(f"{source} is not valid TOML: nested too deeply", Fault("toml_deep")) from None
    except tomllib.TOMLDecodeError as error:
        message = shortened(str(error), MAX_MESSAGE_LENGTH)
        said = f"{source} is not valid TOML: {message[0].lower()}{message[1:]}"
        raise ScenarioError(said, _fault_of_toml(str(error), text)) from None
    except ValueError:  # from Python's own parser of integers
        most = sys.get_int_max_str_digits()
        text = f"{source} has a whole number of more than {most} digits"
        raise ScenarioError(text, Fault("toml_digits", about={"most": most})) from None
    _check_numbers(values, source)
    return values


def _fault_of_toml(message: str, text: str) -> Fault:
    """What a parser's message says of a text: what the page can word, and the place."""
    place = _PLACE.search(message)
    if "twice" in message or "overwrite" in message:
        return Fault("toml_twice", about={"line": place["line"] if place else text.rstrip().count("\n") + 1})
    return Fault("toml", about=place.groupdict()) if place else Fault("toml_end")


def _check_numbers(values: dict, source: str) -> None:
    """Raise ScenarioError for whole numbers beyond the range of TOML, which Python may not be able to print."""
    waiting = list(values.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += ((f"{key}.{name}", each) for name, each in value.items())
        elif isinstance(value, list):
            waiting += ((key, each) for each in value)
        elif isinstance(value, int) and value.bit_length() >= _BITS:
            text = f"{source}: {shortened(key)} is a whole number of more than {_BITS} bits"
            raise ScenarioError(text, Fault("toml_bits", key, about={"most": _BITS}))


def read_text(path: Path) -> str:
    """Text of a small UTF-8 file; raises ScenarioError if it cannot be read as one."""
    name = shortened(str(path), _NAME_LENGTH)
    try:
        if not path.is_file():
            raise ScenarioError(f"{name} is not a file" if path.exists() else f"{name} does not exist")
        if path.stat().st_size > _MAX_BYTES:
            raise ScenarioError(f"{name} has {path.stat().st_size} bytes; at most {_MAX_BYTES} are allowed")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScenarioError(f"{name} cannot be read: {reason}") from None
    return decode_text(content, name)


def decode_text(content: bytes, name: str) -> str:
    """Text of a user's file: UTF-8, with or without a byte-order mark, with any line endings.

    Raises:
        ScenarioError: the encoding is not UTF-8; the message names the likely one.
    """
    try:
        if 0 in content[:2]:  # ASCII text in UTF-16 without a mark is also valid UTF-8
            raise UnicodeError
        text = content.decode("utf-8-sig")
    except UnicodeError:
        other = _other_encoding(content)
        hint = {"": "", "UTF-16": " but UTF-16"}.get(other, f" but perhaps {other}")
        text = f"{name} is not UTF-8 text{hint}; save it as UTF-8"
        raise ScenarioError(text, Fault("encoding", value=other)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _other_encoding(content: bytes) -> str:
    """What a text that is not UTF-8 seems to be; empty if it is not known."""
    if 0 in content[:2] or content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    try:
        content.decode("gbk")
    except UnicodeDecodeError:
        return ""
    return "GBK"


def _locate(reference: str, base: Path | None) -> tuple[str, Path | None]:
    """Text and folder of a scenario, given by catalogue name or by a path relative to `base`."""
    looks_like_path = reference.endswith(".toml") or "/" in reference or "\\" in reference
    if not looks_like_path:
        if reference in catalogue_names():
            return read_catalogue_file(reference), None
        names = catalogue_names()
        raise ScenarioError(
            f"unknown scenario {shortened(reference)!r}{nearest(reference, names)} "
            f"(catalogue: {', '.join(names)}; or the path of a .toml file)"
        )
    path = Path(reference) if base is None else base / reference
    return read_text(path), path.parent


def _resolve(reference: str, base: Path | None, chain: tuple[str, ...]) -> dict:
    """Raw values of a scenario, merged over those of its parents; raises ScenarioError for a bad parent or a cycle."""
    text, folder = _locate(reference, base)
    identity = str((Path(reference) if base is None else base / reference).resolve()) if folder else reference
    if identity in chain:
        raise ScenarioError(f"{reference} extends itself: {' → '.join([*chain, identity])}")
    values = parse_toml(text, reference)
    parent = values.pop("extends", None)
    if parent is None:
        return values
    if not isinstance(parent, str):
        value = shortened(repr(parent))
        raise ScenarioError(f"{reference}: extends is {value}; it must be the name or path of one scenario")
    try:
        inherited = _resolve(parent, folder, (*chain, identity))
    except ScenarioError as error:
        raise ScenarioError(f"{reference}: extends {shortened(parent)!r}: {error}") from None
    for key in _OWN_KEYS:
        inherited.pop(key, None)
    return merge_values(inherited, values)


def merge_values(parent: dict, child: dict) -> dict:
    """The parent's values, replaced by those of the child, table by table."""
    merged = dict(parent)
    for key, value in child.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge_values(merged[key], value) if both else value
    return merged


def flatten(values: Mapping, prefix: str = "") -> dict[str, object]:
    """Nested tables as one mapping with dotted keys, as in ``--set``."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def nest(settings: Mapping[str, object]) -> dict:
    """Values with dotted keys as nested tables, the inverse of `flatten`; if keys conflict, the last one wins."""
    values: dict = {}
    for key, value in settings.items():
        *path, last = key.split(".")
        table = values
        for name in path:
            if not isinstance(table.get(name), dict):
                table[name] = {}
            table = table[name]
        table[last] = value
    return values


def _apply(values: dict, setting: str) -> str:
    """Set one KEY=VALUE in the raw values and return the key; the error for an unknown key suggests the nearest one."""
    key, equals, text = setting.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        raise ScenarioError(f"setting {setting!r} is not KEY=VALUE, such as levers.cluster_recognition.per_year=300")
    allowed = (*POLICY_TABLES, "run")
    if path[0] not in allowed:
        full = [f"{table}.{path[0]}" for table in allowed if path[0] in known_keys([table])]
        suggestion = f"; did you mean {full[0]!r}?" if full else nearest(path[0], allowed)
        raise ScenarioError(f"setting {setting!r}: unknown key {path[0]}{suggestion} (allowed: {', '.join(allowed)})")
    for depth in range(1, len(path)):
        known = known_keys(path[:depth])
        if known and path[depth] not in known:
            raise ScenarioError(
                f"setting {setting!r}: unknown key {'.'.join(path[: depth + 1])}{nearest(path[depth], known)} "
                f"(allowed: {', '.join(known)})"
            )
    table = values
    for name in path[:-1]:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise ScenarioError(f"setting {setting!r}: {name} is a value, not a table")
    if isinstance(table.get(path[-1]), dict) or known_keys(path):
        raise ScenarioError(f"setting {setting!r}: {key.strip()} is a table; give one of its keys")
    try:
        table[path[-1]] = _value(text.strip())
    except ValueError as error:
        raise ScenarioError(f"setting {setting!r}: {error}") from None
    return ".".join(path)


def _value(text: str) -> Any:
    """A TOML value or an unambiguous short form: ``yes``, ``.5``, ``[Zhejiang,Jiangsu]``, ``2024q1``.

    A bare word is text, because shells remove quotation marks.

    Raises:
        ValueError: an ambiguous number.
    """
    try:
        value = parse_toml(f"value = {text}", "value")["value"]
    except ScenarioError:
        value = text
    if not isinstance(value, str):
        return value
    if quarter := _QUARTER.fullmatch(value):
        return f"{quarter[1]}Q{quarter[2]}"
    if value != text:  # text in quotation marks
        return value
    if text.startswith("[") and text.endswith("]") and "[" not in text[1:]:
        return [_value(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _AMBIGUOUS_NUMBER.fullmatch(text):
        raise ValueError(
            "write a number with a decimal point and without commas or %, such as 12000, 12_000, 0.5 or 0.05"
        )
    if _NUMBER.fullmatch(text):
        with contextlib.suppress(ValueError):
            return float(text) if "." in text or "e" in text.lower() else int(text)
    return text


def check_name(name: str) -> None:
    """Raise ScenarioError unless the name is a valid scenario name."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise ScenarioError(f"{name!r} is not a scenario name: use lower-case letters, digits, - and _")


def parameter_settings(source: str) -> tuple[str, ...]:
    """Settings for ``--params``: none for ``default``, otherwise the values of a TOML file.

    The file has lines ``name = value``, at the top or in a table ``[parameters]``.
    """
    if source == "default":
        return ()
    if not source.endswith(".toml") and not os.path.exists(source):  # unlike Path, also for names that are too long
        raise ScenarioError(
            f"--params is {shortened(source)!r}{nearest(source, PARAMETER_SOURCES)} "
            f"(allowed: {', '.join(PARAMETER_SOURCES)}, or the path of a .toml or .parquet file)"
        )
    values = parse_toml(read_text(Path(source)), source)
    values = values.get("parameters", values)
    if not isinstance(values, dict) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values.values()
    ):
        raise ScenarioError(f"{source}: --params needs lines name = number")
    return tuple(f"parameters.{name}={value!r}" for name, value in values.items())
