"""The quarter of all firms: tiles of firms go through the mechanisms in model order."""

from __future__ import annotations

from sim.columns import NEVER
from sim.jit import kernel, own_copy
from sim.mechanisms.chain_links import leader_of
from sim.phases import (
    borrow,
    change_customer,
    choose_research,
    count_lost,
    do_research,
    feel_shocks,
    grow,
    innovate,
    learn,
    migrate,
    modernise,
    raise_equity,
    report_research,
    see_surroundings,
    sell,
    slack_parts,
    specialise,
    survey,
    turn_over,
)
from sim.tally import count_tile
from sim.tile import TILE, list_places, rows_of, window


@kernel
def take_orders(firms, env, lo, hi):
    """Read the slack of every firm's main customer before the quarter's pass changes it.

    A link to a customer that has closed ends here. Writes the columns `orders` and `customer` of slots
    lo … hi-1 only, so that no pass reads what another thread writes.
    """
    for i in range(lo, hi):
        customer = firms.customer[i]
        if customer >= 0:
            if firms.employment[customer] == 0.0:
                firms.customer[i] = NEVER
                firms.orders[i] = 0
            else:
                firms.orders[i] = firms.slack[customer]
        elif customer <= -2:
            firms.orders[i] = slack_parts(env.chain_slack[leader_of(customer)])


@kernel
def advance(acts, firms, env, keys, aspiration_key, p, moment, rows, x, certified, performers, totals, lo, hi):
    """Advance the firms in slots lo … hi-1 by one quarter, in place, and count them.

    Args:
        acts: whether firms act; at the start of a run they are only counted.
        firms: Columns; changed in place, only in the slots lo … hi-1.
        env: Environment of the quarter.
        keys: uint64 (purposes,), stream keys of the quarter.
        aspiration_key: uint64, stream of the draws that hold for a slot's whole run.
        p: parameter record. moment: MOMENT record.
        rows, x, certified, performers: working memory (see `sim.tile.tile_scratch`).
        totals: Totals, added to; what certificates decide is left to `sim.tally.count_certified`.
    """
    p, moment = own_copy(p), own_copy(moment)
    r = rows_of(rows)
    flows = totals.flows
    for start in range(lo, hi, TILE):
        end = min(start + TILE, hi)
        n = end - start
        w = window(firms, start, end)
        if acts:
            see_surroundings(w, r, x, env, n)
            turn_over(w, r, x, env, keys, p, flows, start, n)
            feel_shocks(w, r, env, p, moment, flows, n)
            sell(w, r, x, p, n)
            count_lost(w, r, env, flows, n)
            borrow(w, r, x, keys, p, moment, start, n)
            count = list_places(w.rd_intensity, performers, n)
            raise_equity(w, r, x, env, keys, p, flows, certified, performers, count, start, n)
            if moment.number == 1:
                choose_research(w, r, x, env, keys, p, moment, start, n)
                count = list_places(w.rd_intensity, performers, n)
            do_research(w, r, x, env, keys, aspiration_key, p, moment, performers, count, start, n)
            if moment.number == 4:
                report_research(w, r, keys, p, moment, performers, count, start, n)
            learn(w, r, x, env, p, flows, n)
            innovate(w, r, x, env, keys, p, flows, performers, count, start)
            modernise(w, r, x, p, moment, n)
            specialise(w, r, x, keys, aspiration_key, p, start, n)
            change_customer(w, r, x, env, keys, p, start, n)
            if moment.number == 1:
                migrate(w, r, x, env, keys, p, flows, certified, start, n)
            grow(w, r, x, keys, p, start, n)
        else:
            count = survey(w, r, env, p, performers, n)
        count_tile(w, env, aspiration_key, p, moment, r.cell, r.able, r.draw, performers, count, totals, start, n)
