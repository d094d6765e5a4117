"""Which parameters set how strongly a lever acts on those it reaches."""

from __future__ import annotations

from functools import cache

from sim.levers import Levers
from sim.levers.base import FirmProgramme

#: Strengths of levers that are no firm programmes and so do not declare their effects by channel.
_OTHERS = {
    "little_giant_awards": ("award_additionality", "apply_award"),
    "digital_empowerment": ("digital_support",),
    "cluster_recognition": (
        "commons_speed",
        "commons_absorption",
        "commons_productivity",
        "commons_refinement",
        "commons_research",
        "commons_sales",
        "constraint_commons",
    ),
    "open_innovation": ("open_pooling",),
    "chain_leader_openness": ("order_premium", "growth_orders", "leader_learning"),
    "innovation_release": ("release_transfer",),
    "county_preference": (),
}


class _Reads:
    """Stands in for the parameters and notes which of them are read."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def __getattr__(self, name: str) -> float:
        self.names[name] = None
        return 1.0


@cache
def lever_strengths() -> dict[str, tuple[str, ...]]:
    """Parameters that set the strength of each lever, by lever; none for a lever that only changes a rule.

    For firm programmes these are the parameters that their declared effects read.
    """
    strengths = {}
    for name, field in Levers.model_fields.items():
        if isinstance(field.default, FirmProgramme):
            reads = _Reads()
            field.default.effects(reads)
            strengths[name] = tuple(reads.names)
        else:
            strengths[name] = _OTHERS.get(name, ())  # a lever of a user may have none
    return strengths
