"""The ministry (工业和信息化部): national batches, reviews, awards, pilot cities, clusters."""

from __future__ import annotations

import mesa
import numpy as np

from sim.calendar import Quarter
from sim.draws import Purpose
from sim.ladder.recognition import N_FIELDS
from sim.levers import Lever
from sim.reference import province_names, read_data, sector_names
from sim.selection import BINS, admit, bin_thresholds, rank_for_award, rank_for_conversion
from sim.tally import CLUSTER, PARTS


class Ministry(mesa.Agent):
    """The national ministry; acts in the fixed quarters of ``sim/data/calendar.toml``.

    Attributes:
        pilots: quarter index in which each city became a pilot, or -1; int64 (cities,).
    """

    def __init__(self, model) -> None:
        super().__init__(model)
        self._quarters = read_data("calendar")["quarters"]
        self._ranks = np.zeros(model.blocks.slots, dtype=np.uint16)
        cities = len(model.geography.city_province)
        self.pilots = np.full(cities, -1, dtype=np.int64)
        self._city_supported = np.zeros(cities)
        self._batches_named = 0

    def step(self) -> None:
        """What the ministry does after the firms have acted: recognise, review, support."""
        number = self.model.quarter.number
        rounds = self.model.rounds
        if number == self._quarters["provincial_recognition"]:
            for tier in ("innovative", "srdi"):
                rounds.review(tier)
                rounds.recognise(tier, self.model.parameters.provincial_bar if tier == "srdi" else 0.0)
        if number == self._quarters["national_batch"]:
            rounds.review("little_giant")
            rounds.recognise("little_giant", self.model.parameters.giant_bar)
        self._digital_programme(designates=number == self._quarters["pilot_cities"])
        self._awards(grants=number == self._quarters["awards"])
        if number == self._quarters["cluster_recognition"]:
            self._recognise_clusters()

    def _reached(self, lever: Lever) -> tuple[np.ndarray, np.ndarray]:
        """Counties and sectors a lever's target group covers: bool (units,), bool (sectors,)."""
        geography = self.model.geography
        names = np.array(province_names())
        wanted = np.isin(names, lever.provinces) if lever.provinces else np.ones(len(names), dtype=bool)
        counties = wanted[geography.county_province]
        if lever.counties_only:
            counties = counties & ~geography.county_is_urban
        kinds = np.array(sector_names())
        return counties, np.isin(kinds, lever.sectors) if lever.sectors else np.ones(len(kinds), dtype=bool)

    # --- awards to little giants (中央财政奖补)

    def _awards(self, grants: bool) -> None:
        lever, model = self.model.policy.levers.little_giant_awards, self.model
        account = model.ledger["little_giant_awards"]
        award = lever.award_yuan * lever.intensity
        if grants and lever.acts_in(model.quarter):
            rounds_left = Quarter.parse(lever.end).year - model.quarter.year + 1
            quota = int(account.available / rounds_left / award * model.scale)
            counties, sectors = self._reached(lever)
            everyone = np.zeros(model.geography.units, dtype=np.int16)
            bins = np.zeros((1, BINS), dtype=np.int64)
            model.blocks.run(
                rank_for_award,
                *(model.firms.columns, model.environment, model.keys, model.parameters, model.rounds.ranking),
                *(counties, sectors, everyone, self._ranks),
                totals=bins,
                scratch=N_FIELDS,
            )
            counts, _ = self._admit(model.firms.columns.awarded_in, bins, np.array([quota]), everyone)
            granted = counts.sum()
            account.commit(granted / model.scale * award)
            account.refused += (bins.sum() - granted) / model.scale * award
            account.recipients += granted / model.scale
        model.moment.award_yuan = award / 12.0 if lever.enabled else 0.0

    def pay_awards(self, running: int) -> None:
        """Pay the quarter's part of the awards of `running` simulated firms."""
        self.model.ledger["little_giant_awards"].pay(running / self.model.scale * self.model.moment.award_yuan)

    def _admit(
        self, column: np.ndarray, bins: np.ndarray, quotas: np.ndarray, group: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Admit the best-ranked firms of each group up to its quota.

        Returns simulated firms admitted by province and sector, and by group (int64).
        """
        model = self.model
        counts = np.zeros((len(model.provinces), len(model.industry.sector_firms)), dtype=np.int64)
        thresholds, admitted = bin_thresholds(bins, quotas)
        model.blocks.run(
            admit,
            *(model.firms.columns, model.environment, column, model.moment.index),
            *(thresholds, group, self._ranks),
            totals=counts,
        )
        return counts, admitted

    # --- digital empowerment and pilot cities (数字化赋能, 试点城市)

    def _digital_programme(self, designates: bool) -> None:
        lever, model = self.model.policy.levers.digital_empowerment, self.model
        model.moment.digital_effect = model.parameters.digital_support * lever.intensity if lever.enabled else 0.0
        if not lever.acts_in(model.quarter) or self._subsidy(lever) == 0:
            return
        counties, sectors = self._reached(lever)
        if designates:
            self._designate_cities(lever, counties)
        running = (self.pilots >= 0) & (model.moment.index - self.pilots < 4 * lever.city_years)
        if not running.any():
            return
        self._pay_platforms(lever, running)
        city = model.geography.county_city
        bins = np.zeros((len(running), BINS), dtype=np.int64)
        model.blocks.run(
            rank_for_conversion,
            *(model.firms.columns, model.environment, model.keys, model.parameters),
            *(counties & running[city], sectors, city, self._ranks),
            totals=bins,
        )
        quotas = self._city_quotas(lever, running)
        counts, by_city = self._admit(model.firms.columns.digitised_in, bins, quotas, city)
        granted = counts.sum()
        self._city_supported += by_city
        account = model.ledger["digital_empowerment"]
        subsidy = self._subsidy(lever)
        account.pay(account.commit(granted / model.scale * subsidy))
        account.refused += (bins.sum() - granted) / model.scale * subsidy
        account.recipients += granted / model.scale
        model.digital_supported += counts

    def _city_money(self, lever) -> np.ndarray:
        """Central support of each city if it is a pilot, yuan, float64 (cities,)."""
        first = self.model.geography.city_is_first
        return np.where(first, lever.capital_city_yuan, lever.city_yuan) * lever.intensity

    def _subsidy(self, lever) -> float:
        """Public money a converted firm receives: the firms' part of the budget over the quota of firms."""
        return lever.intensity * lever.firm_share * lever.budget_yuan / max(lever.firms, 1)

    def _designate_cities(self, lever, counties: np.ndarray) -> None:
        """Name the year's batch: cities that have firms to convert and were no pilot, best first."""
        model = self.model
        if self._batches_named == lever.city_batches:
            return
        self._batches_named += 1
        made = model.industry.sector_manufacturing
        base = model.geography.firms[:, made].sum(axis=1) * counties
        firms = np.bincount(model.geography.county_city, base, minlength=len(self.pilots))
        luck = model.draws(Purpose.CITY_CONTEST, len(firms))
        merit = np.where((self.pilots < 0) & (firms > 0), np.log(np.maximum(firms, 1.0)) + 2.0 * luck, -np.inf)
        # At most one new pilot in a province before every province has had its turn.
        order = np.argsort(-merit, kind="stable")
        order = order[np.isfinite(merit[order])]
        province = model.geography.city_province[order]
        turn = np.zeros(len(order), dtype=np.int64)
        seen: dict[int, int] = {}
        for place, code in enumerate(province):
            turn[place] = seen.get(int(code), 0)
            seen[int(code)] = turn[place] + 1
        chosen = order[np.argsort(turn, kind="stable")][: lever.cities_per_batch]
        self.pilots[chosen] = model.moment.index

    def _pay_platforms(self, lever, running: np.ndarray) -> None:
        """The part of a pilot's support that does not go to firms, spread evenly over its term."""
        account = self.model.ledger["digital_empowerment"]
        yearly = self._city_money(lever)[running].sum() * (1.0 - lever.firm_share) / lever.city_years
        account.pay(account.commit(0.25 * yearly))

    def _city_quotas(self, lever, running: np.ndarray) -> np.ndarray:
        """Simulated firms each running pilot may take on this quarter, int64 (cities,)."""
        model = self.model
        elapsed = (model.moment.index - self.pilots + 1) / (4.0 * lever.city_years)
        entitled = self._city_money(lever) * lever.firm_share / self._subsidy(lever) * np.clip(elapsed, 0, 1)
        room = np.round(np.where(running, entitled, 0.0) * model.scale) - self._city_supported
        quotas = np.maximum(room, 0.0)
        left = (lever.firms - model.digital_supported.sum() / model.scale) * model.scale
        money = model.ledger["digital_empowerment"].available / self._subsidy(lever) * model.scale
        limit = max(min(left, money), 0.0)
        if quotas.sum() > limit:
            quotas = np.floor(quotas * limit / quotas.sum())
        return quotas.astype(np.int64)

    # --- clusters (中小企业特色产业集群)

    def _cluster_merit(self) -> np.ndarray:
        """Score of every cluster candidate in the national contest, float64 (clusters,).

        Share of SRDI SMEs (shrunk towards the national share where few firms are seen) weighs
        most; then digital maturity and concentration. Size beyond a candidate's minimum does not
        count: the recognised clusters are small ones (about 310 SMEs each in the first hundred).
        """
        model = self.model
        sums = {name: model.totals.clusters[:, index] for index, name in enumerate(CLUSTER)}
        seen = sums["firms"].astype(np.float64)
        weight = 50.0 * model.scale
        national = sums["srdi_smes"].sum() / max(seen.sum(), 1.0)
        quality = (sums["srdi_smes"] + weight * national) / (seen + weight)
        digital = sums["digital"] / PARTS / np.maximum(seen, 1.0)
        concentration = np.log([cluster.concentration for cluster in model.clusters])
        return np.minimum(10.0 * quality, 1.0) + digital + 0.1 * concentration

    def _recognise_clusters(self) -> None:
        """Recognise the year's best-scored candidates, no province with more than its share."""
        lever, model, p = self.model.policy.levers.cluster_recognition, self.model, self.model.parameters
        if not lever.acts_in(model.quarter):
            return
        counties, sectors = self._reached(lever)
        merit = self._cluster_merit() + p.cluster_contest_noise * model.draws(
            Purpose.CLUSTER_CONTEST, len(model.clusters)
        )
        most = max(1, round(p.cluster_province_share * lever.per_year))
        won: dict[int, int] = {}
        places = lever.per_year
        for index in np.argsort(-merit, kind="stable"):
            cluster = model.clusters[index]
            if places == 0:
                break
            if cluster.recognised is not None or not (counties[cluster.county] and sectors[cluster.sector]):
                continue
            if won.get(cluster.province, 0) >= most:
                continue
            won[cluster.province] = won.get(cluster.province, 0) + 1
            cluster.recognised = int(model.moment.index)
            model.recognised_clusters.append(cluster)
            places -= 1
        model.ledger["cluster_recognition"].recipients += lever.per_year - places
