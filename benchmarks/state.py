"""The state from which every yardstick starts, taken from a model just before its pass over firms."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from types import SimpleNamespace

import numpy as np

from sim.columns import Columns
from sim.draws import quarter_keys
from sim.environment import Environment
from sim.model import SRDIModel
from sim.policy import Policy

SEED = 1


@dataclass
class CoreState:
    """All that the core step reads and changes.

    columns: arrays (slots,), see `sim.columns`. environment: see `sim.environment`.
    keys: uint64 (purposes,). aspiration_key: uint64. parameters, moment: records.
    flows: int64 (places, sectors, flows), to add to.
    """

    scenario: str | Policy
    scale: float
    run_quarters: int
    columns: Columns
    environment: Environment
    keys: np.ndarray
    aspiration_key: np.uint64
    parameters: np.record
    moment: np.record
    flows: np.ndarray

    @property
    def firms(self) -> int:
        """Living firms."""
        return int(np.count_nonzero(self.columns.employment))

    def copy(self) -> CoreState:
        """A state that shares no changeable array with this one."""
        return replace(self, **{field.name: _copied(getattr(self, field.name)) for field in fields(self)})

    def ahead(self, quarters: int) -> tuple[np.ndarray, np.record]:
        """Keys and moment `quarters` after this state's quarter; the environment stays as it is."""
        index = int(self.moment.index) + quarters
        moment = self.moment.copy()
        moment.index = index
        moment.number = (self.moment.number - 1 + quarters) % 4 + 1
        return quarter_keys(SEED, index), moment


def _copied(value):
    if isinstance(value, tuple):
        return type(value)(*(part.copy() for part in value))
    return value.copy() if isinstance(value, np.ndarray | np.record) else value


def put_in_place(owner: object, method: str, function: Callable[..., None]) -> None:
    """Let one object call a function where its class has a method."""
    setattr(owner, method, function)


def captured_quarter(scale: float, quarters: int, scenario: str | Policy = "baseline") -> tuple[CoreState, CoreState]:
    """The states before and after the engine's pass over firms in quarter number `quarters` of a run."""
    model = SRDIModel(scenario, scale=scale, rng=SEED)
    engine_pass = model._advance_firms
    taken: list[CoreState] = []

    def watched_pass() -> None:
        before = _state_of(model, scenario, quarters)
        before.flows[:] = 0
        engine_pass()
        # The pass itself fills in the part of the moment that tells how many firms the programmes reach.
        before.moment = model.moment.record()
        taken[:] = [before, _state_of(model, scenario, quarters)]

    put_in_place(model, "_advance_firms", watched_pass)
    for _ in range(quarters):
        model.step()
    model.close()
    return taken[0], taken[1]


def _state_of(model: SRDIModel, scenario: str | Policy, quarters: int) -> CoreState:
    return CoreState(
        scenario=scenario,
        scale=model.scale,
        run_quarters=quarters,
        columns=model.firms.columns,
        environment=model.environment,
        keys=model.keys,
        aspiration_key=model.aspiration_key,
        parameters=model.parameter_record,
        moment=model.moment.record(),
        # The pass counts into the totals that are completed later in the quarter.
        flows=model._counting.flows,
    ).copy()


def core_state(scale: float, quarters: int = 4, scenario: str | Policy = "baseline") -> CoreState:
    """The state just before the firms' pass of quarter number `quarters` of a run at `scale`."""
    return captured_quarter(scale, quarters, scenario)[0]


def plain_record(record: np.record) -> SimpleNamespace:
    """The fields of a record as Python numbers."""
    return SimpleNamespace(**{name: record[name].item() for name in record.dtype.names or ()})


def local_effects(env: Environment) -> np.ndarray:
    """Support that a firm's place gives, by channel: float64 (clusters + units, channels).

    Row c holds a member of cluster candidate c, row clusters + u a firm of unit u that is in none. A candidate
    that is not recognised gets what recognised clusters of its county spill over.
    """
    county = np.where(env.county_active[:, None], env.county_effects, 0.0)
    cluster = np.where(env.cluster_active[:, None], env.cluster_effects, county[env.cluster_county])
    return np.concatenate([cluster, county])


def timed(step: Callable[[int], None], count: Callable[[], int], quarters: int) -> float:
    """Nanoseconds per firm-quarter of `step(quarter)` for the quarters 1, 2, …; `count()` gives the living firms.

    One quarter goes before the clock starts.
    """
    step(0)
    firms, seconds = 0, 0.0
    for quarter in range(1, quarters + 1):
        firms += count()
        started = time.perf_counter()
        step(quarter)
        seconds += time.perf_counter() - started
    return seconds / firms * 1e9
