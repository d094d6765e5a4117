"""Recognition rules as data: the thresholds a scenario may change, built from
``sim/data/criteria.toml`` so that every number stands once, beside its clause.
"""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field, create_model

from sim.calendar import START, Quarter
from sim.fieldtypes import Announced, Count, MaybeQuarter, Number, QuarterText, quantity
from sim.reference import read_data


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

    def is_stricter_than(self, other: TierRules) -> bool:
        """Whether fewer firms can pass in some respect: a least value is higher, a most value or the capacity lower."""
        for name in type(self).model_fields:
            here, there = (getattr(rules, name) for rules in (self, other))
            here, there = (math.inf if value is None else value for value in (here, there))
            if (name.endswith("_min") and here > there) or (name.endswith(("_max", "capacity")) and here < there):
                return True
        return False


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


class Rules(Announced):
    """All recognition rules of a scenario, and from when on they replace the reported ones."""

    announced: MaybeQuarter = Field(
        None, description="quarter in which the rules are announced; empty means their start"
    )
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

    def aimed_at(self, quarter: Quarter, ahead: int) -> Rules:
        """The rules whose thresholds firms work towards: those in force so many quarters ahead, as far as announced."""
        return self.in_force(quarter + ahead if quarter >= Quarter.parse(self.known_from) else quarter)

    def quarters_ahead(self, quarter: Quarter) -> int:
        """Quarters from this one to the start, if the rules are announced and do not hold yet; else 0."""
        start = Quarter.parse(self.start)
        return start - quarter if Quarter.parse(self.known_from) <= quarter < start else 0


#: The rules as reported: the measures of 2022 and the hand-set strictness of audits and reviews.
REPORTED = Rules()
