"""The starting cross-section of firms at the end of 2018.

Sizes, revenue, R&D and places are drawn so that the reported aggregates hold at once: firms,
employees and revenue by sector, firms by province, firms with R&D by sector, a heavy tail of
size. `start_check` sets reported beside drawn.
"""

from __future__ import annotations

import math

import numpy as np

from sim.firms.columns import LISTED, NEVER, Columns, allocate, log_parts
from sim.mechanisms.capability import LEAST_MAIN_SHARE
from sim.mechanisms.demand import own_making
from sim.mechanisms.finance import LEAST_LEVERAGE, MOST_LEVERAGE, credit_constraint, credit_risk
from sim.mechanisms.listing import start_listing_chance
from sim.mechanisms.productivity import knowledge_productivity, permanent_part, productivity_target
from sim.mechanisms.research import (
    MOST_INTENSITY,
    lasting_spread,
    participation,
    passing_spread,
    rd_firm_effect,
    research_norm,
    size_log_odds,
    staff_load,
)
from sim.mechanisms.size import DESIGNATED_REVENUE, size_factor
from sim.numerics import arrays
from sim.numerics.draws import Purpose, round_noise, uniform, uniform_array, uniform_pair, unit_noise
from sim.numerics.elementary import exp, log
from sim.numerics.jit import equation, interpreted, kernel
from sim.world.geography import Geography
from sim.world.industry import GOLDEN_SHARE, Industry

#: Least sum, per year, of knowledge depreciation and growth of which the starting stock is steady (assumed).
_SLOWEST = 0.05
#: Firms of a sector, about, from whose sizes the sector's log-odds of R&D are solved.
_SAMPLE = 200_000
#: Values that stand for the spread of `rd_firm_effect`.
_EFFECTS = 8
#: No firm is older at the start, quarters (assumed).
_OLDEST = 160
#: Employees from which a manufacturer with R&D counts as a possible little giant (assumed).
_LARGE = 50.0
#: Most employees with which a firm weighs in the mean that sets its sector's level of revenue (assumed).
_MOST_WEIGHT = 1000.0
#: Largest sum of two flat draws over its standard deviation, √6.
_WIDEST = 2.449489742783178
#: Slots whose revenue is settled at a time.
_CHUNK = 1 << 18


def size_quantile(u: np.ndarray, p) -> np.ndarray:
    """Employment relative to the median at quantiles u: log-normal body, truncated Pareto tail."""
    body_end = 1.0 - p.size_tail_share
    tail_start = arrays.exp(p.size_sigma * arrays.unit_normal(body_end))
    tail = tail_start * arrays.power(p.size_tail_share / np.maximum(1.0 - u, 1e-12), 1.0 / p.size_tail_exponent)
    return np.where(u < body_end, arrays.exp(p.size_sigma * arrays.unit_normal(u)), np.minimum(tail, p.size_tail_cap))


def _geometric(first: float, last: float, count: int) -> np.ndarray:
    """Numbers in equal ratios from first to last, float64 (count,)."""
    return arrays.exp(np.linspace(arrays.log(first), arrays.log(last), count))


def _cumulative_size(p) -> tuple[np.ndarray, np.ndarray]:
    """Integral of `size_quantile` from 0 to u, as (u, integral) on a grid that is fine in the tail."""
    edges = 1.0 - np.concatenate([np.linspace(1.0, 1e-3, 20_001), _geometric(1e-3, 1e-10, 20_001)[1:]])
    middle = 0.5 * (edges[1:] + edges[:-1])
    integral = np.concatenate([[0.0], np.cumsum(size_quantile(middle, p) * np.diff(edges))])
    return np.append(edges, 1.0), np.append(integral, integral[-1])


def _stratum_means(count: int, cumulative: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Mean relative employment of each of `count` equal quantile strata; their mean is exact at any count.

    cumulative: what `_cumulative_size` returns.
    """
    return np.diff(np.interp(np.linspace(0.0, 1.0, count + 1), *cumulative)) * count


def _place_slots(geography: Geography, scale: float, slots_per_firm: float):
    """County and sector of every slot, ordered by place, sector and county; and who is alive.

    Sums by place and sector then run over neighbours. Within each sector the expected slots are rounded
    cumulatively over the units, so sector totals are exact at every scale and each province is right
    within one firm.

    Returns:
        county int16, sector int8, alive bool (slots,), rank int32 (slots,): the firm's number
        among the living firms of its sector.
    """
    cumulative = np.cumsum(geography.firms * scale * slots_per_firm, axis=0)
    slots = np.diff(np.round(cumulative).astype(np.int64), axis=0, prepend=0)
    sectors = slots.shape[1]
    unit, kind = np.divmod(np.arange(slots.size), sectors)
    order = np.lexsort((unit, kind, geography.county_place[unit]))
    county = np.repeat(unit[order].astype(np.int16), slots.ravel()[order])
    sector = np.repeat(kind[order].astype(np.int8), slots.ravel()[order])
    alive = np.zeros(len(county), dtype=bool)
    rank = np.zeros(len(county), dtype=np.int32)
    for s in range(sectors):
        here = np.flatnonzero(sector == s)
        filled = np.floor(np.arange(len(here) + 1) / slots_per_firm).astype(np.int64)
        alive[here] = np.diff(filled) > 0
        rank[here] = filled[:-1]
    return county, sector, alive, rank


def _niche_odds(industry: Industry, p) -> np.ndarray:
    """Cumulative shares of its sector's firms in each niche, float64 (2, niches): without and with R&D.

    In proportion to the niches' sizes. Firms with R&D follow the size only with exponent
    `niche_research_lean`: they work in narrower markets.
    """
    odds = np.stack([industry.niche_size, arrays.power(industry.niche_size, p.niche_research_lean)])
    for first, last in zip(industry.niche_start[:-1], industry.niche_start[1:], strict=True):
        odds[:, first:last] = np.cumsum(odds[:, first:last], axis=1) / odds[:, first:last].sum(axis=1, keepdims=True)
    return odds


@kernel
def draw_niches(firms, key, odds, niche_start):
    """Draw the niche of every slot from the cumulative shares `odds` (see `_niche_odds`)."""
    for i in range(firms.niche.size):
        shares = odds[1] if firms.rd_intensity[i] > 0.0 else odds[0]
        low, high = niche_start[firms.sector[i]], niche_start[firms.sector[i] + 1] - 1
        u = uniform(key, i)
        while low < high:
            middle = (low + high) // 2
            if shares[middle] < u:
                low = middle + 1
            else:
                high = middle
        firms.niche[i] = low


@equation
def _steady_stock(intensity, p):
    """Knowledge over revenue at steady growth; a firm that shrinks faster than knowledge ages has no such stock."""
    return intensity / max(p.knowledge_depreciation + p.start_growth, _SLOWEST)


def _firm_effects(p) -> np.ndarray:
    """Equally likely values of `rd_firm_effect`, float64 (values,), by which expectations over firms are taken."""
    share = (np.arange(_EFFECTS) + 0.5) / _EFFECTS
    half = 1.0 - np.sqrt(2.0 * np.minimum(share, 1.0 - share))
    return interpreted(lasting_spread)(p) * _WIDEST * np.where(share < 0.5, -half, half)


def _above_designated(log_employment, firm_effects, revenue_per_worker: float, rd_norm: float, p) -> np.ndarray:
    """Chance that firms of a sector with R&D are above designated size, by employment and firm effect: (firms,).

    Log revenue per worker is spread around the sector's mean as productivity and own making are drawn, and higher by
    half of what the knowledge of a usual performer explains, as that mean is over performers too (assumed).

    revenue_per_worker: the sector's mean, yuan per year. rd_norm: its usual R&D intensity.
    """
    spread = math.hypot(p.productivity_spread, p.rd_revenue_fall * p.rd_spread * math.sqrt(p.rd_lasting))
    lead = 0.5 * p.knowledge_elasticity * arrays.log(1.0 + interpreted(_steady_stock)(rd_norm, p) / p.knowledge_unit)
    above = log_employment + arrays.log(revenue_per_worker / DESIGNATED_REVENUE) - 0.5 * spread * spread + lead
    z = np.clip((above + interpreted(own_making)(firm_effects, p)) / p.productivity_spread / _WIDEST, -1.0, 1.0)
    tail = 0.5 * (1.0 - np.abs(z)) ** 2
    return np.where(z < 0.0, tail, 1.0 - tail)


def _solve_research(log_employment, firm_effects, offset, counted, firms_wanted, p) -> float:
    """Sector log-odds at which the expected number of firms with R&D is as reported.

    counted: chance that each firm is in the reported count, float64 (firms,).
    """
    # The logit of `participation`, summed in another order: what does not change stands before the loop.
    fixed = interpreted(size_log_odds)(log_employment + p.rd_selection * firm_effects, p) + offset
    low, high = -20.0, 10.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        if (counted * arrays.logistic(fixed + middle)).sum() < firms_wanted:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def build_population(
    geography: Geography, industry: Industry, county_research, *, keys, p, scale: float
) -> tuple[Columns, np.ndarray, np.ndarray]:
    """Draw the firms of the starting cross-section.

    Args:
        county_research: float64 (units,), log-odds of R&D by place.
        keys: uint64 (purposes,), stream keys.
        p: parameter record. scale: simulated firms per real firm.

    Returns:
        The columns; revenue per worker at productivity 0 (yuan per year) and log-odds of R&D,
        both float64 (sectors,).
    """
    county, sector, alive, rank = _place_slots(geography, scale, p.slots_per_firm)
    firms = allocate(len(county))._replace(county=county, sector=sector)
    for column in (
        firms.cluster,
        firms.customer,
        firms.innovative_since,
        firms.srdi_since,
        firms.giant_since,
        firms.awarded_in,
        firms.digitised_in,
    ):
        column[:] = NEVER

    sectors = len(industry.sector_firms)
    shifts = uniform_array(keys[Purpose.START_SIZE], sectors)
    cumulative = _cumulative_size(p)
    mean_size = cumulative[1][-1]
    sector_research = np.zeros(sectors)
    for s in range(sectors):
        here = np.flatnonzero(alive & (sector == s))
        # One firm a quantile stratum, dealt out by a golden-ratio sequence that spreads sizes evenly
        # over places: employment is right in every sector at every scale.
        turn = np.argsort((rank[here] * GOLDEN_SHARE + shifts[s]) % 1.0, kind="stable")
        median = industry.sector_employees[s] / industry.sector_firms[s] / mean_size
        employment = np.empty(len(here))
        employment[turn] = np.maximum(_stratum_means(len(here), cumulative) * median, 1.0)
        firms.employment[here] = employment
        sample = slice(None, None, max(1, len(here) // _SAMPLE))
        wanted = industry.sector_rd_firms[s] / industry.sector_firms[s] * len(here[sample])
        sizes = arrays.log(employment[sample])
        firm_effects = np.resize(_firm_effects(p), len(sizes))
        counted = np.ones(len(sizes))
        if industry.sector_manufacturing[s]:
            per_worker = industry.sector_revenue[s] / industry.sector_employees[s]
            counted = _above_designated(
                sizes, firm_effects, per_worker, p.rd_norm_level * industry.sector_rd_norm[s], p
            )
        sector_research[s] = _solve_research(
            sizes, firm_effects, county_research[county[here[sample]]], counted, wanted, p
        )

    del alive, rank  # a tenth of peak memory
    draw_traits(firms, keys, sector_research, county_research, industry.sector_rd_norm, p)
    draw_niches(firms, keys[Purpose.START_PLACE], _niche_odds(industry, p), industry.niche_start)
    revenue_per_worker = _settle_revenue(firms, industry, p)
    draw_listed(firms, keys[Purpose.START_LISTED], p)
    return firms, revenue_per_worker, sector_research


@kernel
def draw_traits(firms, keys, sector_research, county_research, sector_rd_norm, p):
    """Draw the traits of all living firms at the start; employment is set before, revenue after."""
    for i in range(firms.employment.size):
        if firms.employment[i] == 0.0:
            continue
        sector = firms.sector[i]
        log_employment = log(float(firms.employment[i]))
        size = size_factor(log_employment)
        firm_effect = rd_firm_effect(keys[Purpose.RESEARCH_NORM], i, p)
        u, v = uniform_pair(keys[Purpose.START_RESEARCH], i)
        chance = participation(
            log_employment, firm_effect, sector_research[sector], county_research[firms.county[i]], 0.0, p
        )
        if u < chance:
            # Below the chance, u is one more draw.
            spread = round_noise(v, u / chance)
            norm = research_norm(sector_rd_norm[sector], log_employment, firm_effect, p)
            intensity = min(norm * exp(passing_spread(p) * spread), MOST_INTENSITY)
            firms.rd_intensity[i] = intensity
            firms.rd_last_year[i] = intensity
            firms.rd_before[i] = intensity
        u, v = uniform_pair(keys[Purpose.START_AGE], i)
        # A large firm has had time to grow.
        years = p.start_age_floor * size - log(u) * p.start_age_years * (0.5 + size)
        firms.age[i] = min(int(4.0 * years), _OLDEST)
        firms.growth[i] = p.start_growth + p.start_growth_spread * unit_noise(v)
        u, v = uniform_pair(keys[Purpose.START_TRAITS], i)
        firms.leverage[i] = min(
            max(p.leverage_mean + p.start_leverage_spread * unit_noise(u), LEAST_LEVERAGE), MOST_LEVERAGE
        )
        digital = (p.start_digital + p.start_digital_size * size) * 2.0 * v
        firms.digital[i] = min(digital, 1.0)
        u, v = uniform_pair(keys[Purpose.START_CAPABILITY], i)
        firms.main_share[i] = min(
            max(p.main_share_mean + p.start_main_share_spread * unit_noise(u), LEAST_MAIN_SHARE), 1.0
        )
        firms.governance[i] = min((p.start_governance + p.start_governance_size * size) * 2.0 * v, 1.0)
        skill = p.start_refinement_spread * unit_noise(uniform(keys[Purpose.START_SKILLS], i))
        firms.refinement[i] = min(max(p.refinement_base + p.refinement_digital * digital + skill, 0.0), 1.0)
        firms.green[i] = p.start_green * size
        risk = credit_risk(firms.leverage[i], log_employment, 0.0, 0.0, p)
        firms.constraint[i] = credit_constraint(risk, False, False, p)
        depth = _steady_stock(firms.rd_intensity[i], p)
        # Productivity starts at what knowledge, governance and digital processes explain, plus noise.
        known = knowledge_productivity(depth, 1.0, p)
        explained = productivity_target(known, digital, firms.governance[i], 0.0, False, p)
        u, v = uniform_pair(keys[Purpose.START_LUCK], i)
        noise = round_noise(u, v)
        firms.productivity[i] = explained + p.productivity_spread * noise
        other = unit_noise(uniform(keys[Purpose.START_PERMANENT], i))
        firms.permanent[i] = log_parts(permanent_part(noise, other, p))
        # In _settle_revenue sales per worker over the sector's become yuan, as does knowledge over revenue.
        firms.revenue[i] = exp(firms.productivity[i] + own_making(firm_effect, p))
        firms.knowledge[i] = depth


@kernel
def draw_listed(firms, key, p):
    """Draw which firms are listed at the start."""
    for i in range(firms.flags.size):
        if uniform(key, i) < start_listing_chance(firms.rd_intensity[i] > 0.0, firms.revenue[i], p):
            firms.flags[i] |= LISTED


def usual_research(firms: Columns, sectors: int) -> np.ndarray:
    """R&D over revenue of all firms of each sector: float64 (sectors,)."""
    spent, sold = np.zeros(sectors), np.zeros(sectors)
    for chunk in _chunks(len(firms.sector)):
        revenue = firms.revenue[chunk].astype(np.float64)
        spent += np.bincount(firms.sector[chunk], firms.rd_intensity[chunk] * revenue, sectors)
        sold += np.bincount(firms.sector[chunk], revenue, sectors)
    return spent / np.maximum(sold, 1.0)


def expected_researchers(geography: Geography, industry: Industry, county_research, sector_research, p) -> np.ndarray:
    """Where research-active manufacturers of 50 employees or more are to be expected at the start.

    county_research, sector_research: log-odds of R&D, float64 (units,) and (sectors,).
    Returns shares of the nation, float64 (units,): Σ_s firms · E[participation; L ≥ 50].
    """
    quantiles = 1.0 - _geometric(0.5, 1e-4, 40)
    weights = -np.diff(1.0 - quantiles, append=0.0)
    shape = size_quantile(quantiles, p)
    mean_size = _cumulative_size(p)[1][-1]
    expected = np.zeros(geography.units)
    for s in np.flatnonzero(industry.sector_manufacturing):
        employment = shape * industry.sector_employees[s] / industry.sector_firms[s] / mean_size
        large = employment >= _LARGE
        log_employment = arrays.log(employment[large])
        for firm_effect in _firm_effects(p):
            x = sector_research[s] + interpreted(size_log_odds)(log_employment + p.rd_selection * firm_effect, p)
            odds = county_research[:, None] + x
            expected += geography.firms[:, s] * (arrays.logistic(odds) * weights[large]).sum(axis=1)
    return expected / expected.sum()


def _chunks(slots: int):
    """Slices over the slots, which keep intermediate arrays small."""
    return (slice(start, start + _CHUNK) for start in range(0, slots, _CHUNK))


def _settle_revenue(firms: Columns, industry: Industry, p) -> np.ndarray:
    """Set revenue and the knowledge stock; returns revenue per worker at productivity 0 by sector.

    The level is set so that expected sector revenue is as reported. Very large firms count
    with at most 1,000 employees in that mean, so that a single giant does not move it.
    """
    level = np.zeros(len(industry.sector_employees))
    # A Python number, which leaves float32 columns float32; the record's own numbers would widen them.
    load = float(interpreted(staff_load)(1.0, p))

    def not_selling(chunk: slice, relative: np.ndarray) -> np.ndarray:
        """R&D staff over the other employees at the present level."""
        return load * firms.rd_intensity[chunk] * level[firms.sector[chunk]] * relative

    # Without R&D staff the first iteration is exact; otherwise each cuts the error tenfold.
    for _ in range(6 if load > 0.0 else 1):
        lift, weight = np.zeros(len(level)), np.zeros(len(level))
        for chunk in _chunks(len(firms.sector)):
            sector = firms.sector[chunk]
            counted = np.minimum(firms.employment[chunk], _MOST_WEIGHT).astype(np.float64)
            relative = firms.revenue[chunk]
            lift += np.bincount(sector, counted * relative / (1.0 + not_selling(chunk, relative)), len(level))
            weight += np.bincount(sector, counted, len(level))
        level = industry.sector_revenue / industry.sector_employees / (lift / weight)
    for chunk in _chunks(len(firms.sector)):
        relative = firms.revenue[chunk]
        sold = firms.employment[chunk] * level[firms.sector[chunk]] * relative
        firms.revenue[chunk] = sold / (1.0 + not_selling(chunk, relative))
        firms.knowledge[chunk] *= firms.revenue[chunk]
    return level


def start_check(model) -> list[tuple[str, float, float]]:
    """Reported against drawn aggregates of a model at its start, as (name, reported, drawn) at 1:1."""
    industry, firms, scale = model.industry, model.firms.columns, model.scale
    alive = firms.employment > 0
    sector = firms.sector[alive]
    made = industry.sector_manufacturing
    # The count of manufacturers covers those above designated size.
    researching = (firms.rd_intensity > 0) & ((firms.revenue >= DESIGNATED_REVENUE) | ~made[firms.sector])
    rows = []
    for name, reported, values in (
        ("firms", industry.sector_firms, np.ones(alive.sum())),
        ("employees", industry.sector_employees, firms.employment[alive]),
        ("revenue, yuan", industry.sector_revenue, firms.revenue[alive]),
        ("firms with R&D", industry.sector_rd_firms, researching[alive]),
    ):
        drawn = np.bincount(sector, values.astype(np.float64), minlength=len(reported)) / scale
        rows.append((f"{name}, manufacturing", reported[made].sum(), drawn[made].sum()))
        rows.append((f"{name}, services", reported[~made].sum(), drawn[~made].sum()))
    return rows
