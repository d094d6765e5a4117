"""Feedbacks of the economy (table ``[model]`` of a scenario file): each can be switched off for comparison.

A feedback that is off sets the parameters it works through to values at which its equations reduce to the plain ones.
Only `dose` and, for chains whose leader has no supplier, `frontier` have no such value: the code branches on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from sim.fieldtypes import Switch

if TYPE_CHECKING:
    from types import SimpleNamespace


def _feedback(description: str, **neutral: float):
    """A switch and the values its parameters take when it is off."""
    return Field(True, description=description, json_schema_extra={"neutral": neutral})


class Feedbacks(BaseModel):
    """Which feedbacks of the economy act, from the first quarter on: all of them unless they are switched off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    production: Switch = _feedback(
        "part of a firm's productivity is permanent, the rest reverts fast to what knowledge, digital maturity and "
        "governance explain; its noise keeps the spread between firms; off, all of it reverts by 0.015 a quarter",
        permanent_share=0.0,
        productivity_speed=0.015,
    )
    dose: Switch = _feedback(
        "a programme's effects grow less than in proportion to the money a recipient receives; off, they grow with the "
        "intensity alone"
    )
    research_cost: Switch = _feedback(
        "R&D is charged to the margin, less tax relief and public money; a part of its staff is drawn from those "
        "who sell",
        research_expensed=0.0,
        research_staff_drawn=0.0,
    )
    smoothing: Switch = _feedback(
        "R&D budgets follow the trend of demand, not its swings; off, R&D moves in step with revenue", rd_smoothing=0.0
    )
    staffing: Switch = _feedback("lasting changes of demand move employment", staff_response=0.0)
    displacement: Switch = _feedback(
        "firms share the demand of their niche, niches that of their sector: what one sells more at home, its rivals "
        "lose",
        displacement=0.0,
        sector_displacement=0.0,
    )
    research_labour: Switch = _feedback(
        "demand for R&D staff beyond the growth of their supply raises the cost of R&D",
        research_wage_share=0.0,
        research_wage_trend=0.0,
        research_price_elasticity=0.0,
    )
    credit: Switch = _feedback(
        "eased credit takes some of that of other firms in the province, and guaranteed firms default more",
        credit_crowding=0.0,
        guarantee_default=0.0,
    )
    reviews: Switch = _feedback(
        "firms make an effort before a review, reviewers allow for a weak year, and years differ in strictness",
        review_effort=0.0,
        review_allowance=0.0,
        review_spread=0.0,
    )
    provinces: Switch = _feedback(
        "provinces differ in when their SRDI programmes start, whom they reach and what they ask for",
        province_differences=0.0,
    )
    frontier: Switch = _feedback(
        "the capability required of suppliers rises; a chain whose leader has no supplier has no filled links",
        frontier_trend=0.0,
    )
    anticipation: Switch = _feedback(
        "firms act on levers and rules between their announcement and their start",
        anticipation_fade=0.0,
        anticipation_horizon=0.0,
        apply_rush=0.0,
    )
    full_cost: Switch = _feedback(
        "public cost includes the tax relief on reported R&D and what provinces pay for new titles",
        tax_relief_counted=0.0,
        title_award_srdi=0.0,
        title_award_giant=0.0,
    )
    relabelling: Switch = _feedback(
        "a firm that relabels keeps doing so instead of raising R&D; the larger the gap, the less likely",
        relabel_lasting=0.0,
        relabel_fall=0.0,
    )
    points: Switch = _feedback(
        "a share of firms works towards the R&D that earns as much of its points as passes the SRDI score, and claims "
        "it where it relabels; off, all look at the threshold alone",
        points_aim=0.0,
    )

    @classmethod
    def only(cls, *names: str) -> Feedbacks:
        """The named feedbacks alone; none of them without a name."""
        return cls(**{name: name in names for name in cls.model_fields})


def switched(parameters: SimpleNamespace, feedbacks: Feedbacks) -> dict[str, float]:
    """Parameters that the switches set, by name: neutral values, and what a feedback derives from other parameters."""
    # The mechanisms load the compiler, which those who only read scenarios do without.
    from sim.mechanisms.productivity import steady_noise

    values = {
        name: value
        for switch, field in Feedbacks.model_fields.items()
        if not getattr(feedbacks, switch)
        for name, value in field.json_schema_extra["neutral"].items()
    }
    if feedbacks.production:
        p = parameters
        values["productivity_noise"] = steady_noise(p.productivity_spread, p.permanent_share, p.productivity_speed)
    return values
