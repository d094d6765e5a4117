"""Markets between firms: for R&D staff, credit and demand."""

from __future__ import annotations

import math


def price_research(country) -> None:
    """The wage of R&D staff: its trend, and a share of what R&D money grew beyond the trend of wage and supply."""
    p, years = country.p, (country.now + 1) / 4.0
    money = sum(true for true, _, _ in country.research.values())
    trend = (p.research_staff_trend + p.research_wage_trend) * years
    beyond = p.research_wage_share * (math.log(money / country.research_at_start) - trend)
    country.research_wage = math.exp(p.research_wage_trend * years + beyond)
    country.research_price = math.exp(p.rd_staff_cost_share * beyond)


def open_exchanges(country) -> None:
    """The exchanges admit as many firms as they have places for; how many apply is judged by the last quarter."""
    applications = sum(parts for (name, _, _), parts in country.flows.items() if name == "listing_applications") / 2**20
    places = country.p.listing_places * country.scale / 4.0
    country.admitted = min(1.0, places / applications) if applications else float(places > 0)


def share_credit(country) -> None:
    """Of the credit that eased firms gain, a share is missing for all firms of their province."""
    world, provinces = country.world, len(country.world.province_names)
    eased, responsive = [0] * provinces, [0] * provinces
    for (name, place, _), thousands in country.flows.items():
        if name == "credit_eased":
            eased[place % provinces] += thousands
        elif name == "credit_responsive":
            responsive[place % provinces] += thousands
    country.crowded_out = [
        country.p.credit_crowding * eased[province] / max(responsive[province], 1)
        for province in range(len(world.province_names))
    ]


def compete(country) -> None:
    """Firms of a niche share its demand, niches that of their sector, as far as they sell at home."""
    p, world = country.p, country.world
    disturbed = any(country.sector_slack) or any(country.niche_slack)
    sectors = [0.0] * len(world.sector_names)
    niches = []
    for niche, revenue in enumerate(country.totals.niche_revenue):
        sector = world.niche_sector[niche]
        demand = country.revenue_per_worker[sector] / world.sector_revenue_per_worker[sector]
        niches.append(revenue / math.exp(country.pressure_felt[niche]) / demand)
        sectors[sector] += niches[-1]
    if country.market_at_start is None:
        country.market_at_start = niches, sectors
        return
    if disturbed or (p.displacement == 0.0 and p.sector_displacement == 0.0):
        return

    def beyond(now: float, start: float) -> float:
        return math.log(max(now, 1.0) / max(start, 1.0)) - p.potential_trend * country.now / 4.0

    niches_before, sectors_before = country.market_at_start
    for niche, potential in enumerate(niches):
        sector = world.niche_sector[niche]
        between = beyond(sectors[sector], sectors_before[sector])
        within = beyond(potential, niches_before[niche]) - between
        home = 1.0 - world.sector_export_share[sector]
        within, between = (min(max(drift, -3.0), 3.0) for drift in (within, between))
        country.niche_pressure[niche] = -home * (p.displacement * within + p.sector_displacement * between)
