"""The core step as an ordinary Mesa model: one Python object a firm.

It calls the very rule functions of `sim/mechanisms` as plain Python: it runs in a process of its own with
``NUMBA_DISABLE_JIT=1``, where ``@rule`` returns the function itself, so that few lines are written twice: those in
which the engine's phases look up columns and rows. Parameters and environment are Python numbers and lists, as NumPy
scalars are slow in plain Python. Draws come from `self.random`, as Mesa's users would take them, not from the engine's
hash: results agree statistically only. A vacant slot is an agent too: with a chance a firm is founded in it. Objects
of a small model stay in the processor's caches, which favours this yardstick: firms beyond `MOST_FIRMS` are not timed.

    NUMBA_DISABLE_JIT=1 python -m benchmarks.plain_mesa STATE.pickle 4    # prints JSON
"""

from __future__ import annotations

import json
import math
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import click
import mesa
import numpy as np

from benchmarks.columnar_numpy import GOLDEN, high, low, raw_bits
from benchmarks.state import SEED, CoreState, core_state, plain_record
from scenarios.commands.command import Script
from sim.columns import COLUMNS, FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER, SLACK_PARTS
from sim.draws import unit_noise
from sim.flows import BIRTHS, CLOSED, DEATHS, FIRST_PRODUCTS, LISTINGS, LOST, MOVES, PASSED_ON, SPILLED
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
    support,
    turnover,
)
from sim.terms import AWARD_QUARTERS, SUPPORT_QUARTERS

#: A larger state is replaced by one of this many firms or fewer: Python objects would not fit memory.
MOST_FIRMS, SMALL_SCALE = 12_000, 0.001
X = SimpleNamespace(**support.CHANNEL_INDEX)
UNSUPPORTED = [0.0] * support.N_CHANNELS


def runs(since: int, now: int, quarters: int) -> bool:
    """Whether support granted at the end of quarter `since` is on."""
    return since != NEVER and 0 < now - since <= quarters


class Firm(mesa.Agent):
    """A firm, or a vacant slot (`employment` 0); its attributes are the columns of `sim.columns`."""

    employment: float
    productivity: float
    leverage: float
    age: int
    county: int
    cluster: int
    customer: int
    support: int
    tier: int
    #: What programmes, cluster and chain leader add, by channel.
    channels: list[float]

    def __init__(self, model: PlainModel, slot: int, values: dict, aspiration: float, export_draw: float) -> None:
        super().__init__(model)
        self.slot = slot
        self.__dict__.update(values)
        self.aspiration = aspiration
        self.export_draw = export_draw

    def take_orders(self) -> None:
        """Read the main customer's slack; a link to a closed customer ends."""
        if self.customer >= 0:
            buyer = self.model.firms[self.customer]
            if buyer.employment == 0.0:
                self.customer, self.orders = NEVER, 0
            else:
                self.orders = buyer.slack
        elif self.customer <= -2:
            leader = chain_links.leader_of(self.customer)
            self.orders = math.floor(self.model.env.chain_slack[leader] * SLACK_PARTS + 0.5)

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
        survival = self.channels[X.survival]
        closing = turnover.exit_chance(log_employment, self.age, self.productivity, self.leverage, survival, p)
        if self.random.random() < closing:
            self.close()
            return
        self.size = min(log_employment / 6.907755, 1.0)
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
        self.model.flows[self.model.env.county_place[self.county]][self.sector][flow] += amount

    def look_around(self) -> None:
        """What programmes, cluster and chain leader add."""
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
            self.channels = [sum(parts) for parts in zip(*rows, strict=True)]
        else:
            self.channels = rows[0] if rows else UNSUPPORTED

    def close(self) -> None:
        """Clear the slot; certificates and links end with the firm."""
        self.count(DEATHS)
        if self.tier > 0:
            self.count(CLOSED + self.tier - 1)
        self.employment = self.revenue = self.rd_intensity = self.relabelled = 0.0
        self.rd_last_year = self.rd_before = self.knowledge = self.equity = 0.0
        self.support = self.slack = self.orders = self.flags = self.tier = 0
        self.customer = self.innovative_since = self.srdi_since = self.giant_since = NEVER
        self.awarded_in = self.digitised_in = NEVER

    def found(self) -> None:
        """Put an entrant into the slot: small and varied; R&D, if any, comes later."""
        env, p, draw = self.model.env, self.model.p, self.random.random
        self.employment = max(math.exp(p.entrant_log_size + p.entrant_size_spread * unit_noise(draw())), 1.0)
        self.productivity = p.entrant_productivity + p.productivity_spread * unit_noise(draw())
        sales = env.sector_slack[self.sector] + env.niche_slack[self.niche]
        wage = env.sector_revenue_per_worker[self.sector]
        self.revenue = demand.annual_revenue(self.employment, self.productivity, wage, 0.0, sales, p)
        self.main_share = min(max(p.main_share_mean + 0.15 * unit_noise(draw()), 0.2), 1.0)
        self.leverage = p.leverage_mean * (0.6 + 0.8 * draw())
        self.digital = min(p.entrant_digital * 2.0 * draw(), 1.0)
        self.governance = min(p.entrant_governance * 2.0 * draw(), 1.0)
        self.refinement = 0.5 * p.refinement_base * (1.0 + draw())
        self.growth = self.green = 0.0
        self.constraint = 0.5
        self.age = 0
        self.count(BIRTHS)

    def sell(self) -> None:
        """Demand and exports."""
        env, p, sector, channels = self.model.env, self.model.p, self.sector, self.channels
        before = self.revenue
        able = chain_links.capability(self.refinement, self.digital, self.knowledge, before, p)
        own = env.sector_slack[sector] + env.niche_slack[self.niche]
        orders = self.orders / SLACK_PARTS
        self.lost = lost = stress.slack(own, orders, able, self.model.moment.substitution, p)
        self.slack = math.floor(lost * SLACK_PARTS + 0.5)
        premium = demand.order_premium(self.linked, self.customer >= 0, p)
        per_worker = env.sector_revenue_per_worker[sector]
        sales = channels[X.sales] + lost
        revenue = demand.annual_revenue(self.employment, self.productivity, per_worker, premium, sales, p)
        if lost < 0.0:
            self.count(LOST, int(0.25e-3 * revenue * (math.exp(-lost) - 1.0)))
        self.growth = demand.smoothed_growth(self.growth, revenue, before, p)
        self.revenue = revenue
        self.exporter = env.sector_manufacturing[sector] and exports.exports(
            self.export_draw, self.productivity, self.log_employment, channels[X.exports], p
        )

    def borrow(self) -> None:
        """Debt, access to credit, listing, outside equity."""
        env, p, channels, draw = self.model.env, self.model.p, self.channels, self.random.random
        burden = finance.energy_burden(env.sector_energy_rise[self.sector], self.green, p)
        margin = finance.net_margin(self.productivity, burden, p)
        self.leverage = finance.debt_ratio(self.leverage, margin, draw(), p)
        listed, certified = self.flags & LISTED != 0, self.tier >= 2
        tightening = self.model.moment.credit_tightening
        self.constraint = finance.credit_constraint(
            self.leverage, self.log_employment, certified, listed, channels[X.credit], tightening, p
        )
        paid_in = channels[X.equity_yuan]
        if paid_in > 0.0:
            self.flags |= FUND_BACKED
        if certified and not listed and listing.lists(self.tier, self.revenue, margin, channels[X.listing], draw(), p):
            self.flags |= LISTED
            paid_in += p.listing_raise * self.revenue
            self.count(LISTINGS)
        if self.rd_intensity > 0.0:
            paid_in += finance.equity_round(self.revenue, certified, channels[X.equity_odds], draw(), draw(), p)
        self.equity = finance.outside_equity(self.equity, paid_in)

    def do_research(self) -> None:
        """Who does R&D, how much, and what is reported; sets `funded` and `aspires`."""
        env, p, moment, channels = self.model.env, self.model.p, self.model.moment, self.channels
        draw, sector, log_employment = self.random.random, self.sector, self.log_employment
        intensity = self.rd_intensity
        self.aspires, added, threshold = False, 0.0, 0.0
        if moment.number == 1:
            norm = research.research_norm(env.sector_rd_norm[sector], log_employment, p)
            offsets = env.sector_research[sector], env.county_research[self.county]
            chance = research.participation(log_employment, *offsets, moment.research_trend, p)
            odds = channels[X.research_odds]
            if draw() < research.switching_chance(intensity, chance, self.constraint, odds, p):
                intensity = 0.0 if intensity > 0.0 else research.starting_intensity(norm, draw(), p)
        if intensity > 0.0:
            norm = research.research_norm(env.sector_rd_norm[sector], log_employment, p)
            threshold = research.next_threshold(self.tier, self.revenue, moment)
            reach = moment.reach_giant if self.tier >= 2 else moment.reach_srdi
            served = channels[X.application]
            worth = application_worth(self.constraint, self.governance, served, moment.award_hope, p)
            sme = self.employment < env.sector_sme_employees[sector] or self.revenue < env.sector_sme_revenue[sector]
            self.aspires = sme and is_reached(self.aspiration, reach, log_employment, worth, p)
            intensity = research.intensity_step(intensity, norm, threshold, self.aspires, self.constraint, draw(), p)
            awarded = self.tier == 3 and runs(self.awarded_in, moment.index, AWARD_QUARTERS)
            added = research.added_research(awarded, moment.award_yuan, channels[X.research_yuan], self.revenue, p)
        self.rd_intensity = intensity
        self.funded = funded = intensity + added
        if moment.number == 4:
            strictness = moment.audit_strictness
            share = research.relabelled_share(funded, threshold, self.aspires, strictness, draw(), p)
            self.relabelled = share
            self.rd_before = self.rd_last_year
            self.rd_last_year = funded / (1.0 - share)

    def learn(self) -> None:
        """Knowledge, and domestic firsts in `gain`."""
        env, p, channels = self.model.env, self.model.p, self.channels
        active = self.rd_intensity > 0.0
        pooled = env.cluster_knowledge[self.cluster] if active and self.cluster >= 0 else 0.0
        absorptive = knowledge.absorptive_capacity(self.digital, channels[X.absorption])
        spilled = knowledge.spillover(pooled, absorptive, channels[X.pooling], p)
        passed_on = knowledge.transfer(channels[X.transfer], self.revenue, absorptive)
        own = 0.25 * self.funded * self.revenue
        self.knowledge = knowledge.knowledge_stock(self.knowledge, own, spilled + passed_on, p)
        self.count(SPILLED, int(spilled))
        self.count(PASSED_ON, int(passed_on))
        self.gain = 0.0
        if active and first_of_a_kind.achieves_first(
            env.sector_manufacturing[self.sector],
            env.niche_promoted[self.niche],
            self.knowledge,
            self.revenue,
            channels[X.firsts],
            self.random.random(),
            p,
        ):
            self.gain = p.first_gain
            self.count(FIRST_PRODUCTS)

    def adopt(self) -> None:
        """Digital adoption and governance."""
        env, p, channels, cluster = self.model.env, self.model.p, self.channels, self.cluster
        peers_digital = peers_governance = 0.0
        if cluster >= 0:
            peers_digital, peers_governance = env.cluster_digital[cluster], env.cluster_governance[cluster]
        moment = self.model.moment
        supported = channels[X.digital]
        if runs(self.digitised_in, moment.index, SUPPORT_QUARTERS):
            supported += moment.digital_effect
        push = 1.0 if self.linked else 0.0
        self.digital = digital.adoption(
            *(self.digital, self.governance, self.constraint, self.size),
            *(peers_digital, channels[X.peers], push, supported, p),
        )
        backed = self.equity > 0.05 * self.revenue
        shown, trained = channels[X.demonstration], channels[X.governance]
        self.governance = governance.governance_step(
            self.governance, self.size, peers_governance, shown, trained, backed, p
        )

    def improve(self) -> None:
        """Specialise, refine, go green."""
        p, channels, draw = self.model.p, self.channels, self.random.random
        self.main_share = capability.main_share_step(self.main_share, self.aspires, draw(), p)
        raised = channels[X.refinement]
        self.refinement = capability.refinement_step(
            self.refinement, self.digital, self.linked, self.exporter, raised, draw(), p
        )
        rise = self.model.env.sector_energy_rise[self.sector]
        self.green = capability.green_step(self.green, self.governance, rise, channels[X.green], p)

    def link(self) -> None:
        """Lose or win a main customer: one draw, the chances side by side."""
        env, p, draw = self.model.env, self.model.p, self.random.random
        able = chain_links.capability(self.refinement, self.digital, self.knowledge, self.revenue, p)
        chain = env.niche_chain[self.niche]
        x = draw() - chain_links.ending(able, p)
        if self.customer != NEVER and x < 0.0:
            self.customer = NEVER
            self.flags &= 255 - NEWCOMER
            self.orders = 0
        elif not self.linked and x >= 0.0:
            odds, promoted = self.channels[X.linking], env.niche_promoted[self.niche]
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
                home, provinces = env.county_province[self.county], len(env.move_cluster)
                self.customer = chain_links.choose_buyer(
                    env, chain, home, self.slot, self.revenue, draw(), draw(), provinces, p
                )

    def move(self) -> None:
        """Move to a county cluster."""
        env = self.model.env
        if not env.county_urban[self.county] or self.member:
            return
        province = env.county_province[self.county]
        target, pull = env.move_cluster[province][self.sector], env.move_pull[province][self.sector]
        odds = self.channels[X.moving]
        if target >= 0 and migration.moves(self.tier, pull, odds, self.random.random(), self.model.p):
            self.cluster, self.county = target, env.cluster_county[target]
            self.flags |= MOVED
            self.count(MOVES)

    def grow(self) -> None:
        """Productivity and employment."""
        p, before, commons = self.model.p, self.productivity, self.channels[X.productivity]
        target = productivity.productivity_target(
            self.knowledge, self.revenue, self.digital, self.governance, commons, self.linked, p
        )
        self.productivity = self.gain + productivity.productivity_step(before, target, self.random.random(), p)
        self.employment = growth.employment_step(
            *(self.employment, self.log_employment, before, self.constraint),
            *(self.linked, self.lost, self.random.random(), p),
        )


class PlainModel(mesa.Model):
    """Firms and vacant slots in the environment of a `CoreState`, all in Python numbers and lists."""

    def __init__(self, state: CoreState, seed: int = SEED) -> None:
        super().__init__(seed=seed)
        self.p = plain_record(state.parameters)
        self.env = SimpleNamespace(**{name: value.tolist() for name, value in state.environment._asdict().items()})
        self.flows = state.flows.tolist()
        self.state, self.moment, self.quarters = state, plain_record(state.moment), 0
        columns = [getattr(state.columns, column.name).tolist() for column in COLUMNS]
        names = [column.name for column in COLUMNS]
        raw = raw_bits(state.aspiration_key, np.arange(1, len(columns[0]) + 1, dtype=np.uint64) * GOLDEN)
        draws = zip(high(raw).tolist(), low(raw).tolist(), strict=True)
        rows = zip(zip(*columns, strict=True), draws, strict=True)
        self.firms = [
            Firm(self, slot, dict(zip(names, values, strict=True)), *own) for slot, (values, own) in enumerate(rows)
        ]

    def step(self) -> None:
        """One quarter of all firms."""
        self.moment = plain_record(self.state.ahead(self.quarters)[1])
        self.quarters += 1
        self.agents.do("take_orders")
        self.agents.do("step")

    def living(self) -> int:
        """Firms alive."""
        return sum(firm.employment > 0.0 for firm in self.firms)


def report(path: Path, quarters: int) -> dict:
    """Run the model of a pickled state for some quarters: speed, and the changes of the columns the tests compare.

    The first quarter is not timed.
    """
    model = PlainModel(pickle.loads(path.read_bytes()))
    before = {name: [getattr(firm, name) for firm in model.firms] for name in COMPARED}
    firms, seconds = 0, 0.0
    model.step()
    for _ in range(quarters - 1):
        firms += model.living()
        started = time.perf_counter()
        model.step()
        seconds += time.perf_counter() - started
    after = {name: [getattr(firm, name) for firm in model.firms] for name in COMPARED}
    return {
        "firm_quarters_per_second": firms / seconds,
        "firms": model.living(),
        "steps": quarters,
        "mesa": mesa.__version__,
        "changes": changes(before, after, quarters),
    }


#: Columns whose changes the tests compare; the age tells who survived.
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
    """Mean and standard deviation of the change of each column over the firms that lived all the time."""
    before, after = ({name: np.asarray(values, float) for name, values in part.items()} for part in (before, after))
    stayed = (before["employment"] > 0) & (after["employment"] > 0) & (after["age"] == before["age"] + quarters)
    result = {}
    for name in COMPARED[1:]:
        old, new = before[name][stayed], after[name][stayed]
        change = np.log1p(new) - np.log1p(old) if name in ("employment", "knowledge") else new - old
        result[name] = [float(change.mean()), float(change.std())]
    return result


def run_apart(state: CoreState, quarters: int) -> dict:
    """`report` of a process of its own, where the rules are plain Python."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.pickle"
        path.write_bytes(pickle.dumps(state))
        command = [sys.executable, "-m", "benchmarks.plain_mesa", str(path), str(quarters)]
        environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
        done = subprocess.run(command, env=environment, check=True, capture_output=True, encoding="utf-8")
    return json.loads(done.stdout)


def nanoseconds_per_firm_quarter(state: CoreState, quarters: int) -> float:
    """Wall time of the Mesa model's step; a small state of the same scenario stands in for a large one."""
    if state.firms > MOST_FIRMS:
        state = core_state(SMALL_SCALE, state.run_quarters, state.scenario)
    return 1e9 / run_apart(state, quarters + 1)["firm_quarters_per_second"]


@click.command(cls=Script)
@click.argument("state", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("quarters", type=click.IntRange(1))
def main(state: Path, quarters: int) -> None:
    """Print the report of some quarters from STATE on, as JSON: what `run_apart` runs."""
    click.echo(json.dumps(report(state, quarters)))


if __name__ == "__main__":
    main()
