"""Support: how programmes, cluster commons and chain leaders reach a firm's own mechanisms.

Every lever that supports firms acts through channels. The sum on channel k of firm i is

    x_ik = Σ_l b_il · e_lk + m_c(i),k + s_l(i),k

with b the firm's support bits, e_l the effects of programme l at its intensity, m the commons
of the firm's recognised cluster (or what spills over to the other firms of its county), and s
what its chain leader passes on. The receiving mechanism says in its own file what it does
with its channel.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.numerics.jit import equation
from sim.numerics.positions import positions


@dataclass(frozen=True)
class ChannelEntry:
    """A way into a mechanism: its name, its unit, and what the mechanism does with it."""

    name: str
    unit: str
    description: str


CHANNELS = (
    ChannelEntry("survival", "log hazard", "taken off the hazard of closing (turnover)"),
    ChannelEntry("sales", "log demand", "added to demand (demand)"),
    ChannelEntry("exports", "log-odds", "added to the odds of exporting (exports)"),
    ChannelEntry("credit", "log-odds", "taken off the credit constraint (finance)"),
    ChannelEntry("equity_odds", "ratio", "rise of the chance of an equity round (finance)"),
    ChannelEntry("equity_yuan", "yuan per quarter", "outside equity paid in (finance)"),
    ChannelEntry("listing", "ratio", "rise of the chance to apply for a listing (listing)"),
    ChannelEntry("research_odds", "ratio", "rise of the chance to start R&D (research)"),
    ChannelEntry("research_yuan", "yuan per year", "true R&D added, additionality included (research)"),
    ChannelEntry("absorption", "0-1", "added to absorptive capacity (knowledge)"),
    ChannelEntry("pooling", "0-1", "added to the openness of the cluster's knowledge pool (knowledge)"),
    ChannelEntry("transfer", "share of revenue per year", "knowledge transferred from outside (knowledge)"),
    ChannelEntry("digital", "0-1 per quarter", "digital maturity gained (digital)"),
    ChannelEntry("peers", "ratio", "rise of adoption from peers (digital)"),
    ChannelEntry("governance", "0-1 per quarter", "governance gained (governance)"),
    ChannelEntry("demonstration", "per quarter", "speed of copying demonstrated governance (governance)"),
    ChannelEntry("refinement", "0-1", "added to the level refinement tends to (capability)"),
    ChannelEntry("green", "0-1 per quarter", "green maturity gained (green)"),
    ChannelEntry("productivity", "log", "added to the level productivity tends to (productivity)"),
    ChannelEntry("linking", "ratio", "rise of the chance to win a main customer (chain_links)"),
    ChannelEntry("firsts", "ratio", "rise of the chance of a first-of-a-kind product (first_of_a_kind)"),
    ChannelEntry("application", "log-odds", "added to the odds of applying (application)"),
    ChannelEntry("moving", "ratio", "rise of the chance to move to a county cluster (migration)"),
    ChannelEntry("grant_yuan", "yuan per year", "public money for R&D paid to the firm (finance)"),
)

#: Positions of the channels, such as ``Channel.sales``.
Channel = positions("Channel", [entry.name for entry in CHANNELS])


@equation
def programme_channel(support, effects, k):
    """Sum of one channel over the programmes whose bits are set in `support`."""
    total = 0.0
    if support != 0:
        for programme in range(effects.shape[0]):
            if (support >> programme) & 1:
                total += effects[programme, k]
    return total
