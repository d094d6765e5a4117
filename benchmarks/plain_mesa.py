"""The core step as an ordinary Mesa model, with one Python object per firm.

It calls the same mechanism functions as the engine (`sim/mechanisms`), but as plain Python: it runs in a separate
process with ``NUMBA_DISABLE_JIT=1``, in which the decorator ``@equation`` returns the function unchanged. Only the
lines in which the engine's phases look up columns and rows are written again. Parameters and environment are Python
numbers and lists, because NumPy scalars are slow in plain Python. Random draws come from `self.random`, as usual in
Mesa, and not from the engine's hash, so results agree only statistically. A vacant slot is also an agent, in which a
firm may be founded. The share of listings admitted stays as it is when the contest begins, as in the engine's part. The
objects of a small model fit in the processor's caches, which favours the Mesa model.
"""

from __future__ import annotations

import math
import pickle
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import mesa
import numpy as np

from benchmarks import fresh_process
from benchmarks.state import SEED, CoreState
from sim.firms.columns import COLUMNS, FUND_BACKED, LISTED, LOG_PARTS, MOVED, NEVER, NEWCOMER
from sim.firms.terms import AWARD_QUARTERS, SUPPORT_QUARTERS, runs
from sim.flows import APPLICATION_PARTS, Flow
from sim.ladder.application import application_worth, is_reached
from sim.mechanisms import (
    capability,
    chain_links,
    demand,
    digital,
    exports,
    finance,
    first_of_a_kind,
    governance,
    growth,
    knowledge,
    listing,
    migration,
    productivity,
    research,
    stress,
    turnover,
)
from sim.mechanisms.size import size_factor
from sim.mechanisms.support import Channel
from sim.numerics.draws import TIMELESS, Purpose, stream_key, uniform_pair, unit_noise
from sim.phases.capabilities import BACKED_ABOVE
from sim.phases.sales import log_parts

#: At a larger scale, the Python objects would not fit in memory.
LARGEST_SCALE = 0.001
UNSUPPORTED = [0.0] * len(Channel)


class Firm(mesa.Agent):
    """A firm, or a vacant slot (`employment` 0); its attributes are the columns of `sim.firms.columns`."""

    employment: float
    productivity: float
    leverage: float
    age: int
    county: int
    cluster: int
    customer: int
    support: int
    tier: int
    #: Support from programmes, cluster and chain leader, by channel.
    channels: list[float]

    def __init__(self, model: PlainModel, slot: int, values: dict, lasting: tuple[float, float, float]) -> None:
        super().__init__(model)
        self.slot = slot
        self.__dict__.update(values)
        self.aspiration, self.export_draw, self.rd_firm_effect = lasting
        self.relabels, self.ambition = self.random.random(), self.random.random()

    def take_orders(self) -> None:
        """Read the main customer's slack; a link to a closed customer ends."""
        if self.customer >= 0:
            buyer = self.model.firms[self.customer]
            if buyer.employment == 0.0:
                self.customer, self.orders = NEVER, 0
            else:
                self.orders = buyer.slack
        elif chain_links.is_leader(self.customer):
            leader = chain_links.leader_of(self.customer)
            self.orders = log_parts(self.model.env.chain_slack[leader])

    def step(self) -> None:
        """One quarter."""
        model = self.model
        p = model.p
        if self.employment == 0.0:
            if self.random.random() < turnover.entry_chance(model.env.county_entry[self.county], p):
                self.found()
            return
        self.look_around()
        self.log_employment = log_employment = math.log(self.employment)
        survival = self.channels[Channel.survival]
        closing = turnover.exit_chance(log_employment, self.age, self.productivity, self.leverage, survival, p)
        if self.random.random() < closing:
            self.close()
            return
        self.size = size_factor(log_employment)
        self.sell()
        self.borrow()
        self.do_research()
        self.learn()
        self.adopt()
        self.improve()
        self.link()
        if model.moment.number == 1:
            self.move()
        self.grow()
        self.age += 1

    def count(self, flow: int, amount: int = 1) -> None:
        """Add to a flow of the firm's place and sector."""
        self.model.flows[self.model.env.county_place[self.county], self.sector, flow] += amount

    def look_around(self) -> None:
        """Sum the support from programmes, cluster and chain leader."""
        env = self.model.env
        cluster = self.cluster
        self.member = cluster >= 0 and env.cluster_active[cluster]
        leader = chain_links.leader_of(self.customer)
        self.linked = leader >= 0
        rows = []
        if self.support:
            rows = [row for bit, row in enumerate(env.programme_effects) if self.support >> bit & 1]
        if self.member:
            rows.append(env.cluster_effects[cluster])
        elif env.county_active[self.county]:
            rows.append(env.county_effects[self.county])
        if self.linked:
            rows.append(env.chain_effects[leader])
        if len(rows) > 1:
            self.channels = [sum(effects) for effects in zip(*rows, strict=True)]
        else:
            self.channels = rows[0] if rows else UNSUPPORTED

    def close(self) -> None:
        """Clear the slot; certificates and links end with the firm."""
        self.count(Flow.deaths)
        if self.tier > 0:
            self.count(Flow.closed_innovative + self.tier - 1)
        self.employment = self.revenue = self.rd_intensity = self.relabelled = 0.0
        self.rd_last_year = self.rd_before = self.knowledge = self.equity = 0.0
        self.support = self.slack = self.orders = self.demand = self.flags = self.tier = 0
        self.customer = self.innovative_since = self.srdi_since = self.giant_since = NEVER
        self.awarded_in = self.digitised_in = NEVER

    def found(self) -> None:
        """Put an entrant into the slot, small and with random properties; it may start R&D later."""
        env, p, draw = self.model.env, self.model.p, self.random.random
        self.employment = max(math.exp(p.entrant_log_size + p.entrant_size_spread * unit_noise(draw())), 1.0)
        noise = unit_noise(draw())
        self.productivity = p.entrant_productivity + p.productivity_spread * noise
        self.permanent = log_parts(productivity.permanent_part(noise, unit_noise(draw()), p))
        pressure = env.niche_pressure[self.niche]
        sales = env.sector_slack[self.sector] + env.niche_slack[self.niche] + pressure
        sales += demand.own_making(self.rd_firm_effect, p) - growth.carried_by_staff(pressure, p)
        self.demand = log_parts(pressure)
        wage = env.sector_revenue_per_worker[self.sector]
        self.revenue = demand.annual_revenue(self.employment, self.productivity, wage, 0.0, sales)
        self.main_share = min(max(p.main_share_mean + 0.15 * unit_noise(draw()), 0.2), 1.0)
        self.leverage = p.leverage_mean * (0.6 + 0.8 * draw())
        self.digital = min(p.entrant_digital * 2.0 * draw(), 1.0)
        self.governance = min(p.entrant_governance * 2.0 * draw(), 1.0)
        self.refinement = 0.5 * p.refinement_base * (1.0 + draw())
        self.growth = self.green = 0.0
        self.constraint = 0.5
        self.age = 0
        self.count(Flow.births)

    def sell(self) -> None:
        """Demand and exports."""
        env, p, sector, channels = self.model.env, self.model.p, self.sector, self.channels
        before = self.revenue
        able = chain_links.capability(self.refinement, self.digital, self.knowledge, before, p)
        own = env.sector_slack[sector] + env.niche_slack[self.niche]
        orders = self.orders / LOG_PARTS
        self.lost = lost = stress.slack(own, orders, able, self.model.moment.substitution, p)
        self.slack = log_parts(lost)
        premium = demand.order_premium(self.linked, self.customer >= 0, p)
        per_worker = env.sector_revenue_per_worker[sector]
        lasting = channels[Channel.sales] + env.niche_pressure[self.niche]
        making = demand.own_making(self.rd_firm_effect, p)
        sales = lasting + lost + making - growth.carried_by_staff(self.demand / LOG_PARTS, p)
        revenue = demand.annual_revenue(self.employment, self.productivity, per_worker, premium, sales)
        self.load = research.staff_load(self.model.moment.research_wage, p)
        revenue *= demand.selling_share(revenue / self.employment, self.load * self.rd_intensity)
        now = log_parts(lasting + math.log(1.0 + premium))
        self.hired = growth.demand_hiring((now - self.demand) / LOG_PARTS, p)
        self.demand = now
        if lost < 0.0:
            self.count(Flow.lost, int(0.25e-3 * revenue * (math.exp(-lost) - 1.0)))
        self.growth = demand.smoothed_growth(self.growth, revenue, before, p)
        self.revenue = revenue
        self.exporter = env.sector_manufacturing[sector] and exports.exports(
            self.export_draw, self.productivity, self.log_employment, channels[Channel.exports], p
        )

    def borrow(self) -> None:
        """Debt, access to credit, listing, outside equity."""
        env, p, channels, draw = self.model.env, self.model.p, self.channels, self.random.random
        burden = finance.energy_burden(env.sector_energy_rise[self.sector], self.green, p)
        margin = finance.net_margin(self.productivity, burden, self.research_cost(), p)
        self.leverage = finance.debt_ratio(self.leverage, margin, draw(), p)
        listed, certified = self.flags & LISTED != 0, self.tier >= 2
        eased = channels[Channel.credit]
        tightening = self.model.moment.credit_tightening + env.county_credit[self.county]
        risk = finance.credit_risk(self.leverage, self.log_employment, eased, tightening, p)
        self.constraint = finance.credit_constraint(risk, certified, listed, p)
        paid_in = channels[Channel.equity_yuan]
        if paid_in > 0.0:
            self.flags |= FUND_BACKED
        odds = channels[Channel.listing]
        if certified and not listed:
            chance = listing.application_chance(self.tier, self.revenue, margin, odds, p)
            self.count(Flow.listing_applications, int(chance * APPLICATION_PARTS))
            if draw() < chance * self.model.moment.listing_admitted:
                self.flags |= LISTED
                paid_in += p.listing_raise * self.revenue
                self.count(Flow.listings)
        if self.rd_intensity > 0.0:
            paid_in += finance.equity_round(self.revenue, certified, channels[Channel.equity_odds], draw(), draw(), p)
        self.equity = finance.outside_equity(self.equity, paid_in)

    def research_cost(self) -> float:
        """Net cost of R&D over what is usual in the sector, as a share of revenue."""
        env, p, moment, channels = self.model.env, self.model.p, self.model.moment, self.channels
        awarded = self.tier == 3 and runs(self.awarded_in, moment.index, AWARD_QUARTERS)
        granted = channels[Channel.grant_yuan] + (4.0 * moment.award_yuan if awarded else 0.0)
        bought = channels[Channel.research_yuan]
        added = research.added_research(awarded, moment.award_yuan, bought, self.revenue, p)
        usual = env.sector_rd_usual[self.sector]
        relabelled = self.rd_last_year * self.relabelled if self.rd_intensity > 0.0 else 0.0
        return finance.research_burden(self.rd_intensity + added, usual, granted / self.revenue, relabelled, p)

    def do_research(self) -> None:
        """Participation in R&D, its intensity and the reported share; sets `funded` and `aspires`."""
        env, p, moment, channels = self.model.env, self.model.p, self.model.moment, self.channels
        draw, sector, log_employment = self.random.random, self.sector, self.log_employment
        intensity = self.rd_intensity
        self.aspires, added, threshold = False, 0.0, 0.0
        if moment.number == 1:
            norm = research.research_norm(env.sector_rd_norm[sector], log_employment, self.rd_firm_effect, p)
            offsets = env.sector_research[sector], env.county_research[self.county]
            chance = research.participation(log_employment, self.rd_firm_effect, *offsets, moment.research_trend, p)
            odds = channels[Channel.research_odds]
            if intensity > 0.0:
                switching = research.stopping_chance(self.tier, chance, p)
            else:
                switching = research.starting_chance(chance, self.constraint, odds, moment.research_dear, p)
            if draw() < switching:
                intensity = 0.0 if intensity > 0.0 else research.starting_intensity(norm, draw(), p)
        if intensity > 0.0:
            norm = research.research_norm(env.sector_rd_norm[sector], log_employment, self.rd_firm_effect, p)
            threshold = research.next_threshold(self.tier, self.revenue, moment)
            reached = env.province_reach_giant if self.tier >= 2 else env.province_reach_srdi
            reach = reached[env.county_province[self.county]]
            served = channels[Channel.application]
            worth = application_worth(self.constraint, self.governance, served, moment.award_hope, p)
            sme = self.employment < env.sector_sme_employees[sector] or self.revenue < env.sector_sme_revenue[sector]
            self.aspires = sme and is_reached(self.aspiration, reach, log_employment, worth, p)
            if self.tier >= 2 and sme and not self.aspires:
                self.aspires, threshold = True, research.own_threshold(self.tier, self.revenue, moment)
            effort = 0.0
            if p.review_effort > 0.0 and sme and self.comes_up():
                effort, self.aspires = p.review_effort, True
                threshold = research.own_threshold(self.tier, self.revenue, moment)
            aim = research.intensity_aimed_at(threshold, self.ambition, moment, p)
            asked = threshold if intensity < threshold else aim
            inclined = self.relabels < research.relabelling_chance(intensity, asked, moment.audit_strictness, p)
            pulled = self.aspires and not (inclined and p.relabel_lasting > 0.0)
            pull = research.threshold_pull(intensity, threshold, aim if pulled else 0.0, self.constraint, effort, p)
            intensity = research.intensity_step(intensity, norm, pull, moment.demand_swing, draw(), p)
            awarded = self.tier == 3 and runs(self.awarded_in, moment.index, AWARD_QUARTERS)
            bought = channels[Channel.research_yuan]
            added = research.added_research(awarded, moment.award_yuan, bought, self.revenue, p)
        change = intensity - self.rd_intensity
        self.hired += growth.research_hiring(change, self.load, self.revenue, self.employment)
        self.rd_intensity = intensity
        self.funded = funded = intensity + added
        if moment.number == 4:
            strictness = moment.audit_strictness
            u = self.relabels if p.relabel_lasting > 0.0 else draw()
            relabels = self.aspires
            if p.relabel_lasting > 0.0 and self.tier >= 2 and not relabels and funded > 0.0:
                relabels, threshold = True, research.own_threshold(self.tier, self.revenue, moment)
            level = threshold
            aim = research.intensity_aimed_at(threshold, self.ambition, moment, p)
            for band in env.rd_bands:
                if threshold < band <= aim and u < research.relabelling_chance(funded, band, strictness, p):
                    level = band
            share = research.relabelled_share(funded, level, relabels, strictness, u, p)
            self.relabelled = share
            self.rd_before = self.rd_last_year
            self.rd_last_year = funded / (1.0 - share)

    def comes_up(self) -> bool:
        """Whether the SRDI or little-giant certificate is in its last year."""
        moment = self.model.moment
        if self.tier == 3:
            return moment.index - self.giant_since >= moment.validity_giant - 4
        return self.tier == 2 and moment.index - self.srdi_since >= moment.validity_srdi - 4

    def learn(self) -> None:
        """Knowledge stock, and the gain from domestic firsts in `gain`."""
        env, p, channels = self.model.env, self.model.p, self.channels
        active = self.rd_intensity > 0.0
        pooled = env.cluster_knowledge[self.cluster] if active and self.cluster >= 0 else 0.0
        absorptive = knowledge.absorptive_capacity(self.digital, channels[Channel.absorption])
        spilled = knowledge.spillover(pooled, absorptive, channels[Channel.pooling], p)
        passed_on = knowledge.transfer(channels[Channel.transfer], self.revenue, absorptive)
        own = 0.25 * self.funded * self.revenue / self.model.moment.research_price
        self.knowledge = knowledge.knowledge_stock(self.knowledge, own, spilled + passed_on, p)
        self.count(Flow.spilled, int(spilled))
        self.count(Flow.passed_on, int(passed_on))
        self.gain = 0.0
        promoted = env.sector_manufacturing[self.sector] and env.niche_promoted[self.niche]
        odds, u = channels[Channel.firsts], self.random.random()
        if active and first_of_a_kind.achieves_first(promoted, self.knowledge, self.revenue, odds, u, p):
            self.gain = p.first_gain
            self.count(Flow.firsts)

    def adopt(self) -> None:
        """Digital adoption and governance."""
        env, p, channels, cluster = self.model.env, self.model.p, self.channels, self.cluster
        peers_digital = peers_governance = 0.0
        if cluster >= 0:
            peers_digital, peers_governance = env.cluster_digital[cluster], env.cluster_governance[cluster]
        moment = self.model.moment
        supported = channels[Channel.digital]
        if runs(self.digitised_in, moment.index, SUPPORT_QUARTERS):
            supported += moment.digital_effect
        push = 1.0 if self.linked else 0.0
        drive = digital.adoption_drive(self.digital, self.size, peers_digital, channels[Channel.peers], push, p)
        self.digital = digital.adoption(self.digital, drive, self.governance, self.constraint, supported)
        copied = governance.copied_governance(self.governance, peers_governance, channels[Channel.demonstration])
        backed = self.equity > BACKED_ABOVE * self.revenue
        trained = channels[Channel.governance]
        self.governance = governance.governance_step(self.governance, self.size, copied, trained, backed, p)

    def improve(self) -> None:
        """Specialisation, refinement, green technology."""
        p, channels, draw = self.model.p, self.channels, self.random.random
        self.main_share = capability.main_share_step(self.main_share, self.aspires, draw(), p)
        raised = channels[Channel.refinement]
        target = capability.refinement_target(self.digital, self.linked, self.exporter, raised, p)
        self.refinement = capability.refinement_step(self.refinement, target, draw(), p)
        rise = self.model.env.sector_energy_rise[self.sector]
        self.green = capability.green_step(self.green, self.governance, rise, channels[Channel.green], p)

    def link(self) -> None:
        """Lose or win a main customer; one random draw decides between all outcomes."""
        env, p, draw = self.model.env, self.model.p, self.random.random
        able = chain_links.capability(self.refinement, self.digital, self.knowledge, self.revenue, p)
        chain = env.niche_chain[self.niche]
        x = draw() - chain_links.ending(able, p)
        if self.customer != NEVER and x < 0.0:
            self.customer = NEVER
            self.flags &= 255 - NEWCOMER
            self.orders = 0
        elif not self.linked and x >= 0.0:
            odds, promoted = self.channels[Channel.linking], env.niche_promoted[self.niche]
            first = chain_links.admission(able, self.size, env.chain_openness[chain], promoted, odds, p)
            other = int(draw() * len(env.chain_invitation))
            second = chain_links.invitation(able, env.chain_invitation[other], p) if other != chain else 0.0
            bought = first + second + chain_links.purchase(able, self.size, odds, p)
            if x < first:
                self.customer = chain_links.leader_code(chain)
            elif x < first + second:
                self.customer = chain_links.leader_code(other)
                self.flags |= NEWCOMER
            elif self.customer == NEVER and x < bought:
                buyers = chain_links.buyers_of(env, chain, env.county_province[self.county], draw(), p)
                self.customer = chain_links.choose_buyer(env, buyers, self.slot, self.revenue, draw())

    def move(self) -> None:
        """Move to a county cluster."""
        env = self.model.env
        if not env.county_urban[self.county] or self.member:
            return
        province = env.county_province[self.county]
        target, pull = int(env.move_cluster[province, self.sector]), env.move_pull[province][self.sector]
        odds = self.channels[Channel.moving]
        if target >= 0 and migration.moves(self.tier, pull, odds, self.random.random(), self.model.p):
            self.cluster, self.county = target, env.cluster_county[target]
            self.flags |= MOVED
            self.count(Flow.moves)

    def grow(self) -> None:
        """Productivity and employment."""
        p, before, commons = self.model.p, self.productivity, self.channels[Channel.productivity]
        known = productivity.knowledge_productivity(self.knowledge, self.revenue, p)
        target = productivity.productivity_target(known, self.digital, self.governance, commons, self.linked, p)
        target += self.permanent / LOG_PARTS
        self.productivity = self.gain + productivity.productivity_step(before, target, self.random.random(), p)
        trend = growth.employment_trend(before, self.constraint, self.log_employment, self.lost, p) + self.hired
        self.employment = growth.employment_step(
            self.employment, self.log_employment, trend, self.linked, self.random.random(), p
        )


class PlainModel(mesa.Model):
    """Firms and vacant slots in the environment of a `CoreState`, all in Python numbers and lists."""

    def __init__(self, state: CoreState, seed: int = SEED) -> None:
        super().__init__(seed=seed)
        self.p, self.moment = plain_record(state.parameters), plain_record(state.moment)
        self.env = SimpleNamespace(**{name: value.tolist() for name, value in state.environment._asdict().items()})
        self.env.move_cluster = state.environment.move_cluster  # an array, because a mechanism function uses its shape
        self.flows: Counter[tuple[int, int, int]] = Counter()  # by place, sector and Flow
        names = [column.name for column in COLUMNS]
        rows = zip(*(column.tolist() for column in state.columns), strict=True)
        aspiration, norm = (stream_key(seed, TIMELESS, each) for each in (Purpose.ASPIRATION, Purpose.RESEARCH_NORM))

        def lasting(slot: int) -> tuple[float, float, float]:
            aspires, exports = uniform_pair(aspiration, slot)
            return float(aspires), float(exports), float(research.rd_firm_effect(norm, slot, self.p))

        with np.errstate(over="ignore"):  # the hash of random draws relies on overflow
            self.firms = [
                Firm(self, slot, dict(zip(names, row, strict=True)), lasting(slot)) for slot, row in enumerate(rows)
            ]

    def step(self) -> None:
        """One quarter of all firms."""
        self.moment.index += 1
        self.moment.number = self.moment.number % 4 + 1
        self.agents.do("take_orders")
        self.agents.do("step")

    def active_firms(self) -> int:
        """Number of active firms."""
        return sum(firm.employment > 0.0 for firm in self.firms)


def plain_record(record: np.record) -> SimpleNamespace:
    """The fields of a record as Python numbers."""
    return SimpleNamespace(**{name: record[name].item() for name in record.dtype.names or ()})


def report(state: str, quarters: int) -> dict:
    """Run the model of a pickled `CoreState` for one quarter, and then for `quarters` more, which are timed.

    Returns:
        nanoseconds per firm-quarter, firms at the end, and changes of the columns that tests compare.
    """
    model = PlainModel(pickle.loads(Path(state).read_bytes()))
    before = {name: [getattr(firm, name) for firm in model.firms] for name in COMPARED}
    firms, seconds = 0, 0.0
    model.step()
    for _ in range(quarters):
        firms += model.active_firms()
        started = time.perf_counter()
        model.step()
        seconds += time.perf_counter() - started
    after = {name: [getattr(firm, name) for firm in model.firms] for name in COMPARED}
    return {
        "nanoseconds": 1e9 * seconds / firms,
        "firms": model.active_firms(),
        "changes": changes(before, after, quarters + 1),
    }


#: Columns whose changes the tests compare; the age identifies surviving firms.
COMPARED = (
    "age",
    "employment",
    "productivity",
    "digital",
    "governance",
    "refinement",
    "green",
    "leverage",
    "knowledge",
)


def changes(before: dict, after: dict, quarters: int) -> dict[str, list[float]]:
    """Mean and standard deviation of the change of each column over the firms that survived."""
    before, after = (
        {name: np.asarray(values, float) for name, values in columns.items()} for columns in (before, after)
    )
    survived = (before["employment"] > 0) & (after["employment"] > 0) & (after["age"] == before["age"] + quarters)
    result = {}
    for name in COMPARED[1:]:
        old, new = before[name][survived], after[name][survived]
        change = np.log1p(new) - np.log1p(old) if name in ("employment", "knowledge") else new - old
        result[name] = [float(change.mean()), float(change.std())]
    return result


def run_in_fresh_process(state: CoreState, quarters: int) -> dict:
    """Call `report` in a fresh process, in which the mechanism functions are plain Python."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.pickle"
        path.write_bytes(pickle.dumps(state))
        environment = {"NUMBA_DISABLE_JIT": "1"}
        return fresh_process.call("benchmarks.plain_mesa:report", environment, state=str(path), quarters=quarters)
