"""SRDIModel: the Mesa model that ties firms, institutions, rules and records together."""

from __future__ import annotations

import copy
from functools import cached_property, partial
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from sim.agents import Agent, Model
from sim.arguments import UNTIL_RANGE, scale_number, seed_number, whole_number
from sim.calendar import DEFAULT_UNTIL, START, Quarter
from sim.chain_health import ChainHealth
from sim.engine import advance, take_orders
from sim.feedbacks import switched
from sim.firms.blocks import Blocks
from sim.firms.network import find_buyers, link_at_start
from sim.firms.population import build_population, expected_researchers, usual_research
from sim.firms.table import Firms
from sim.firms.tile import index_scratch, tile_scratch
from sim.flows import APPLICATION_PARTS, Flow
from sim.institutions.chain_leader import LEADER_LEVERS, ChainLeader, engage, lead_chains
from sim.institutions.cluster import Cluster, attract, build_commons, find_candidates, spill_over
from sim.institutions.ministry import Ministry
from sim.institutions.province import Province, make_known
from sim.institutions.targeting import reached
from sim.ladder.rounds import Rounds
from sim.levers import PROGRAMMES, Lever
from sim.levers.clusters import COMMONS
from sim.mechanisms.chain_links import qualified_level
from sim.mechanisms.finance import crowding_out
from sim.mechanisms.listing import admitted_share
from sim.mechanisms.research import research_price, research_wage
from sim.mechanisms.support import Channel
from sim.numerics.arrays import exp, power
from sim.numerics.draws import TIMELESS, quarter_keys, uniform_array
from sim.parameters import parameter_record, parameter_values
from sim.policy import HasPolicy, Policy, policy_of
from sim.product_market import ProductMarket
from sim.records.ledger import Ledger
from sim.records.outputs import NATIONAL
from sim.records.panel import Panel
from sim.records.recorder import Recorder
from sim.reference import province_names
from sim.rules import Rules
from sim.shock_schedule import ShockSchedule
from sim.tally import PARTS, ClusterSum, TierSum, by_name, complete, count_certified, new_totals
from sim.tiers import TIERS
from sim.world.demand import quarterly_growth
from sim.world.environment import Moment, QuarterInputs, new_environment
from sim.world.geography import build_geography
from sim.world.industry import build_industry

if TYPE_CHECKING:
    from mesa.datacollection import DataCollector


class SRDIModel(Model):
    """Firms of China's manufacturing, software and technical services on the cultivation ladder.

    One step is a quarter; the run starts at the end of 2018 and ends in the fourth quarter of
    `until`. The columnar population is `firms`; ministry, provinces, clusters and chain leaders
    are Mesa agents; the national series are in Mesa's `datacollector`.

    Args:
        scenario: name of a catalogue scenario, a Policy, or an object with a `policy`, such as a loaded scenario; its
            scale and last year are not used, only those given here.
        scale: simulated firms per real firm, 0.0005 to 10. Counts are reported at 1:1.
        rng: seed, from 0 to 2**64 - 1; the same seed gives the same bits on any number of threads. None draws one, so
            that every model differs, and `seed` holds it. A NumPy generator gives its next number.
        until: last year of the run.
        threads: threads for the passes over firms.
        firms_panel: firms to follow one by one in the table `firms`; 0 for none.
        seed: another name for `rng`.

    Attributes:
        geography, industry: the fixed world. candidates: Candidates of clusters. environment: what firms see.
        parameters: numbers by name, for institutions. parameter_record: the same, for kernels.
        seed: the `rng` that repeats the run.
        moment: Moment of the quarter. keys: uint64 (purposes,), its stream keys; lasting_keys: those of draws that hold
            for the whole run.
        totals: Totals of the last full quarter. chain_health: ChainHealth, measured on them.
        ranks: uint16 (slots,), ranks in the current round; working memory between two passes.
        reach: by tier, float64 (provinces,), share of firms the programme reaches.
        engagement: by lever of LEADER_LEVERS, float64 (chains,), of the quarter.
        commons: float64 (candidates, len(COMMONS)), 0-1.
        digital_supported: int64 (places, sectors), simulated firms since the start.
        county_giant_weight: float64 (units,), where little giants are to be expected, sum 1.

    Raises:
        ValueError: an argument is not allowed; the message gives its value and what is allowed.

    A model may be copied and pickled in any quarter; the copy goes on with the same bits. Mesa's generators `random`
    and `rng` are seeded too, for agents that you add: the model itself does not draw from them. For many runs with
    Mesa's batch_run see the page How to.
    """

    # Mesa 3.5 keeps an object of its own here; at a reset, SolaraViz would put one like it into the argument's place.
    scenario = None

    def __init__(
        self,
        scenario: str | Policy | HasPolicy = "baseline",
        scale: float = 0.02,
        rng: int | str | np.random.Generator | None = None,
        until: int = DEFAULT_UNTIL,
        threads: int = 1,
        *,
        firms_panel: int = 0,
        seed: int | None = None,
    ) -> None:
        # Mesa 3.5's batch_run overwrites the `rng` of its parameters with one of its own, but not if there is a `seed`.
        if rng is not None and seed is not None:
            raise ValueError("rng and seed are the same thing; give one of them")
        self.seed = seed_number("rng", rng) if seed is None else seed_number("seed", seed)
        self.scale = scale_number(scale)
        self.quarter, self.end = START, Quarter(whole_number("until", until, *UNTIL_RANGE), 4)
        self.threads = whole_number("threads", threads, 1)
        firms_panel = whole_number("firms_panel", firms_panel, 0)
        self.policy = policy_of(scenario)
        super().__init__(rng=self.seed)
        self.scenario = None
        self.agent_id_counter = 1
        self._reach: dict[type, tuple[np.ndarray, np.ndarray]] = {}
        changed = self.policy.parameters
        changed = changed | switched(parameter_values(changed), self.policy.model)
        self.parameters, self.parameter_record = parameter_values(changed), parameter_record(changed)
        self.moment = Moment()
        self._build_world()
        self.ledger = Ledger(self.policy.levers, self.places_and_sectors)
        self.moment.qualified = qualified_level(0.0, self.parameters)
        self._set_rule_moment()
        self._build_institutions()
        self.recorder = Recorder(self)
        self.panel = Panel(self, firms_panel) if firms_panel else None
        self._pass_over_firms(acts=False)
        self.market = None
        self._take_stock()
        self.market = ProductMarket(self)
        self._research_at_start = self._research_money()
        self._record()

    # --- the quarter

    def step(self) -> None:
        """Advance the model by one quarter, in the order of the model description; nothing at the end."""
        if not self.running:
            return
        self._open_quarter()
        self._move_demand()
        self.shock_schedule.step()
        make_known(self)
        self.engagement = {name: engage(self, name) for name in LEADER_LEVERS}
        lead_chains(self)
        build_commons(self)
        spill_over(self)
        if self.quarter.number == 1:
            attract(self)
        self._find_buyers()
        self.ministry.open_quarter()
        self._advance_firms()
        self.ministry.step()
        self._take_stock()
        self.ministry.pay()
        self._record()
        self.running = self.quarter < self.end

    @property
    def steps(self) -> int:
        """Quarters since the start."""
        return self.quarter - START

    @steps.setter
    def steps(self, counted: int) -> None:
        """Ignored: Mesa counts calls of `step` here, also those after the end; the calendar counts quarters."""

    @cached_property
    def datacollector(self) -> DataCollector:
        """The national series in Mesa's form, kept up from when it is first asked for: it brings pandas."""
        from mesa.datacollection import DataCollector

        collector = DataCollector(
            # So that a row of batch_run tells how to repeat its run.
            model_reporters={"seed": "seed"} | {column.name: partial(_latest, column.name) for column in NATIONAL}
        )
        for row in self.recorder.national_rows():
            for name, values in collector.model_vars.items():
                values.append(self.seed if name == "seed" else row[name])
        return collector

    def tables(self) -> dict[str, dict[str, np.ndarray]]:
        """The results so far: arrays by table and column, as declared in `sim.records.outputs`."""
        panel = {"firms": self.panel.table()} if self.panel else {}
        return self.recorder.tables() | panel

    @property
    def inputs(self) -> QuarterInputs:
        """What firms see now, in the form kernels receive it."""
        moment, aims = self.moment.record(), self._aims()
        return QuarterInputs(
            environment=self.environment,
            keys=self.keys,
            lasting_keys=self.lasting_keys,
            parameters=self.parameter_record,
            moment=moment,
            aims=moment if aims is self.moment else aims.record(),
        )

    def run_pass(self, kernel, *task, **asked) -> None:
        """Run a kernel of firms over all of them, with what the quarter gives.

        Args:
            kernel: takes the firms' columns, QuarterInputs, the task, and what `sim.firms.blocks.Blocks.run` adds.
            task: what the kernel takes next, such as a `sim.ladder.recognition.Batch`.
            asked: `totals`, `scratch` and `long` of `Blocks.run`.
        """
        self.blocks.run(kernel, self.firms.columns, self.inputs, *task, **asked)

    def draws(self, purpose: int, count: int) -> np.ndarray:
        """Uniform draws of this quarter for institutions, by `sim.numerics.draws.Purpose`: float64 (count,)."""
        return uniform_array(self.keys[purpose], count)

    @property
    def rules(self) -> Rules:
        """The recognition rules in force this quarter."""
        return self.policy.rules.in_force(self.quarter)

    @property
    def places_and_sectors(self) -> tuple[int, int]:
        """Shape of counts by place (province and county type) and sector."""
        return 2 * len(province_names()), len(self.industry.sector_firms)

    def reach_of(self, lever: Lever) -> tuple[np.ndarray, np.ndarray]:
        """Counties and sectors a lever reaches: bool (units,), bool (sectors,)."""
        if type(lever) not in self._reach:
            self._reach[type(lever)] = reached(self, lever)
        return self._reach[type(lever)]

    def count_at(self, places: np.ndarray, sectors: np.ndarray) -> np.ndarray:
        """How many of a list are in each place and sector, by their codes: int64 (places, sectors)."""
        counts = np.zeros(self.places_and_sectors, dtype=np.int64)
        np.add.at(counts, (places, sectors), 1)
        return counts

    @property
    def flows(self) -> np.ndarray:
        """What happened in the last quarter: int64 (places, sectors, len(Flow))."""
        return self.totals.flows

    def take_up(self, policy: Policy) -> None:
        """Follow another policy from the next quarter on; nothing in which it differs may have acted yet.

        `sim.branching.branch` checks that.
        """
        before, self.policy = self.policy, policy
        self._reach.clear()
        changed = {
            name
            for name in type(policy.levers).model_fields
            if getattr(before.levers, name) != getattr(policy.levers, name)
        }
        self.ledger.take_up(policy.levers, changed)
        self.recorder.restate_budgets()
        if before.shocks != policy.shocks:
            self.shock_schedule = ShockSchedule(self)
        self.ministry.take_up(changed)

    def register_agent(self, agent: Agent) -> None:
        """Register a new agent; Mesa calls this when one is made."""
        super().register_agent(agent)
        if hasattr(Agent, "_ids"):
            # Mesa 3.3 numbers agents in a dictionary that keeps every model alive; here a model counts its own.
            Agent._ids.pop(self, None)
            agent.unique_id = self.agent_id_counter
            self.agent_id_counter += 1

    def reset_rng(self, *seeds, **named) -> NoReturn:
        """Not supported: all draws follow from the seed given at construction."""
        raise NotImplementedError("a model draws from its seed alone; make another SRDIModel with rng=")

    reset_randomizer = reset_rng

    def __copy__(self) -> SRDIModel:
        """A deep copy: models sharing arrays would corrupt each other."""
        return copy.deepcopy(self)

    def __setstate__(self, state: dict) -> None:
        """Restore a pickled model, with copies of arrays that are read-only.

        joblib passes large arrays to its workers as read-only memory maps.
        """
        vars(self).update(state)
        columns = self.firms.columns if "firms" in state else ()
        if not all(array.flags.writeable for array in (*columns, *self.environment, *self.totals, *self._counting)):
            vars(self).update(copy.deepcopy(state, {id(self): self}))

    def close(self) -> None:
        """Free the memory now instead of at the next garbage collection; the model takes no further step."""
        self.running = False
        self.blocks.close()
        self.remove_all_agents()
        for name in ("firms", "rounds", "ministry", "ranks"):
            self.__dict__.pop(name, None)

    # --- set-up

    def _build_world(self) -> None:
        """Geography, industry, firms and the environment they see."""
        p = self.parameters
        self.geography = geography = build_geography(p)
        self.industry = industry = build_industry(p, self.scale, geography)
        self.keys = self.lasting_keys = quarter_keys(self.seed, TIMELESS)
        research = (
            p.rd_province * geography.province_research[geography.county_province]
            + p.rd_urban * geography.county_is_urban
        )
        columns, revenue_per_worker, sector_research = build_population(
            geography, industry, research, keys=self.keys, p=self.parameter_record, scale=self.scale
        )
        self.firms = Firms(columns)
        self.candidates = find_candidates(geography, industry, p)
        self.environment = new_environment(
            geography,
            industry,
            self.candidates,
            county_research=research,
            sector_research=sector_research,
            revenue_per_worker=revenue_per_worker,
            p=p,
        )
        self.environment.sector_rd_usual[:] = usual_research(columns, len(industry.sector_firms))
        self._assign_clusters()
        cells = self.places_and_sectors
        # The totals of the last full quarter stay readable while those of the new one are counted.
        self.totals, self._counting = (
            new_totals(
                *cells,
                units=geography.units,
                niches=len(industry.niche_sector),
                clusters=len(self.candidates),
                chains=len(industry.chain_sector),
                programmes=len(PROGRAMMES),
            )
            for _ in range(2)
        )
        self.digital_supported = np.zeros(cells, dtype=np.int64)
        self.chain_health = ChainHealth(self)
        self.county_giant_weight = expected_researchers(geography, industry, research, sector_research, p)

    def _assign_clusters(self) -> None:
        """Write into every firm the cluster candidate of its county and sector."""
        candidates = self.candidates
        cluster_of = np.full(self.geography.firms.shape, -1, dtype=np.int16)
        cluster_of[candidates.county, candidates.sector] = np.arange(len(candidates))
        columns = self.firms.columns
        columns.cluster[:] = cluster_of[columns.county, columns.sector]

    def _build_institutions(self) -> None:
        """The Mesa agents."""
        self.blocks = Blocks(len(self.firms.columns.employment), self.threads)
        self.ranks = np.zeros(self.blocks.slots, dtype=np.uint16)
        self._find_buyers()
        self.run_pass(link_at_start)
        self.reach = {tier: np.zeros(len(province_names())) for tier in TIERS}
        self.provinces = [Province(self, index, name) for index, name in enumerate(province_names())]
        self.clusters: list[Cluster] = []
        self.commons = np.zeros((len(self.candidates), len(COMMONS)))
        self.chain_leaders = [ChainLeader(self, index) for index in range(len(self.industry.chain_sector))]
        self.engagement = {name: np.zeros(len(self.chain_leaders)) for name in LEADER_LEVERS}
        self.rounds = Rounds(self)
        self.shock_schedule = ShockSchedule(self)
        self.ministry = Ministry(self)

    # --- parts of the quarter

    def _open_quarter(self) -> None:
        """Move the calendar and renew what is counted by quarter."""
        p = self.parameters
        self.quarter += 1
        moment = self.moment
        moment.index = self.quarter - START
        moment.number = self.quarter.number
        self._set_research_price()
        applications = float(self.flows[..., Flow.listing_applications].sum()) / APPLICATION_PARTS
        moment.listing_admitted = admitted_share(applications, 0.25 * p.listing_places * self.scale)
        moment.qualified = qualified_level(moment.index / 4.0, p)
        moment.research_trend = p.rd_shift + p.rd_trend * min(moment.index / 4.0, p.rd_trend_years)
        self.keys = quarter_keys(self.seed, self.quarter - START)
        self._set_rule_moment()
        self.rounds.open_quarter()
        self.ledger.open_quarter()

    def _set_research_price(self) -> None:
        """The wage of R&D staff, from the R&D money of the last quarter."""
        p, moment = self.parameters, self.moment
        years = moment.index / 4.0
        wage = research_wage(self._research_money() / self._research_at_start, years, p)
        moment.research_wage = wage
        moment.research_price = price = research_price(wage, years, p)
        moment.research_dear = power(price, -p.research_price_elasticity)

    def _research_money(self) -> float:
        """True R&D of all simulated firms in the last quarter, yuan per year; 1 without any."""
        return max(float(self.totals.tiers[:, TierSum.rd_true].sum()), 1.0)

    def _set_rule_moment(self) -> None:
        """What firms see of the rules in force."""
        rules, moment = self.rules, self.moment
        moment.audit_strictness = rules.audit_strictness
        moment.validity_srdi = 4 * rules.srdi.validity_years
        moment.validity_giant = 4 * rules.little_giant.validity_years
        moment.take_thresholds(rules)

    def _aims(self) -> Moment:
        """The moment with the R&D thresholds that firms work towards."""
        rules = self.policy.rules.aimed_at(self.quarter, int(self.parameters.anticipation_horizon))
        if rules is self.rules:
            return self.moment
        aims = copy.copy(self.moment)
        aims.take_thresholds(rules)
        return aims

    def _move_demand(self) -> None:
        """Nominal demand by sector: the quarter's reported or assumed growth plus the sector's trend."""
        assumed = 0.25 * self.parameters.demand_trend
        growth = quarterly_growth().get(self.quarter, assumed)
        self.moment.demand_swing = growth - assumed
        self.environment.sector_revenue_per_worker[:] *= exp(growth + 0.25 * self.industry.sector_trend)

    def _find_buyers(self) -> None:
        """Renew the list of larger firms that buy."""
        buyers = find_buyers(self.firms.columns, self.environment, len(province_names()), self.parameters)
        self.environment = self.environment._replace(**buyers)

    def _advance_firms(self) -> None:
        """Mechanisms of all firms, and exit and entry."""
        env = self.environment
        env.province_reach_srdi[:] = self.reach["srdi"]
        env.province_reach_giant[:] = self.reach["little_giant"]
        env.disturbed[0] = env.sector_slack.any() or env.niche_slack.any()
        # What reaches the other firms of a county is a part of what members gain.
        used = env.cluster_effects[self.candidates.clusters].any(axis=0)
        env.local_effects_active[0] = used.any()
        used |= env.chain_effects.any(axis=0) | env.programme_effects.any(axis=0)
        self.environment = env._replace(channels_used=np.flatnonzero(used))
        self.moment.credit_counted = int(self.parameters.credit_crowding > 0.0 and used[Channel.credit])
        self.run_pass(take_orders)
        self._pass_over_firms(acts=True)

    def _pass_over_firms(self, acts: bool) -> None:
        """Let all firms act, or not, and count them."""
        for array in self._counting:
            array[:] = 0
        self.run_pass(advance, acts, totals=self._counting, scratch=tile_scratch, long=True)

    def _take_stock(self) -> None:
        """Complete the totals with the new certificates, and renew what firms and leaders will see next quarter."""
        self.run_pass(count_certified, totals=self._counting, scratch=index_scratch)
        complete(self._counting)
        self.totals, self._counting = self._counting, self.totals
        env, totals = self.environment, self.totals
        env.niche_revenue[:] = totals.niche_revenue * 1e3 / max(self.scale, 1.0)
        sums = by_name(totals.clusters, ClusterSum)
        members = np.maximum(sums["firms"], 1)
        env.cluster_digital[:] = sums["digital"] / PARTS / members
        env.cluster_governance[:] = sums["governance"] / PARTS / members
        env.cluster_knowledge[:] = sums["knowledge"] * 1e3 / members
        self._crowd_out_credit()
        if self.market:
            self.market.update()
        self.chain_health.update()

    def _crowd_out_credit(self) -> None:
        """What eased credit takes from the other firms of a province, felt in the next quarter."""
        env, provinces = self.environment, len(province_names())
        if not self.moment.credit_counted:
            env.county_credit[:] = 0.0
            return
        flows = by_name(self.totals.flows.sum(axis=1).reshape(-1, provinces, len(Flow)).sum(axis=0), Flow)
        tighter = crowding_out(flows["credit_eased"], flows["credit_responsive"], self.parameters)
        env.county_credit[:] = tighter[env.county_province]

    def _record(self) -> None:
        self.recorder.record()
        if self.panel:
            self.panel.record()
        if "datacollector" in vars(self):
            self.datacollector.collect(self)


def _latest(column: str, model: SRDIModel):
    return model.recorder.latest[column]
