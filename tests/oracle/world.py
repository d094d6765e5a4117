"""What is taken over from the model that is checked, as plain numbers and lists; fixed before the first quarter."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from types import SimpleNamespace

from oracle.firm import FLOATS, INTEGERS, Firm
from sim.reference import province_names, sector_names
from sim.world.demand import quarterly_growth

#: The ladder from below; a tier's code is its place, counted from 1.
TIERS = ("innovative", "srdi", "little_giant")


def read(name: str) -> dict:
    """A data file of the model: numbers with their sources."""
    return tomllib.loads(files("sim").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))


#: What a feedback does when it is off, by the parameters that then have no effect.
OFF = {
    "production": {"permanent_share": 0.0, "productivity_speed": 0.015},
    "research_cost": {"research_expensed": 0.0, "research_staff_drawn": 0.0},
    "staffing": {"staff_response": 0.0},
    "displacement": {"displacement": 0.0, "sector_displacement": 0.0},
    "research_labour": {"research_wage_share": 0.0, "research_wage_trend": 0.0, "research_price_elasticity": 0.0},
    "credit": {"credit_crowding": 0.0, "guarantee_default": 0.0},
    "relabelling": {"relabel_lasting": 0.0, "relabel_fall": 0.0},
    "points": {"points_aim": 0.0},
    "anticipation": {"anticipation_fade": 0.0, "anticipation_horizon": 0.0, "apply_rush": 0.0},
    "full_cost": {"tax_relief_counted": 0.0, "title_award_srdi": 0.0, "title_award_giant": 0.0},
    "reviews": {"review_effort": 0.0, "review_allowance": 0.0, "review_spread": 0.0},
    "provinces": {"province_differences": 0.0},
    "frontier": {"frontier_trend": 0.0},
}


def parameters(policy) -> SimpleNamespace:
    """The parameter values of a scenario."""
    values = {name: entry["value"] for group in read("parameters").values() for name, entry in group.items()}
    values |= dict(policy.parameters)
    for feedback, neutral in OFF.items():
        if not getattr(policy.model, feedback):
            values |= neutral
    p = SimpleNamespace(**{name: float(value) for name, value in values.items()})
    if policy.model.production:
        # A first-order autoregression around its mean keeps its variance v with noise of variance v (1 − ρ²).
        persistence = 1.0 - p.productivity_speed
        p.productivity_noise = p.productivity_spread * ((1.0 - p.permanent_share) * (1.0 - persistence**2)) ** 0.5
    return p


def firms_of(model) -> list[Firm]:
    """The model's firms as they stand now, one by one."""
    columns = {name: getattr(model.firms.columns, name).tolist() for name in (*FLOATS, *INTEGERS)}
    return [
        Firm(slot, **{name: column[slot] for name, column in columns.items()})
        for slot in range(len(columns["employment"]))
    ]


def world_of(model) -> SimpleNamespace:
    """The fixed world of a model that has not taken a step."""
    geography, industry, env = model.geography, model.industry, model.environment
    return SimpleNamespace(
        province_names=province_names(),
        province_srdi=[
            SimpleNamespace(delay=row["srdi_delay"], reach=row["srdi_reach"], bar=row["srdi_bar"])
            for row in read("provinces")["province"]
        ],
        sector_names=sector_names(),
        county_province=geography.county_province.tolist(),
        county_urban=geography.county_is_urban.tolist(),
        county_city=geography.county_city.tolist(),
        county_firms=geography.firms.tolist(),  # by county and sector, expected at 1:1 at the start
        county_research=env.county_research.tolist(),
        county_entry=env.county_entry.tolist(),
        city_province=geography.city_province.tolist(),
        city_is_first=geography.city_is_first.tolist(),
        sector_revenue_per_worker=env.sector_revenue_per_worker.tolist(),
        sector_research=env.sector_research.tolist(),
        sector_rd_norm=industry.sector_rd_norm.tolist(),
        sector_trend=industry.sector_trend.tolist(),
        sector_manufacturing=industry.sector_manufacturing.tolist(),
        sector_energy=industry.sector_energy.tolist(),
        sector_export_share=industry.sector_export_share.tolist(),
        sector_rd_usual=env.sector_rd_usual.tolist(),
        niche_sector=industry.niche_sector.tolist(),
        sector_sme_employees=industry.sector_sme_employees.tolist(),
        sector_sme_revenue=industry.sector_sme_revenue.tolist(),
        niche_chain=industry.niche_chain.tolist(),
        niche_promoted=industry.niche_promoted.tolist(),
        niche_hit=model.shock_schedule.hit.tolist(),
        chain_sector=industry.chain_sector.tolist(),
        chain_home=industry.chain_home.tolist(),
        chain_openness=industry.chain_openness.tolist(),
        cluster_county=model.candidates.county.tolist(),
        cluster_sector=model.candidates.sector.tolist(),
        cluster_concentration=model.candidates.concentration.tolist(),
        demand_growth=quarterly_growth(),
    )
