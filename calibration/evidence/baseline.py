"""Statistics of the baseline that studies report of real firms: closing, links, R&D and sales side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from calibration.evidence.niches import last_coefficient
from calibration.evidence.rows import Estimate
from calibration.firms.response import FEWEST, true_research
from scenarios.analysis.recipients import founded
from scenarios.files.loading import load_scenario
from sim.calendar import Quarter
from sim.firms.columns import NEVER
from sim.model import SRDIModel
from sim.tiers import Tier

#: Year end from which on firms and links are followed.
START = Quarter(2021, 4)


def baseline_statistics(
    rows: Sequence[Estimate], settings: tuple[str, ...], parameters: dict[str, float], scale: float, seed: int
) -> np.ndarray:
    """Value and standard error of the statistic of each row, float64 (rows, 2); NaN with too few firms.

    exit_rate: share of firms that close, a year. link_survival: share of main customers that are still the same.
    log_revenue_per_log_research: coefficient of log R&D in a regression of log revenue on it, log staff and sectors,
    among certified firms with R&D at one year's end.
    """
    years = max(max(round(row.horizon_years) for row in rows), 1)
    base = load_scenario("baseline", settings).policy
    policy = base.model_copy(update={"parameters": base.parameters | parameters})
    model = SRDIModel(policy, scale=scale, rng=seed, until=START.year + years)
    while model.quarter < START:
        model.step()
    columns, since = model.firms.columns, founded(model)
    there, customer = columns.employment > 0, columns.customer.copy()
    found = np.full((len(rows), 2), np.nan)
    for index, row in enumerate(rows):
        if row.outcome == "log_revenue_per_log_research":
            found[index] = _revenue_on_research(model)
    while model.running:
        for _ in range(4):
            model.step()
        passed = model.quarter.year - START.year
        same = there & (columns.employment > 0) & (founded(model) == since)
        for index, row in enumerate(rows):
            if max(round(row.horizon_years), 1) != passed:
                continue
            if row.outcome == "exit_rate":
                found[index] = _share(~same[there])
                found[index] /= passed
            elif row.outcome == "link_survival":
                linked = same & (customer != NEVER)
                found[index] = _share((columns.customer == customer)[linked])
    model.close()
    return found


def _share(holds: np.ndarray) -> tuple[float, float]:
    """Share of firms of which something holds, and its standard error."""
    if len(holds) < FEWEST:
        return np.nan, np.nan
    share = float(holds.mean())
    return share, float(np.sqrt(share * (1.0 - share) / len(holds)))


def _revenue_on_research(model: SRDIModel) -> tuple[float, float]:
    columns = model.firms.columns
    research = true_research(columns)
    chosen = (columns.employment > 0) & (columns.tier >= Tier.innovative) & (research > 0.0)
    if chosen.sum() < FEWEST:
        return np.nan, np.nan
    sectors = columns.sector[chosen][:, None] == np.unique(columns.sector[chosen])
    terms = np.column_stack([sectors, np.log(columns.employment[chosen]), np.log(research[chosen])])
    return last_coefficient(terms, np.log(columns.revenue[chosen].astype(np.float64)))
