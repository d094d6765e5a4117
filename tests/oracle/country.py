"""The whole country: its state, and the quarter in its order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from types import SimpleNamespace

from oracle import institutions, markets
from oracle.behaviour import live, look_at_customer
from oracle.counts import research_of, take_stock
from oracle.draws import stream
from oracle.firm import Firm
from oracle.ladder import hold_rounds
from oracle.support import (
    Account,
    PilotCities,
    Programme,
    award_hope,
    pay_awards,
    pick_awards,
    reaches_county,
    strength,
)
from oracle.world import TIERS, firms_of, parameters, world_of
from sim.calendar import Quarter
from sim.levers import PROGRAMMES


class Country:
    """Firms and institutions as they stand at the end of a quarter; `step` brings the next.

    Args:
        model: an SRDIModel that has not taken a step; what is fixed is taken over from it, and nothing later.
    """

    no_peers = SimpleNamespace(digital=0.0, governance=0.0, knowledge=0.0)

    def __init__(self, model) -> None:
        self.world = world = world_of(model)
        self.policy, self.seed, self.scale, self.quarter = model.policy, model.seed, model.scale, model.quarter
        self.start = model.quarter
        self.p = parameters(self.policy)
        self.paid_at: Counter = Counter()  # yuan of the quarter, by place and sector
        self._begin()
        lifelong = ("aspiration", "call", "relabel", "research_norm")
        self._lifelong = {purpose: stream(self.seed, 0, purpose) for purpose in lifelong}
        self.firms = firms_of(model)
        sectors, niches, chains = len(world.sector_names), len(world.niche_chain), len(world.chain_sector)
        levers = self.policy.levers
        self.accounts = {name: Account(getattr(levers, name), self.paid_at) for name in type(levers).model_fields}
        self.revenue_per_worker = list(world.sector_revenue_per_worker)
        self.sector_slack, self.energy_rise = [0.0] * sectors, [0.0] * sectors
        self.niche_slack = [0.0] * niches
        self.credit_tightening, self.substitution = 0.0, 1.0
        self.niche_pressure, self.pressure_felt = [0.0] * niches, [0.0] * niches
        self.market_at_start = self.research_at_start = None
        self.research_wage = self.research_price = self.admitted = 1.0
        self.crowded_out = [0.0] * len(world.province_names)
        self.reach = {tier: [0.0] * len(world.province_names) for tier in TIERS}
        self.chain_openness, self.chain_invitation = list(world.chain_openness), [0.0] * chains
        self.chain_slack, self.chain_effects = [0.0] * chains, [{} for _ in range(chains)]
        self.weakest: list[int | None] = [None] * chains
        self.cluster_recognised: list[int | None] = [None] * len(world.cluster_county)
        self.recognised: list[int] = []
        self.commons = [[0.0] * len(institutions.COMMONS) for _ in world.cluster_county]
        self.cluster_effects: dict[int, dict[str, float]] = {}
        self.county_effects: dict[int, dict[str, float]] = {}
        self.movers_to: dict[tuple[int | None, int], int] = {}
        self.programme_effects: list[dict[str, float]] = [{} for _ in PROGRAMMES]
        self.programmes = [
            Programme(name, bit, self) for bit, name in enumerate(PROGRAMMES) if getattr(levers, name).enabled
        ]
        self.pilot_cities = PilotCities(self)
        self.champions: Counter = Counter()  # by place and sector
        self.granted_this_year = dict.fromkeys(TIERS, 0)
        self.research = research_of(self)
        self.research_at_start = sum(true for true, _, _ in self.research.values())
        take_stock(self)

    # --- the quarter

    def step(self) -> None:
        """One quarter."""
        self.quarter += 1
        markets.price_research(self)
        markets.open_exchanges(self)
        self._begin()
        self._move_demand()
        self.pressure_felt = list(self.niche_pressure)
        institutions.bring_shocks(self)
        institutions.make_known(self)
        institutions.lead_chains(self)
        institutions.build_commons(self)
        institutions.spill_over(self)
        if self.number == 1:
            institutions.attract(self)
        institutions.find_buyers(self)
        self.award_hope = award_hope(self)
        for programme in self.programmes:
            programme.open_quarter()
        for firm in self.firms:
            look_at_customer(firm, self)
        for firm in self.firms:
            live(firm, self)
        self.research = research_of(self)
        supported = [programme.supported() for programme in self.programmes]
        hold_rounds(self)
        self.pilot_cities.step()
        pick_awards(self)
        institutions.hold_contest(self)
        take_stock(self)
        pay_awards(self)
        for programme, firms in zip(self.programmes, supported, strict=True):
            programme.pay(firms)

    def _begin(self) -> None:
        """What hangs on the calendar."""
        self.year, self.number = self.quarter.year, self.quarter.number
        self.now = self.quarter - self.start
        self.qualified = min(self.p.qualified_capability + self.p.frontier_trend * self.now / 4.0, 0.95)
        self.rules = self.policy.rules.in_force(self.quarter)
        # Rules announced but not yet in force; 0 quarters ahead means none.
        announced = self.policy.rules
        first, known = (Quarter.parse(text) for text in (announced.start, announced.announced or announced.start))
        self.ahead = first - self.quarter if known <= self.quarter < first else 0
        # A firm works towards what will be asked of it soon.
        self.aims = announced if 0 < self.ahead <= self.p.anticipation_horizon else self.rules
        self.flows, self.bound = Counter(), dict.fromkeys(TIERS, "")
        self.paid_at.clear()
        if self.number == 1:
            self.granted_this_year = dict.fromkeys(TIERS, 0)
        self._keys: dict[str, int] = {}

    def _move_demand(self) -> None:
        """Nominal demand: the nation's growth of the quarter, reported or assumed, plus the sector's trend."""
        growth = self.world.demand_growth.get(self.quarter, self.p.demand_trend / 4.0)
        self.demand_swing = growth - self.p.demand_trend / 4.0
        for sector, trend in enumerate(self.world.sector_trend):
            self.revenue_per_worker[sector] *= math.exp(growth + trend / 4.0)

    # --- what rules ask

    def key(self, purpose: str) -> int:
        """Key of this quarter's draws for a purpose."""
        if purpose not in self._keys:
            self._keys[purpose] = stream(self.seed, self.now, purpose)
        return self._keys[purpose]

    def lifelong(self, purpose: str) -> int:
        """Key of the draws that a slot keeps for the whole run."""
        return self._lifelong[purpose]

    def acts(self, name: str) -> bool:
        """Whether a lever acts this quarter."""
        return getattr(self.policy.levers, name).acts_in(self.quarter)

    @property
    def award_yuan(self) -> float:
        """Paid a quarter to a little giant with a running award."""
        lever = self.policy.levers.little_giant_awards
        return lever.award_yuan * lever.intensity / 12.0 if lever.enabled else 0.0

    @property
    def digital_effect(self) -> float:
        """Digital maturity that a converted firm gains a quarter."""
        lever = self.policy.levers.digital_empowerment
        subsidy = lever.firm_share * lever.budget_yuan / max(lever.firms, 1)
        return self.p.digital_support * strength(lever, subsidy, self) if lever.enabled else 0.0

    @property
    def counts_credit(self) -> bool:
        """Whether anybody's credit is eased, at the expense of others."""
        effects = (
            *(self.programme_effects),
            *(self.cluster_effects.values()),
            *(self.county_effects.values()),
            *(self.chain_effects),
        )
        return self.p.credit_crowding > 0.0 and any(one.get("credit") for one in effects)

    def place_of(self, county: int) -> int:
        """Province, plus the number of provinces in urban districts."""
        world = self.world
        return world.county_province[county] + len(world.province_names) * world.county_urban[county]

    def place(self, firm: Firm) -> int:
        """The place a firm is in."""
        return self.place_of(firm.county)

    def where(self, firms: Iterable[Firm]) -> Counter:
        """Firms by place and sector."""
        return Counter((self.place(firm), firm.sector) for firm in firms)

    def count(self, name, firm: Firm, amount: int = 1) -> None:
        """Count what happened, at the firm's place and in its sector."""
        self.flows[name, self.place(firm), firm.sector] += amount

    def county_bonus(self, county: int) -> float:
        """Points the county preference adds to the assessors' score."""
        lever = self.policy.levers.county_preference
        given = self.acts("county_preference") and not self.world.county_urban[county]
        return lever.bonus_points * lever.intensity if given and reaches_county(lever, county, self.world) else 0.0

    def buyer_for(self, firm: Firm) -> int:
        """A larger firm that becomes the main customer, or NEVER."""
        return institutions.choose_buyer(firm, self)

    def move_target(self, firm: Firm) -> int | None:
        """The county cluster that draws the firm this year."""
        province = self.world.county_province[firm.county]
        own = self.movers_to.get((province, firm.sector))
        return own if own is not None else self.movers_to.get((None, firm.sector))

    def strength_of(self, cluster: int) -> float:
        """Strength of a cluster's commons."""
        return institutions.strength_of(self.commons[cluster])
