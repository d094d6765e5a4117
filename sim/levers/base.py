"""What levers have in common: a switch, a window, an intensity, a budget, a target group."""

from __future__ import annotations

from collections import namedtuple
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from sim.calendar import Quarter
from sim.fieldtypes import Announced, MaybeQuarter, Number, Provinces, QuarterText, Sectors, Switch, quantity
from sim.tiers import Tier


def budget(yuan: float):
    """The field `budget_yuan` with a default of its own."""
    return quantity(yuan, "yuan", "public money available over the whole window; a hard limit", ge=0, le=1e13)


def per_firm(yuan: float, what: str):
    """The field `yuan_per_firm` with a default of its own, and what it pays for."""
    return quantity(yuan, "yuan per firm and year", f"public cost of supporting one firm: {what}", gt=0, le=1e9)


class Lever(Announced):
    """What every lever has: a switch, a window, an intensity, a budget and a target group.

    Class attributes: `group`, the heading it stands under; `mechanism`, the file of the rule it
    acts on; `cost_rule`, how its public cost arises; `outcome`, the national output column it moves
    first and the sign of that effect; `money_field`, the setting that says how much money one recipient receives.
    """

    group: ClassVar[str]
    mechanism: ClassVar[str]
    cost_rule: ClassVar[str]
    outcome: ClassVar[tuple[str, int]]
    money_field: ClassVar[str | None] = None

    enabled: Switch = Field(False, description="whether the lever is used at all")
    announced: MaybeQuarter = Field(None, description="quarter in which the lever is announced; empty means its start")
    start: QuarterText = Field("2024Q1", description="first quarter in which the lever acts")
    end: QuarterText = Field("2030Q4", description="last quarter in which the lever acts")
    intensity: Number = quantity(
        1.0, "ratio", "strength of the lever's effect and cost per unit; 0 leaves it without either", ge=0, le=5
    )
    budget_yuan: Number = budget(0.0)
    provinces: Provinces = Field((), description="provinces the lever reaches; empty means all")
    sectors: Sectors = Field((), description="sectors the lever reaches; empty means all")

    @model_validator(mode="after")
    def _window_is_ordered(self):
        if Quarter.parse(self.end) < Quarter.parse(self.start):
            raise ValueError(f"end {self.end} lies before start {self.start}")
        return self

    @property
    def dose(self) -> float:
        """Public money that one recipient receives, over what it receives at the defaults."""
        if self.money_field is None:
            return self.intensity
        return self.intensity * getattr(self, self.money_field) / type(self).model_fields[self.money_field].default

    def acts_in(self, quarter: Quarter) -> bool:
        """Whether the lever is on, has any intensity, and the quarter lies in its window."""
        return self.is_known_in(quarter) and quarter >= Quarter.parse(self.start)

    def is_known_in(self, quarter: Quarter) -> bool:
        """Whether the lever acts, or is announced and will act."""
        first, last = Quarter.parse(self.known_from), Quarter.parse(self.end)
        return self.enabled and self.intensity > 0 and first <= quarter <= last

    def quarters_left(self, quarter: Quarter) -> int:
        """Quarters from this one to the end of the window, both included."""
        return Quarter.parse(self.end) - quarter + 1

    def rounds_left(self, quarter: Quarter, number: int) -> int:
        """Yearly rounds held in quarter `number` of the year, from this quarter to the window's end."""
        return sum((quarter + ahead).number == number for ahead in range(self.quarters_left(quarter)))


class PlacedLever(Lever):
    """A lever that can be kept to counties."""

    counties_only: Switch = Field(
        False, description="reach only counties and county-level cities (县域), not urban districts"
    )


class FirmLever(PlacedLever):
    """A lever whose recipients are firms: it can also be kept to a tier or to recognised clusters."""

    lowest_tier: Literal[*Tier._fields] = Field(
        "none", description="reach only firms whose highest certificate is at least this tier"
    )
    clusters_only: Switch = Field(False, description="reach only members of recognised national clusters")


#: Who may receive a firm programme; kernels receive it as numbers.
Eligibility = namedtuple(
    "Eligibility",
    [
        "lowest_tier",  # code (Tier)
        "employment_min",  # persons
        "age_max",  # quarters
        "research",  # does R&D
        "supplier",  # main customer is a chain leader
        "promoted",  # product in the promoted fields
        "manufacturing",
        "urban",  # stands in an urban district
        "unlisted",
        "constraint_min",  # 0-1
    ],
    defaults=(Tier.none, 10.0, 1_000_000, False, False, False, False, False, False, 0.0),
)


class FirmProgramme(FirmLever):
    """A programme that supports single firms for a year at a time.

    In the first quarter of its window and every fourth one after, eligible SMEs are drawn by weighted lottery,
    certified firms with higher weights (`programme_priority`): as many as the year's share of the budget pays for.
    Support runs for four quarters or to the window's end and is paid quarter by quarter to firms that
    are alive. The effects, at intensity 1, are what `effects` returns by channel (see
    sim/mechanisms/support.py). Cost: firms supported x yuan_per_firm x intensity a year.
    """

    cost_rule: ClassVar[str] = "firms supported x yuan_per_firm x intensity, per year of support"
    eligibility: ClassVar[Eligibility] = Eligibility()
    money_field: ClassVar = "yuan_per_firm"

    yuan_per_firm: Number  # each programme has a default of its own, see `per_firm`

    def effects(self, p) -> dict[str, float]:
        """Effects on a supported firm at intensity 1, by channel; `p` is the parameter record."""
        raise NotImplementedError
