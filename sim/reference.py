"""Reads the reference data in ``sim/data``: real figures with their sources."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def read_data(name: str) -> dict:
    """The parsed TOML file ``sim/data/<name>.toml``."""
    return tomllib.loads(files("sim").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))


@cache
def province_names() -> tuple[str, ...]:
    """English names of the 31 mainland provincial regions, in statistical order."""
    return tuple(row["name"] for row in read_data("provinces")["province"])


@cache
def region_names() -> dict[str, str]:
    """Region of each province, as the statistics office divides the country: east, centre, west, northeast."""
    return {row["name"]: row["region"] for row in read_data("provinces")["province"]}


@cache
def sector_names() -> tuple[str, ...]:
    """Keys of the modelled sectors, in the order of their codes."""
    return tuple(row["key"] for row in read_data("sectors")["sector"])
