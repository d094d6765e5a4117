"""Policies of the page: settings applied to the baseline, presets from the catalogue, uploaded files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache, lru_cache

from scenarios.catalogue import Group, catalogue_groups, catalogue_names
from scenarios.errors import Fault, ScenarioError, near_to, nearest
from scenarios.files.loading import decode_text, flatten, load_scenario, merge_values, nest, parse_toml
from scenarios.files.schema import NAMING_KEYS, Scenario, build
from sim.policy import POLICY_TABLES
from sim.wording import shortened
from viz.app.address import text_value, value_text
from viz.words.language import Words

#: Largest scenario file that may be uploaded, in bytes.
MOST_BYTES = 200_000


@cache
def _baseline() -> dict:
    return load_scenario("baseline").model_dump(by_alias=True, mode="json")


def policy_of(settings: Mapping[str, object], name: str = "policy", title: str = "") -> Scenario:
    """The baseline with settings applied to it, validated.

    Args:
        settings: values by dotted key, such as ``levers.cluster_recognition.per_year``.

    Raises:
        ScenarioError: one sentence with the key, the value given and what is allowed.
    """
    return _policy_of(tuple(sorted((key, value_text(value)) for key, value in settings.items())), name, title)


@lru_cache(maxsize=64)
def _policy_of(settings: tuple[tuple[str, str], ...], name: str, title: str) -> Scenario:
    values = merge_values(_baseline(), {"name": name, "title": title, "title_zh": title})
    values = merge_values(values, nest({key: text_value(text) for key, text in settings}))
    if values["name"] != "baseline":
        values["description"] = values["description_zh"] = ""
    return build(values, "policy")


def settings_of(scenario: Scenario) -> dict[str, object]:
    """What a scenario changes in the baseline: values by dotted key."""
    values, before = scenario.model_dump(by_alias=True, mode="json"), _baseline()
    now, was = (flatten({key: each[key] for key in POLICY_TABLES}) for each in (values, before))
    return {key: value for key, value in now.items() if key not in was or was[key] != value}


@cache
def presets() -> dict[str, Scenario]:
    """Scenarios of the catalogue by name, in the order of its groups."""
    return {name: load_scenario(name) for name in catalogue_names()}


def title_of_preset(words: Words, name: str) -> str:
    """Title of a scenario of the catalogue."""
    return words.scenario(presets()[name].model_dump())


def group_title(words: Words, group: Group) -> str:
    """Title of a group of the catalogue."""
    return words.scenario(asdict(group))


@cache
def preset_options(language: str) -> list[list]:
    """The scenarios of the catalogue as options of a `Choice`: for each group its title and pairs of name and title."""
    words = Words(language)
    return [
        [group_title(words, group), [[name, title_of_preset(words, name)] for name in group.scenarios]]
        for group in catalogue_groups()
    ]


def preset_of(settings: Mapping[str, object]) -> str | None:
    """Name of the scenario in the catalogue with exactly these settings, if there is one."""
    return _presets_by_key().get(settings_key(settings))


def settings_key(settings: Mapping[str, object]) -> frozenset:
    """Settings as a key, the same for those in another order."""
    return frozenset((key, value_text(value)) for key, value in settings.items())


@cache
def _presets_by_key() -> dict[frozenset, str]:
    """Names of the scenarios in the catalogue by their changes; if two make the same changes, the first."""
    names: dict[frozenset, str] = {}
    for name, scenario in presets().items():
        names.setdefault(settings_key(settings_of(scenario)), name)
    return names


def too_large(name: str, size: int) -> ScenarioError:
    """The error for a file above the limit.

    Args:
        size: in bytes.
    """
    text = f"{name} has {size:,} bytes; at most {MOST_BYTES:,} are allowed"
    return ScenarioError(text, Fault("too_large", value=size, about={"most": MOST_BYTES}))


def read_upload(content: bytes, name: str) -> Scenario:
    """An uploaded scenario file; it may extend a scenario of the catalogue.

    Raises:
        ScenarioError: too large, no UTF-8, no TOML, or not a scenario.
    """
    if len(content) > MOST_BYTES:
        raise too_large(name, len(content))
    values = parse_toml(decode_text(content, name), name)
    parent = values.pop("extends", None)
    if parent is not None:
        # A path would be read on the server, not on the user's machine.
        if parent not in catalogue_names():
            hint = nearest(str(parent), catalogue_names())
            raise ScenarioError(
                f"{name}: extends is {shortened(repr(parent))}{hint}; "
                "an uploaded file may extend a scenario of the catalogue only",
                Fault("extends", "extends", parent, {"near": near_to(str(parent), catalogue_names()) or "baseline"}),
            )
        inherited = load_scenario(parent).model_dump(by_alias=True, mode="json", exclude_none=True)
        for key in NAMING_KEYS:
            inherited.pop(key)
        values = merge_values(inherited, values)
    return build(values, name)
