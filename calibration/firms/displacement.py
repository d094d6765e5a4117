"""What other firms lose: the nation's sales per yuan of public cost, with and without competition for demand."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from calibration.firms.response import FIRST, YEARS, LeverProgress, pair, policies, ratio_of_sums
from sim.calendar import Quarter
from sim.parameters import parameter_values
from sim.policy import Policy, find_policy

#: Levers that add to the demand for what supported firms sell.
DEMAND_LEVERS = (
    "matchmaking_sales",
    "chain_leader_openness",
    "cluster_recognition",
    "joint_branding",
    "strategic_programmes",
)
#: Sales per yuan by competition for demand: without, within niches alone, within niches and their sectors.
COMPETITION = ("gross", "niche", "net")
#: Columns of `sales_per_yuan`.
COLUMNS = ("lever", "cost_yuan", *(f"{name}{end}" for name in COMPETITION for end in ("", "_low", "_high")))


def sales_per_yuan(
    levers: Iterable[str],
    scale: float,
    seeds: Iterable[int],
    base: Policy | None = None,
    on_lever: LeverProgress | None = None,
) -> pd.DataFrame:
    """Sales that the whole nation gains per yuan of public cost, from FIRST on, by lever and competition for demand.

    A pair of runs differs by the luck of a few large firms too, which a nation's sales show: hence several pairs.

    Args:
        levers: of DEMAND_LEVERS; others are left out. seeds: of the pairs of runs.

    Returns:
        One row per lever, COLUMNS: lever, cost_yuan (mean additional public cost under full competition), and gross,
        niche, net (yuan of sales per yuan, ratio of the sums over the pairs; NaN without cost), each with low and high
        (95 % interval; NaN with one pair).
    """
    rows: list[dict[str, float | str]] = []
    chosen, seeds = [lever for lever in levers if lever in DEMAND_LEVERS], tuple(seeds)
    steps = len(chosen) * len(seeds)
    for index, lever in enumerate(chosen):
        gains: dict[str, list[tuple[float, float]]] = {extent: [] for extent in COMPETITION}
        for done, seed in enumerate(seeds):
            if on_lever:
                on_lever(index * len(seeds) + done, steps, pd.DataFrame(rows, columns=COLUMNS))
            for extent, found in gains.items():
                found.append(_national_gain(lever, scale, seed, _competing(base or find_policy("baseline"), extent)))
        row: dict[str, float | str] = {"lever": lever, "cost_yuan": float(np.mean([cost for _, cost in gains["net"]]))}
        for extent, found in gains.items():
            row |= _per_yuan(extent, np.array(found))
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    if on_lever and chosen:
        on_lever(steps, steps, table)
    return table


def _per_yuan(extent: str, pairs: np.ndarray) -> dict[str, float]:
    """Ratio of the sums of sales and cost over pairs of runs, float64 (pairs, 2), with its 95 % interval.

    By linearisation, with Student's t for the few pairs.
    """
    from scipy.stats import t as student  # loaded where it is used: it takes a second

    ratio, error = ratio_of_sums(pairs.T, fewest=1)
    free = len(pairs) - 1
    width = float(student.ppf(0.975, free) * error * np.sqrt(len(pairs) / free)) if free else np.nan
    return {extent: ratio, f"{extent}_low": ratio - width, f"{extent}_high": ratio + width}


def _competing(base: Policy, extent: str) -> Policy:
    """A policy under which firms compete for demand to an extent of COMPETITION."""
    feedbacks = base.model.model_copy(update={"displacement": extent != "gross"})
    if extent != "niche":
        return base.model_copy(update={"model": feedbacks})
    # Where both have one size, a niche's sales depend on that niche alone (see sim/mechanisms/competition.py).
    own = parameter_values(base.parameters).displacement
    return base.model_copy(update={"model": feedbacks, "parameters": base.parameters | {"sector_displacement": own}})


def _national_gain(lever: str, scale: float, seed: int, base: Policy) -> tuple[float, float]:
    """What a lever adds to the nation's sales and to public cost from FIRST on, yuan."""
    first = Quarter.parse(FIRST)
    sums = []
    for model in pair(*policies(lever, base), first, scale=scale, seed=seed, until=first.year + max(YEARS)):
        model.run_model()
        national = model.tables()["national"]
        sums.append([float(national[name].sum()) for name in ("revenue_yuan", "public_cost_yuan")])
        model.close()
    (sales, cost), (sales_without, cost_without) = sums
    return sales - sales_without, cost - cost_without
