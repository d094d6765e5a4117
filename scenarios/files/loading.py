"""Finds, merges and validates scenarios: catalogue names, files, ``extends``, ``--set``."""

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
from scenarios.errors import MOST_SAID, ScenarioError, nearest
from scenarios.files.schema import NAME_PATTERN, Scenario, build, check_windows, known_keys
from sim.arguments import quoted
from sim.policy import Policy
from sim.wording import shortened

#: Keys that describe a file itself and are not taken over from its parents.
_OWN_KEYS = ("name", "title", "title_zh", "description", "extends")
_MAX_BYTES = 1_000_000
#: Most letters of the name of a file in a message.
_NAME_LENGTH = 200
#: What stands for true and false where a value is written by hand.
_SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_QUARTER = re.compile(r"(\d{4})[- ]?[qQ]([1-4])", re.ASCII)
_NUMBER = re.compile(r"[+-]?[\d_.]{1,18}(e[+-]?\d{1,4})?", re.IGNORECASE | re.ASCII)
#: Numbers whose commas part thousands in one country and decimals in another, and per cent of something.
_UNCLEAR = re.compile(r"[+-]?[\d.]+((,[\d.]+)+ *%?| *%)", re.ASCII)
#: Bits of a whole number, as TOML wants.
_BITS = 64
#: A key of more parts than any that is known, for which the TOML reader takes the square of their number.
_MOST_PARTS = 16
_LONG_KEY = re.compile(rf"""(?<![\w"'.-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}""")


def load_scenario(name_or_path: str | Path, settings: tuple[str, ...] | str = ()) -> Scenario:
    """A scenario by catalogue name or path, with its parents merged in and settings applied.

    Args:
        name_or_path: a catalogue name, or the path of a TOML file.
        settings: ``KEY=VALUE`` strings, or one, as for ``--set``, such as ``levers.cluster_recognition.per_year=300``.

    Raises:
        ScenarioError: one sentence with the file, the key, what was found and what is allowed.
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise ScenarioError(f"a scenario is loaded by name or path; {quoted(name_or_path)} is neither")
    settings = (settings,) if isinstance(settings, str) else settings
    values = _resolve(str(name_or_path), base=None, chain=())
    source = str(name_or_path)
    scenario = build(values, source)
    check_windows(scenario, values, source)
    if settings:
        for setting in settings:
            _apply(values, setting)
        scenario = build(values, f"{source} with {', '.join(settings)}")
    return scenario


def catalogue_policy(name: str) -> Policy:
    """Policy of a shipped scenario: the entry point through which the model finds names.

    Raises KeyError for a name that is not in the catalogue.
    """
    if name not in catalogue_names():
        raise KeyError(name)
    return load_scenario(name).policy


def parse_toml(text: str, source: str) -> dict:
    """Parsed TOML; raises ScenarioError naming the place of the fault.

    Its whole numbers have at most 64 bits and its keys at most 16 parts.
    """
    long_key = _LONG_KEY.search(text)
    if long_key:
        line = text.count("\n", 0, long_key.start()) + 1
        raise ScenarioError(
            f"{source}: the key {shortened(long_key.group())} in line {line} has more than {_MOST_PARTS} parts"
        )
    try:
        values = tomllib.loads(text)
    except RecursionError:
        raise ScenarioError(f"{source} is not valid TOML: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        message = shortened(str(error), MOST_SAID)
        raise ScenarioError(f"{source} is not valid TOML: {message[0].lower()}{message[1:]}") from None
    except ValueError:  # of Python's own reader of numbers
        most = sys.get_int_max_str_digits()
        raise ScenarioError(f"{source} holds a whole number of more than {most} digits") from None
    _check_numbers(values, source)
    return values


def _check_numbers(values: dict, source: str) -> None:
    """Refuse whole numbers that TOML need not hold, which Python may not even write down."""
    waiting = list(values.items())
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += ((f"{key}.{name}", each) for name, each in value.items())
        elif isinstance(value, list):
            waiting += ((key, each) for each in value)
        elif isinstance(value, int) and value.bit_length() >= _BITS:
            raise ScenarioError(f"{source}: {shortened(key)} is a whole number that {_BITS} bits do not hold")


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
    return decoded(content, name)


def decoded(content: bytes, name: str) -> str:
    """Text of a file that a user wrote: UTF-8, with or without a byte-order mark, with any ends of lines.

    Raises:
        ScenarioError: another encoding; says which it may be.
    """
    try:
        if 0 in content[:2]:  # ASCII in UTF-16 without a mark is UTF-8 too
            raise UnicodeError
        text = content.decode("utf-8-sig")
    except UnicodeError:
        raise ScenarioError(f"{name} is not UTF-8 text{_other_encoding(content)}; save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _other_encoding(content: bytes) -> str:
    if 0 in content[:2] or content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return " but UTF-16"
    try:
        content.decode("gbk")
    except UnicodeDecodeError:
        return ""
    return " but perhaps GBK"


def _locate(reference: str, base: Path | None) -> tuple[str, Path | None]:
    """Text and folder of a reference: a catalogue name, or a path relative to `base`."""
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
    """Raw values of a scenario, its parents' merged in first; unknown parents and cycles are refused."""
    text, folder = _locate(reference, base)
    identity = str((Path(reference) if base is None else base / reference).resolve()) if folder else reference
    if identity in chain:
        raise ScenarioError(f"{reference} extends itself: {' → '.join([*chain, identity])}")
    values = parse_toml(text, reference)
    parent = values.pop("extends", None)
    if parent is None:
        return values
    if not isinstance(parent, str):
        found = shortened(repr(parent))
        raise ScenarioError(f"{reference}: extends is {found}; it must be the name or path of one scenario")
    try:
        inherited = _resolve(parent, folder, (*chain, identity))
    except ScenarioError as error:
        raise ScenarioError(f"{reference}: extends {shortened(parent)!r}: {error}") from None
    for key in _OWN_KEYS:
        inherited.pop(key, None)
    return merge_values(inherited, values)


def merge_values(parent: dict, child: dict) -> dict:
    """The parent's values with the child's laid over them, table by table."""
    merged = dict(parent)
    for key, value in child.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge_values(merged[key], value) if both else value
    return merged


def flattened(values: Mapping, prefix: str = "") -> dict[str, object]:
    """Nested tables as one, by dotted key as ``--set`` takes it."""
    found: dict[str, object] = {}
    for key, value in values.items():
        found |= flattened(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def nested(settings: Mapping[str, object]) -> dict:
    """Values by dotted key as nested tables: what `flattened` undoes; of contradicting keys the later wins."""
    values: dict = {}
    for key, value in settings.items():
        *path, last = key.split(".")
        table = values
        for part in path:
            if not isinstance(table.get(part), dict):
                table[part] = {}
            table = table[part]
        table[last] = value
    return values


def _apply(values: dict, setting: str) -> None:
    """Write one KEY=VALUE into the raw values; an unknown key is refused with the nearest known one."""
    key, equals, text = setting.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        raise ScenarioError(f"setting {setting!r} is not KEY=VALUE, such as levers.cluster_recognition.per_year=300")
    allowed = ("levers", "rules", "shocks", "parameters", "run")
    if path[0] not in allowed:
        full = [f"{table}.{path[0]}" for table in allowed if path[0] in known_keys([table])]
        near = f"; did you mean {full[0]!r}?" if full else nearest(path[0], allowed)
        raise ScenarioError(f"setting {setting!r}: unknown key {path[0]}{near} (allowed: {', '.join(allowed)})")
    for depth in range(1, len(path)):
        known = known_keys(path[:depth])
        if known and path[depth] not in known:
            raise ScenarioError(
                f"setting {setting!r}: unknown key {'.'.join(path[: depth + 1])}{nearest(path[depth], known)} "
                f"(allowed: {', '.join(known)})"
            )
    table = values
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ScenarioError(f"setting {setting!r}: {part} holds a value, not a table")
    if isinstance(table.get(path[-1]), dict) or known_keys(path):
        raise ScenarioError(f"setting {setting!r}: {key.strip()} is a table; name one of its keys")
    try:
        table[path[-1]] = _value(text.strip())
    except ValueError as error:
        raise ScenarioError(f"setting {setting!r}: {error}") from None


def _value(text: str) -> Any:
    """A TOML value, or what can only mean one: ``yes``, ``.5``, ``[Zhejiang,Jiangsu]``, ``2024q1``.

    Shells take quotation marks away: a bare word counts as text.

    Raises:
        ValueError: a number of which it is not clear which.
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
        return [_value(part.strip()) for part in text[1:-1].split(",") if part.strip()]
    if text.lower() in _SWITCHES:
        return _SWITCHES[text.lower()]
    if _UNCLEAR.fullmatch(text):
        raise ValueError("write a number with a point and without other signs, such as 12000, 12_000, 0.5 or 0.05")
    if _NUMBER.fullmatch(text):
        with contextlib.suppress(ValueError):
            return float(text) if "." in text or "e" in text.lower() else int(text)
    return text


def check_name(name: str) -> None:
    """Raise ScenarioError unless the name can name a scenario."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise ScenarioError(f"{name!r} is not a scenario name: use lower-case letters, digits, - and _")


def parameter_settings(source: str) -> tuple[str, ...]:
    """Settings for ``--params``: none for ``default``, else those of a TOML file of parameter values.

    The file holds ``name = value`` lines, at the top or in a table ``[parameters]``.
    """
    if source == "default":
        return ()
    if not source.endswith(".toml") and not os.path.exists(source):  # unlike Path, of a name too long as well
        raise ScenarioError(
            f"--params is {shortened(source)!r}{nearest(source, ('default', 'posterior'))} "
            "(allowed: default, posterior, or the path of a .toml or .parquet file)"
        )
    values = parse_toml(read_text(Path(source)), source)
    values = values.get("parameters", values)
    if not isinstance(values, dict) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in values.values()
    ):
        raise ScenarioError(f"{source}: --params wants name = number lines")
    return tuple(f"parameters.{name}={value!r}" for name, value in values.items())
