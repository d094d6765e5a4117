"""The core step as Polars expressions over a DataFrame of the firms' columns.

The rules, parameters, columns and counter-based draws are those of `sim/engine.py`, so that the two can be
compared firm by firm. What holds for every firm is a chain of lazy expressions in float32, which Polars runs on
threads of its own (`POLARS_MAX_THREADS`); what few firms do (research, listing, links, moves) is done on filtered
rows and put back. Vacant slots are computed along and their results dropped: that keeps the rows in slot order,
which the main customers need, and costs less than filtering all columns and sorting them back.

NumPy does three things, counted as part of the step: the draws (wrapping 64-bit arithmetic in Polars gives the same
bits, but took six times as long), the choice of a buyer, and adding the flows of the few firms that have any.
"""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl

from benchmarks.columnar_numpy import CLEARED, FORGOTTEN, GOLDEN, LOG_20, LOG_50, find_buyers, high, low, raw_bits
from benchmarks.state import CoreState, local_effects, plain_record, timed
from sim.columns import COLUMNS, FUND_BACKED, LISTED, MOVED, NEVER, NEWCOMER, SLACK_PARTS, Columns
from sim.draws import Purpose
from sim.environment import Environment
from sim.flows import BIRTHS, CLOSED, DEATHS, FIRST_PRODUCTS, LISTINGS, LOST, MOVES, PASSED_ON, SPILLED
from sim.mechanisms.support import CHANNEL_INDEX
from sim.terms import AWARD_QUARTERS, SUPPORT_QUARTERS

DRAW_BLOCK = 1 << 16
#: Slots that go through the step at a time: the fastest of 2^18 to 2^21 where it was measured.
SLICE = 1 << 20
INDEX = pl.UInt32
#: Columns that the expressions for all firms write.
CHANGED: tuple[str, ...]
CHANGED = ("employment", "productivity", "revenue", "growth", "rd_intensity", "relabelled", "rd_last_year", "rd_before")
CHANGED += ("knowledge", "main_share", "refinement", "digital", "governance", "green", "leverage", "constraint")
CHANGED += ("equity", "slack")
#: Columns that the research rules read.
RESEARCHED: tuple[str, ...]
RESEARCHED = ("rd_intensity", "tier", "revenue", "constraint", "governance", "log_employment", "employment", "own_u")
RESEARCHED += ("awarded_in", "digital", "knowledge", "learned", "manufacturing", "niche")
c = pl.col


def frame_of(columns: Columns) -> pl.DataFrame:
    """The columns with their slot, one row a slot in slot order."""
    frame = pl.DataFrame({column.name: values for column, values in zip(COLUMNS, columns, strict=True)})
    return frame.with_row_index("slot")


def step(frame: pl.DataFrame, state: CoreState) -> pl.DataFrame:
    """All firms one quarter on; of the state, all but its columns, for which the frame stands."""
    env = state.environment
    q = SimpleNamespace(env=env, keys=state.keys, flows=state.flows, key=state.aspiration_key)
    q.p, q.moment = plain_record(state.parameters), plain_record(state.moment)
    q.places = local_effects(env)
    frame = take_orders(frame, env)
    q.calm = not (env.sector_slack.any() or env.niche_slack.any() or (frame["orders"] != 0).any())
    return pl.concat([_advance(frame.slice(start, SLICE), q) for start in range(0, frame.height, SLICE)])


def _advance(frame: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """One slice of the slots one quarter on."""
    vacant = frame["employment"] == 0
    work = _links(_acted(frame, q).with_columns(**_kept()), q)
    if q.moment.number == 1:
        work = _moves(work, q)
    work = _exits(work, q)
    return _entries(work.select("slot", *(column.name for column in COLUMNS)), vacant, q)


def _acted(frame: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """One slice of the slots with all that firms did but for links and moves, beside the old values."""
    old = frame.select(c(*CHANGED).name.prefix("old_"))
    work = _with_support(frame, q).with_columns(_draws(frame, q)).hstack(old).lazy()
    for part in (_places, _start, _demand, _finance, _after_finance):
        work = work.with_columns(**part(q))
    work = _events(work.collect(), q).lazy()
    for part in (_adopt, _improve, _grow):
        work = work.with_columns(**part(q))
    return work.collect()


# --- helpers


def _table(values: np.ndarray, index: str | pl.Expr) -> pl.Expr:
    """Look up rows of a table, float64 ones in float32."""
    values = values.astype(np.float32) if values.dtype == np.float64 else np.ascontiguousarray(values)
    index = c(index) if isinstance(index, str) else index
    return pl.lit(pl.Series(values)).gather(index.cast(INDEX))


def _put(frame: pl.DataFrame, rows: pl.Series, **values: Any) -> pl.DataFrame:
    """The frame with new values in some rows (slots)."""
    if not len(rows):
        return frame
    rows, changed = rows - frame["slot"][0], []
    for name, value in values.items():
        column = frame[name]
        if isinstance(value, np.ndarray):
            value = pl.Series(value)
        changed.append(column.scatter(rows, value.cast(column.dtype) if isinstance(value, pl.Series) else value))
    return frame.with_columns(changed)


def _some(work: pl.DataFrame, q: SimpleNamespace, condition: pl.Expr, *names: str) -> pl.DataFrame:
    """The named columns of some surviving firms, and what their channels need; no other column is filtered."""
    wanted = dict.fromkeys(("slot", "county", "sector", "place", "leader", *q.programmes, *names))
    return work.lazy().filter(c("survives") & condition).select(*wanted).collect()


def _raw(q: SimpleNamespace, purpose: Purpose, rows: pl.DataFrame) -> np.ndarray:
    """Random bits of some rows: uint64."""
    return raw_bits(q.keys[purpose], (rows["slot"].to_numpy().astype(np.uint64) + np.uint64(1)) * GOLDEN)


def _draw(q: SimpleNamespace, purpose: Purpose, rows: pl.DataFrame) -> pl.Series:
    """First uniform draw of some rows."""
    return pl.Series(high(_raw(q, purpose, rows)))


def _draws(frame: pl.DataFrame, q: SimpleNamespace) -> list[pl.Series]:
    """The draws that all firms need, in blocks that stay in the cache."""
    wanted: list[tuple[str, str, Purpose | None]]
    wanted = [("exit_u", "", Purpose.EXIT), ("finance_u", "", Purpose.FINANCE), ("chain_u", "", Purpose.CHAIN)]
    wanted += [("capability_u", "capability_v", Purpose.CAPABILITY), ("luck_u", "", Purpose.PRODUCTIVITY)]
    wanted += [("growth_u", "", Purpose.GROWTH), ("own_u", "own_v", None)]
    if q.moment.number == 1:
        wanted.append(("start_u", "start_v", Purpose.RESEARCH_START))
    slots, start = frame.height, frame["slot"][0]
    drawn = {name: np.empty(slots, np.float32) for first, second, _ in wanted for name in (first, second) if name}
    for lo in range(0, slots, DRAW_BLOCK):
        part = slice(lo, min(lo + DRAW_BLOCK, slots))
        position = np.arange(start + part.start + 1, start + part.stop + 1, dtype=np.uint64) * GOLDEN
        for first, second, purpose in wanted:
            raw = raw_bits(q.key if purpose is None else q.keys[purpose], position)
            drawn[first][part] = high(raw)
            if second:
                drawn[second][part] = low(raw)
    return [pl.Series(name, values) for name, values in drawn.items()]


def _noise(u: str) -> pl.Expr:
    return (c(u) - 0.5) * 3.4641016


def _count(q: SimpleNamespace, rows: pl.DataFrame, flow: Any, amount: Any = 1) -> None:
    """Add the rows' amounts to a flow of their place and sector."""
    place = q.env.county_place[rows["county"].to_numpy()]
    np.add.at(q.flows, (place, rows["sector"].to_numpy(), flow), amount)


def _channel(q: SimpleNamespace, name: str) -> pl.Expr:
    """Support through a channel; a number if no lever feeds it."""
    k = CHANNEL_INDEX[name]
    total = pl.lit(0.0, dtype=pl.Float32)
    if q.places[:, k].any():
        total = total + _table(q.places[:, k], "place")
    if q.env.chain_effects[:, k].any():
        total = total + _table(np.append(q.env.chain_effects[:, k], 0.0), "leader")
    if f"by_{name}" in q.programmes:
        total = total + c(f"by_{name}")
    return total


def _runs(since: str, q: SimpleNamespace, quarters: int) -> pl.Expr:
    return (c(since) != NEVER) & (c(since) < q.moment.index) & (c(since) >= q.moment.index - quarters)


def _depth(q: SimpleNamespace) -> pl.Expr:
    return c("knowledge") / (c("knowledge") + q.p.capability_depth * c("revenue"))


def _capability(q: SimpleNamespace) -> pl.Expr:
    return (c("refinement") + c("digital") + _depth(q)) / 3.0


def take_orders(frame: pl.DataFrame, env: Environment) -> pl.DataFrame:
    """The main customers' slack, before the quarter changes it; links to closed customers end."""
    led = frame.select("slot", "customer").filter(c("customer") <= -2)
    slack = pl.Series(np.floor(env.chain_slack * SLACK_PARTS + 0.5).astype(np.int16))
    orders = slack.gather((-2 - led["customer"]).cast(INDEX))
    supplied = frame.select("slot", "customer").filter(c("customer") >= 0)
    customer = supplied["customer"].cast(INDEX)
    closed = frame["employment"].gather(customer) == 0.0
    theirs = frame["slack"].gather(customer).zip_with(~closed, pl.zeros(len(closed), pl.Int16, eager=True))
    frame = _put(_put(frame, led["slot"], orders=orders), supplied["slot"], orders=theirs)
    return _put(frame, supplied["slot"].filter(closed), customer=NEVER)


def _with_support(frame: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """The frame with a column for every channel that programmes feed: one sum for each pattern of support bits."""
    env = q.env
    q.programmes = []
    patterns = frame["support"].unique().to_numpy()
    if not patterns.any():
        return frame
    bits = (patterns[:, None] >> np.arange(len(env.programme_effects), dtype=np.uint32)) & 1
    sums = (bits @ env.programme_effects).astype(np.float32)
    fed = {f"by_{name}": sums[:, k] for name, k in CHANNEL_INDEX.items() if sums[:, k].any()}
    q.programmes = list(fed)
    return frame.join(pl.DataFrame({"support": patterns, **fed}), on="support", how="left", maintain_order="left")


# --- what holds for every firm, as columns named like the firm's


def _places(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Rows of the tables of places and leaders."""
    customer, clusters = c("customer"), len(q.env.cluster_active)
    chains = len(q.env.chain_openness)
    return {
        "place": pl.when(c("cluster") >= 0).then(c("cluster").cast(pl.Int32)).otherwise(c("county") + pl.lit(clusters)),
        "leader": pl.when(customer <= -2).then(-2 - customer).otherwise(chains),
        "linked": customer <= -2,
        "log_employment": c("employment").log(),
        "before": c("revenue"),
    }


def _start(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Who survives, and slack."""
    p, env = q.p, q.env
    x = (
        p.exit_leverage * (c("leverage") - p.leverage_mean).clip(lower_bound=0.0)
        - p.exit_size * c("log_employment")
        - p.exit_productivity * c("productivity")
        - _channel(q, "survival")
        - p.exit_age * (0.25 * c("age").cast(pl.Float32)).log1p()
    )
    hazard = (p.exit_base * x.exp()).clip(upper_bound=0.5)
    lost = pl.lit(0.0, dtype=pl.Float32)
    if not q.calm:
        passed = p.order_share * (1.0 - p.redirect * q.moment.substitution * _capability(q))
        own = _table(env.sector_slack, "sector") + _table(env.niche_slack, "niche")
        lost = (own + passed * (c("orders").cast(pl.Float32) / SLACK_PARTS)).clip(lower_bound=-4.0)
    return {
        "survives": (c("employment") > 0) & (c("exit_u") >= hazard),
        "dies": (c("employment") > 0) & (c("exit_u") < hazard),
        "lost": lost,
        "size": (c("log_employment") / 6.907755).clip(upper_bound=1.0),
    }


def _demand(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Revenue and exports."""
    p, env = q.p, q.env
    led = pl.when(c("linked")).then(pl.lit(1.0 + p.order_premium, dtype=pl.Float32))
    premium = led.when(c("customer") >= 0).then(pl.lit(1.0 + p.order_premium_buyer, dtype=pl.Float32))
    sales = c("productivity") + _channel(q, "sales") + c("lost")
    revenue = c("employment") * _table(env.sector_revenue_per_worker, "sector") * sales.exp()
    x = p.export_base + p.export_productivity * c("productivity") + p.export_size * (c("log_employment") - LOG_20)
    sells = c("own_v") * (1.0 + (-(x + _channel(q, "exports"))).exp()) < 1.0
    burden = p.energy_incidence * _table(env.sector_energy_rise, "sector") * (1.0 - p.green_saving * c("green"))
    return {
        "revenue": revenue * premium.otherwise(pl.lit(1.0, dtype=pl.Float32)),
        "manufacturing": _table(env.sector_manufacturing, "sector"),
        "exporter": _table(env.sector_manufacturing, "sector") & sells,
        "slack": (c("lost") * SLACK_PARTS + 0.5).floor().cast(pl.Int16, strict=False),
        "margin": p.margin_mean + p.margin_productivity * c("productivity") - burden,
        "paid_in": _channel(q, "equity_yuan"),
    }


def _finance(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Growth of revenue, debt ratio, outside equity before new rounds."""
    p = q.p
    yearly = (4.0 * (c("revenue") / c("before")).log()).clip(-2.0, 2.0)
    target = p.leverage_mean - p.leverage_margin * (c("margin") - p.margin_mean)
    moved = c("leverage") + p.leverage_speed * (target - c("leverage")) + p.leverage_noise * _noise("finance_u")
    return {
        "growth": c("growth") + p.growth_memory * (yearly - c("growth")),
        "leverage": moved.clip(0.02, 1.5),
        "equity": 0.875 * c("equity") + c("paid_in"),
        "listed": (c("flags") & LISTED) != 0,
    }


def _after_finance(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Credit constraint; columns that the few firms below fill."""
    p = q.p
    x = (
        p.constraint_base
        + q.moment.credit_tightening
        + p.constraint_leverage * (c("leverage") - p.leverage_mean)
        - p.constraint_size * (c("log_employment") - LOG_20)
        - _channel(q, "credit")
        - p.constraint_signal * (c("tier") >= 2).cast(pl.Float32)
        - p.listing_credit * c("listed").cast(pl.Float32)
    )
    zero = pl.lit(0.0, dtype=pl.Float32)
    none = {"learned": zero, "gain": zero, "aspires": zero}
    report = {"relabelled": zero, "rd_before": c("rd_last_year"), "rd_last_year": zero}
    new = {"constraint": 1.0 / (1.0 + (-x).exp()), **none}
    # The slots of closed firms are cleared at the end, vacant ones hold zeros already.
    return new | (report if q.moment.number == 4 else {})


def _adopt(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Knowledge, digital adoption, governance."""
    p, env = q.p, q.env
    units = np.zeros(len(env.county_active))
    linked = c("linked").cast(pl.Float32)
    peer = p.digital_peer * (_table(np.append(env.cluster_digital, units), "place") - c("digital")).clip(0.0)
    rate = p.digital_own * c("size") + p.digital_leader * linked + peer * (1.0 + _channel(q, "peers"))
    rate = rate * (0.5 + c("governance")) * (1.0 - c("constraint")) + _channel(q, "digital")
    rate = rate + q.moment.digital_effect * _runs("digitised_in", q, SUPPORT_QUARTERS).cast(pl.Float32)
    shown = (_table(np.append(env.cluster_governance, units), "place") - c("governance")).clip(0.0)
    formal = p.governance_own * c("size") + _channel(q, "demonstration") * shown + _channel(q, "governance")
    formal = formal + p.governance_equity * (c("equity") > 0.05 * c("revenue")).cast(pl.Float32)
    return {
        "knowledge": (1.0 - 0.25 * p.knowledge_depreciation) * c("knowledge") + c("learned"),
        "digital": _rise("digital", rate),
        "governance": _rise("governance", formal),
    }


def _rise(name: str, rate: pl.Expr) -> pl.Expr:
    """A maturity that closes part of its gap to 1."""
    return (c(name) + (1.0 - c(name)) * rate.clip(upper_bound=0.5)).clip(upper_bound=1.0)


def _improve(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Specialise, refine, go green."""
    p = q.p
    focus = p.main_share_mean + p.main_share_aspiration * c("aspires") - c("main_share")
    target = p.refinement_base + p.refinement_digital * c("digital") + _channel(q, "refinement")
    target = target + p.refinement_leader * c("linked").cast(pl.Float32)
    target = target + p.refinement_export * c("exporter").cast(pl.Float32)
    refined = p.refinement_speed * (target - c("refinement")) + p.refinement_noise * _noise("capability_v")
    rise = p.green_price * _table(q.env.sector_energy_rise, "sector")
    main_share = c("main_share") + p.main_share_speed * focus + p.main_share_noise * _noise("capability_u")
    return {
        "main_share": main_share.clip(0.2, 1.0),
        "refinement": (c("refinement") + refined).clip(0.0, 1.0),
        "green": _rise("green", p.green_own * (0.5 + c("governance")) + rise + _channel(q, "green")),
    }


def _grow(q: SimpleNamespace) -> dict[str, pl.Expr]:
    """Productivity, employment, and the draw of the chain links above the chance that a link ends."""
    p = q.p
    linked = c("linked").cast(pl.Float32)
    target = p.knowledge_elasticity * (c("knowledge") / (p.knowledge_unit * c("revenue"))).log1p()
    target = target + p.digital_productivity * c("digital") * c("governance") + p.leader_learning * linked
    step = p.productivity_speed * (target + _channel(q, "productivity") - c("productivity"))
    productivity = (c("productivity") + step + p.productivity_noise * _noise("luck_u")).clip(-3.0, 3.0)
    tail = c("growth_u") / p.growth_lumps
    laplace = -(2.0 * pl.min_horizontal(tail, 1.0 - tail)).log() * (tail - 0.5).sign()
    scale = p.growth_noise / math.sqrt(p.growth_lumps) * (-p.growth_noise_size * c("log_employment")).exp()
    change = (
        p.growth_base
        + p.growth_productivity * c("productivity")
        - p.growth_constraint * c("constraint")
        - p.growth_size * c("log_employment")
        + p.growth_slack * c("lost")
        + p.growth_orders * linked
        + pl.when(c("growth_u") < p.growth_lumps).then(scale * laplace).otherwise(0.0)
    )
    return {
        "productivity": productivity + c("gain"),
        "new_employment": (c("employment") * change.clip(-1.0, 1.0).exp()).clip(lower_bound=1.0),
        "able": _capability(q),
        "above": c("chain_u") - p.unlink_rate * (1.5 - _capability(q)),
    }


def _kept() -> dict[str, pl.Expr]:
    """New values for survivors, the old ones elsewhere: vacant slots and firms that close are not touched."""
    changed = [name for name in CHANGED if name != "employment"]
    kept = {name: pl.when("survives").then(c(name)).otherwise(c(f"old_{name}")) for name in changed}
    kept["age"] = c("age") + c("survives").cast(pl.Int16)
    kept["employment"] = pl.when("survives").then(c("new_employment")).otherwise(c("employment"))
    return kept


# --- what few firms do


def _events(work: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Losses counted; listing, equity rounds, research and what it teaches."""
    alive = work.lazy().filter("survives")
    if not q.calm:
        hit = alive.filter(c("lost") < 0).select("county", "sector", "revenue", "lost").collect()
        yuan = 0.25e-3 * hit["revenue"].to_numpy().astype(np.float64) * np.expm1(-hit["lost"].to_numpy())
        _count(q, hit, LOST, yuan.astype(np.int64))
    if (work["paid_in"] > 0).any():
        backed = alive.filter(c("paid_in") > 0).select("slot", "flags").collect()
        work = _put(work, backed["slot"], flags=backed["flags"] | FUND_BACKED)
    work = _research(_rounds(_listings(work, q), q), q)
    share = _channel(q, "transfer").alias("share")
    absorptive = (c("digital") + _channel(q, "absorption")).clip(upper_bound=1.0).alias("absorptive")
    reached = work.lazy().with_columns(share, absorptive).filter(c("survives") & (c("share") != 0.0))
    yuan = 0.25 * c("absorptive") * c("share") * c("revenue")
    taught = reached.select("slot", "county", "sector", "learned", yuan=yuan).collect()
    _count(q, taught, PASSED_ON, taught["yuan"].to_numpy().astype(np.int64))
    return _put(work, taught["slot"], learned=taught["learned"] + taught["yuan"])


def _listings(work: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Certified firms that go public."""
    p = q.p
    rich = (c("revenue") >= p.listing_revenue) & (c("margin") >= p.listing_margin)
    chance = (p.listing_rate * (1.0 + _channel(q, "listing"))).alias("chance")
    # Channels look up tables, so they come after the filter.
    ready = _some(work, q, (c("tier") >= 2) & ~c("listed") & rich, "flags", "equity", "revenue").with_columns(chance)
    new = ready.filter(_draw(q, Purpose.LISTING, ready) < ready["chance"])
    _count(q, new, LISTINGS)
    raised = new["equity"] + p.listing_raise * new["revenue"]
    return _put(work, new["slot"], flags=new["flags"] | LISTED, equity=raised)


def _rounds(work: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Equity rounds of firms that did R&D."""
    p = q.p
    rate = pl.when(c("tier") >= 2).then(p.equity_rate * (1.0 + p.equity_signal)).otherwise(p.equity_rate)
    active = _some(work, q, c("rd_intensity") > 0, "tier", "revenue", "equity")
    raw = _raw(q, Purpose.EQUITY, active)
    active = active.select("slot", "revenue", "equity", chance=rate * (1.0 + _channel(q, "equity_odds")))
    closed = active.with_columns(u=pl.Series(high(raw)), v=pl.Series(low(raw))).filter(c("u") < c("chance"))
    paid = p.equity_size * closed["revenue"].clip(upper_bound=p.equity_revenue_max) * (0.3 + 1.4 * closed["v"])
    return _put(work, closed["slot"], equity=closed["equity"] + paid)


def _research(work: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Who does R&D, how much, what is reported, and what it teaches."""
    p, env, moment = q.p, q.env, q.moment
    excess = (c("log_employment") - math.log(p.rd_norm_size)).clip(lower_bound=0.0)
    norm = _table(env.sector_rd_norm, "sector") * (-p.rd_norm_fall * excess).exp()
    if moment.number == 1:
        work = _start_or_stop(work, norm, q)
    rows = _some(work, q, c("rd_intensity") > 0, *RESEARCHED).with_columns(norm=norm)
    rows = rows.with_columns(
        u=_draw(q, Purpose.RESEARCH, rows),
        relabel_u=_draw(q, Purpose.RELABEL, rows),
        first_u=_draw(q, Purpose.FIRSTS, rows),
    )
    certified = c("tier") >= 2
    giant = pl.when(c("revenue") >= moment.giant_revenue_large).then(moment.giant_rd_large)
    basic = (moment.srdi_rd_spending / c("revenue")).clip(lower_bound=moment.srdi_rd)
    threshold = pl.when(~certified | (c("revenue") < moment.giant_revenue_mid)).then(basic)
    reach = pl.when(certified).then(moment.reach_giant).otherwise(moment.reach_srdi)
    worth = p.apply_constraint * (c("constraint") - p.constraint_reference) + _channel(q, "application")
    worth = worth + p.apply_governance * (c("governance") - p.apply_governance_reference) + moment.award_hope
    size = p.reach_size * (c("log_employment") - LOG_50)
    odds = reach / (1.0 - reach).clip(lower_bound=1e-6) * (size + worth).exp()
    few = c("employment") < _table(env.sector_sme_employees, "sector")
    sme = few | (c("revenue") < _table(env.sector_sme_revenue, "sector"))
    award = _runs("awarded_in", q, AWARD_QUARTERS) & (c("tier") == 3)
    award = award.cast(pl.Float32) * (4.0 * p.award_additionality * moment.award_yuan)
    rows = rows.with_columns(
        threshold=threshold.otherwise(giant.otherwise(moment.giant_rd_mid)),
        wants=sme & (c("own_u") < odds * (1.0 - c("own_u"))),
        added=((award + _channel(q, "research_yuan")) / c("revenue")).clip(upper_bound=0.5),
        absorptive=(c("digital") + _channel(q, "absorption")).clip(upper_bound=1.0),
        openness=p.commons_base + _channel(q, "pooling"),
    )
    near = (p.pull_width * c("threshold") <= c("rd_intensity")) & (c("rd_intensity") < p.pull_aim * c("threshold"))
    pull = pl.when(c("wants") & near).then(p.pull_speed * (1.0 - c("constraint"))).otherwise(0.0)
    drift = p.rd_reversion * (c("norm") / c("rd_intensity")).log() + p.rd_noise * _noise("u") + pull
    pooled = _table(np.append(env.cluster_knowledge, np.zeros(len(env.county_active))), "place")
    rows = rows.with_columns(
        rd_intensity=(c("rd_intensity") * drift.exp()).clip(upper_bound=0.6),
        spilled=0.25 * p.knowledge_spillover * c("absorptive") * c("openness") * pooled,
    ).with_columns(funded=c("rd_intensity") + c("added"))
    rows = rows.with_columns(learned=0.25 * c("funded") * c("revenue") + c("spilled"))
    _count(q, rows, SPILLED, rows["spilled"].to_numpy().astype(np.int64))
    work = _put(work, rows["slot"], rd_intensity=rows["rd_intensity"], learned=rows["learned"], aspires=rows["wants"])
    if moment.number == 4:
        work = _report(work, rows, q)
    return _firsts(work, rows, q)


def _start_or_stop(work: pl.DataFrame, norm: pl.Expr, q: SimpleNamespace) -> pl.DataFrame:
    """The yearly decision to start or stop R&D."""
    p, env = q.p, q.env
    x = _table(env.sector_research, "sector") + _table(env.county_research, "county") + q.moment.research_trend
    chance = 1.0 / (1.0 + (-(x + p.rd_size * (c("log_employment") - LOG_20))).exp())
    access = (1.0 - c("constraint")) / (1.0 - p.constraint_reference)
    start = p.rd_stop * (c("chance") / (1.0 - c("chance")).clip(lower_bound=0.05)) * access
    start = start * (1.0 + _channel(q, "research_odds"))
    active = c("rd_intensity") > 0
    new = norm * (p.rd_spread * _noise("start_v") - p.rd_starter_gap).exp()
    # The tables are looked up for all firms first, then the few that change are kept.
    firms = work.lazy().with_columns(chance=chance).with_columns(start=start, new=new)
    hazard = pl.when(active).then(p.rd_stop).otherwise(c("start"))
    changing = firms.filter(c("survives") & (c("start_u") < hazard))
    rows = changing.select("slot", rd_intensity=pl.when(active).then(0.0).otherwise(c("new"))).collect()
    return _put(work, rows["slot"], rd_intensity=rows["rd_intensity"])


def _report(work: pl.DataFrame, rows: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """The year's reported R&D, some of it relabelled."""
    p = q.p
    near = ((1.0 - p.relabel_reach) * c("threshold") <= c("funded")) & (c("funded") < c("threshold"))
    relabels = c("wants") & near & (c("relabel_u") < p.relabel_chance * (1.0 - q.moment.audit_strictness))
    share = pl.when(relabels).then(1.0 - c("funded") / (1.002 * c("threshold"))).otherwise(0.0)
    rows = rows.select("slot", "funded", share=share)
    reported = rows["funded"] / (1.0 - rows["share"])
    return _put(work, rows["slot"], relabelled=rows["share"], rd_last_year=reported)


def _firsts(work: pl.DataFrame, rows: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Domestic firsts of manufacturers of promoted products that do R&D."""
    p = q.p
    share = (c("digital") + _channel(q, "absorption")).clip(upper_bound=1.0) * _channel(q, "transfer")
    stock = (1.0 - 0.25 * p.knowledge_depreciation) * c("knowledge") + c("learned") + 0.25 * share * c("revenue")
    rows = rows.with_columns(
        knowledge=stock, odds=_channel(q, "firsts"), promoted=_table(q.env.niche_promoted, "niche")
    )
    rows = rows.filter(
        c("promoted") & c("manufacturing") & (c("first_u") < p.first_rate * _depth(q) * (1.0 + c("odds")))
    )
    _count(q, rows, FIRST_PRODUCTS)
    return _put(work, rows["slot"], gain=p.first_gain)


def _links(work: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Links that end, admissions, invitations and purchases: one draw, the chances side by side."""
    p, env = q.p, q.env
    unlinked = c("survives") & (c("customer") != NEVER) & (c("above") < 0)
    ends = work.lazy().filter(unlinked).select("slot", "flags").collect()
    # Most draws lie above all chances: the rest of the rules looks at the others only.
    highest = 1.0 + work.select(_channel(q, "linking").max()).item()
    most = p.link_rate * env.chain_openness.max() * highest + p.newcomer_rate * env.chain_invitation.max()
    near = (c("above") >= 0) & (c("above") < most + p.link_rate_buyer * highest)
    rows = _some(work, q, ~c("linked") & near, "niche", "customer", "flags", "revenue", "able", "above", "size")
    rows = rows.with_columns(
        chain=_table(env.niche_chain, "niche").cast(pl.Int32),
        other=pl.Series(low(_raw(q, Purpose.CHAIN, rows)) * np.float32(len(env.chain_invitation))).cast(pl.Int32),
        odds=1.0 + _channel(q, "linking"),
        rate=pl.when(_table(env.niche_promoted, "niche")).then(p.link_rate).otherwise(p.link_rate_other),
    )
    able = c("able") * c("able")
    first = c("rate") * _table(env.chain_openness, "chain") * able * c("size") * c("odds")
    second = pl.when(c("other") != c("chain")).then(p.newcomer_rate * _table(env.chain_invitation, "other") * able)
    third = p.link_rate_buyer * c("able") * c("size") * c("odds")
    rows = rows.with_columns(
        first=first.clip(upper_bound=1.0),
        second=second.otherwise(0.0).clip(upper_bound=1.0),
        third=third.clip(upper_bound=1.0),
    )
    x, invited = c("above"), c("first") + c("second")
    won = rows.filter(x < c("first"))
    brought = rows.filter((x >= c("first")) & (x < invited))
    buys = rows.filter((x >= invited) & (x < invited + c("third")) & (c("customer") == NEVER))
    chain, county, slot, revenue = (buys[name].to_numpy() for name in ("chain", "county", "slot", "revenue"))
    buyer = find_buyers(env, p, chain, county, slot, revenue, _raw(q, Purpose.CUSTOMER, buys))
    work = _put(work, ends["slot"], customer=NEVER, orders=0, flags=ends["flags"] & (255 - NEWCOMER))
    work = _put(work, won["slot"], customer=-2 - won["chain"])
    work = _put(work, brought["slot"], customer=-2 - brought["other"], flags=brought["flags"] | NEWCOMER)
    return _put(work, buys["slot"], customer=buyer)


def _moves(work: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Certified firms of urban districts move to the county cluster of their sector."""
    env = q.env
    rows = _some(work, q, c("tier") >= 1, "cluster", "flags")
    county, sector, cluster = (rows[name].to_numpy() for name in ("county", "sector", "cluster"))
    member = (cluster >= 0) & env.cluster_active[cluster]
    province = env.county_province[county]
    target, pull = env.move_cluster[province, sector], env.move_pull[province, sector]
    odds = 1.0 + rows.select(odds=_channel(q, "moving") + pl.zeros(pl.len(), pl.Float32))["odds"].to_numpy()
    going = env.county_urban[county] & ~member & (target >= 0)
    going &= _draw(q, Purpose.MOVE, rows).to_numpy() < q.p.move_rate * pull * odds
    rows, target = rows.filter(pl.Series(going)), target[going]
    rows = rows.with_columns(county=pl.Series(env.cluster_county[target]))
    _count(q, rows, MOVES)
    return _put(work, rows["slot"], cluster=target, county=rows["county"], flags=rows["flags"] | MOVED)


def _exits(work: pl.DataFrame, q: SimpleNamespace) -> pl.DataFrame:
    """Clear the slots of closed firms; certificates and links end with the firm."""
    rows = work.lazy().filter("dies").select("slot", "county", "sector", "tier").collect()
    _count(q, rows, DEATHS)
    titled = rows.filter(c("tier") > 0)
    _count(q, titled, CLOSED + titled["tier"].to_numpy() - 1)
    return _put(work, rows["slot"], **dict.fromkeys(CLEARED, 0), **dict.fromkeys(FORGOTTEN, NEVER))


def _entries(frame: pl.DataFrame, vacant: pl.Series, q: SimpleNamespace) -> pl.DataFrame:
    """Found firms in slots that were vacant at the quarter's start."""
    p, env = q.p, q.env
    rows = frame.select("slot", "county", "sector", "niche").filter(vacant)
    chance = (p.entry_rate * _table(env.county_entry, "county")).clip(upper_bound=0.5)
    rows = rows.with_columns(u=_draw(q, Purpose.ENTRY, rows), chance=chance).filter(c("u") < c("chance"))
    _count(q, rows, BIRTHS)
    size, traits, skills = (
        _raw(q, purpose, rows) for purpose in (Purpose.ENTRANT_SIZE, Purpose.ENTRANT_TRAITS, Purpose.ENTRANT_SKILLS)
    )
    drawn = {"size_u": high(size), "size_v": low(size), "traits_u": high(traits)}
    productivity = p.entrant_productivity + p.productivity_spread * _noise("size_v")
    sales = _table(env.sector_slack, "sector") + _table(env.niche_slack, "niche")
    employment = (p.entrant_log_size + p.entrant_size_spread * _noise("size_u")).exp().clip(lower_bound=1.0)
    rows = rows.with_columns(**{name: pl.Series(values) for name, values in drawn.items()})
    rows = rows.with_columns(employment=employment, productivity=productivity, sales=sales)
    revenue = _table(env.sector_revenue_per_worker, "sector") * (c("productivity") + c("sales")).exp()
    main_share = (p.main_share_mean + 0.15 * _noise("traits_u")).clip(0.2, 1.0)
    rows = rows.with_columns(revenue=c("employment") * revenue, main_share=main_share)
    entrant: dict[str, Any] = {name: rows[name] for name in ("employment", "productivity", "revenue", "main_share")}
    entrant["leverage"] = p.leverage_mean * (0.6 + 0.8 * low(traits))
    entrant["digital"] = np.minimum(p.entrant_digital * 2.0 * high(skills), 1.0)
    entrant["governance"] = np.minimum(p.entrant_governance * 2.0 * low(skills), 1.0)
    entrant["refinement"] = 0.5 * p.refinement_base * (1.0 + _draw(q, Purpose.ENTRANT_QUALITY, rows))
    return _put(frame, rows["slot"], **entrant, growth=0.0, green=0.0, age=0, constraint=0.5)


def nanoseconds_per_firm_quarter(state: CoreState, quarters: int) -> float:
    """Wall time of `step` from `state` on, on as many threads as `POLARS_MAX_THREADS` says."""
    frame, flows = frame_of(state.columns), state.flows.copy()

    def one(quarter: int) -> None:
        nonlocal frame
        keys, moment = state.ahead(quarter)
        frame = step(frame, replace(state, keys=keys, moment=moment, flows=flows))

    return timed(one, lambda: frame.filter(c("employment") > 0).height, quarters)
