"""The pydantic schema of scenario files, ``--set`` and templates."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scenarios.errors import Fault, Inconsistent, ScenarioError, fault_of, first_fault, unknown
from sim.calendar import DEFAULT_UNTIL, LATEST_UNTIL, SCALE_RANGE, START, Quarter
from sim.feedbacks import Feedbacks
from sim.fieldtypes import Count, Number
from sim.levers import Levers
from sim.parameters import check_parameters, parameter_table
from sim.policy import Policy
from sim.rules import Rules
from sim.shocks import Shocks

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,63}"
#: Keys of a scenario that say what it is called and does.
NAMING_KEYS = ("name", "title", "title_zh", "description", "description_zh")


class RunDefaults(BaseModel):
    """The scenario's defaults for a run; the command line overrides them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    until: Count = Field(
        DEFAULT_UNTIL,
        description="last year of the run",
        gt=START.year,
        le=LATEST_UNTIL,
        json_schema_extra={"unit": "year"},
    )
    scale: Number = Field(
        0.02,
        description="simulated firms per real firm; 1 is one for one",
        ge=SCALE_RANGE[0],
        le=SCALE_RANGE[1],
        json_schema_extra={"unit": "share"},
    )
    replicates: Count = Field(
        4, description="runs, each with its own random draws", ge=1, le=100_000, json_schema_extra={"unit": "runs"}
    )
    seed: Count = Field(1, description="seed of the first replicate", ge=0, le=2**62)


class Scenario(BaseModel):
    """A named set of levers, rules and parameters, as resolved from its file and its parents."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_version: Literal[1] = Field(1, alias="schema", description="version of the file format")
    name: str = Field(pattern=f"^{NAME_PATTERN}$", description="lower-case name: letters, digits, - and _")
    title: str = Field("", max_length=200, description="title in English")
    title_zh: str = Field("", max_length=200, description="title in Chinese")
    description: str = Field("", max_length=5000, description="what the scenario does, in a few sentences")
    description_zh: str = Field("", max_length=5000, description="the same in Chinese")
    run: RunDefaults = RunDefaults()
    levers: Levers = Levers()
    rules: Rules = Rules()
    shocks: Shocks = Shocks()
    model: Feedbacks = Feedbacks()
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="model parameters that differ from their defaults (srdi show parameters)"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, value in self.parameters.items():
            try:
                check_parameters({name: value})
            except ValueError as error:
                key, known = f"parameters.{name}", parameter_table()
                fault = Fault("value", key, value) if name in known else unknown(key, list(known))
                raise Inconsistent(str(error), fault) from None
        ends = [(f"levers.{name}.end", lever.end) for name, lever in self.levers]
        first = list(self._first_quarters())
        for key, date in first:
            if Quarter.parse(date) <= START:
                text = f"{key} is {date}; the first quarter of a run is {START + 1}"
                raise Inconsistent(text, Fault("value", key, date))
        for key, date in [*ends, *first]:
            if Quarter.parse(date) > Quarter(LATEST_UNTIL, 4):
                text = f"{key} is {date}; the latest allowed is {LATEST_UNTIL}Q4"
                raise Inconsistent(text, Fault("value", key, date))
        return self

    def _first_quarters(self) -> Iterator[tuple[str, str]]:
        """Dotted key and value of each start and announcement of levers, rules and shocks."""
        for name, table in (*_prefixed("levers", self.levers), ("rules", self.rules)):
            if table.announced is not None:
                yield f"{name}.announced", table.announced
            yield f"{name}.start", table.start
        for name, shock in _prefixed("shocks", self.shocks):
            yield f"{name}.start", shock.start

    @property
    def policy(self) -> Policy:
        """The settings of the scenario that the model needs."""
        return Policy(
            levers=self.levers, rules=self.rules, shocks=self.shocks, model=self.model, parameters=self.parameters
        )


def run_defaults(scenario: Scenario, **requested: float | None) -> RunDefaults:
    """The run settings of a scenario, replaced by the requested ones that are not None.

    Raises:
        ScenarioError: a setting is out of range.
    """
    values = scenario.run.model_dump() | {name: value for name, value in requested.items() if value is not None}
    return build({"name": "run", "run": values}, "run settings").run


def _prefixed(prefix: str, tables: Levers | Shocks) -> Iterator[tuple[str, Any]]:
    """Dotted key and table of each lever or shock."""
    return ((f"{prefix}.{name}", table) for name, table in tables)


def check_starts(scenario: Scenario, until: int, source: str, keys: Container[str] | None = None) -> None:
    """Raise ScenarioError if the rules, or a lever or shock that is on, start after the last year of the run.

    Args:
        keys: dotted keys to check; None means all.
    """
    on = [("rules", scenario.rules)]
    on += [(name, lever) for name, lever in _prefixed("levers", scenario.levers) if lever.enabled]
    on += [(name, shock) for name, shock in _prefixed("shocks", scenario.shocks) if shock.severity > 0]
    for name, table in on:
        key = f"{name}.start"
        if (keys is None or key in keys) and Quarter.parse(table.start).year > until:
            raise ScenarioError(f"{source}: {key} is {table.start}, after the run's end; run.until is {until}")


def idle_settings(*scenarios: Scenario) -> list[str]:
    """Keys set on a lever that no scenario switches on or off; they have no effect."""
    idle: list[str] = []
    for name in Levers.model_fields:
        written = set().union(*(getattr(scenario.levers, name).model_fields_set for scenario in scenarios))
        if "enabled" not in written:
            idle += [f"levers.{name}.{key}" for key in sorted(written)]
    return idle


def build(values: dict, source: str) -> Scenario:
    """Validate plain values; raises ScenarioError for the first error."""
    try:
        return Scenario.model_validate(values)
    except ValidationError as error:
        text = f"{source}: {first_fault(error, known_keys)}"
        raise ScenarioError(text, fault_of(error, known_keys)) from None


Model = TypeVar("Model", bound=BaseModel)


def nested_models(model: type[BaseModel], kind: type[Model]) -> dict[str, type[Model]]:
    """The fields of a model that are themselves models of a kind: field name and class."""
    return {
        name: field.annotation
        for name, field in model.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, kind)
    }


def known_keys(path: list[str]) -> list[str]:
    """Keys of the schema below a path of keys; empty if there is no such path."""
    model: type[BaseModel] = Scenario
    for key in path:
        nested = nested_models(model, BaseModel).get(key)
        if nested is None:
            return []
        model = nested
    own = ["extends"] if model is Scenario else []
    return [field.alias or name for name, field in model.model_fields.items()] + own
