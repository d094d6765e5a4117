"""First-of-a-kind equipment (首台套): the first sale of a product nobody at home has made before."""

from __future__ import annotations

from sim.mechanisms.knowledge import knowledge_depth
from sim.numerics.jit import equation


@equation
def achieves_first(promoted, knowledge, revenue, odds, u, p):
    """Whether a firm sells a domestic first this quarter.

    Chance f · k · (1 + x) for manufacturers of promoted products (`promoted`), with k the `knowledge_depth` and
    x the channel `firsts`: insurance and purchase support take the first buyer's risk. The reference raises
    productivity by `first_gain` (assumed). Fact sheet: a nuclear-equipment maker with 21 domestic firsts.
    """
    if not promoted or knowledge <= 0.0:
        return False
    return u < p.first_rate * knowledge_depth(knowledge, revenue, p) * (1.0 + odds)
