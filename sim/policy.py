"""What a scenario tells the model: levers, recognition rules, shocks, changed parameters."""

from __future__ import annotations

from importlib.metadata import entry_points

from pydantic import BaseModel, ConfigDict, Field, field_validator

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
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="model parameters that differ from sim/data/parameters.toml"
    )

    @field_validator("parameters")
    @classmethod
    def _parameters_exist(cls, values: dict[str, float]) -> dict[str, float]:
        check_parameters(values)
        return values


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
    raise ValueError(f"no installed catalogue has a scenario named {name!r}")
