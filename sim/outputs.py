"""The tables a run returns: each column is declared here with its unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Output:
    """One column of a results table. Counts are national equivalents (divided by scale)."""

    name: str
    unit: str
    description: str
    dtype: str = "float64"


def _text(name: str, description: str) -> Output:
    return Output(name, "", description, "string")


QUARTER = Output("quarter", "", "last day of the quarter", "timestamp")

_STOCKS = (
    Output("firms", "firms", "active firms of the modelled sectors"),
    Output("employment", "persons", "employees of active firms"),
    Output("innovative_smes", "firms", "innovative SMEs (创新型中小企业), higher tiers included"),
    Output("srdi_smes", "firms", "SRDI SMEs (专精特新中小企业) with a valid certificate, little giants included"),
    Output("little_giants", "firms", "little giants (小巨人) with a valid certificate"),
)
_FLOWS = (
    Output("little_giants_granted", "firms", "new little-giant certificates in the quarter"),
    Output("little_giants_renewed", "firms", "little-giant certificates renewed at review in the quarter"),
    Output("little_giants_lapsed", "firms", "little giants that failed their review or closed in the quarter"),
)
_ECONOMY = (
    Output("revenue_yuan", "yuan per quarter", "revenue of active firms"),
    Output("rd_true_yuan", "yuan per quarter", "R&D truly carried out"),
    Output("rd_reported_yuan", "yuan per quarter", "R&D reported, relabelled spending included"),
    Output("rd_firms", "firms", "firms with R&D activity"),
)

NATIONAL = (
    QUARTER,
    *_STOCKS,
    *_FLOWS,
    Output("little_giants_granted_cumulative", "firms", "little-giant certificates granted since the start"),
    Output("clusters", "clusters", "recognised national SME clusters"),
    Output("digital_supported", "firms", "SMEs supported by the digital programme since its start"),
    *_ECONOMY,
    Output("productivity_index", "start = 100", "employment-weighted productivity relative to the sector frontier"),
    Output("public_spending_yuan", "yuan per quarter", "public money spent through all levers"),
    Output("digital_level_mean", "level 1-4", "mean digital level of active firms with 20 or more employees"),
    Output("governance_mean", "0-1", "mean governance of active firms with 20 or more employees"),
    Output(
        "counties_with_little_giant",
        "counties",
        "counties and county-level cities (县域; urban districts apart) with at least one little giant",
    ),
    Output("county_share_of_little_giants", "share", "little giants in counties and county-level cities (县域)"),
    Output("manufacturing_share_of_little_giants", "share", "little giants in manufacturing"),
    Output("chain_gaps_filled_share", "share", "key niches with at least one qualified domestic supplier (补链)"),
    Output("chain_suppliers", "firms", "firms that supply a chain leader"),
    Output("theil_little_giants_by_county", "nats", "Theil index of little giants over county-level units"),
    Output("births", "firms", "firms founded in the quarter"),
    Output("deaths", "firms", "firms closed in the quarter"),
)

PROVINCE = (
    QUARTER,
    _text("province", "provincial region"),
    *_STOCKS,
    *_FLOWS,
    *_ECONOMY,
    Output("clusters", "clusters", "recognised national SME clusters"),
    Output("digital_supported", "firms", "SMEs supported by the digital programme since its start"),
)

SECTOR = (QUARTER, _text("sector", "sector key"), *_STOCKS, *_FLOWS, *_ECONOMY)

TIER = (
    QUARTER,
    _text("tier", "innovative, srdi or little_giant"),
    Output("stock", "firms", "firms whose highest valid certificate is of this tier"),
    Output("eligible", "firms", "firms that met the tier's criteria at the yearly assessment and did not hold it"),
    Output("applied", "firms", "firms that applied in the quarter"),
    Output("passed", "firms", "applicants that met the criteria and the assessors' bar"),
    Output("granted", "firms", "new certificates in the quarter"),
    Output("reviewed", "firms", "certificates that came up for review in the quarter"),
    Output("renewed", "firms", "certificates renewed at review in the quarter"),
    Output("lapsed", "firms", "certificates ended by a failed review in the quarter"),
    Output("closed", "firms", "certificates ended because the firm closed in the quarter"),
    _text("bound", "what limited the batch: capacity, eligibility, or empty where there was no batch"),
)

CLUSTER = (
    QUARTER,
    Output("cluster", "id", "cluster number", "int32"),
    _text("province", "provincial region"),
    _text("sector", "sector key"),
    Output("county", "id", "county-level unit number", "int32"),
    Output("recognised", "quarter end", "when the cluster was recognised", "timestamp"),
    Output("firms", "firms", "active firms of the cluster"),
    Output("srdi_smes", "firms", "SRDI SMEs, little giants included"),
    Output("little_giants", "firms", "little giants"),
    Output("revenue_yuan", "yuan per quarter", "revenue of the cluster's firms"),
    Output("digital_mean", "0-1", "mean digital maturity"),
    Output("commons", "0-1", "strength of the industrial commons"),
)

CHAIN = (
    QUARTER,
    Output("chain", "id", "chain number", "int32"),
    _text("sector", "sector key of the chain"),
    _text("province", "home province of the chain leader"),
    Output("openness", "0-1", "chain leader's openness to new suppliers"),
    Output("suppliers", "firms", "firms that supply the chain leader"),
    Output("little_giant_suppliers", "firms", "little giants among them"),
    Output("strength", "yuan per quarter", "capability-weighted supply of the chain's niches"),
    Output("gaps_filled_share", "share", "key niches of the chain with a qualified domestic supplier (补链)"),
)

SPENDING = (
    QUARTER,
    _text("lever", "lever as named in scenario files"),
    Output("spending_yuan", "yuan per quarter", "public money spent"),
    Output("committed_yuan", "yuan", "public money committed since the lever's start"),
    Output("budget_yuan", "yuan", "the lever's budget over its whole window"),
    Output("refused_yuan", "yuan per quarter", "requests refused because the budget or quota was used up"),
    Output("recipients", "firms or clusters", "newly supported in the quarter"),
)

#: Every results table by name, in the order they are written.
TABLES: dict[str, tuple[Output, ...]] = {
    "national": NATIONAL,
    "province": PROVINCE,
    "sector": SECTOR,
    "tier": TIER,
    "cluster": CLUSTER,
    "chain": CHAIN,
    "spending": SPENDING,
}
