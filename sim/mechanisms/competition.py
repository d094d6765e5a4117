"""Competition: firms of a niche share its demand, niches share that of their sector.

Demand is CES in two levels, with an outside good abroad. With A_j what firm j could sell at given competition and
Π_n = Σ_j A_j in its niche n of sector s,

    R_j = A_j (π_n / π_s)^(−φ (1 − e_s)) · π_s^(−ψ (1 − e_s)),    π = Π / (Π at the start · exp(g t)).

φ = 1 − (η − 1)/(σ − 1) is the part of a firm's gain that its rivals lose, with σ and η the elasticities of substitution
within and between niches; ψ is the same between sectors and everything else: at 1, a sector's sales at home follow
the statistics office's growth whatever firms do. Only what is sold at home is shared: e_s is the sector's export share.

Sources: Cai and Szeidl (2018): own access +9 %, access of all competitors −7 %, so φ about 0.78; Rotemberg (2019):
almost complete crowd-out within products that are little traded, little where much is traded.
"""

from __future__ import annotations

import numpy as np

#: Drift of a niche's potential from its start (log) beyond which pressure grows no further (assumed).
MOST_DRIFT = 3.0


def competitive_pressure(niche, sector, niche_sector, at_home, p):
    """Log sales that competition takes from or leaves to every firm of a niche: float64 (niches,).

    Args:
        niche: ln π_n, float64 (niches,). sector: ln π_s, float64 (sectors,); both over their trend.
        niche_sector: int (niches,). at_home: 1 − e_s, float64 (sectors,).
        p: parameters `displacement` (φ) and `sector_displacement` (ψ).
    """
    within = np.clip(niche - sector[niche_sector], -MOST_DRIFT, MOST_DRIFT)
    between = np.clip(sector, -MOST_DRIFT, MOST_DRIFT)[niche_sector]
    return -at_home[niche_sector] * (p.displacement * within + p.sector_displacement * between)
