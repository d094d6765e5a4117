"""SRDIModel: the Mesa model that ties firms, institutions, rules and records together."""

from __future__ import annotations

import mesa
import numpy as np

from sim.blocks import Blocks
from sim.calendar import DEFAULT_UNTIL, LATEST_UNTIL, SCALE_RANGE, START, Quarter
from sim.draws import TIMELESS, Purpose, quarter_keys, stream_key, uniform_array
from sim.engine import FLOWS, advance
from sim.environment import Environment, new_moment
from sim.firms import Firms
from sim.geography import build_geography
from sim.industry import build_industry
from sim.institutions.chain_leader import ChainLeader
from sim.institutions.cluster import Cluster, find_candidates
from sim.institutions.ministry import Ministry
from sim.institutions.province import Province
from sim.ladder.rounds import Rounds
from sim.ledger import Ledger
from sim.outputs import NATIONAL
from sim.parameters import parameter_record
from sim.policy import Policy, find_policy
from sim.population import build_population, expected_researchers
from sim.recorder import Recorder
from sim.reference import province_names, read_data
from sim.rules import TIERS
from sim.tally import CELL, CLUSTER, PARTS, new_totals, take_stock


def _seed_of(rng) -> int:
    """An integer seed from what Mesa and SolaraViz hand over: int, text, Generator or None."""
    if rng is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**31))
    return int(rng)


class SRDIModel(mesa.Model):
    """Firms of China's manufacturing, software and technical services on the cultivation ladder.

    One step is a quarter; the run starts at the end of 2018 and ends in the fourth quarter of
    `until`. The columnar population is `firms`; ministry, provinces, clusters and chain leaders
    are Mesa agents; the national series are in Mesa's `datacollector`.

    Args:
        scenario: name of a catalogue scenario, or a Policy.
        scale: share of the real population simulated, 0.0005 to 1. Counts are reported at 1:1.
        rng: seed; the same seed gives the same bits on any number of threads.
        until: last year of the run.
        threads: threads for the passes over firms.

    Raises:
        ValueError: for a scale, year, thread number or scenario name that is not allowed.
    """

    def __init__(
        self,
        scenario: str | Policy = "baseline",
        scale: float = 0.02,
        rng: int | str | np.random.Generator | None = 1,
        until: int = DEFAULT_UNTIL,
        threads: int = 1,
    ) -> None:
        self.seed = _seed_of(rng)
        super().__init__(rng=self.seed)
        if not SCALE_RANGE[0] <= scale <= SCALE_RANGE[1]:
            raise ValueError(f"scale {scale:g} is outside {SCALE_RANGE[0]:g} to {SCALE_RANGE[1]:g}")
        if not START.year < until <= LATEST_UNTIL:
            raise ValueError(f"until {until} is outside {START.year + 1} to {LATEST_UNTIL}")
        if threads < 1:
            raise ValueError(f"threads {threads} is below 1")
        self.policy = scenario if isinstance(scenario, Policy) else find_policy(scenario)
        self.scale = float(scale)
        self.threads = threads
        self.quarter = START
        self.end = Quarter(until, 4)
        self.parameters = parameter_record(self.policy.parameters)
        self.ledger = Ledger(self.policy.levers)
        self.moment = new_moment()
        self._set_rule_moment()
        self._build_world()
        self._build_institutions()
        self.recorder = Recorder(self)
        self.datacollector = mesa.DataCollector(
            model_reporters={column.name: _national_reporter(column.name) for column in NATIONAL}
        )
        self._take_stock()
        self._record()

    # --- the quarter

    def step(self) -> None:
        """Advance the model by one quarter, in the order of the model description."""
        self._open_quarter()
        self._move_demand()
        self.agents_by_type[Province].do("step")
        self.agents_by_type[ChainLeader].do("step")
        for cluster in self.recognised_clusters:
            cluster.step()
        self._advance_firms()
        self.ministry.step()
        self._take_stock()
        self._pay_awards()
        self._record()
        self.running = self.quarter < self.end

    def tables(self) -> dict[str, dict[str, np.ndarray]]:
        """The results so far: arrays by table and column, as declared in `sim.outputs`."""
        return self.recorder.tables()

    def draws(self, purpose: Purpose, count: int) -> np.ndarray:
        """Uniform draws of this quarter for institutions, float64 (count,)."""
        return uniform_array(self.keys[purpose], count)

    def close(self) -> None:
        """Let the memory go: Mesa 3.3 keeps every model that ever had an agent."""
        self.blocks.close()
        self.remove_all_agents()
        if hasattr(mesa.Agent, "_ids"):
            mesa.Agent._ids.pop(self, None)
        for name in ("firms", "rounds", "ministry"):
            self.__dict__.pop(name, None)

    # --- set-up

    def _set_rule_moment(self) -> None:
        """The R&D thresholds firms look at, from the rules in force."""
        rules = self.policy.rules
        self.moment.audit_strictness = rules.audit_strictness
        self.moment.srdi_rd = rules.srdi.rd_intensity_min
        self.moment.giant_rd_large = rules.little_giant.rd_intensity_min
        self.moment.giant_rd_mid = rules.little_giant.rd_intensity_mid_min
        self.moment.giant_revenue_large = rules.little_giant.revenue_large

    def _build_world(self) -> None:
        """Geography, industry, firms and the environment they see."""
        p = self.parameters
        self.geography = geography = build_geography(p)
        self.industry = industry = build_industry(p, self.scale, geography)
        self.keys = quarter_keys(self.seed, TIMELESS)
        self.aspiration_key = stream_key(self.seed, TIMELESS, Purpose.ASPIRATION)
        research = (
            p.rd_province * geography.province_research[geography.county_province]
            + p.rd_urban * geography.county_is_urban
        )
        columns, revenue_per_worker, sector_research = build_population(
            geography, industry, research, self.draws, self.keys, p, self.scale
        )
        self.firms = Firms(columns)
        candidates = find_candidates(geography, industry, p)
        clusters, chains = len(candidates), len(industry.chain_sector)
        attraction = geography.county_attraction**p.entry_attraction
        self.environment = Environment(
            county_province=geography.county_province,
            county_research=research,
            county_entry=attraction / np.average(attraction, weights=geography.firms.sum(axis=1)),
            sector_revenue_per_worker=revenue_per_worker,
            sector_rd_norm=industry.sector_rd_norm,
            sector_research=sector_research,
            sector_sme_employees=industry.sector_sme_employees,
            sector_sme_revenue=industry.sector_sme_revenue,
            niche_chain=industry.niche_chain,
            niche_promoted=industry.niche_promoted,
            niche_revenue=np.zeros(len(industry.niche_sector)),
            cluster_commons=np.zeros(clusters),
            cluster_digital=np.zeros(clusters),
            cluster_governance=np.zeros(clusters),
            cluster_knowledge=np.zeros(clusters),
            chain_openness=industry.chain_openness.copy(),
        )
        self._assign_clusters(candidates)
        provinces, sectors = len(province_names()), len(industry.sector_firms)
        shape = (provinces, sectors, geography.units, len(industry.niche_sector), clusters, chains)
        self.totals = new_totals(*shape)
        self.flows = np.zeros((provinces, sectors, len(FLOWS)), dtype=np.int64)
        self.digital_supported = np.zeros((provinces, sectors), dtype=np.int64)
        self.chain_filled = np.zeros(chains)
        self.gaps_filled = 0.0
        self.county_giant_weight = expected_researchers(geography, industry, research, sector_research, p)

    def _assign_clusters(self, candidates) -> None:
        """Write into every firm the cluster candidate of its county and sector."""
        cluster_of = np.full(self.geography.firms.shape, -1, dtype=np.int16)
        for index, (county, sector, _, _) in enumerate(candidates):
            cluster_of[county, sector] = index
        columns = self.firms.columns
        columns.cluster[:] = cluster_of[columns.county, columns.sector]
        self._candidates = candidates

    def _build_institutions(self) -> None:
        """The Mesa agents."""
        self.blocks = Blocks(len(self.firms.columns.employment), self.threads)
        self.reach = {tier: np.zeros(len(province_names())) for tier in TIERS}
        self.provinces = [Province(self, index, name) for index, name in enumerate(province_names())]
        self.clusters = [Cluster(self, index, *cell) for index, cell in enumerate(self._candidates)]
        self.recognised_clusters: list[Cluster] = []
        industry = self.industry
        self.chain_leaders = [
            ChainLeader(self, index, *map(int, place), float(openness))
            for index, (*place, openness) in enumerate(
                zip(industry.chain_sector, industry.chain_home, industry.chain_openness, strict=True)
            )
        ]
        self.rounds = Rounds(self)
        self.ministry = Ministry(self)

    # --- parts of the quarter

    def _open_quarter(self) -> None:
        """Move the calendar and renew what is counted by quarter."""
        p = self.parameters
        self.quarter += 1
        moment = self.moment
        moment.index = self.quarter - START
        moment.number = self.quarter.number
        moment.research_trend = p.rd_shift + p.rd_trend * min(moment.index / 4.0, p.rd_trend_years)
        self.keys = quarter_keys(self.seed, self.quarter - START)
        self.flows[:] = 0
        self.rounds.open_quarter()
        self.ledger.open_quarter()

    def _move_demand(self) -> None:
        """Nominal demand by sector: the year's reported or assumed growth plus the sector's trend."""
        reported = read_data("demand")["growth"]
        growth = reported.get(str(self.quarter.year), self.parameters.demand_trend)
        self.environment.sector_revenue_per_worker[:] *= np.exp(0.25 * (growth + self.industry.sector_trend))

    def _advance_firms(self) -> None:
        """Mechanisms of all firms, and exit and entry."""
        self.moment.reach_srdi = np.mean(self.reach["srdi"])
        self.moment.reach_giant = np.mean(self.reach["little_giant"])
        self.blocks.run(
            advance,
            *(self.firms.columns, self.environment, self.keys, self.aspiration_key, self.parameters, self.moment),
            totals=self.flows,
        )

    def _take_stock(self) -> None:
        """Sum over firms, and renew what firms and leaders will see next quarter."""
        for part in self.totals:
            part[:] = 0
        self.blocks.run(
            take_stock,
            *(self.firms.columns, self.environment, self.parameters, self.moment),
            totals=self.totals,
        )
        env, totals, p = self.environment, self.totals, self.parameters
        env.niche_revenue[:] = totals.niche_revenue * 1e3
        sums = {name: totals.clusters[:, index] for index, name in enumerate(CLUSTER)}
        members = np.maximum(sums["firms"], 1)
        env.cluster_digital[:] = sums["digital"] / PARTS / members
        env.cluster_governance[:] = sums["governance"] / PARTS / members
        env.cluster_knowledge[:] = sums["knowledge"] * 1e3 / members
        promoted = self.industry.niche_promoted
        filled = promoted & (totals.niche_qualified >= p.gap_share * totals.niche_revenue)
        filled &= totals.niche_revenue > 0
        chain, chains = self.industry.niche_chain, len(self.chain_filled)
        key_links = np.bincount(chain[promoted], minlength=chains)
        # A chain none of whose key niches is simulated has no gap to show.
        self.chain_filled[:] = np.where(
            key_links > 0, np.bincount(chain[filled], minlength=chains) / np.maximum(key_links, 1), 1.0
        )
        self.gaps_filled = float(filled.sum() / max(promoted.sum(), 1))

    def _pay_awards(self) -> None:
        self.ministry.pay_awards(int(self.totals.cells[..., CELL.index("awarded")].sum()))

    def _record(self) -> None:
        self.recorder.record()
        self.datacollector.collect(self)


def _national_reporter(name: str):
    def report(model: SRDIModel):
        return model.recorder.latest[name]

    return report
