"""Pairs of an ensemble that are run again, because its tables do not hold single firms; and size classes of firms.

A pair is one parameter draw and replicate, whose runs in all scenarios share their random draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from scenarios.checks import whole_number
from scenarios.errors import InputError
from scenarios.records.results import Results
from sim.calendar import Quarter
from sim.reference import read_data

#: Pairs run again unless more or fewer are asked for.
DEFAULT_PAIRS = 4
#: Classes of the statistics office's "Classification of large, medium, small and micro enterprises for statistics"
#: (统计上大中小微型企业划分办法, 2017), by the least number of employees; they also ask for revenue, left out here.
SIZES = ("micro", "small", "medium", "large")
INDUSTRY_LIMITS, SERVICES_LIMITS = (20, 300, 1000), (10, 100, 300)
_RUN = ["draw", "replicate"]
#: Largest relative difference of national figures that is still a repetition.
_SAME = 1e-9


def all_pairs(results: Results) -> list[tuple[int, int]]:
    """Draw and replicate of every pair of an ensemble, in their order."""
    return sorted(results.national[_RUN].drop_duplicates().itertuples(index=False, name=None))


def some_pairs(results: Results, pairs: int | None) -> list[tuple[int, int]]:
    """Draw and replicate of the pairs to run again, spread evenly over those there are.

    Args:
        pairs: how many; None means DEFAULT_PAIRS, or all if there are fewer.

    Raises:
        InputError: there are not so many.
    """
    runs = all_pairs(results)
    wanted = min(DEFAULT_PAIRS, len(runs)) if pairs is None else whole_number("pairs", pairs, 1)
    if wanted > len(runs):
        raise InputError(
            f"pairs is {wanted}: {results.path} has {len(runs)}; it must be a number from 1 to {len(runs)}"
        )
    return [runs[index] for index in np.linspace(0, len(runs) - 1, wanted).round().astype(int)]


def not_repeated(
    results: Results,
    names: Sequence[str],
    runs: Sequence[tuple[int, int]],
    found: Sequence[Sequence[dict[str, float]]],
    quarter: Quarter,
) -> int:
    """Number of runs that do not repeat the national figures of their directory.

    Args:
        names: scenarios. runs: pairs that were run again. found: by pair and scenario, national figures by column.
        quarter: of the figures.
    """
    national = results.national[results.national["quarter"] == pd.Timestamp(quarter.end_date)]
    stored = national.assign(scenario=national["scenario"].astype(str)).set_index(["scenario", *_RUN])
    other = 0
    for run, pair in zip(runs, found, strict=True):
        for name, figures in zip(names, pair, strict=True):
            row = stored.loc[(name, *run)]
            other += any(not math.isclose(row[key], value, rel_tol=_SAME) for key, value in figures.items())
    return other


def size_class(employment: np.ndarray, industry: np.ndarray) -> np.ndarray:
    """Code of SIZES by employees: int64 (firms,). industry: bool (firms,), manufacturing, not software or services."""
    of_industry, of_services = (
        np.searchsorted(limits, employment, side="right") for limits in (INDUSTRY_LIMITS, SERVICES_LIMITS)
    )
    return np.where(industry, of_industry, of_services)


def manufacturing() -> np.ndarray:
    """Whether each sector is manufacturing, bool (sectors,)."""
    return np.array([row["manufacturing"] for row in read_data("sectors")["sector"]])
