"""Digital maturity, governance, specialisation, refinement, green maturity."""

from __future__ import annotations

from sim.firms.exporters import find_exporters
from sim.firms.terms import SUPPORT_QUARTERS, runs
from sim.mechanisms.capability import green_step, main_share_step, refinement_step, refinement_target
from sim.mechanisms.digital import adoption, adoption_drive
from sim.mechanisms.governance import copied_governance, governance_step
from sim.mechanisms.size import size_factor
from sim.mechanisms.support import Channel
from sim.numerics.draws import Purpose, uniform_pair
from sim.numerics.jit import inlined

#: New outside equity over revenue above which a firm's governance counts as backed by it (assumed).
BACKED_ABOVE = 0.05


@inlined
def modernise(tile, quarter):
    """Digital adoption and governance."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    channels, moment = tile.channels, quarter.moment
    gained, peer_factor = channels[Channel.digital], channels[Channel.peers]
    for j in range(tile.length):
        converted = runs(firms.digitised_in[j], moment.index, SUPPORT_QUARTERS)
        support = gained[j] + (moment.digital_effect if converted else 0.0)
        size = size_factor(rows.log_employment[j])
        drive = adoption_drive(
            firms.digital[j], size, rows.peers_digital[j], peer_factor[j], rows.supplies_leader[j], p
        )
        digital = adoption(firms.digital[j], drive, firms.governance[j], firms.constraint[j], support)
        firms.digital[j] = digital if rows.live[j] != 0.0 else firms.digital[j]
    demonstration, training = channels[Channel.demonstration], channels[Channel.governance]
    for j in range(tile.length):
        copied = copied_governance(firms.governance[j], rows.peers_governance[j], demonstration[j])
        backed = firms.equity[j] > BACKED_ABOVE * firms.revenue[j]
        size = size_factor(rows.log_employment[j])
        governance = governance_step(firms.governance[j], size, copied, training[j], backed, p)
        firms.governance[j] = governance if rows.live[j] != 0.0 else firms.governance[j]


@inlined
def specialise(tile, quarter):
    """Main share, refinement and green maturity."""
    firms, rows, p = tile.firms, tile.rows, quarter.parameters
    channels, n = tile.channels, tile.length
    key, raised, support = quarter.keys[Purpose.CAPABILITY], channels[Channel.refinement], channels[Channel.green]
    find_exporters(tile, quarter, channels[Channel.exports])
    for j in range(n):
        live, exporter = rows.live[j] != 0.0, rows.exporter[j] != 0.0
        u, v = uniform_pair(key, tile.first + j)
        main_share = main_share_step(firms.main_share[j], rows.aspires[j] != 0.0, u, p)
        target = refinement_target(firms.digital[j], rows.supplies_leader[j] != 0.0, exporter, raised[j], p)
        refinement = refinement_step(firms.refinement[j], target, v, p)
        firms.main_share[j] = main_share if live else firms.main_share[j]
        firms.refinement[j] = refinement if live else firms.refinement[j]
    for j in range(n):
        green = green_step(firms.green[j], firms.governance[j], rows.energy_rise[j], support[j], p)
        firms.green[j] = green if rows.live[j] != 0.0 else firms.green[j]
