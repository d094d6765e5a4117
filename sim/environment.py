"""What firms see of the world around them, in the form kernels receive it."""

from __future__ import annotations

from collections import namedtuple

import numpy as np

#: Arrays by place, sector, niche, cluster and chain. Set-up fills the fixed ones; the
#: institutions and the tally renew the others every quarter.
Environment = namedtuple(
    "Environment",
    [
        "county_province",  # int16 (units,)
        "county_research",  # float64 (units,), log-odds of doing R&D relative to the mean
        "county_entry",  # float64 (units,), founding rate relative to the mean
        "sector_revenue_per_worker",  # float64 (sectors,), yuan per year at productivity 0; moves with demand
        "sector_rd_norm",  # float64 (sectors,), share of revenue
        "sector_research",  # float64 (sectors,), log-odds of doing R&D
        "sector_sme_employees",  # float64 (sectors,), persons
        "sector_sme_revenue",  # float64 (sectors,), yuan per year
        "niche_chain",  # int16 (niches,)
        "niche_promoted",  # bool (niches,)
        "niche_revenue",  # float64 (niches,), yuan per year, of the last quarter
        "cluster_commons",  # float64 (clusters,), 0-1
        "cluster_digital",  # float64 (clusters,), mean digital maturity of members
        "cluster_governance",  # float64 (clusters,), mean governance of members
        "cluster_knowledge",  # float64 (clusters,), mean knowledge stock of members, yuan
        "chain_openness",  # float64 (chains,), 0-1
    ],
)

#: Numbers of the quarter that are the same for every firm.
MOMENT = np.dtype(
    [
        ("index", np.int64),  # quarters since the start
        ("number", np.int64),  # quarter of the year, 1-4
        ("research_trend", np.float64),  # log-odds added to R&D participation since the start
        ("reach_srdi", np.float64),  # share of firms the tier's programme reaches, mean of provinces
        ("reach_giant", np.float64),
        ("audit_strictness", np.float64),
        ("srdi_rd", np.float64),  # R&D intensity that the rules ask for, share of revenue
        ("giant_rd_large", np.float64),
        ("giant_rd_mid", np.float64),
        ("giant_revenue_large", np.float64),  # yuan per year
        ("award_yuan", np.float64),  # paid per quarter to a firm with a running award
        ("digital_effect", np.float64),  # digital maturity gained per quarter of support
    ]
)


def new_moment() -> np.record:
    """A zeroed record of the type MOMENT."""
    return np.zeros(1, dtype=MOMENT).view(np.recarray)[0]
