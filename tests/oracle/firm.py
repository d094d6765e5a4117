"""A firm, or the vacant slot it leaves."""

from __future__ import annotations

import math
import struct

from oracle.draws import flat, uniform, uniform_pair

NEVER = -1
#: Award date of a firm whose award ended with its title.
ENDED = -128
LISTED, FUND_BACKED, NEWCOMER, MOVED = 1, 2, 4, 8

#: Kept in single precision, the form in which the model stores them.
FLOATS = (
    "employment",
    "productivity",
    "revenue",
    "growth",
    "rd_intensity",
    "relabelled",
    "rd_last_year",
    "rd_before",
    "knowledge",
    "main_share",
    "refinement",
    "digital",
    "governance",
    "green",
    "leverage",
    "constraint",
    "equity",
)
INTEGERS = (
    "age",
    "county",
    "niche",
    "cluster",
    "customer",
    "support",
    "slack",
    "orders",
    "permanent",
    "demand",
    "flags",
    "sector",
    "tier",
    "innovative_since",
    "srdi_since",
    "giant_since",
    "awarded_in",
    "digitised_in",
)
#: Column that holds the date of each tier's certificate, by tier code.
SINCE = {1: "innovative_since", 2: "srdi_since", 3: "giant_since"}

_single = struct.Struct("f")


class Firm:
    """One firm; what is written to one of FLOATS is rounded to single precision."""

    __slots__ = ("slot", *FLOATS, *INTEGERS)

    def __init__(self, slot: int, **values) -> None:
        self.slot = slot
        for name, value in values.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value) -> None:
        if name in FLOATS:
            (value,) = _single.unpack(_single.pack(value))
        object.__setattr__(self, name, value)

    @property
    def vacant(self) -> bool:
        """Whether no firm is in the slot."""
        return self.employment == 0.0

    @property
    def leader(self) -> int | None:
        """Chain whose leader is the main customer."""
        return -2 - self.customer if self.customer <= -2 else None

    def has(self, flag: int) -> bool:
        """Whether a flag is set."""
        return self.flags & flag != 0


def serves(chain: int) -> int:
    """The value of `customer` that stands for the leader of a chain."""
    return -2 - chain


def close(firm: Firm) -> None:
    """The firm ends, and with it its R&D, certificates, links and support."""
    for name in ("employment", "revenue", "rd_intensity", "relabelled", "rd_last_year", "rd_before"):
        setattr(firm, name, 0.0)
    firm.knowledge = firm.equity = 0.0
    firm.customer = NEVER
    firm.support = firm.slack = firm.orders = firm.demand = firm.flags = firm.tier = 0
    for name in (*SINCE.values(), "awarded_in", "digitised_in"):
        setattr(firm, name, NEVER)


def rd_firm_effect(firm: Firm, country) -> float:
    """Lasting part of log R&D intensity: two flat draws of the slot, of which the spread's share lasts."""
    p = country.p
    own = sum(flat(u) for u in uniform_pair(country.lifelong("research_norm"), firm.slot)) / math.sqrt(2.0)
    return p.rd_spread * math.sqrt(p.rd_lasting) * own


def found(firm: Firm, country) -> None:
    """An entrant takes the slot: small, varied, without R&D, in the slot's place and market."""
    p = country.p
    u, v = uniform_pair(country.key("entrant_size"), firm.slot)
    employment = max(math.exp(p.entrant_log_size + p.entrant_size_spread * flat(u)), 1.0)
    productivity = p.entrant_productivity + p.productivity_spread * flat(v)
    other = flat(uniform(country.key("entrant_permanent"), firm.slot))
    kept = p.permanent_share
    permanent = p.productivity_spread * (kept * flat(v) + math.sqrt(kept - kept**2) * other)
    firm.permanent = math.floor(4096 * permanent + 0.5)
    pressure = country.niche_pressure[firm.niche]
    shock = country.sector_slack[firm.sector] + country.niche_slack[firm.niche] + pressure * (1.0 - p.staff_response)
    firm.demand = math.floor(4096 * pressure + 0.5) if p.staff_response > 0.0 else 0
    firm.employment = employment
    firm.productivity = productivity
    making = -p.rd_revenue_fall * rd_firm_effect(firm, country)
    firm.revenue = employment * country.revenue_per_worker[firm.sector] * math.exp(productivity + shock + making)
    firm.growth = 0.0
    u, v = uniform_pair(country.key("entrant_traits"), firm.slot)
    firm.main_share = min(max(p.main_share_mean + 0.15 * flat(u), 0.2), 1.0)
    firm.leverage = p.leverage_mean * (0.6 + 0.8 * v)
    u, v = uniform_pair(country.key("entrant_skills"), firm.slot)
    firm.digital = min(2.0 * u * p.entrant_digital, 1.0)
    firm.governance = min(2.0 * v * p.entrant_governance, 1.0)
    quality = 1.0 + uniform(country.key("entrant_quality"), firm.slot)
    firm.refinement = min(0.5 * p.refinement_base * quality, 1.0)
    firm.green = 0.0
    firm.constraint = 0.5
    firm.age = 0
