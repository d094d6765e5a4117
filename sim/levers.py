"""The policy levers: each is declared here once.

The scenario files, ``srdi show``, ``--set`` and the web page read these classes; the
mechanism a lever acts on is named in its docstring. A field's ``unit`` stands in
``json_schema_extra``. Defaults are the reference intensity of a lever that is switched
on; every lever is off until a scenario enables it.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sim.calendar import Quarter
from sim.fieldtypes import Count, Number, Switch, quantity
from sim.reference import province_names, sector_names


def _quarter_text(text: str) -> str:
    return str(Quarter.parse(text))


def _known(kind: str, names: tuple[str, ...]):
    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if value not in names:
                raise ValueError(f"unknown {kind} {value!r}; allowed: {', '.join(names)}")
        return values

    return check


QuarterText = Annotated[str, AfterValidator(_quarter_text)]
Provinces = Annotated[tuple[str, ...], AfterValidator(_known("province", province_names()))]
Sectors = Annotated[tuple[str, ...], AfterValidator(_known("sector", sector_names()))]


class Lever(BaseModel):
    """What every lever has: a switch, a window, an intensity, a budget and a target group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: Switch = Field(False, description="whether the lever is used at all")
    start: QuarterText = Field("2024Q1", description="first quarter in which the lever acts")
    end: QuarterText = Field("2030Q4", description="last quarter in which the lever acts")
    intensity: Number = quantity(
        1.0, "ratio", "strength of the lever's effect; 0 leaves the lever without effect or cost", ge=0, le=5
    )
    budget_yuan: Number = quantity(
        0.0, "yuan", "public money available over the whole window; a hard limit", ge=0, le=1e13
    )
    provinces: Provinces = Field((), description="provinces the lever reaches; empty means all")
    sectors: Sectors = Field((), description="sectors the lever reaches; empty means all")
    counties_only: Switch = Field(
        False, description="reach only counties and county-level cities (县域), not urban districts"
    )

    @model_validator(mode="after")
    def _window_is_ordered(self):
        if Quarter.parse(self.end) < Quarter.parse(self.start):
            raise ValueError(f"end {self.end} lies before start {self.start}")
        return self

    def acts_in(self, quarter: Quarter) -> bool:
        """Whether the lever is on, has any intensity, and the quarter lies in its window."""
        return self.enabled and self.intensity > 0 and Quarter.parse(self.start) <= quarter <= Quarter.parse(self.end)


class LittleGiantAwards(Lever):
    """Central awards to key little giants (中央财政奖补重点“小巨人”).

    Each year the ministry picks little giants not yet awarded, best scores first, as long
    as the budget lasts, and pays each award in equal quarterly parts over three years.
    Acts on: research (sim/mechanisms/research.py).
    Source of the defaults: about 10 billion yuan for 2021-2025 (mark C in the fact sheet).
    """

    start: QuarterText = Field("2021Q3", description="first quarter in which the lever acts")
    end: QuarterText = Field("2025Q4", description="last quarter in which the lever acts")
    budget_yuan: Number = quantity(
        10e9, "yuan", "public money available over the whole window; a hard limit", ge=0, le=1e13
    )
    award_yuan: Number = quantity(
        6e6, "yuan per firm", "award to one little giant, paid over three years", gt=0, le=1e9
    )


class DigitalEmpowerment(Lever):
    """Digital empowerment of SMEs with pilot cities (中小企业数字化赋能, 数字化转型试点城市).

    Each year in the third quarter a batch of cities is designated; a city is a pilot for
    two years. SMEs there that are below digital level 4 apply and are converted at the
    public subsidy, up to the quota of firms and the budget; firms on the ladder come first.
    Acts on: digital adoption (sim/mechanisms/digital.py).
    Source of the defaults: the brief (40,000+ firms over three years) and the notice of
    14 June 2023 (30 cities in the first batch, three batches, 100 or 150 million yuan a city,
    80 % or more to the firms).
    """

    start: QuarterText = Field("2023Q3", description="first quarter in which the lever acts")
    end: QuarterText = Field("2027Q2", description="last quarter in which the lever acts")
    budget_yuan: Number = quantity(
        10.5e9, "yuan", "public money available over the whole window; a hard limit", ge=0, le=1e13
    )
    firms: Count = quantity(40_000, "firms", "SMEs to be supported over the whole window", ge=0, le=10_000_000)
    city_batches: Count = quantity(3, "batches", "yearly batches of pilot cities from the start on", ge=0, le=12)
    cities_per_batch: Count = quantity(30, "cities", "pilot cities designated in each batch", ge=0, le=337)
    city_years: Count = quantity(2, "years", "how long a city stays a pilot", ge=1, le=10)
    city_yuan: Number = quantity(100e6, "yuan per city", "central support to an ordinary pilot city", ge=0, le=1e10)
    capital_city_yuan: Number = quantity(
        150e6, "yuan per city", "central support to a pilot that is its province's first city", ge=0, le=1e10
    )
    firm_share: Number = quantity(0.8, "share", "part of a city's support spent on the firms' conversion", ge=0, le=1)


class ClusterRecognition(Lever):
    """Recognition of national SME clusters (中小企业特色产业集群) and their commons.

    Each year in the fourth quarter the ministry recognises the best-scored candidates.
    Recognised clusters invest the grant in shared services, finance and knowledge pooling.
    Acts on: cluster commons (sim/institutions/cluster.py), and through them on finance,
    knowledge, digital adoption and governance.
    Source of the defaults: 100 clusters a year from 2022 (the brief); the yearly grant is
    an assumption.
    """

    start: QuarterText = Field("2022Q4", description="first quarter in which the lever acts")
    budget_yuan: Number = quantity(
        50e9, "yuan", "public money available over the whole window; a hard limit", ge=0, le=1e13
    )
    per_year: Count = quantity(100, "clusters per year", "clusters recognised in each fourth quarter", ge=0, le=2000)
    commons_yuan: Number = quantity(
        5e6, "yuan per cluster and year", "grant for shared services of a recognised cluster", ge=0, le=1e9
    )


class Levers(BaseModel):
    """All policy levers of a scenario, by the name used in scenario files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    little_giant_awards: LittleGiantAwards = LittleGiantAwards()
    digital_empowerment: DigitalEmpowerment = DigitalEmpowerment()
    cluster_recognition: ClusterRecognition = ClusterRecognition()
