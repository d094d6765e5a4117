"""Links between chain leaders (链主企业) and their smaller suppliers."""

from __future__ import annotations

from sim.jit import rule


@rule
def capability(refinement, digital, knowledge, revenue, p):
    """Capability of a supplier, 0-1: mean of refinement, digital maturity and knowledge depth."""
    depth = knowledge / (knowledge + p.capability_depth * revenue)
    return (refinement + digital + depth) / 3.0


@rule
def link_step(linked, capability, size_factor, openness, promoted, u, p):
    """Whether a firm supplies the leader of its chain after this quarter.

    A firm in a key niche is admitted with chance rate · openness · capability² · size (the rate is
    lower outside key niches; size runs from 0 to 1); a link ends with a chance that falls with
    capability.
    """
    if linked:
        return u >= p.unlink_rate * (1.5 - capability)
    rate = p.link_rate if promoted else p.link_rate_other
    return u < rate * openness * capability * capability * size_factor
