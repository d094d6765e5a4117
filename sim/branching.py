"""Continues a run under another policy, without running the past again.

Two policies with one seed share all random draws, no lever or rule acts before it is announced, and no shock before its
start. So their runs are bit-identical up to the first quarter in which they can differ, and a copy of one can continue
as the other.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from sim.calendar import START, Quarter
from sim.firms.blocks import Blocks
from sim.levers import Levers
from sim.policy import Policy
from sim.rules import REPORTED, Rules
from sim.shocks import Shocks

if TYPE_CHECKING:
    from sim.model import SRDIModel


def first_difference(one: Policy, other: Policy) -> Quarter | None:
    """First quarter in which runs of two policies can differ; None if they never do.

    Parameters and feedbacks act from the start: policies that differ in one differ in `sim.calendar.START`. Nothing
    else acts before the quarter after it, however early it was announced.
    """
    if one.parameters != other.parameters or one.model != other.model:
        return START
    starts = []
    for name in Levers.model_fields:
        pair = getattr(one.levers, name), getattr(other.levers, name)
        if pair[0] != pair[1]:
            starts += [lever.known_from for lever in pair if lever.enabled]
    if one.rules != other.rules:
        starts += [rules.known_from for rules in (one.rules, other.rules) if _differ_from_reported(rules)]
    for name in Shocks.model_fields:
        pair = getattr(one.shocks, name), getattr(other.shocks, name)
        if pair[0] != pair[1]:
            starts += [shock.start for shock in pair if shock.severity > 0.0]
    return max(min(map(Quarter.parse, starts)), START + 1) if starts else None


def _differ_from_reported(rules: Rules) -> bool:
    """Whether the rules differ from the reported ones, whatever their start."""
    return rules.model_copy(update={"announced": None, "start": REPORTED.start}) != REPORTED


def branch(model: SRDIModel, policy: Policy, threads: int | None = None) -> SRDIModel:
    """A copy of a model in its present quarter that goes on under another policy.

    Results are bit-identical to a full run of that policy; the original model is unchanged.

    Args:
        threads: of the copy; None takes the model's.

    Raises:
        ValueError: the policy differs from the model's already, in this quarter or before.
    """
    first = first_difference(model.policy, policy)
    if first is not None and first <= model.quarter:
        raise ValueError(f"the policy differs from the model's from {first} on; the model stands in {model.quarter}")
    # What no step changes is shared; so are the threads, until the copy has its own.
    shared = (model.geography, model.industry, model.parameters, model.parameter_record, model.policy, model.blocks)
    copied = copy.deepcopy(model, {id(item): item for item in shared})
    copied.threads = model.threads if threads is None else threads
    copied.blocks = Blocks(model.blocks.slots, copied.threads)
    copied.take_up(policy)
    return copied
