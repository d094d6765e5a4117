"""Runs a trial as a pair with the same random draws and measures the outcomes of its rows.

Each followed firm is compared with itself in the other run, so that the difference is exactly the effect on it. One
pair serves all rows of a trial, at all their horizons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from calibration.evidence.outcomes import View
from calibration.evidence.rows import Estimate
from calibration.evidence.trials import COAST, Plan, Trial, outcome_of, quarters_to
from calibration.firms.response import pair, ratio_of_sums
from scenarios.analysis.recipients import founded
from sim.calendar import Quarter
from sim.firms.columns import NEVER
from sim.firms.terms import has_award
from sim.levers import PROGRAMMES
from sim.model import SRDIModel
from sim.reference import province_names

#: Equity of a quarter without a round over that of the quarter before (see `sim.mechanisms.finance`).
_EQUITY_KEPT = 0.875


def run_trial(
    trial: Trial, rows: Sequence[Estimate], parameters: dict[str, float], scale: float, seed: int
) -> np.ndarray:
    """Effects that the model gives for the rows of one trial.

    Args:
        rows: whose `trial_of` is the trial. parameters: values that differ from the defaults.

    Returns:
        Effect and its sampling error by row, float64 (rows, 2), in the unit of each outcome and as the study would see
        it (take-up, what is lost without the support); NaN with too few firms.
    """
    plan = trial.plan(parameters)
    last = _last_quarter(plan, rows)
    treated, control = pair(plan.treated, plan.control, plan.branch, scale=scale, seed=seed, until=last.year)
    follow = _Followed(trial, plan, treated, control)
    found: list[list[np.ndarray]] = [[] for _ in rows]
    try:
        while treated.quarter < last:
            follow.before_step()
            treated.step()
            control.step()
            follow.after_step()
            for row, gains in zip(rows, found, strict=True):
                chosen = follow.due(row)
                if chosen.any():
                    gains.append(_finite(outcome_of(row).gains(follow.view(chosen, row))))
    finally:
        treated.close()
        control.close()
    return np.array([_effect(row, gains) for row, gains in zip(rows, found, strict=True)])


def _last_quarter(plan: Plan, rows: Sequence[Estimate]) -> Quarter:
    """The quarter in which the last outcome is read: one on yearly reports waits for the end of its year."""
    waits = [quarters_to(row) - 1 + (3 if outcome_of(row).yearly else 0) for row in rows]
    return plan.last + plan.lag + max(waits)


def _finite(gains: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Gains and weights of the firms that have both: float64 (2, firms)."""
    both = np.stack(gains)
    return both[:, np.isfinite(both).all(axis=0)]


def _effect(row: Estimate, gains: list[np.ndarray]) -> tuple[float, float]:
    """Effect and sampling error of a row from the gains and weights of all quarters, float64 (2, firms) each."""
    outcome, whole = outcome_of(row), np.concatenate(gains, axis=1) if gains else np.empty((2, 0))
    effect, error = ratio_of_sums(whole)
    if outcome.counts and np.isfinite(error):
        error = max(error, 1.0 / whole[1].sum())
    if outcome.logged:
        if not effect > -1.0:
            return np.nan, np.nan
        effect, error = float(np.log1p(effect)), error / (1.0 + effect)
    factor = row.take_up * (-1.0 if row.reverse else 1.0)
    return factor * effect, row.take_up * error


@dataclass
class _Followed:
    """The firms of a trial from the quarter in which they are taken in.

    Attributes:
        start: int64 (slots,), index of a firm's first quarter with effect, or NEVER.
        since: int64 (slots,), when the firm was founded that was taken in: another one in its slot is not it.
        paid: float64 (slots,), yuan of support so far. idle, unlinked, rounds: as in `View`, by slot.
        staff, age: float64 (slots,), when the firm was taken in.
    """

    trial: Trial
    plan: Plan
    treated: SRDIModel
    control: SRDIModel
    start: np.ndarray = field(init=False)
    since: np.ndarray = field(init=False)
    paid: np.ndarray = field(init=False)
    staff: np.ndarray = field(init=False)
    age: np.ndarray = field(init=False)
    idle: np.ndarray = field(init=False)
    unlinked: np.ndarray = field(init=False)
    rounds: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        slots = len(self.treated.firms.columns.employment)
        self.start = np.full(slots, NEVER, dtype=np.int64)
        self.since = np.zeros(slots, dtype=np.int64)
        self.paid, self.staff, self.age = np.zeros(slots), np.zeros(slots), np.zeros(slots)
        self.idle = np.zeros(slots, dtype=bool)
        self.unlinked = np.zeros(slots, dtype=bool)
        self.rounds = np.zeros((2, slots), dtype=bool)

    @property
    def _models(self) -> tuple[SRDIModel, SRDIModel]:
        return self.treated, self.control

    def before_step(self) -> None:
        """Note what firms do before the quarter in which some are taken in, and their equity."""
        columns = self.control.firms.columns
        self._idle_before = columns.rd_intensity == 0.0
        self._unlinked_before = columns.customer == NEVER
        self._equity_before = [model.firms.columns.equity.copy() for model in self._models]

    def after_step(self) -> None:
        """Take in the firms that are due, and add the quarter's money and equity rounds of those followed."""
        self._take_in()
        self.paid[self.start != NEVER] += 0.25 * self._money()[self.start != NEVER]
        acts = (self.start != NEVER) & (self.start <= self.treated.moment.index)
        for number, (model, before) in enumerate(zip(self._models, self._equity_before, strict=True)):
            # A quarter without a round leaves a fixed part of the stock; the tolerance is for its rounding.
            raised = model.firms.columns.equity > before * (_EQUITY_KEPT + 1e-4) + 1.0
            self.rounds[number] |= acts & raised

    def _take_in(self) -> None:
        if not self.plan.first <= self.treated.quarter <= self.plan.last:
            return
        treated, control = (founded(model) for model in self._models)
        there = (self.treated.firms.columns.employment > 0) & (self.control.firms.columns.employment > 0)
        new = self.plan.followed(self.treated, self.control) & there & (treated == control) & (self.start == NEVER)
        self.start[new] = self.treated.moment.index + self.plan.lag
        self.since[new] = treated[new]
        self.idle[new], self.unlinked[new] = self._idle_before[new], self._unlinked_before[new]
        columns = self.control.firms.columns
        self.staff[new], self.age[new] = columns.employment[new], columns.age[new]

    def _money(self) -> np.ndarray:
        """Yuan a year that each firm receives from the lever now, float64 (slots,)."""
        model, columns = self.treated, self.treated.firms.columns
        if self.trial.lever == "little_giant_awards":
            return np.where(_awarded(model), 4.0 * model.moment.award_yuan, 0.0)
        if self.trial.lever in PROGRAMMES:
            lever = getattr(model.policy.levers, self.trial.lever)
            bit = np.uint32(PROGRAMMES.index(self.trial.lever))
            return (columns.support >> bit & np.uint32(1)) * lever.yuan_per_firm * lever.intensity
        return np.zeros(len(columns.employment))

    def due(self, row: Estimate) -> np.ndarray:
        """Firms for which the outcome of a row is read at the end of this quarter: bool (slots,)."""
        passed = self.treated.moment.index - self.start + 1
        wanted = quarters_to(row)
        if outcome_of(row).yearly:
            if self.treated.quarter.number != 4:
                return np.zeros(len(passed), dtype=bool)
            reached = (passed >= wanted) & (passed < wanted + 4)
        else:
            reached = passed == wanted
        chosen = (self.start != NEVER) & reached
        return chosen & self._subset(row.subset) if row.subset and chosen.any() else chosen

    def _subset(self, name: str) -> np.ndarray:
        """The part of the followed firms that a row is about: bool (slots,).

        The limits of the studies were not read: small and large firms are the halves by staff, young and mature ones
        those by age, when they were taken in.
        """
        if name in ("coastal", "inland"):
            at_coast = np.isin(province_names(), COAST)[self.control.geography.county_province]
            coastal = at_coast[self.control.firms.columns.county]
            return coastal if name == "coastal" else ~coastal
        values = self.staff if name in ("small", "large") else self.age
        below = values < np.median(values[self.start != NEVER])
        return below if name in ("small", "young") else ~below

    def view(self, chosen: np.ndarray, row: Estimate) -> View:
        """The chosen firms, bool (slots,), in the form that outcomes read."""
        cohort = np.flatnonzero(chosen)
        alive = np.stack(
            [
                (model.firms.columns.employment[cohort] > 0) & (founded(model)[cohort] == self.since[cohort])
                for model in self._models
            ]
        )
        slots = cohort[alive.all(axis=0)]
        return View(
            treated=self.treated,
            control=self.control,
            cohort=cohort,
            alive=alive,
            years=row.horizon_years,
            slots=slots,
            paid=self.paid[slots],
            money=self._money()[slots],
            idle=self.idle[slots],
            unlinked=self.unlinked[slots],
            rounds=self.rounds[:, slots],
        )


def _awarded(model: SRDIModel) -> np.ndarray:
    """Firms whose award is being paid: bool (slots,)."""
    columns, paid = model.firms.columns, np.zeros(len(model.firms.columns.employment), dtype=bool)
    for slot in np.flatnonzero(columns.awarded_in != NEVER):
        paid[slot] = has_award(columns, model.moment, slot)
    return paid
