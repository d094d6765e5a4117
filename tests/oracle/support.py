"""Public money: accounts, programmes that support firms for a year, awards, pilot cities.

Whoever is chosen by rank is chosen in bins of sixteen ranks, best first, as long as whole bins fit the quota.
"""

from __future__ import annotations

import math
from collections import Counter

from oracle.behaviour import is_running, is_sme
from oracle.draws import mix, uniform
from oracle.firm import LISTED, NEVER, Firm
from oracle.ladder import CALENDAR, digital_level, rank_of, score, seen_by_assessor
from oracle.world import TIERS
from sim.calendar import Quarter


class Account:
    """One lever's money in yuan: what is committed never exceeds the budget."""

    def __init__(self, lever, paid_at: Counter) -> None:
        self.paid_at = paid_at  # of all levers, by place and sector
        self.budget = lever.budget_yuan if lever.enabled else 0.0
        self.committed = self.paid = 0.0

    @property
    def available(self) -> float:
        """What may still be committed."""
        return max(self.budget - self.committed, 0.0)

    def commit(self, yuan: float) -> float:
        """Commit as far as the budget lasts; returns how much."""
        given = min(yuan, self.available)
        self.committed += given
        return given

    def pay(self, yuan: float, due: Counter) -> None:
        """Pay what was committed before, in proportion to what is due in each place and sector."""
        self.paid += yuan
        for where, part in due.items():
            self.paid_at[where] += yuan * part / due.total()

    def spend(self, yuan: float, due: Counter) -> float:
        """Commit and pay at once; returns how much."""
        given = self.commit(yuan)
        self.pay(given, due)
        return given

    def release(self, owed: float = 0.0) -> None:
        """Free what was committed to firms that closed before they were paid."""
        self.committed = min(self.committed, self.paid + owed)


def share_paid(name: str, wanted: float, clusters: list[int], country) -> float:
    """Pay clusters through a lever if it acts; returns the share that its money covered."""
    if wanted == 0.0 or not country.acts(name):
        return 0.0
    world = country.world
    at = Counter((country.place_of(world.cluster_county[one]), world.cluster_sector[one]) for one in clusters)
    return country.accounts[name].spend(wanted, at) / wanted


def reaches_county(lever, county: int, world) -> bool:
    """Whether a lever's target group covers a county-level unit."""
    if lever.provinces and world.province_names[world.county_province[county]] not in lever.provinces:
        return False
    return not (lever.counties_only and world.county_urban[county])


def reaches_sector(lever, sector: int, world) -> bool:
    """Whether a lever's target group covers a sector."""
    return not lever.sectors or world.sector_names[sector] in lever.sectors


def is_target(firm: Firm, lever, country) -> bool:
    """Whether a firm is in a lever's target group."""
    lowest = 0 if lever.lowest_tier == "none" else TIERS.index(lever.lowest_tier) + 1
    reached = reaches_county(lever, firm.county, country.world) and reaches_sector(lever, firm.sector, country.world)
    if firm.tier < lowest or not reached:
        return False
    member = firm.cluster >= 0 and country.cluster_recognised[firm.cluster] is not None
    return member or not lever.clusters_only


def best(ranks: dict[int, int], quota: int) -> list[int]:
    """The best-ranked of `ranks` (rank by slot) in whole bins within the quota."""
    bins = Counter(rank // 16 for rank in ranks.values())
    lowest, room = max(bins, default=0) + 1, quota
    while lowest > 0 and bins[lowest - 1] <= room:
        lowest -= 1
        room -= bins[lowest]
    return [slot for slot, rank in ranks.items() if rank // 16 >= lowest]


def lot_rank(firm: Firm, weight: float, u: float) -> int:
    """By lot, the more so the higher the certificate."""
    return int(1.0 + (u + weight * firm.tier / 3.0) / (1.0 + weight) * 65534.0)


# ---------------------------------------------------------------- programmes


def strength(lever, money: float, country) -> float:
    """Factor on a lever's effects: intensity, or what the money a recipient receives buys beside the usual."""
    if not country.policy.model.dose:
        return lever.intensity
    usual = {
        "ChainLeaderOpenness": 10e6,
        "InnovationRelease": 20e6,
        "OpenInnovation": 2e6,
        "DigitalEmpowerment": 0.8 * 10.5e9 / 40_000,
    }.get(type(lever).__name__) or type(lever)().yuan_per_firm
    return (lever.intensity * money / usual) ** country.p.dose_elasticity


class Programme:
    """Supports the firms drawn for a year at a time; a bit in the firm's `support` marks them."""

    def __init__(self, name: str, bit: int, country) -> None:
        self.name, self.bit, self.country = name, bit, country
        self.lever = getattr(country.policy.levers, name)
        self.until = -1  # last quarter of the support granted so far

    @property
    def _quarterly(self) -> float:
        return self.lever.yuan_per_firm * self.lever.intensity / 4.0

    def open_quarter(self) -> None:
        """Before the firms act: a new year of support when one is due; no effect outside the window."""
        country, effects = self.country, self.country.programme_effects[self.bit]
        effects.clear()
        if not country.acts(self.name):
            if self.until == country.now - 1:
                self._support([])
            return
        if self.until < country.now:
            self._grant()
        by_dose = strength(self.lever, self.lever.yuan_per_firm, country)
        for channel, value in self.lever.effects(country.p).items():
            in_money = channel in ("research_yuan", "grant_yuan", "equity_yuan")
            effects[channel] = value * (self.lever.intensity if in_money else by_dose)

    def _grant(self) -> None:
        country, lever = self.country, self.lever
        account = country.accounts[self.name]
        account.release()
        left = lever.quarters_left(country.quarter)
        term = min(4, left)
        self.until = country.now + term - 1
        unit = self._quarterly * term
        quota = min(int(account.available * term / left / unit * country.scale), len(country.firms))
        # Every programme draws its own lot.
        key = mix(country.key("lottery") + self.bit + 1)
        ranks = {
            firm.slot: lot_rank(firm, country.p.programme_priority, uniform(key, firm.slot))
            for firm in country.firms
            if not firm.vacant and self._may_have(firm)
        }
        chosen = best(ranks, quota)
        self._support(chosen)
        account.commit(len(chosen) / country.scale * unit)

    def _may_have(self, firm: Firm) -> bool:
        """An SME in the target group that is eligible."""
        asked, world = self.lever.eligibility, self.country.world
        return (
            is_target(firm, self.lever, self.country)
            and is_sme(firm, self.country)
            and firm.tier >= asked.lowest_tier
            and firm.employment >= asked.employment_min
            and firm.age <= asked.age_max
            and firm.constraint >= asked.constraint_min
            and (not asked.research or firm.rd_intensity > 0.0)
            and (not asked.supplier or firm.leader is not None)
            and (not asked.promoted or world.niche_promoted[firm.niche])
            and (not asked.manufacturing or world.sector_manufacturing[firm.sector])
            and (not asked.urban or world.county_urban[firm.county])
            and (not asked.unlisted or not firm.has(LISTED))
        )

    def _support(self, slots: list[int]) -> None:
        for firm in self.country.firms:
            firm.support &= ~(1 << self.bit)
        for slot in slots:
            self.country.firms[slot].support |= 1 << self.bit

    def supported(self) -> Counter:
        """Supported firms by place and sector."""
        return self.country.where(firm for firm in self.country.firms if firm.support >> self.bit & 1)

    def pay(self, supported: Counter) -> None:
        """Pay the quarter of the supported firms that were alive when counted."""
        yuan = supported.total() / self.country.scale * self._quarterly
        self.country.accounts[self.name].pay(yuan, supported)


# ---------------------------------------------------------------- awards to little giants


def award_hope(country) -> float:
    """Log-odds that awards still to be had add to applications."""
    lever = country.policy.levers.little_giant_awards
    if not lever.enabled or country.accounts["little_giant_awards"].available < lever.award_yuan * lever.intensity:
        return 0.0
    start, known, end = map(Quarter.parse, (lever.start, lever.announced or lever.start, lever.end))
    ahead = max(start - country.quarter, 0)
    hope = country.p.apply_award * lever.intensity * country.p.anticipation_fade**ahead
    return hope if known <= country.quarter <= end else 0.0


def pick_awards(country) -> None:
    """Yearly: the best little giants without an award, as many as an even share of the money pays for."""
    lever, account = country.policy.levers.little_giant_awards, country.accounts["little_giant_awards"]
    number = CALENDAR["quarters"]["awards"]
    if country.number != number or not country.acts("little_giant_awards"):
        return
    owed = 0
    for firm in country.firms:
        if firm.tier == 3 and firm.awarded_in != NEVER:
            owed += min(max(12 - (country.now - 1 - firm.awarded_in), 0), 12)
    account.release(owed / country.scale * country.award_yuan)
    unit = lever.award_yuan * lever.intensity
    rounds = sum((country.quarter + ahead).number == number for ahead in range(lever.quarters_left(country.quarter)))
    quota = min(int(account.available / rounds / unit * country.scale), len(country.firms))
    ranks = {
        firm.slot: rank_of(score("srdi", seen_by_assessor(firm, country)), uniform(country.key("lottery"), firm.slot))
        for firm in country.firms
        if firm.tier == 3 and firm.awarded_in == NEVER and is_target(firm, lever, country)
    }
    chosen = best(ranks, quota)
    for slot in chosen:
        country.firms[slot].awarded_in = country.now
    account.commit(len(chosen) / country.scale * unit)


def pay_awards(country) -> None:
    """Pay the quarter's part of the awards that run."""
    running = country.where(
        firm for firm in country.firms if firm.tier == 3 and is_running(firm.awarded_in, country.now, 12)
    )
    country.accounts["little_giant_awards"].pay(running.total() / country.scale * country.award_yuan, running)


# ---------------------------------------------------------------- pilot cities


class PilotCities:
    """Digital empowerment: cities become pilots for some years; firms in them are converted, once each."""

    def __init__(self, country) -> None:
        self.country = country
        self.lever = country.policy.levers.digital_empowerment
        self.since = [NEVER] * len(country.world.city_province)
        self.converted: Counter[int] = Counter()  # by city, over all its terms
        self.batches = 0

    @property
    def _subsidy(self) -> float:
        lever = self.lever
        return lever.intensity * lever.firm_share * lever.budget_yuan / max(lever.firms, 1)

    def _money(self, city: int) -> float:
        first = self.country.world.city_is_first[city]
        return (self.lever.capital_city_yuan if first else self.lever.city_yuan) * self.lever.intensity

    def step(self) -> None:
        """After the firms have acted: name the year's cities, pay platforms, convert firms."""
        country, lever, p = self.country, self.lever, self.country.p
        if not country.acts("digital_empowerment") or self._subsidy == 0.0:
            return
        if country.number == CALENDAR["quarters"]["pilot_cities"]:
            self._name_cities()
        running = [
            city
            for city, since in enumerate(self.since)
            if since != NEVER and country.now - since < 4 * lever.city_years
        ]
        if not running:
            return
        account = country.accounts["digital_empowerment"]
        platforms = sum(map(self._money, running)) * (1.0 - lever.firm_share) / lever.city_years
        account.spend(platforms / 4.0, self._platforms(running))
        applicants: dict[int, dict[int, int]] = {city: {} for city in running}
        for firm in country.firms:
            city = country.world.county_city[firm.county]
            if city in applicants and self._applies(firm):
                u = uniform(country.key("lottery"), firm.slot)
                applicants[city][firm.slot] = lot_rank(firm, p.digital_priority, u)
        quotas = self._quotas(running)
        converted: Counter = Counter()
        for city in running:
            chosen = best(applicants[city], quotas[city])
            for slot in chosen:
                country.firms[slot].digitised_in = country.now
            self.converted[city] += len(chosen)
            converted += country.where(country.firms[slot] for slot in chosen)
        account.spend(converted.total() / country.scale * self._subsidy, converted)

    def _platforms(self, running: list[int]) -> Counter:
        """A running city's money, in equal parts for each of its manufacturers, by place and sector."""
        country, world = self.country, self.country.world
        made = [sector for sector, manufacturing in enumerate(world.sector_manufacturing) if manufacturing]
        makers: Counter[int] = Counter()
        for county, by_sector in enumerate(world.county_firms):
            makers[world.county_city[county]] += sum(by_sector[sector] for sector in made)
        due: Counter = Counter()
        for county, by_sector in enumerate(world.county_firms):
            city = world.county_city[county]
            for sector in made if city in running and makers[city] else []:
                due[country.place_of(county), sector] += self._money(city) * by_sector[sector] / makers[city]
        return due

    def _applies(self, firm: Firm) -> bool:
        country = self.country
        return (
            firm.employment >= country.p.digital_min_employment
            and firm.digitised_in == NEVER
            and digital_level(firm, country.p) < 4
            and is_target(firm, self.lever, country)
            and is_sme(firm, country)
        )

    def _name_cities(self) -> None:
        """The year's batch: most manufacturers and luck; a province's second only after every province's first."""
        country, lever, world = self.country, self.lever, self.country.world
        if self.batches == lever.city_batches:
            return
        self.batches += 1
        firms = [0.0] * len(self.since)
        for county, by_sector in enumerate(world.county_firms):
            if reaches_county(lever, county, world):
                made = zip(by_sector, world.sector_manufacturing, strict=True)
                firms[world.county_city[county]] += sum(count for count, manufacturing in made if manufacturing)
        key = country.key("city_contest")
        merit = {
            city: math.log(max(count, 1.0)) + 2.0 * uniform(key, city)
            for city, count in enumerate(firms)
            if count > 0.0 and self.since[city] == NEVER
        }
        turns: Counter[int] = Counter()
        in_turn = []
        for city in sorted(merit, key=lambda city: (-merit[city], city)):
            province = world.city_province[city]
            in_turn.append((turns[province], len(in_turn), city))
            turns[province] += 1
        for _, _, city in sorted(in_turn)[: lever.cities_per_batch]:
            self.since[city] = country.now

    def _quotas(self, running: list[int]) -> dict[int, int]:
        """Firms each city may convert now: what its money entitles it to by now, all within firms and budget left."""
        country, lever = self.country, self.lever
        quotas = {}
        for city in running:
            elapsed = min((country.now - self.since[city] + 1) / (4.0 * lever.city_years), 1.0)
            entitled = self._money(city) * lever.firm_share / self._subsidy * elapsed
            quotas[city] = max(round(entitled * country.scale) - self.converted[city], 0)
        firms_left = lever.firms * country.scale - self.converted.total()
        money_left = country.accounts["digital_empowerment"].available / self._subsidy * country.scale
        limit, wanted = max(min(firms_left, money_left), 0.0), sum(quotas.values())
        if wanted > limit:
            quotas = {city: math.floor(quota * limit / wanted) for city, quota in quotas.items()}
        return quotas
