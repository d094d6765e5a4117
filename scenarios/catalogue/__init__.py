"""The catalogue: the scenario files shipped with the package, found by name, in the groups of ``groups.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Group:
    """A group of the catalogue.

    Attributes:
        name: short English name. title, title_zh: in English and Chinese. scenarios: their names, in order.
    """

    name: str
    title: str
    title_zh: str
    scenarios: tuple[str, ...]


@cache
def catalogue_groups() -> tuple[Group, ...]:
    """The groups of the catalogue, in order; each scenario is in one of them, the baseline first of all."""
    rows = tomllib.loads(files(__name__).joinpath("groups.toml").read_text(encoding="utf-8"))["group"]
    return tuple(Group(**{**row, "scenarios": tuple(row["scenarios"])}) for row in rows)


def catalogue_names() -> list[str]:
    """Names of the shipped scenarios, in the order of their groups."""
    return [name for group in catalogue_groups() for name in group.scenarios]


def read_catalogue_file(name: str) -> str:
    """Text of a shipped scenario file; raises KeyError for a name that is not in the catalogue."""
    if name not in catalogue_names():
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
