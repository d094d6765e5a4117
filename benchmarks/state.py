"""Models to measure, and the state from which the plain Mesa model starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.firms.columns import Columns
from sim.model import SRDIModel
from sim.policy import Policy
from sim.world.environment import Environment

SEED = 1


@dataclass(frozen=True)
class CoreState:
    """Everything that the core step reads and changes, without the model itself.

    columns: arrays (slots,), see `sim.firms.columns`. environment: see `sim.world.environment`.
    parameters, moment: records.
    """

    columns: Columns
    environment: Environment
    parameters: np.record
    moment: np.record


def model_after(quarters: int, scale: float, scenario: str | Policy = "baseline", threads: int = 1) -> SRDIModel:
    """A model after some quarters."""
    model = SRDIModel(scenario, scale=scale, rng=SEED, threads=threads)
    for _ in range(quarters):
        model.step()
    return model


def core_state(model: SRDIModel) -> CoreState:
    """The state of a model; it shares the model's arrays."""
    return CoreState(model.firms.columns, model.environment, model.parameter_record, model.moment.record())


def replace_method(owner: object, method: str, function: Callable[..., None]) -> None:
    """Replace a method of one object by a function."""
    setattr(owner, method, function)
