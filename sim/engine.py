"""The quarter of all firms: tiles of firms go through the phases in model order."""

from __future__ import annotations

from sim.firms.columns import NEVER, log_parts
from sim.firms.tile import TILE, Tile, list_indices, rows_of, window
from sim.mechanisms.chain_links import is_leader, leader_of
from sim.numerics.jit import kernel, own_copy
from sim.phases.capabilities import modernise, specialise
from sim.phases.finance import borrow, raise_equity
from sim.phases.growth import grow
from sim.phases.links import change_customer, migrate
from sim.phases.research import choose_research, do_research, innovate, learn, report_research
from sim.phases.sales import count_lost, feel_shocks, sell
from sim.phases.surroundings import see_surroundings, survey
from sim.phases.turnover import turn_over
from sim.tally import count_tile
from sim.world.environment import QuarterInputs


@kernel
def take_orders(firms, quarter, slots):
    """Read the slack of every firm's main customer before the quarter's pass changes it.

    A link to a customer that has closed ends here. Writes the columns `orders` and `customer` of the given slots
    only, so that no pass reads what another thread writes.
    """
    for i in range(slots.first, slots.end):
        customer = firms.customer[i]
        if customer >= 0:
            if firms.employment[customer] == 0.0:
                firms.customer[i] = NEVER
                firms.orders[i] = 0
            else:
                firms.orders[i] = firms.slack[customer]
        elif is_leader(customer):
            firms.orders[i] = log_parts(quarter.environment.chain_slack[leader_of(customer)])


@kernel
def advance(firms, quarter, acts, scratch, totals, slots):
    """Advance firms by one quarter, in place, and count them.

    Args:
        firms: Columns; changed in place, only in the given slots.
        quarter: QuarterInputs.
        acts: whether firms act; at the start of a run they are only counted.
        scratch: TileScratch.
        totals: Totals, added to; what depends on certificates is left to `sim.tally.count_certified`.
        slots: Slots.
    """
    moment = own_copy(quarter.moment)
    quarter = QuarterInputs(
        quarter.environment,
        quarter.keys,
        quarter.lasting_keys,
        own_copy(quarter.parameters),
        moment,
        own_copy(quarter.aims),
    )
    rows, flows = rows_of(scratch.rows), totals.flows
    for first in range(slots.first, slots.end, TILE):
        end = min(first + TILE, slots.end)
        tile = Tile(window(firms, first, end), rows, scratch.channels, first, end - first)
        if acts:
            see_surroundings(tile, quarter, scratch)
            turn_over(tile, quarter, scratch, flows)
            feel_shocks(tile, quarter)
            performers = scratch.performers[: list_indices(tile.firms.rd_intensity, scratch.performers)]
            sell(tile, quarter, performers)
            count_lost(tile, quarter, flows)
            borrow(tile, quarter, scratch, performers, flows)
            raise_equity(tile, quarter, scratch, performers, flows)
            if moment.number == 1:
                choose_research(tile, quarter, scratch)
                performers = scratch.performers[: list_indices(tile.firms.rd_intensity, scratch.performers)]
            do_research(tile, quarter, performers)
            if moment.number == 4:
                report_research(tile, quarter, performers)
            learn(tile, quarter, flows)
            innovate(tile, quarter, performers, flows)
            modernise(tile, quarter)
            specialise(tile, quarter)
            change_customer(tile, quarter, scratch)
            if moment.number == 1:
                migrate(tile, quarter, scratch, flows)
            grow(tile, quarter)
        else:
            survey(tile, quarter)
            performers = scratch.performers[: list_indices(tile.firms.rd_intensity, scratch.performers)]
        count_tile(tile, quarter, scratch, performers, totals)
