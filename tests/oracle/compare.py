"""Sets the oracle's country beside the model that is checked, number by number."""

from __future__ import annotations

import numpy as np

from oracle import counts
from oracle.firm import FLOATS, INTEGERS, NEVER
from oracle.world import TIERS, firms_of
from sim.flows import Flow
from sim.ladder.recognition import Assessed, Reviewed
from sim.tally import Cell, ChainSum, ClusterSum, TierSum

#: Largest difference of two floats: a share of the model's value, plus this much in the column's own unit. Floats are
#: stored in single precision (a last bit is 1.2e-7 of the value or less), and the model's exponential is off by 1e-9.
AFTER_A_QUARTER, AFTER_A_RUN, ABSOLUTE = 1e-6, 1e-5, 1e-6
#: Totals that add up floats cut to whole parts, one firm at a time, so that a float's last bit can move them by a part.
SUMS = {
    *("employment", "revenue", "rd_true", "rd_reported", "governance", "effective_employment", "constraint"),
    *("refinement", "green", "exports", "rd_staff", "equity", "supplier_digital", "supplier_refinement", "strength"),
    *("digital", "knowledge", "spilled", "passed_on", "lost", "niche_revenue", "niche_qualified"),
    *("credit_eased", "credit_responsive"),
}
#: Parts that such a sum may differ by, beside a share as of floats.
PARTS_APART = 3
#: Integers that are floats cut to parts: a last bit of the float can move them by one.
CUT = ("demand",)
#: Yuan that such a sum of spillovers may differ by: a cluster's knowledge is added up in thousands, and of one thousand
#: more or less its members take φ/4 (0.0075) in a quarter at most.
SPILLED_APART = PARTS_APART + 8


class Comparison:
    """Collects where country and model differ.

    Args:
        relative: share by which floats may differ; integers must be identical.

    Attributes:
        differences: one line each. compared: firms compared so far, over all quarters.
        farthest: largest difference of a float so far, as a share of what is allowed.
    """

    def __init__(self, relative: float = AFTER_A_QUARTER) -> None:
        self.relative = relative
        self.differences: list[str] = []
        self.compared = 0
        self.farthest = 0.0

    def quarter(self, country, model) -> None:
        """Compare the quarter in which both stand."""
        self._firms(country, model)
        self._totals(country, model)
        self._flows(country, model)
        self._institutions(country, model)

    def _say(self, what: str, quarter, mine, theirs) -> None:
        self.differences.append(f"{quarter}, {what}: oracle {mine!r}, model {theirs!r}")

    def _firms(self, country, model) -> None:
        columns = model.firms.columns
        self.compared += sum(not firm.vacant for firm in country.firms)
        for name in (*FLOATS, *INTEGERS):
            theirs = getattr(columns, name)
            mine = np.array([getattr(firm, name) for firm in country.firms])
            wrong = self._too_far(mine, theirs) if name in FLOATS else np.abs(mine - theirs) > (name in CUT)
            for slot in np.flatnonzero(wrong):
                self._say(f"firm {slot}, {name}", country.quarter, mine[slot].item(), theirs[slot].item())

    def _too_far(self, mine, theirs) -> np.ndarray:
        theirs = theirs.astype(np.float64)
        share = np.abs(mine - theirs) / (self.relative * np.abs(theirs) + ABSOLUTE)
        self.farthest = max(self.farthest, share.max(initial=0.0).item())
        return share > 1.0

    def _table(self, what: str, quarter, mine: dict, theirs: np.ndarray, names: tuple[str, ...]) -> None:
        """Numbers by name and place in the model's array, whose last axis holds the names."""
        numbers = np.zeros_like(theirs)
        for (name, *where), number in mine.items():
            numbers[(*where, names.index(name))] = number
        sums = np.array([name in SUMS for name in names])
        apart = np.array([SPILLED_APART if name == "spilled" else PARTS_APART for name in names])
        allowed = np.where(sums, self.relative * np.abs(theirs) + apart, 0.0)
        for *where, index in np.argwhere(np.abs(numbers - theirs) > allowed).tolist():
            at = (*where, index)
            self._say(f"{what} {where}, {names[index]}", quarter, numbers[at].item(), theirs[at].item())

    def _totals(self, country, model) -> None:
        mine, theirs, quarter = country.totals, model.totals, country.quarter
        self._table("place and sector", quarter, mine.cells, theirs.cells, Cell._fields)
        self._table("tier", quarter, mine.tiers, theirs.tiers, TierSum._fields)
        for what, names in (("clusters", ClusterSum._fields), ("chains", ChainSum._fields)):
            numbers = {
                (name, index): getattr(one, name) for index, one in enumerate(getattr(mine, what)) for name in names
            }
            self._table(what, quarter, numbers, getattr(theirs, what), names)
        niches = ("niche_revenue", "niche_qualified")
        numbers = {(name, niche): number for name in niches for niche, number in enumerate(getattr(mine, name))}
        self._table("niche", quarter, numbers, np.stack([getattr(theirs, name) for name in niches], axis=-1), niches)
        giants = {("little giants", county): count for county, count in mine.county_giants.items()}
        self._table("county", quarter, giants, theirs.county_giants[:, None], ("little giants",))

    def _institutions(self, country, model) -> None:
        env, health, quarter = model.environment, model.chain_health, country.quarter
        weakest = [-1 if niche is None else niche for niche in country.weakest]
        for what, mine, theirs in (
            ("revenue per worker of sector", country.revenue_per_worker, env.sector_revenue_per_worker),
            ("openness of chain", country.chain_openness, env.chain_openness),
            ("invitation of chain", country.chain_invitation, env.chain_invitation),
            ("competitive pressure of niche", country.niche_pressure, env.niche_pressure),
            ("share of listings admitted", country.admitted, model.moment.listing_admitted),
            ("wage of R&D staff", country.research_wage, model.moment.research_wage),
            ("slack of chain", country.chain_slack, env.chain_slack),
            ("gaps filled of chain", country.totals.filled, health.filled),
            ("extension of chain", country.totals.extension, health.extension),
            ("resilience of chain", country.totals.resilience, health.resilience),
            ("output lost of chain", country.totals.lost, health.lost),
            ("weakest link of chain", weakest, env.chain_weakest),
            ("commons of cluster and part", country.commons, model.commons),
            (
                "reach of tier and province",
                [country.reach[tier] for tier in TIERS],
                [model.reach[tier] for tier in TIERS],
            ),
            ("recognition of cluster", _dates(country.cluster_recognised), model.candidates.recognised.tolist()),
            ("pilot city", country.pilot_cities.since, model.ministry.pilot_cities.pilots),
        ):
            mine, theirs = np.asarray(mine, dtype=float), np.asarray(theirs, dtype=float)
            for at in np.argwhere(~np.isclose(mine, theirs, rtol=self.relative, atol=ABSOLUTE)):
                self._say(f"{what} {at.tolist()}", quarter, mine[tuple(at)].item(), theirs[tuple(at)].item())
        for name, mine in counts.public_cost(country).items():
            theirs = model.recorder.latest[name]
            if not np.isclose(mine, theirs, rtol=self.relative, atol=PARTS_APART / country.scale):
                self._say(name, quarter, mine, theirs)
        for name, account in country.accounts.items():
            for kind, mine in (("committed", account.committed), ("spent_so_far", account.paid)):
                theirs = getattr(model.ledger[name], kind)
                if not np.isclose(mine, theirs, rtol=self.relative, atol=1.0):
                    self._say(f"{kind} of {name}", quarter, mine, theirs)

        paid, booked = country.paid_at, model.ledger.paid_at
        for where in np.ndindex(booked.shape):
            if not np.isclose(paid[where], booked[where], rtol=self.relative, atol=1.0):
                self._say(f"yuan paid at {list(where)}", quarter, paid[where], booked[where].item())

    def _flows(self, country, model) -> None:
        quarter = country.quarter
        by_tier: dict[str | None, dict] = {tier: {} for tier in (None, *TIERS)}
        for (name, *at), count in country.flows.items():
            tier, name = name if isinstance(name, tuple) else (None, name)
            by_tier[tier][name, *at] = count
        self._table("flow", quarter, by_tier[None], model.flows, Flow._fields)
        for tier in TIERS:
            flows = model.rounds.flows[tier]
            numbers = np.concatenate([flows.assessed, flows.reviewed], axis=-1)
            self._table(tier, quarter, by_tier[tier], numbers, Assessed._fields + Reviewed._fields)
            if country.bound[tier] != flows.bound:
                self._say(f"what bound {tier}", quarter, country.bound[tier], flows.bound)
        champions = {("champions", *at): count for at, count in country.champions.items()}
        self._table("place and sector", quarter, champions, model.rounds.champions[..., None], ("champions",))


def _dates(dates: list[int | None]) -> list[int]:
    return [NEVER if date is None else date for date in dates]


def take_up(country, model) -> None:
    """Go on from the model's state, where it differs in the last bits of floats and of what is summed from them."""
    for firm, theirs in zip(country.firms, firms_of(model), strict=True):
        for name in FLOATS:
            setattr(firm, name, getattr(theirs, name))
    take_up_parts(country, model)


def take_up_parts(country, model) -> None:
    """Take from the model only what is cut to whole parts, where a last bit has moved it by a part or a few.

    One part of a niche's revenue moves the pressure on all its firms by up to 1e-5, and that may round the demand that
    each remembers (1/4096) the other way.
    """
    for name in CUT:
        for firm, theirs in zip(country.firms, getattr(model.firms.columns, name).tolist(), strict=True):
            setattr(firm, name, theirs)
    mine, totals = country.totals, model.totals
    for name in ("niche_revenue", "niche_qualified"):
        setattr(mine, name, getattr(totals, name).tolist())
    for cluster, row in zip(mine.clusters, totals.clusters.tolist(), strict=True):
        vars(cluster).update(zip(ClusterSum._fields, row, strict=True))
    counts.show(country)
