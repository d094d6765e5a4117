"""What a scenario file may say: the pydantic schema behind files, ``--set`` and templates."""

from __future__ import annotations

from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scenarios.errors import ScenarioError, first_fault
from sim.calendar import DEFAULT_UNTIL, LATEST_UNTIL, SCALE_RANGE, START, Quarter
from sim.fieldtypes import Count, Number
from sim.levers import Levers
from sim.parameters import check_parameters
from sim.policy import Policy
from sim.rules import Rules
from sim.shocks import Shocks

NAME_PATTERN = r"[a-z0-9][a-z0-9_-]{0,63}"


class RunDefaults(BaseModel):
    """The scenario's defaults for a run; the command line wins."""

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
    run: RunDefaults = RunDefaults()
    levers: Levers = Levers()
    rules: Rules = Rules()
    shocks: Shocks = Shocks()
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="model parameters that differ from their defaults (srdi show parameters)"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_parameters(self.parameters)
        for name in Levers.model_fields:
            lever = getattr(self.levers, name)
            if Quarter.parse(lever.start) <= START:
                raise ValueError(f"levers.{name}.start is {lever.start}; the first quarter of a run is {START + 1}")
            if Quarter.parse(lever.end) > Quarter(LATEST_UNTIL, 4):
                raise ValueError(f"levers.{name}.end is {lever.end}; the latest allowed is {LATEST_UNTIL}Q4")
        starts = {"rules": self.rules.start} | {
            f"shocks.{name}": getattr(self.shocks, name).start for name in Shocks.model_fields
        }
        for name, start in starts.items():
            if Quarter.parse(start) <= START:
                raise ValueError(f"{name}.start is {start}; the first quarter of a run is {START + 1}")
        return self

    @property
    def policy(self) -> Policy:
        """What the model needs to know of the scenario."""
        return Policy(levers=self.levers, rules=self.rules, shocks=self.shocks, parameters=self.parameters)


def run_defaults(scenario: Scenario, **asked: float | None) -> RunDefaults:
    """The run settings of a scenario with those laid over that were asked for; None asks for nothing.

    Raises:
        ScenarioError: a setting is out of its range.
    """
    values = scenario.run.model_dump() | {name: value for name, value in asked.items() if value is not None}
    return build({"name": "run", "run": values}, "run settings").run


def check_windows(scenario: Scenario, written: dict, source: str) -> None:
    """Refuse a lever or shock that the file switches on to start after the end the same file sets.

    A run shortened on the command line is not refused: the lever simply never acts.
    """
    if "until" not in written.get("run", {}):
        return
    for name in Levers.model_fields:
        lever = getattr(scenario.levers, name)
        if lever.enabled and Quarter.parse(lever.start).year > scenario.run.until:
            raise ScenarioError(
                f"{source}: levers.{name}.start is {lever.start}, after the run's end; "
                f"run.until is {scenario.run.until}"
            )
    for name in Shocks.model_fields:
        shock = getattr(scenario.shocks, name)
        if shock.severity > 0 and Quarter.parse(shock.start).year > scenario.run.until:
            raise ScenarioError(
                f"{source}: shocks.{name}.start is {shock.start}, after the run's end; "
                f"run.until is {scenario.run.until}"
            )


def idle_settings(*scenarios: Scenario) -> list[str]:
    """Keys that some scenario sets on a lever which none of them switches on or off: they have no effect."""
    idle: list[str] = []
    for name in Levers.model_fields:
        written = set().union(*(getattr(scenario.levers, name).model_fields_set for scenario in scenarios))
        if "enabled" not in written:
            idle += [f"levers.{name}.{key}" for key in sorted(written)]
    return idle


def build(values: dict, source: str) -> Scenario:
    """Validate plain values; raises ScenarioError with one sentence about the first fault."""
    try:
        return Scenario.model_validate(values)
    except ValidationError as error:
        raise ScenarioError(f"{source}: {first_fault(error, known_keys)}") from None


Table = TypeVar("Table", bound=BaseModel)


def tables(model: type[BaseModel], kind: type[Table]) -> dict[str, type[Table]]:
    """Classes of the fields of a model that are tables of one kind, by name of the field."""
    return {
        name: field.annotation
        for name, field in model.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, kind)
    }


def known_keys(path: list[str]) -> list[str]:
    """Keys the schema knows below a path of keys; empty if the path leads nowhere."""
    model: type[BaseModel] = Scenario
    for part in path:
        table = tables(model, BaseModel).get(part)
        if table is None:
            return []
        model = table
    own = ["extends"] if model is Scenario else []
    return [field.alias or name for name, field in model.model_fields.items()] + own
