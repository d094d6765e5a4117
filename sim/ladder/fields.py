"""What an assessor sees of a firm: the fields that criteria may name.

Each field has a unit and is computed from the firm's columns by `read_fields`. Research
figures are those the firm reports, relabelled spending included.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from sim.firms.accounts import research_cost
from sim.firms.tile import TILE, index_scratch
from sim.mechanisms.chain_links import leader_of
from sim.mechanisms.digital import digital_level
from sim.mechanisms.finance import energy_burden, net_margin
from sim.mechanisms.knowledge import class1_patents
from sim.mechanisms.research import research_staff
from sim.numerics.jit import equation, inlined
from sim.numerics.positions import positions


@dataclass(frozen=True)
class CriterionField:
    """Name, unit and meaning of a field that criteria may name."""

    name: str
    unit: str
    description: str


FIELDS = (
    CriterionField("niche_years", "years", "years in the niche (the firm's age)"),
    CriterionField("main_share", "share of revenue", "main business over revenue"),
    CriterionField("growth", "per year", "mean main-business growth of two years"),
    CriterionField("revenue_yuan", "yuan per year", "revenue"),
    CriterionField("rd_intensity", "share of revenue", "reported R&D over revenue last year"),
    CriterionField("rd_intensity_before", "share of revenue", "reported R&D over revenue the year before"),
    CriterionField("rd_spending_yuan", "yuan per year", "reported R&D spending last year"),
    CriterionField("rd_spending_mean_yuan", "yuan per year", "mean reported R&D spending of the last two years"),
    CriterionField("equity_yuan", "yuan", "new outside equity of about two years"),
    CriterionField("digital_level", "level 1-4", "digital level"),
    CriterionField("quality_marks", "count", "quality prize, management certificate, own brand, standards"),
    CriterionField("own_brand", "0 or 1", "sells under a brand of its own"),
    CriterionField("net_margin", "share of revenue", "net profit over revenue"),
    CriterionField("debt_ratio", "share of assets", "debt over assets"),
    CriterionField("niche_share", "share", "revenue over that of the market the firm claims as its niche"),
    CriterionField("chain_role", "0-2", "1 in a key link or serving a chain leader, 2 both"),
    CriterionField("promoted", "0 or 1", "product in the promoted fields"),
    CriterionField("class1_ip", "count", "class-I intellectual property rights"),
    CriterionField("rd_staff_share", "share of staff", "R&D staff over employees"),
    CriterionField("rd_institute", "level 0-3", "R&D institute: none, own, city level, provincial level"),
    CriterionField("high_tech", "0 or 1", "meets the high-tech enterprise bar"),
)

#: Positions of the fields, such as ``Field.revenue_yuan``.
Field = positions("Field", [field.name for field in FIELDS])

#: Fields that are 0 for a firm without reported R&D, without patents and without new equity.
RESEARCH_FIELDS = (
    "rd_intensity",
    "rd_intensity_before",
    "rd_spending_yuan",
    "rd_spending_mean_yuan",
    "equity_yuan",
    "class1_ip",
    "rd_staff_share",
    "rd_institute",
    "high_tech",
)


#: What a thread needs to assess firms: the fields of one, float64 (fields,), the indices of those it looks at,
#: int64 (TILE,), and marks of a tile's firms, float64 (TILE,).
AssessmentScratch = namedtuple("AssessmentScratch", ["fields", "indices", "marks"])


def assessment_scratch() -> AssessmentScratch:
    """Working memory of a thread that assesses firms."""
    return AssessmentScratch(np.empty(len(Field)), index_scratch(), np.zeros(TILE))


@equation
def institute_level(spending, p):
    """R&D institute by yearly R&D spending: 0 none, 1 own, 2 city level, 3 provincial level."""
    return (
        int(spending >= p.institute_own) + int(spending >= p.institute_city) + int(spending >= p.institute_provincial)
    )


@equation
def high_tech_bar(intensity, revenue, patents):
    """High-tech enterprise status (2016 rules): R&D of 5, 4 or 3 % by revenue band, and IP."""
    needed = 0.05 if revenue < 50e6 else (0.04 if revenue < 200e6 else 0.03)
    return intensity >= needed and patents >= 1.0


@equation
def niche_share(revenue, niche_revenue, p):
    """Share of the market that a firm claims as its niche: R / (claim · niche revenue), at most 1.

    Firms define the product segment themselves; `niche_claim` is its size over the model's niche.
    """
    return min(revenue / max(p.niche_claim * niche_revenue, 1.0), 1.0)


@inlined
def read_fields(firms, quarter, i, fields):
    """Write the fields of firm i into `fields`: float64 (fields,), in the order of FIELDS."""
    env, p = quarter.environment, quarter.parameters
    revenue = float(firms.revenue[i])
    intensity = float(firms.rd_last_year[i])
    intensity_before = float(firms.rd_before[i])
    spending = intensity * revenue
    niche = firms.niche[i]
    patents = class1_patents(firms.knowledge[i], p)
    refinement = firms.refinement[i]
    promoted = 1.0 if env.niche_promoted[niche] else 0.0
    brand = refinement >= p.brand_refinement
    fields[Field.niche_years] = 0.25 * firms.age[i]
    fields[Field.main_share] = firms.main_share[i]
    fields[Field.growth] = firms.growth[i]
    fields[Field.revenue_yuan] = revenue
    fields[Field.rd_intensity] = intensity
    fields[Field.rd_intensity_before] = intensity_before
    fields[Field.rd_spending_yuan] = spending
    fields[Field.rd_spending_mean_yuan] = 0.5 * (intensity + intensity_before) * revenue
    fields[Field.equity_yuan] = firms.equity[i]
    fields[Field.digital_level] = digital_level(firms.digital[i], p)
    fields[Field.quality_marks] = (
        int(refinement >= p.certificate_refinement) + int(brand) + int(refinement >= p.standards_refinement)
    )
    fields[Field.own_brand] = 1.0 if brand else 0.0
    burden = energy_burden(env.sector_energy_rise[firms.sector[i]], firms.green[i], p)
    fields[Field.net_margin] = net_margin(firms.productivity[i], burden, research_cost(firms, quarter, i), p)
    fields[Field.debt_ratio] = firms.leverage[i]
    fields[Field.niche_share] = niche_share(revenue, env.niche_revenue[niche], p)
    fields[Field.chain_role] = promoted + (1.0 if leader_of(firms.customer[i]) >= 0 else 0.0)
    fields[Field.promoted] = promoted
    fields[Field.class1_ip] = patents
    staff = research_staff(intensity, revenue, quarter.moment.research_wage, p)
    fields[Field.rd_staff_share] = min(staff / firms.employment[i], 1.0)
    fields[Field.rd_institute] = institute_level(spending, p)
    fields[Field.high_tech] = 1.0 if high_tech_bar(intensity, revenue, patents) else 0.0


def fields_of(firms, quarter, slots: np.ndarray) -> dict[str, np.ndarray]:
    """What an assessor sees of some firms: float64 (len(slots),) by the names of FIELDS.

    Args:
        firms: Columns. quarter: QuarterInputs. slots: int (n,), of active firms.
    """
    seen = np.empty((len(slots), len(Field)))
    for index, slot in enumerate(slots):
        read_fields(firms, quarter, slot, seen[index])
    return {field.name: seen[:, index] for index, field in enumerate(FIELDS)}
