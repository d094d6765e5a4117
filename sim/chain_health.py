"""Chain health: strength, gaps filled, extension and resilience of the industrial chains.

Key niches (promoted products) are the links a chain depends on. A link is *filled* (补链) where
qualified domestic firms hold at least `gap_share` of its market; it is *served* where at least one
does. *Extension* (延链) is the share of a chain's links, key or not, that are served. *Resilience*
is one minus the share of output lost to a standard shock: the foreign supply of each key niche fails
in turn, and each is weighted by its output.
"""

from __future__ import annotations

import numpy as np

from sim.mechanisms.stress import replaced
from sim.numerics.arrays import exp
from sim.tally import ChainSum


def _share(part: np.ndarray, whole: np.ndarray, empty: float = 1.0) -> np.ndarray:
    """`part` over `whole`, `empty` where the whole is 0: float64 (chains,)."""
    return np.divide(part, whole, out=np.full(len(whole), empty), where=whole > 0)


class ChainHealth:
    """Measures of every chain, renewed at each stock-taking.

    Attributes (float64 (chains,) unless said otherwise):
        filled: share of key links filled. extension: share of links served. resilience: 0-1.
        lost: share of the chain's output lost to a missing foreign supply this quarter.
        gaps_filled, served, withstood: the same over all chains.
    """

    def __init__(self, model) -> None:
        self.model = model
        chains = len(model.industry.chain_sector)
        self._links = self._by_chain(np.ones(len(model.industry.niche_chain)))
        self._key_links = self._by_chain(model.industry.niche_promoted)
        self.filled = np.zeros(chains)
        self.extension = np.zeros(chains)
        self.resilience = np.ones(chains)
        self.lost = np.zeros(chains)
        self.gaps_filled = self.served = self.withstood = 0.0

    def _by_chain(self, values: np.ndarray) -> np.ndarray:
        """Sums of values of niches by chain: float64 (chains,)."""
        industry = self.model.industry
        return np.bincount(industry.niche_chain, values, minlength=len(industry.chain_sector))

    def update(self) -> None:
        """Measure the chains from the new totals; leaders see the result next quarter."""
        model, p = self.model, self.model.parameters
        totals, key = model.totals, model.industry.niche_promoted
        revenue = totals.niche_revenue.astype(np.float64)
        qualified = totals.niche_qualified.astype(np.float64)
        filled = key & (revenue > 0) & (qualified >= p.gap_share * revenue)
        # With a moving frontier, a leader whom nobody supplies has all its gaps.
        unsupplied = (totals.chains[:, ChainSum.suppliers] == 0) & model.policy.model.frontier
        if unsupplied.any():
            filled &= ~unsupplied[model.industry.niche_chain]
        served = qualified > 0
        at_stake = revenue * key
        withstood = at_stake * (1.0 - p.standard_shock * (1.0 - replaced(qualified, revenue, p)))
        # A chain none of whose key niches is simulated has no gap to show.
        self.filled[:] = np.where(unsupplied, 0.0, _share(self._by_chain(filled), self._key_links))
        self.extension[:] = _share(self._by_chain(served), self._links)
        self.resilience[:] = _share(self._by_chain(withstood), self._by_chain(at_stake))
        self.lost[:] = 0.0
        if model.environment.niche_slack.any():
            lost = revenue * (exp(np.maximum(-model.environment.niche_slack, 0.0)) - 1.0)
            self.lost[:] = _share(self._by_chain(lost), self._by_chain(revenue + lost), empty=0.0)
        self.gaps_filled = float(filled.sum() / max(key.sum(), 1))
        self.served = float(served.mean())
        self.withstood = float(withstood.sum() / max(at_stake.sum(), 1.0))
        self._find_weakest(key, qualified, revenue)

    def _find_weakest(self, key, qualified, revenue) -> None:
        """The key niche of each chain with the least qualified share, which newcomers supply."""
        chain = self.model.industry.niche_chain
        share = np.where(key & (revenue > 0), qualified / np.maximum(revenue, 1.0), np.inf)
        weakest = self.model.environment.chain_weakest
        weakest[:] = -1
        order = np.argsort(share, kind="stable")[::-1]
        order = order[np.isfinite(share[order])]
        weakest[chain[order]] = order  # the last write of a chain is its smallest share
