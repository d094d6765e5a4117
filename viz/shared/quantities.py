"""National quantities shown on the page and in the report."""

from __future__ import annotations

from scenarios.analysis.metrics import CUMULATIVE_COST

#: National quantities by section: columns of `sim.records.outputs`, or derived from them (see `viz.shared.compared`).
HEADLINES = ("little_giants", "srdi_smes", "counties_with_little_giant", CUMULATIVE_COST)
#: National quantities of the policy page's answer, in order.
ANSWER = ("little_giants", "srdi_smes", "employment", "rd_true_yuan", CUMULATIVE_COST)
LADDER = (
    *("innovative_smes", "srdi_smes", "little_giants", "productivity_index"),
    *("public_cost_yuan", "public_spending_yuan"),
)
ENDS = (
    *LADDER[:2],
    "genuine_srdi_smes",
    "little_giants",
    "genuine_little_giants",
    "counties_with_little_giant",
    "county_share_of_little_giants",
    "employment",
    "revenue_yuan",
    "rd_true_yuan",
    "productivity_index",
    "digital_level_mean",
    "chain_gaps_filled_share",
    "chain_resilience",
    CUMULATIVE_COST,
)
CHAINS = ("chain_gaps_filled_share", "chain_extension_share", "chain_resilience", "chain_strength_yuan")
