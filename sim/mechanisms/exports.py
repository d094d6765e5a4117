"""Exports: which firms sell abroad."""

from __future__ import annotations

from sim.mechanisms.size import LOG_20
from sim.numerics.elementary import exp
from sim.numerics.jit import equation


@equation
def exports(draw, productivity, log_employment, odds, p):
    """Whether the firm exports this year: the more productive and larger ones do.

    Logistic in log productivity, log size and the channel `exports` (log-odds from trade
    services); `draw` is the firm's own uniform draw, the same in all years, so a firm stays an
    exporter unless it shrinks. Selection into exporting: Melitz 2003; an exporter sells
    `export_share` of its revenue abroad (assumed).
    """
    x = p.export_base + p.export_productivity * productivity + p.export_size * (log_employment - LOG_20) + odds
    return draw * (1.0 + exp(-x)) < 1.0
