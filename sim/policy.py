"""What a scenario tells the model: levers, recognition rules, shocks, changed parameters."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sim.arguments import quoted
from sim.feedbacks import Feedbacks
from sim.fieldtypes import Number
from sim.levers import Levers
from sim.parameters import check_parameters
from sim.rules import Rules
from sim.shocks import Shocks

#: Entry-point group under which catalogues of named policies are published.
CATALOGUE_GROUP = "srdi.catalogue"


class Policy(BaseModel):
    """The part of a scenario that acts on the model; the default has no lever switched on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    levers: Levers = Levers()
    rules: Rules = Rules()
    shocks: Shocks = Shocks()
    model: Feedbacks = Feedbacks()
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="model parameters that differ from sim/data/parameters.toml"
    )

    @field_validator("parameters")
    @classmethod
    def _parameters_exist(cls, values: dict[str, float]) -> dict[str, float]:
        check_parameters(values)
        return values


#: Tables of a scenario file that act on the model.
POLICY_TABLES = tuple(Policy.model_fields)


class HasPolicy(Protocol):
    """An object that holds a policy, such as a loaded scenario."""

    @property
    def policy(self) -> Policy: ...


def policy_of(scenario: str | Policy | HasPolicy) -> Policy:
    """The policy of a scenario: itself, the one it holds, or that of its name.

    The model takes any object with a policy, so it need not know about scenarios.

    Raises:
        ValueError: it is no scenario, or no catalogue knows the name.
    """
    found = getattr(scenario, "policy", scenario)
    if isinstance(found, Policy):
        return found
    if isinstance(scenario, os.PathLike) or (isinstance(scenario, str) and scenario.endswith(".toml")):
        raise ValueError(f"scenario is a file, {scenario}; scenarios.load_scenario reads one, and the model takes that")
    if not isinstance(scenario, str):
        raise ValueError(f"scenario is {quoted(scenario)}; it must be a catalogue name, a Policy or a loaded scenario")
    return find_policy(scenario)


def find_policy(name: str) -> Policy:
    """The policy of a named scenario, from the first installed catalogue that has it.

    A catalogue is an entry point of the group ``srdi.catalogue``: a function that takes a
    name and returns a Policy, or raises KeyError for a name it does not know. So the model
    can be asked for scenarios by name without knowing who keeps them.

    Raises:
        ValueError: no catalogue knows the name.
    """
    for entry in entry_points(group=CATALOGUE_GROUP):
        try:
            return entry.load()(name)
        except KeyError:
            continue
    raise ValueError(f"no installed catalogue has a scenario named {quoted(name)}")
