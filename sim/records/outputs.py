"""The tables a run returns: each column is declared here with its unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass

from sim.firms.columns import COLUMNS
from sim.levers.clusters import COMMONS


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

COUNTED = "firms with 20 or more employees"

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
    Output(
        "little_giants_lapsed", "firms", "little giants that failed their review, were revoked or closed in the quarter"
    ),
)
_ECONOMY = (
    Output("revenue_yuan", "yuan per quarter", "revenue of active firms"),
    Output("rd_true_yuan", "yuan per quarter", "R&D truly carried out"),
    Output("rd_reported_yuan", "yuan per quarter", "R&D reported, relabelled spending included"),
    Output("rd_firms", "firms", "firms with R&D activity"),
)

_PUBLIC_COST = (
    Output("public_spending_yuan", "yuan per quarter", "public money spent through all levers"),
    Output("tax_relief_yuan", "yuan per quarter", "tax relief on reported R&D (加计扣除)"),
    Output("title_awards_yuan", "yuan per quarter", "awards of provinces for new titles (认定奖补)"),
    Output("public_cost_yuan", "yuan per quarter", "full public cost: levers, tax relief and awards for titles"),
)
_PROGRAMMES = (
    Output("clusters", "clusters", "recognised national SME clusters"),
    Output("digital_supported", "firms", "SMEs supported by the digital programme since its start"),
)

NATIONAL = (
    QUARTER,
    *_STOCKS,
    *_FLOWS,
    Output("little_giants_granted_cumulative", "firms", "little-giant certificates granted since the start"),
    Output("little_giants_reviewed", "firms", "little-giant certificates that came up for review in the quarter"),
    Output("applications", "firms", "applications to all tiers in the quarter"),
    Output("single_champions", "firms", "firms that meet the criteria of a single champion (单项冠军); yearly count"),
    Output("awarded_firms", "firms", "little giants with a running award"),
    Output("genuine_srdi_share", "share", "SRDI SMEs whose true R&D meets their tier's intensity (货真价实)"),
    Output("genuine_little_giant_share", "share", "little giants whose true R&D meets the tier's intensity"),
    *_PROGRAMMES,
    *_ECONOMY,
    Output(
        "rd_firms_manufacturing",
        "firms",
        "manufacturers above designated size (revenue of 20 million yuan or more) with R&D",
    ),
    Output("rd_staff", "persons", "R&D employees"),
    Output("relabelled_rd_share", "share", "relabelled part of reported R&D"),
    Output("exports_yuan", "yuan per quarter", "sales abroad of manufacturers"),
    Output("new_equity_yuan", "yuan", "new outside equity of about the last two years"),
    Output("output_lost_yuan", "yuan per quarter", "revenue lost to shocks and to lost orders"),
    Output("knowledge_spillover_yuan", "yuan per quarter", "knowledge taken from cluster pools"),
    Output("knowledge_transfer_yuan", "yuan per quarter", "knowledge passed on by leaders, institutes and partners"),
    Output("productivity_index", "start = 100", "employment-weighted productivity relative to the sector frontier"),
    *_PUBLIC_COST,
    Output("digital_level_mean", "level 1-4", f"mean digital level of {COUNTED}"),
    *(Output(f"digital_level_{level}", "firms", f"{COUNTED} at digital level {level}") for level in (1, 2, 3, 4)),
    Output("governance_mean", "0-1", f"mean governance of {COUNTED}"),
    Output("refinement_mean", "0-1", f"mean refinement of {COUNTED}"),
    Output("green_mean", "0-1", f"mean green maturity of {COUNTED}"),
    Output("constraint_mean", "0-1", f"mean credit constraint of {COUNTED}"),
    Output("listed_firms", "firms", "listed SRDI SMEs, little giants included"),
    Output("fund_backed_firms", "firms", "active firms in which the SME development fund has invested"),
    Output("young_firms", "firms", "firms younger than three and a half years"),
    Output("domestic_firsts", "products", "first-of-a-kind products (首台套) sold since the start"),
    Output("moved_to_counties", "firms", "firms that have moved to a county cluster since the start"),
    Output(
        "counties_with_little_giant",
        "counties",
        "counties and county-level cities (县域; urban districts apart) with at least one little giant",
    ),
    Output("county_share_of_little_giants", "share", "little giants in counties and county-level cities (县域)"),
    Output("manufacturing_share_of_little_giants", "share", "little giants in manufacturing"),
    Output(
        "chain_gaps_filled_share", "share", "key niches in which qualified domestic suppliers hold a fair share (补链)"
    ),
    Output("chain_extension_share", "share", "links of all chains with at least one qualified supplier (延链)"),
    Output("chain_resilience", "share", "output of key links kept when their foreign supply fails, one at a time"),
    Output("chain_strength_yuan", "yuan per quarter", "capability-weighted supply to chain leaders (强链)"),
    Output("chain_suppliers", "firms", "firms whose main customer is a chain leader"),
    Output("newcomer_suppliers", "firms", "of these, firms brought in from another chain by joint design"),
    Output("supplier_digital_mean", "0-1", "mean digital maturity of chain leaders' suppliers"),
    Output("supplier_refinement_mean", "0-1", "mean refinement of chain leaders' suppliers"),
    Output("linked_firms", "firms", "firms with a main customer"),
    Output("theil_little_giants_by_county", "nats", "Theil index of little giants over county-level units"),
    Output("gini_little_giants_by_county", "0-1", "Gini coefficient of little giants over county-level units"),
    Output("births", "firms", "firms founded in the quarter"),
    Output("deaths", "firms", "firms closed in the quarter"),
)

PROVINCE = (
    QUARTER,
    _text("province", "provincial region"),
    *_STOCKS,
    *_FLOWS,
    *_ECONOMY,
    *_PROGRAMMES,
    *_PUBLIC_COST,
)

SECTOR = (QUARTER, _text("sector", "sector key"), *_STOCKS, *_FLOWS, *_ECONOMY, *_PUBLIC_COST)

COUNTY_TYPE = (
    QUARTER,
    _text("county_type", "county (counties and county-level cities, 县域) or urban (urban districts)"),
    *_STOCKS,
    *_FLOWS,
    *_ECONOMY,
    *_PROGRAMMES,
    *_PUBLIC_COST,
)

TIER = (
    QUARTER,
    _text("tier", "innovative, srdi or little_giant; none: firms without a certificate"),
    Output("stock", "firms", "firms whose highest valid certificate is of this tier"),
    Output("eligible", "firms", "firms that met the tier's criteria at the yearly assessment and did not hold it"),
    Output("applied", "firms", "firms that applied in the quarter"),
    Output("passed", "firms", "applicants that met the criteria and the assessors' bar"),
    Output("granted", "firms", "new certificates in the quarter"),
    Output("reviewed", "firms", "certificates that came up for review in the quarter"),
    Output("renewed", "firms", "certificates renewed at review in the quarter"),
    Output("lapsed", "firms", "certificates ended by a failed review in the quarter"),
    Output("revoked", "firms", "certificates revoked because an audit found relabelled R&D in the quarter"),
    Output("closed", "firms", "highest certificates ended because the firm closed in the quarter"),
    Output("employment", "persons", "employees of the tier's stock"),
    Output("revenue_yuan", "yuan per quarter", "revenue of the tier's stock"),
    Output("rd_true_yuan", "yuan per quarter", "R&D truly carried out by the tier's stock"),
    Output("rd_reported_yuan", "yuan per quarter", "R&D reported by the tier's stock"),
    Output("digital_level_mean", "level 1-4", f"mean digital level of the tier's {COUNTED}"),
    Output("productivity", "ratio", "employment-weighted productivity relative to the sector frontier"),
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
    *(Output(f"commons_{name}", "0-1", f"strength of the commons' part: {name}") for name in COMMONS),
)

CHAIN = (
    QUARTER,
    Output("chain", "id", "chain number", "int32"),
    _text("sector", "sector key of the chain"),
    _text("province", "home province of the chain leader"),
    Output("openness", "0-1", "chain leader's openness to new suppliers"),
    Output("suppliers", "firms", "firms that supply the chain leader"),
    Output("little_giant_suppliers", "firms", "little giants among them"),
    Output("newcomer_suppliers", "firms", "suppliers brought in from another chain by joint design"),
    Output("strength", "yuan per quarter", "capability-weighted supply to the chain leader (强链)"),
    Output(
        "gaps_filled_share",
        "share",
        "key niches of the chain in which qualified domestic suppliers hold a fair share (补链)",
    ),
    Output("extension_share", "share", "links of the chain with at least one qualified supplier (延链)"),
    Output("resilience", "share", "output of key links kept when their foreign supply fails, one at a time"),
)

SPENDING = (
    QUARTER,
    _text("lever", "lever as named in scenario files; or tax_relief, title_awards"),
    _text("kind", "lever, tax (relief on reported R&D) or title (awards for new titles)"),
    Output("spending_yuan", "yuan per quarter", "public money spent"),
    Output("committed_yuan", "yuan", "public money committed since the lever's start"),
    Output("budget_yuan", "yuan", "the lever's budget over its whole window; 0 for tax and title, which have none"),
    Output(
        "refused_yuan",
        "yuan per quarter",
        "cost of the eligible left out, counted once a year",
    ),
    Output("recipients", "firms, clusters or leaders", "granted support in the quarter"),
)

#: Smallest firm at the start that a panel follows.
PANEL_EMPLOYMENT = 20

#: The optional panel of single firms; not scaled: a row is one simulated firm at a year end.
FIRMS = (
    QUARTER,
    _text("firm", "firm: its slot and the quarter it was founded in, counted from the start"),
    _text("province", "provincial region"),
    _text("county_type", "county or urban"),
    _text("sector", "sector key"),
    *(
        Output(column.name, column.unit, column.description, "float64" if column.dtype == "f4" else "int64")
        for column in COLUMNS
        if column.name != "sector"
    ),
)

#: Every results table by name, in the order they are written.
TABLES: dict[str, tuple[Output, ...]] = {
    "national": NATIONAL,
    "province": PROVINCE,
    "sector": SECTOR,
    "county_type": COUNTY_TYPE,
    "tier": TIER,
    "cluster": CLUSTER,
    "chain": CHAIN,
    "spending": SPENDING,
}

#: Tables that are there only if asked for.
OPTIONAL_TABLES: dict[str, tuple[Output, ...]] = {"firms": FIRMS}
