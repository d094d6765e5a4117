"""What the institutions have in common: Mesa agents that hold plain values of their own."""

from __future__ import annotations

import copy

from sim.agents import Agent


class Institution(Agent):
    """An agent whose attributes are plain values, but for its model."""

    def __deepcopy__(self, memo: dict) -> Institution:
        """A copy for the copy of its model; thousands are copied when a run branches (see `sim.branching`)."""
        copied = memo[id(self)] = object.__new__(type(self))
        vars(copied).update(vars(self), model=copy.deepcopy(self.model, memo))
        return copied
