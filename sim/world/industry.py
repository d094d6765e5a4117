"""Sectors, product niches and industrial chains.

A niche (细分市场) is a national product market and holds one link of one chain. A smaller
scale keeps fewer niches, each with its real number of firms, so that market shares and
competition mean the same at every scale (a cluster sample of whole markets).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.numerics.arrays import exp, unit_normal
from sim.reference import read_data
from sim.world.geography import Structure, structure_draws

#: Fractional part of the golden ratio: its multiples, modulo 1, are spread most evenly.
GOLDEN_SHARE = 0.6180339887498949
#: Shift of that sequence from a sector to the next, so that small sectors do not all begin alike (any number would do).
_PHASE = 0.137
#: A leader's openness at the start: the least, and the range above it (assumed).
_LEAST_OPENNESS, _OPENNESS_RANGE = 0.2, 0.6


@dataclass(frozen=True)
class Industry:
    """Sectors, niches and chains as arrays.

    Attributes:
        sector_*: one value a sector, units as in ``sim/data/sectors.toml``.
        niche_sector, niche_chain: int16 (niches,).
        niche_size: float64 (niches,), share of the sector's firms.
        niche_promoted: bool (niches,), the product is in the promoted fields.
        niche_start: int64 (sectors + 1,), first niche of each sector.
        chain_sector, chain_home: int16 (chains,), sector and home province of the leader.
        chain_openness: float64 (chains,), the leader's openness at the start.
    """

    sector_firms: np.ndarray
    sector_employees: np.ndarray
    sector_revenue: np.ndarray
    sector_rd_firms: np.ndarray
    sector_rd_norm: np.ndarray
    sector_trend: np.ndarray
    sector_manufacturing: np.ndarray
    sector_energy: np.ndarray
    sector_export_share: np.ndarray
    sector_sme_employees: np.ndarray
    sector_sme_revenue: np.ndarray
    niche_sector: np.ndarray
    niche_chain: np.ndarray
    niche_size: np.ndarray
    niche_promoted: np.ndarray
    niche_start: np.ndarray
    chain_sector: np.ndarray
    chain_home: np.ndarray
    chain_openness: np.ndarray


def _column(sectors: list[dict], key: str, dtype=float) -> np.ndarray:
    return np.array([sector[key] for sector in sectors], dtype=dtype)


def _niche_sizes(count: int, sigma: float) -> np.ndarray:
    """Log-normal sizes at evenly spaced quantiles, so that every scale has the same mix."""
    sizes = exp(sigma * unit_normal((np.arange(count) + 0.5) / count))
    return sizes / sizes.sum()


def _spread_evenly(count: int, share: float, phase: float) -> np.ndarray:
    """Flags, `share` of them set, spread evenly over 0 … count-1 (golden-ratio sequence)."""
    return (np.arange(1, count + 1) * GOLDEN_SHARE + phase) % 1.0 < share


def build_industry(p, scale: float, geography) -> Industry:
    """Cut the sectors into niches and tie the niches to chains.

    Args:
        p: parameter record.
        scale: simulated firms per real firm. Below 1 there are fewer niches, above 1 more firms in each.
        geography: places the chain leaders' homes where their sector is strong.
    """
    sectors = read_data("sectors")["sector"]
    firms = _column(sectors, "firms")
    revenue = _column(sectors, "revenue_yuan")

    weight = np.sqrt(firms / firms.sum() * revenue / revenue.sum())
    niches = np.maximum(1, np.round(p.niches_total * min(scale, 1.0) * weight / weight.sum())).astype(int)
    start = np.concatenate([[0], np.cumsum(niches)])
    niche_sector = np.repeat(np.arange(len(sectors)), niches)

    chains = np.maximum(1, np.round(p.chains_total * weight / weight.sum())).astype(int)
    chain_sector = np.repeat(np.arange(len(sectors)), chains)
    chain_start = np.concatenate([[0], np.cumsum(chains)])

    sizes, promoted, chain = [], [], []
    for index, sector in enumerate(sectors):
        count = niches[index]
        sizes.append(_niche_sizes(count, p.niche_size_sigma))
        share = sector["promoted"] * (1.0 if sector["manufacturing"] else p.services_promoted)
        promoted.append(_spread_evenly(count, share, _PHASE * index))
        # Most niches serve a chain of their own sector, the rest one of another sector.
        draw = structure_draws(Structure.niche_chain + index, 2 * count)
        own = chain_start[index] + np.floor(draw[:count] * chains[index]).astype(int)
        other = np.floor(draw[:count] * len(chain_sector)).astype(int)
        chain.append(np.where(draw[count:] < p.niche_own_chain, own, other))

    by_province = np.zeros((len(read_data("provinces")["province"]), len(sectors)))
    np.add.at(by_province, geography.county_province, geography.firms)
    cumulative = np.cumsum(by_province / by_province.sum(axis=0), axis=0)
    home_draw = structure_draws(Structure.chain_home, len(chain_sector))
    home = [int(np.searchsorted(cumulative[:, s], u)) for s, u in zip(chain_sector, home_draw, strict=True)]

    return Industry(
        sector_firms=firms,
        sector_employees=_column(sectors, "employees"),
        sector_revenue=revenue,
        sector_rd_firms=_column(sectors, "rd_firms"),
        sector_rd_norm=_column(sectors, "rd_norm"),
        sector_trend=_column(sectors, "trend"),
        sector_manufacturing=_column(sectors, "manufacturing", bool),
        sector_energy=_column(sectors, "energy_share"),
        sector_export_share=_column(sectors, "export_share"),
        sector_sme_employees=_column(sectors, "sme_employees"),
        sector_sme_revenue=_column(sectors, "sme_revenue_yuan"),
        niche_sector=niche_sector.astype(np.int16),
        niche_chain=np.concatenate(chain).astype(np.int16),
        niche_size=np.concatenate(sizes),
        niche_promoted=np.concatenate(promoted),
        niche_start=start.astype(np.int64),
        chain_sector=chain_sector.astype(np.int16),
        chain_home=np.array(home, dtype=np.int16),
        chain_openness=_LEAST_OPENNESS + _OPENNESS_RANGE * structure_draws(Structure.chain_openness, len(chain_sector)),
    )
