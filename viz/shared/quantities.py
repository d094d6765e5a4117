"""National quantities that the page and the report show: what is asked of the runs."""

from __future__ import annotations

from scenarios.analysis.metrics import SPENT

#: National quantities by section: `sim.outputs` columns, or quantities made of them (see `viz.shared.compared`).
HEADLINES = ("little_giants", "srdi_smes", "counties_with_little_giant", SPENT)
LADDER = ("innovative_smes", "srdi_smes", "little_giants", "productivity_index", "public_spending_yuan")
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
    SPENT,
)
CHAINS = ("chain_gaps_filled_share", "chain_extension_share", "chain_resilience", "chain_strength_yuan")
