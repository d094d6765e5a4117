"""The experiment on displacement: a share of each niche sells more, and the others feel it (Cai and Szeidl 2018)."""

from __future__ import annotations

import math

import numpy as np

from scenarios.files.loading import load_scenario
from sim.levers import PROGRAMMES
from sim.mechanisms.support import Channel
from sim.model import SRDIModel
from sim.numerics.draws import Purpose, uniform_array

#: Demand added to treated firms, as in the study: 9 % more sales.
OWN = math.log(1.09)
#: Sectors with a smaller export share than this are looked at: the study's shops sell at home.
AT_HOME = 0.1
#: Quarters after which firms are compared.
QUARTERS = 2
#: Firms younger than this many quarters are left out.
_AGE = 4


def rivals_effect(
    settings: tuple[str, ...], parameters: dict[str, float], scale: float, seed: int
) -> tuple[float, float]:
    """What firms lose if all others of their niche sell 9 % more: log revenue and its standard error.

    Of a niche none, half or all firms are treated. Log revenue beside the same firm untreated is regressed on own
    treatment and on the treated share of the niche's revenue.

    Args:
        settings: of the scenario, in the form of ``--set``. parameters: values that differ from the defaults.
    """
    base = load_scenario("baseline", settings).policy
    policy = base.model_copy(update={"parameters": base.parameters | parameters})
    treated, control = (SRDIModel(policy, scale=scale, rng=seed, until=2020) for _ in range(2))
    columns, other = treated.firms.columns, control.firms.columns
    key, niches = treated.lasting_keys[Purpose.PANEL], len(treated.industry.niche_sector)
    share = np.floor(3.0 * uniform_array(key, niches)) / 2.0
    chosen = uniform_array(key + np.uint64(1), len(columns.employment)) < share[columns.niche]
    programme = PROGRAMMES.index("matchmaking_sales")
    columns.support[chosen] = 1 << programme
    treated.environment.programme_effects[programme, Channel.sales] = OWN
    for _ in range(QUARTERS):
        treated.step()
        control.step()
    there = (columns.employment > 0) & (other.employment > 0) & (columns.age > _AGE)
    revenue = columns.revenue.astype(np.float64)
    treated_revenue = np.bincount(columns.niche[there], (revenue * chosen)[there], niches)
    rivals = treated_revenue / np.maximum(np.bincount(columns.niche[there], revenue[there], niches), 1.0)
    there &= treated.industry.sector_export_share[columns.sector] < AT_HOME
    change = np.log(revenue[there] / other.revenue[there])
    terms = np.column_stack([np.ones(there.sum()), chosen[there], rivals[columns.niche[there]]])
    treated.close()
    control.close()
    return last_coefficient(terms, change)


def last_coefficient(terms: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Coefficient of the last term (firms, terms) in a least-squares regression, and its standard error."""
    inverse = np.linalg.pinv(terms.T @ terms)
    weights = inverse @ (terms.T @ outcome)
    variance = ((outcome - terms @ weights) ** 2).sum() / max(len(outcome) - len(weights), 1)
    return float(weights[-1]), float(np.sqrt(variance * inverse[-1, -1]))
