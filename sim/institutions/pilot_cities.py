"""Digital empowerment with pilot cities (数字化赋能, 数字化转型试点城市)."""

from __future__ import annotations

import numpy as np

from sim.institutions.targeting import admit_by_rank, rank_among_equals, strength, target_of
from sim.numerics.arrays import log
from sim.numerics.draws import Purpose
from sim.reference import read_data
from sim.selection import Lottery, rank_for_conversion

#: Weight of the draw in a city's merit, beside the log of its firms (assumed).
_LUCK = 2.0


class PilotCities:
    """The lever digital_empowerment at work: cities are designated, firms converted.

    Attributes:
        pilots: quarter index in which each city became a pilot, or -1; int64 (cities,).
    """

    def __init__(self, model) -> None:
        self.model = model
        self.lever = model.policy.levers.digital_empowerment
        self.account = model.ledger["digital_empowerment"]
        self._quarter = read_data("calendar")["quarters"]["pilot_cities"]
        cities = len(model.geography.city_province)
        self.pilots = np.full(cities, -1, dtype=np.int64)
        self._supported = np.zeros(cities)
        # Money of each city when it was last divided, and its shares: they hold until another city gets it.
        self._divided = np.zeros(cities)
        self._platform_shares = np.zeros(model.places_and_sectors)
        self._batches_named = 0
        effect = model.parameters.digital_support * strength(model, self.lever)
        model.moment.digital_effect = effect if self.lever.enabled else 0.0

    def step(self) -> None:
        """Designate the year's cities in their quarter; convert firms in running pilots."""
        lever, model = self.lever, self.model
        if not lever.acts_in(model.quarter) or lever.subsidy == 0:
            return
        if model.quarter.number == self._quarter:
            self._designate()
        running = (self.pilots >= 0) & (model.moment.index - self.pilots < 4 * lever.city_years)
        if not running.any():
            return
        self._pay_platforms(running)
        firms, geography = model.firms.columns, model.geography
        county_pilot = np.where(running, np.arange(len(running)), -1).astype(np.int16)[geography.county_city]
        priority = model.parameters.digital_priority
        lottery = Lottery(target_of(model, lever), model.keys[Purpose.LOTTERY], priority, model.ranks)
        model.run_pass(rank_for_conversion, lottery, county_pilot)
        admitted, ranked = admit_by_rank(model, firms.digitised_in, self._quotas(running), county_pilot)
        county = firms.county[admitted]
        self._supported += np.bincount(geography.county_city[county], minlength=len(running))
        converted = model.count_at(geography.county_place[county], firms.sector[admitted])
        model.digital_supported += converted
        granted = len(admitted) / model.scale
        self.account.spend(granted * self.lever.subsidy, converted)
        if model.quarter.number == 4:
            self.account.refused += (len(ranked) / model.scale - granted) * self.lever.subsidy
        self.account.recipients += granted

    def _city_money(self) -> np.ndarray:
        """Central support of each city if it is a pilot, yuan, float64 (cities,)."""
        lever = self.lever
        ordinary_or_first = np.where(self.model.geography.city_is_first, lever.capital_city_yuan, lever.city_yuan)
        return ordinary_or_first * lever.intensity

    def _designate(self) -> None:
        """Name the year's batch: cities that have firms to convert and were no pilot, best first."""
        model = self.model
        if self._batches_named == self.lever.city_batches:
            return
        self._batches_named += 1
        counties, _ = model.reach_of(self.lever)
        made = model.industry.sector_manufacturing
        base = model.geography.firms[:, made].sum(axis=1) * counties
        firms = np.bincount(model.geography.county_city, base, minlength=len(self.pilots))
        draws = model.draws(Purpose.CITY_CONTEST, len(firms))
        merit = np.where((self.pilots < 0) & (firms > 0), log(np.maximum(firms, 1.0)) + _LUCK * draws, -np.inf)
        order = np.argsort(-merit, kind="stable")
        order = order[np.isfinite(merit[order])]
        # At most one new pilot in a province before every province has had its turn.
        turn = rank_among_equals(model.geography.city_province[order])
        chosen = order[np.argsort(turn, kind="stable")][: self.lever.cities_per_batch]
        self.pilots[chosen] = model.moment.index

    def _pay_platforms(self, running: np.ndarray) -> None:
        """The part of a pilot's support that does not go to firms, spread evenly over its term.

        It is booked where the manufacturers of the pilot cities are.
        """
        money = np.where(running, self._city_money(), 0.0)
        yearly = money[running].sum() * (1.0 - self.lever.firm_share) / self.lever.city_years
        if not np.array_equal(money, self._divided):
            self._divided, self._platform_shares = money, self._at_firms(money)
        self.account.spend(0.25 * yearly, self._platform_shares)

    def _at_firms(self, money: np.ndarray) -> np.ndarray:
        """Yuan of each city, float64 (cities,), divided among its manufacturers: float64 (places, sectors)."""
        model, geography = self.model, self.model.geography
        firms = geography.firms * model.industry.sector_manufacturing
        a_firm = money / np.maximum(np.bincount(geography.county_city, firms.sum(axis=1), minlength=len(money)), 1)
        paid = np.flatnonzero(a_firm[geography.county_city])
        divided = np.zeros(model.places_and_sectors)
        np.add.at(divided, geography.county_place[paid], firms[paid] * a_firm[geography.county_city[paid], None])
        return divided

    def _quotas(self, running: np.ndarray) -> np.ndarray:
        """Simulated firms each running pilot may take on this quarter, int64 (cities,)."""
        model, lever = self.model, self.lever
        elapsed = (model.moment.index - self.pilots + 1) / (4.0 * lever.city_years)
        entitled = self._city_money() * lever.firm_share / lever.subsidy * np.clip(elapsed, 0, 1)
        room = np.round(np.where(running, entitled, 0.0) * model.scale) - self._supported
        quotas = np.maximum(room, 0.0)
        left = (lever.firms - model.digital_supported.sum() / model.scale) * model.scale
        money = self.account.available / self.lever.subsidy * model.scale
        limit = max(min(left, money), 0.0)
        if quotas.sum() > limit:
            quotas = np.floor(quotas * limit / quotas.sum())
        return quotas.astype(np.int64)
