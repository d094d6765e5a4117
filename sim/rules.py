"""Recognition rules as data: the thresholds a scenario may change, built from
``sim/data/criteria.toml`` so that every number stands once, beside its clause.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, create_model

from sim.calendar import START, Quarter
from sim.fieldtypes import Count, Number, QuarterText, quantity
from sim.reference import read_data

#: The ladder, lowest tier first (创新型 → 专精特新 → 小巨人).
TIERS = ("innovative", "srdi", "little_giant")


class TierRules(BaseModel):
    """What every tier's rules have besides its own thresholds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    validity_years: Count = quantity(3, "years", "how long a certificate lasts before its review", ge=1, le=10)
    capacity: Count | None = Field(
        None,
        description="most certificates a year, nationwide; empty means all who pass",
        ge=0,
        le=10_000_000,
        json_schema_extra={"unit": "firms per year"},
    )
    review_strictness: Number = quantity(
        0.6, "share", "chance that a review refuses a firm that no longer meets the criteria", ge=0, le=1
    )


def _tier_rules(tier: str) -> type[TierRules]:
    fields = {
        name: (
            Number,
            quantity(float(entry["value"]), entry["unit"], entry["description"], ge=entry["min"], le=entry["max"]),
        )
        for name, entry in read_data("criteria")[tier]["threshold"].items()
    }
    model = create_model(f"{tier.title().replace('_', '')}Rules", __base__=TierRules, **fields)
    model.__doc__ = f"Rules of the tier {read_data('criteria')[tier]['title_zh']}."
    return model


InnovativeRules = _tier_rules("innovative")
SrdiRules = _tier_rules("srdi")
LittleGiantRules = _tier_rules("little_giant")


class Rules(BaseModel):
    """All recognition rules of a scenario, and from when on they replace the reported ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: QuarterText = Field(
        str(START + 1), description="first quarter in which these rules hold; before it the reported rules do"
    )
    innovative: InnovativeRules = InnovativeRules()
    srdi: SrdiRules = SrdiRules()
    little_giant: LittleGiantRules = LittleGiantRules()
    audit_strictness: Number = quantity(
        0.3,
        "share",
        "how strictly R&D is audited: deters relabelling, revokes certificates",
        ge=0,
        le=1,
    )

    def in_force(self, quarter: Quarter) -> Rules:
        """The rules that hold in a quarter: these from their start on, the reported ones before."""
        return self if quarter >= Quarter.parse(self.start) else REPORTED


#: The rules as reported: the measures of 2022 and the hand-set strictness of audits and reviews.
REPORTED = Rules()
