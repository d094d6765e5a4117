"""The catalogue: the scenario files shipped with the package, found by name."""

from __future__ import annotations

from importlib.resources import files


def catalogue_names() -> list[str]:
    """Names of the shipped scenarios: the baseline first, then in alphabetical order."""
    names = (path.name.removesuffix(".toml") for path in files(__name__).iterdir() if path.name.endswith(".toml"))
    return sorted(names, key=lambda name: (name != "baseline", name))


def read_catalogue_file(name: str) -> str:
    """Text of a shipped scenario file; raises KeyError for a name that is not in the catalogue."""
    if name not in catalogue_names():
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
