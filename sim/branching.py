"""Going on under another policy from a quarter of a run, without running the past again.

Two policies with one seed share all random draws, and no lever, rule or shock acts before its start. So their runs are
bit-identical up to the first quarter in which they can differ, and a copy of one can go on as the other.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from sim.blocks import Blocks
from sim.calendar import START, Quarter
from sim.levers import Levers
from sim.policy import Policy
from sim.rules import REPORTED, Rules
from sim.shocks import Shocks

if TYPE_CHECKING:
    from sim.model import SRDIModel


def first_difference(one: Policy, other: Policy) -> Quarter | None:
    """First quarter in which runs of two policies can differ; None if they never do.

    Parameters act from the start on: policies that differ in one differ in `sim.calendar.START`.
    """
    if one.parameters != other.parameters:
        return START
    starts = []
    for name in Levers.model_fields:
        pair = getattr(one.levers, name), getattr(other.levers, name)
        if pair[0] != pair[1]:
            starts += [lever.start for lever in pair if lever.enabled]
    if one.rules != other.rules:
        starts += [rules.start for rules in (one.rules, other.rules) if _say_something(rules)]
    for name in Shocks.model_fields:
        pair = getattr(one.shocks, name), getattr(other.shocks, name)
        if pair[0] != pair[1]:
            starts += [shock.start for shock in pair if shock.severity > 0.0]
    return min(map(Quarter.parse, starts), default=None)


def _say_something(rules: Rules) -> bool:
    """Whether rules are others than the reported ones, whenever they start."""
    return rules.model_copy(update={"start": REPORTED.start}) != REPORTED


def branch(model: SRDIModel, policy: Policy, threads: int | None = None) -> SRDIModel:
    """A copy of a model in its present quarter that goes on under another policy.

    What it gives is the same bits as a run of that policy from the start. The model itself is left as it is.

    Args:
        threads: of the copy; None takes the model's.

    Raises:
        ValueError: the policy differs from the model's in this quarter already, or before.
    """
    first = first_difference(model.policy, policy)
    if first is not None and first <= model.quarter:
        raise ValueError(f"the policy differs from the model's from {first} on; the model stands in {model.quarter}")
    # What no step writes to is shared, and so are the threads until the copy has its own.
    shared = (model.geography, model.industry, model.parameters, model.parameter_record, model.policy, model.blocks)
    copied = copy.deepcopy(model, {id(part): part for part in shared})
    copied.threads = model.threads if threads is None else threads
    copied.blocks = Blocks(model.blocks.slots, copied.threads)
    copied.take_up(policy)
    return copied
