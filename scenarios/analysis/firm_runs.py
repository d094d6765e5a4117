"""One run followed firm by firm: who was supported and founded, and how all firms stand at the end of a quarter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.recipients import Recipients, founded
from scenarios.ensembles.jobs import Job, model_of
from sim.calendar import Quarter
from sim.mechanisms.exports import exports
from sim.mechanisms.support import Channel, programme_channel
from sim.model import SRDIModel
from sim.numerics.draws import Purpose, uniform_pair
from sim.numerics.elementary import log
from sim.numerics.jit import kernel
from sim.tally import research_sums
from sim.tiers import TIERS, Tier

#: What is known of each firm at the end, beside its tier: as the national columns of these names count it, but a year's
#: amount at the pace of the quarter.
AMOUNTS = ("rd_true_yuan", "employment", "exports_yuan", "revenue_yuan")
#: Titles by the national columns of their stocks, with the least code of a firm's tier.
TITLES = dict(
    zip(("innovative_smes", "srdi_smes", "little_giants"), (getattr(Tier, name) for name in TIERS), strict=True)
)
#: National columns by which it is seen whether a run repeats another one.
CHECKED = ("firms", "employment", "srdi_smes", "little_giants", "revenue_yuan", "rd_true_yuan", "exports_yuan")


@dataclass(frozen=True)
class FirmRun:
    """A run at the end of a quarter.

    Attributes:
        founded: int64 (slots,), quarter index in which the slot's firm was founded; without meaning where none is.
        alive: bool (slots,). tier: int8 (slots,), code.
        amounts: by name of AMOUNTS, float64 (slots,), 0 where no firm is.
        niche, sector: int64 (slots,), which no firm changes. county_province: int64 (units,), province of each county.
        events: first support of each firm and lever, as `Recipients.events`.
        births: slots in which a firm was founded, by quarter index.
        start: digest of all firms at the start, before any policy.
        national: CHECKED of the quarter, at 1:1.
        scale: simulated firms per real firm.
    """

    founded: np.ndarray
    alive: np.ndarray
    tier: np.ndarray
    amounts: dict[str, np.ndarray]
    niche: np.ndarray
    sector: np.ndarray
    county_province: np.ndarray
    events: pd.DataFrame
    births: Sequence[np.ndarray]
    start: str
    national: dict[str, float]
    scale: float

    def holds(self, slot: np.ndarray, since: np.ndarray) -> np.ndarray:
        """Whether firms, by slot and founding, int64 (firms,) each, are alive at the end: bool (firms,)."""
        return self.alive[slot] & (self.founded[slot] == since)

    def tier_of(self, slot: np.ndarray, since: np.ndarray) -> np.ndarray:
        """Tier of firms at the end: int64 (firms,); none for those that have closed or never were."""
        return np.where(self.holds(slot, since), self.tier[slot], 0).astype(np.int64)

    def amount_of(self, name: str, slot: np.ndarray, since: np.ndarray) -> np.ndarray:
        """One of AMOUNTS of firms at the end: float64 (firms,); 0 for those that have closed or never were."""
        return np.where(self.holds(slot, since), self.amounts[name][slot], 0.0)

    def knew(self, slot: np.ndarray, since: np.ndarray) -> np.ndarray:
        """Whether firms were ever founded in this run: bool (firms,); those of the start were."""
        known = since <= 0
        for quarter in np.unique(since[~known]):
            of_quarter = since == quarter
            known[of_quarter] = np.isin(slot[of_quarter], self.births[quarter])
        return known


def follow(
    job: Job, levers: Iterable[str], quarter: Quarter, before_step: Callable[[], None] = lambda: None
) -> FirmRun:
    """Run a job to the end of a quarter and follow its firms.

    Args:
        levers: whose recipients are noted. before_step: called before every quarter; what it raises ends the run.
    """
    model = model_of(job)
    try:
        recipients, start = Recipients(model, levers), hashlib.sha256()
        for column in model.firms.columns:
            start.update(column.data)
        while model.quarter < quarter:
            before_step()
            recipients.before_step()
            model.step()
            recipients.after_step()
        return _at_the_end(model, recipients, start.hexdigest())
    finally:
        model.close()


def _at_the_end(model: SRDIModel, recipients: Recipients, start: str) -> FirmRun:
    columns = model.firms.columns
    slots = len(columns.employment)
    research, abroad = np.zeros(slots), np.zeros(slots)
    model.run_pass(_research_and_exports, research, abroad)
    amounts = (research, columns.employment, abroad, columns.revenue)
    return FirmRun(
        founded=founded(model),
        alive=columns.employment > 0,
        tier=columns.tier.copy(),
        amounts={name: values.astype(np.float64) for name, values in zip(AMOUNTS, amounts, strict=True)},
        niche=columns.niche.astype(np.int64),
        sector=columns.sector.astype(np.int64),
        county_province=model.geography.county_province.astype(np.int64),
        events=recipients.events,
        births=recipients.births,
        start=start,
        national={name: float(model.recorder.latest[name]) for name in CHECKED},
        scale=model.scale,
    )


@kernel
def _research_and_exports(firms, quarter, research, abroad, slots):
    """Write the R&D truly done and the sales abroad of each firm, yuan per year, as the model counts them."""
    env, p = quarter.environment, quarter.parameters
    for i in range(slots.first, slots.end):
        if firms.rd_intensity[i] > 0.0:
            research[i] = research_sums(firms, quarter, i)[0]
        if firms.employment[i] > 0.0 and env.sector_manufacturing[firms.sector[i]]:
            _, draw = uniform_pair(quarter.lasting_keys[Purpose.ASPIRATION], i)
            odds = programme_channel(firms.support[i], env.programme_effects, Channel.exports)
            if exports(draw, firms.productivity[i], log(max(float(firms.employment[i]), 1.0)), odds, p):
                abroad[i] = p.export_share * firms.revenue[i]
