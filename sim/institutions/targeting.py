"""Whom levers reach, and how those who are ranked are admitted."""

from __future__ import annotations

import numpy as np

from sim.ladder.recognition import NOT_RANKED
from sim.levers.base import FirmLever, Lever, PlacedLever
from sim.mechanisms.dose import dose_response
from sim.reference import province_names, sector_names
from sim.selection import Target, within_quotas
from sim.tiers import Tier


def strength(model, lever: Lever) -> float:
    """Factor on a lever's effects: its intensity or, with the feedback `dose`, what the money a recipient gets buys."""
    return dose_response(lever.dose, model.parameters) if model.policy.model.dose else lever.intensity


def among(names: tuple[str, ...], wanted: tuple[str, ...]) -> np.ndarray:
    """Which names are wanted: bool (names,); an empty list means all."""
    return np.isin(names, wanted) if wanted else np.ones(len(names), dtype=bool)


def reached(model, lever: Lever) -> tuple[np.ndarray, np.ndarray]:
    """Counties and sectors a lever's target group covers: bool (units,), bool (sectors,)."""
    geography = model.geography
    counties = among(province_names(), lever.provinces)[geography.county_province]
    if isinstance(lever, PlacedLever) and lever.counties_only:
        counties = counties & ~geography.county_is_urban
    return counties, among(sector_names(), lever.sectors)


def reached_leaders(model, lever: Lever) -> np.ndarray:
    """Chain leaders a lever covers, by home province and sector: bool (chains,)."""
    industry = model.industry
    by_province = among(province_names(), lever.provinces)[industry.chain_home]
    return by_province & among(sector_names(), lever.sectors)[industry.chain_sector]


def rank_among_equals(values: np.ndarray) -> np.ndarray:
    """How many of the same value stand before each: int64 (values,). Keeps a group to its share of a ranking."""
    order = np.argsort(values, kind="stable")
    _, first, counts = np.unique(values[order], return_index=True, return_counts=True)
    position = np.empty(len(values), dtype=np.int64)
    position[order] = np.arange(len(values)) - np.repeat(first, counts)
    return position


def target_of(model, lever: FirmLever) -> Target:
    """A firm lever's target group in the form kernels receive it."""
    return Target(*model.reach_of(lever), getattr(Tier, lever.lowest_tier), lever.clusters_only)


def admit_by_rank(
    model, column: np.ndarray, quotas: np.ndarray, county_group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Admit the best-ranked firms of each group up to its quota, by the model's `ranks`.

    Args:
        column: int8 (slots,), date column in which the quarter of admission is written.
        quotas: int64 (groups,), in simulated firms. county_group: int16 (units,), group of each county.

    Returns:
        Slots of the firms admitted, and of those ranked: int64 (n,) each.
    """
    ranked = np.flatnonzero(model.ranks != NOT_RANKED)
    group = county_group[model.firms.columns.county[ranked]]
    admitted = ranked[within_quotas(model.ranks[ranked], group, quotas)]
    column[admitted] = model.moment.index
    return admitted, ranked
