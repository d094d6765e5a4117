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

from sim.jit import rule


@dataclass(frozen=True)
class Channel:
    """A way into a mechanism."""

    name: str
    unit: str
    description: str


CHANNELS = (
    Channel("survival", "log hazard", "taken off the hazard of closing (turnover)"),
    Channel("sales", "log demand", "added to demand (demand)"),
    Channel("exports", "log-odds", "added to the odds of exporting (exports)"),
    Channel("credit", "log-odds", "taken off the credit constraint (finance)"),
    Channel("equity_odds", "ratio", "rise of the chance of an equity round (finance)"),
    Channel("equity_yuan", "yuan per quarter", "outside equity paid in (finance)"),
    Channel("listing", "ratio", "rise of the chance of listing (listing)"),
    Channel("research_odds", "ratio", "rise of the chance to start R&D (research)"),
    Channel("research_yuan", "yuan per year", "true R&D added, additionality included (research)"),
    Channel("absorption", "0-1", "added to absorptive capacity (knowledge)"),
    Channel("pooling", "0-1", "added to the openness of the cluster's knowledge pool (knowledge)"),
    Channel("transfer", "share of revenue per year", "knowledge transferred from outside (knowledge)"),
    Channel("digital", "0-1 per quarter", "digital maturity gained (digital)"),
    Channel("peers", "ratio", "rise of adoption from peers (digital)"),
    Channel("governance", "0-1 per quarter", "governance gained (governance)"),
    Channel("demonstration", "per quarter", "speed of copying demonstrated governance (governance)"),
    Channel("refinement", "0-1", "added to the level refinement tends to (capability)"),
    Channel("green", "0-1 per quarter", "green maturity gained (green)"),
    Channel("productivity", "log", "added to the level productivity tends to (productivity)"),
    Channel("linking", "ratio", "rise of the chance to win a main customer (chain_links)"),
    Channel("firsts", "ratio", "rise of the chance of a first-of-a-kind product (first_of_a_kind)"),
    Channel("application", "log-odds", "added to the odds of applying (application)"),
    Channel("moving", "ratio", "rise of the chance to move to a county cluster (migration)"),
)

CHANNEL_INDEX = {channel.name: index for index, channel in enumerate(CHANNELS)}
N_CHANNELS = len(CHANNELS)

# The same indices as constants for the compiler.
X_SURVIVAL = CHANNEL_INDEX["survival"]
X_SALES = CHANNEL_INDEX["sales"]
X_EXPORTS = CHANNEL_INDEX["exports"]
X_CREDIT = CHANNEL_INDEX["credit"]
X_EQUITY_ODDS = CHANNEL_INDEX["equity_odds"]
X_EQUITY_YUAN = CHANNEL_INDEX["equity_yuan"]
X_LISTING = CHANNEL_INDEX["listing"]
X_RESEARCH_ODDS = CHANNEL_INDEX["research_odds"]
X_RESEARCH_YUAN = CHANNEL_INDEX["research_yuan"]
X_ABSORPTION = CHANNEL_INDEX["absorption"]
X_POOLING = CHANNEL_INDEX["pooling"]
X_TRANSFER = CHANNEL_INDEX["transfer"]
X_DIGITAL = CHANNEL_INDEX["digital"]
X_PEERS = CHANNEL_INDEX["peers"]
X_GOVERNANCE = CHANNEL_INDEX["governance"]
X_DEMONSTRATION = CHANNEL_INDEX["demonstration"]
X_REFINEMENT = CHANNEL_INDEX["refinement"]
X_GREEN = CHANNEL_INDEX["green"]
X_PRODUCTIVITY = CHANNEL_INDEX["productivity"]
X_LINKING = CHANNEL_INDEX["linking"]
X_FIRSTS = CHANNEL_INDEX["firsts"]
X_APPLICATION = CHANNEL_INDEX["application"]
X_MOVING = CHANNEL_INDEX["moving"]


@rule
def programme_channel(support, effects, k):
    """Sum of one channel over the programmes whose bits are set in `support`."""
    total = 0.0
    if support != 0:
        for programme in range(effects.shape[0]):
            if (support >> programme) & 1:
                total += effects[programme, k]
    return total
