"""Models to measure, and the state of one from which the yardstick starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.columns import Columns
from sim.environment import Environment
from sim.model import SRDIModel
from sim.policy import Policy

SEED = 1


@dataclass(frozen=True)
class CoreState:
    """All that the core step reads and changes, without the model around it.

    columns: arrays (slots,), see `sim.columns`. environment: see `sim.environment`. parameters, moment: records.
    """

    columns: Columns
    environment: Environment
    parameters: np.record
    moment: np.record


def model_after(quarters: int, scale: float, scenario: str | Policy = "baseline", threads: int = 1) -> SRDIModel:
    """A model that has run for some quarters."""
    model = SRDIModel(scenario, scale=scale, rng=SEED, threads=threads)
    for _ in range(quarters):
        model.step()
    return model


def core_state(model: SRDIModel) -> CoreState:
    """The state of a model, which shares its arrays."""
    return CoreState(model.firms.columns, model.environment, model.parameter_record, model.moment.record())


def put_in_place(owner: object, method: str, function: Callable[..., None]) -> None:
    """Let one object call a function where its class has a method."""
    setattr(owner, method, function)
