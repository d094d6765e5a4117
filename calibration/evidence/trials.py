"""The experiments that repeat studies in the model: two policies that differ in one lever, and the firms followed.

A year after the first support means the end of the fourth quarter in which it acts. (`srdi response` counts calendar
years instead, the year of first support being the zeroth.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.evidence.outcomes import NOT_MEASURED, OUTCOMES, PUSH, TERM, Outcome
from calibration.evidence.rows import Estimate, Evidence, settings_of
from calibration.firms.response import policies
from scenarios.analysis.recipients import supported
from scenarios.files.loading import load_scenario
from sim.calendar import Quarter
from sim.firms.columns import LISTED
from sim.levers import PROGRAMMES, Levers
from sim.model import SRDIModel
from sim.policy import Policy
from sim.tiers import Tier

#: Firms supported in a trial of a programme, at 1:1: so few that their rivals, lenders and wages hardly move.
FIRMS = 20_000
#: Awards granted in a trial, at 1:1: enough for a mean in a sample of the population.
AWARDS = 3_000
#: Points below the pass mark from which firms get the title in the trial of certificates.
BAND = 3.0
#: Intensity at which support of listings brings enough of them.
LISTING = 5.0
#: Places a year that are enough for all who apply in a trial.
_AMPLE = 1e5
#: Longest horizon of a trial in years.
MOST_YEARS = 10.0

#: Experiments in which firms are followed, and the lever or rule that each changes; empty: the lever of the row.
RUN = {
    "programme_once": "",
    "standing": "",
    "award": "little_giant_awards",
    "award_margin": "little_giant_awards",
    "digital": "digital_empowerment",
    "cluster": "cluster_recognition",
    "cluster_end": "cluster_recognition",
    "cluster_neighbours": "cluster_recognition",
    "new_supplier": "chain_leader_openness",
    "listing_margin": "listing_support",
    "certificate_margin": "rules.srdi.score_min",
    "research_push": "order_based_research",
    "research_year": "order_based_research",
    "demand_push": "matchmaking_sales",
}
#: The lever in which the mechanism of a shared block is seen.
_LEVER_OF_BLOCK = {"finance": "credit_guarantees"}
#: Experiments in which no firms are followed, and the outcomes that each gives.
_APART = {
    "niche_shares": ("rivals_log_revenue",),
    "moment": ("exit_rate", "link_survival"),
    "panel_regression": ("log_revenue_per_log_research",),
    "direct": ("parameter", "private_per_public_equity"),
}
_NO_COUNTERPART = "nothing in the model corresponds to it"
#: Experiments that are not made, and why.
NOT_RUN = {
    "none": _NO_COUNTERPART,
    "relocation": "firms move too rarely in the model for a mean over those that moved",
    "rule_threshold": "its parameter is fitted to the reported figures",
    "rule_audit": "a change of rules, in which no firm is supported",
    "foreign_supply": "a shock, not a lever",
}
#: Coastal provinces, for rows that tell them apart.
COAST = (
    *("Tianjin", "Hebei", "Liaoning", "Shanghai", "Jiangsu", "Zhejiang", "Fujian", "Shandong", "Guangdong", "Guangxi"),
    "Hainan",
)


@dataclass(frozen=True)
class Plan:
    """What a trial does.

    Attributes:
        treated, control: the two policies. branch: quarter from which on they can differ.
        first, last: quarters at whose ends firms are taken in. lag: quarters from then to the first with effect.
        followed: which firms are taken in, from the treated and the control model: bool (slots,).
    """

    treated: Policy
    control: Policy
    branch: Quarter
    first: Quarter
    last: Quarter
    lag: int
    followed: Callable[[SRDIModel, SRDIModel], np.ndarray]


@dataclass(frozen=True)
class Trial:
    """One experiment with one lever at one dose. Rows with the same trial share its runs.

    Attributes:
        experiment: as in `RUN`. lever: that is run. settings: of both policies, in the form of ``--set``.
        yuan_per_firm: money a supported firm receives a year; None: the lever's default.
    """

    experiment: str
    lever: str
    settings: tuple[str, ...] = ()
    yuan_per_firm: float | None = None

    @property
    def name(self) -> str:
        """A name for messages and files."""
        money = [f"{self.yuan_per_firm:,.0f} yuan"] if self.yuan_per_firm else []
        return " ".join((self.experiment, self.lever, *self.settings, *money))

    def plan(self, parameters: dict[str, float]) -> Plan:
        """Policies and followed firms with changed parameters; those that the experiment itself sets win."""
        base = load_scenario("baseline", self.settings).policy
        base = base.model_copy(
            update={"parameters": base.parameters | parameters | _OWN_PARAMETERS.get(self.experiment, {})}
        )
        return _PLANS[self.experiment](self, base)


def trial_of(row: Estimate, evidence: Evidence) -> Trial:
    """The trial that repeats the study of a row."""
    if row.experiment not in RUN:
        return Trial("niche_shares" if row.experiment == "niche_shares" else "baseline", "", settings_of(row))
    lever = RUN[row.experiment] or _LEVER_OF_BLOCK.get(row.lever, row.lever)
    if row.experiment == "cluster" and row.lever == "open_innovation":
        lever = row.lever
    money = evidence.dose_in_yuan(row) if lever in PROGRAMMES and row.experiment == "programme_once" else None
    return Trial(row.experiment, lever, settings_of(row), money)


def obstacle(row: Estimate) -> str:
    """Why the model cannot be set beside a row, in words; empty if it can."""
    if row.not_compared:
        return row.not_compared
    if row.experiment in NOT_RUN:
        return NOT_RUN[row.experiment]
    if row.experiment in _APART:
        return "" if row.outcome in _APART[row.experiment] else NOT_MEASURED.get(row.outcome) or _NO_COUNTERPART
    if row.outcome not in OUTCOMES:
        return NOT_MEASURED[row.outcome] or _NO_COUNTERPART
    if row.experiment in ("programme_once", "standing") and row.lever not in (*Levers.model_fields, *_LEVER_OF_BLOCK):
        return "a shared block has no lever of its own to run"
    if row.horizon_years > MOST_YEARS:
        return f"a horizon of {row.horizon_years:g} years; trials end after {MOST_YEARS:g}"
    return ""


def quarters_to(row: Estimate) -> int:
    """Quarters with effect after which the outcome of a row is read; at least one."""
    if OUTCOMES[row.outcome].within_term:
        return TERM
    return max(round(4.0 * row.horizon_years), 1)


def outcome_of(row: Estimate) -> Outcome:
    """How the outcome of a row is measured."""
    return OUTCOMES[row.outcome]


# ---------------------------------------------------------------- plans

#: Parameters that an experiment sets: every yuan becomes R&D; a known rise of demand, and no new customers.
_OWN_PARAMETERS = {
    "research_push": {"order_additionality": 1.0},
    "research_year": {"order_additionality": 1.0},
    "demand_push": {"match_sales": PUSH, "match_linking": 0.0},
}
_START = Quarter(2021, 1)
_ONE_TERM = {"enabled": True, "start": "2021Q1", "end": "2021Q4"}


def _with_lever(base: Policy, lever: str, values: dict) -> Policy:
    """The policy with changed settings of one lever."""
    changed = getattr(base.levers, lever).model_copy(update=values)
    return base.model_copy(update={"levers": base.levers.model_copy(update={lever: changed})})


def _marked(lever: str, always: bool = False) -> Callable[[SRDIModel, SRDIModel], np.ndarray]:
    """Firms that a lever supports in the treated run and not in the control; `always`: in the control as well."""

    def followed(treated: SRDIModel, control: SRDIModel) -> np.ndarray:
        marked = supported(treated, lever)
        return marked if always else marked & ~supported(control, lever)

    return followed


def _in_one_run(holds: Callable[[SRDIModel], np.ndarray]) -> Callable[[SRDIModel, SRDIModel], np.ndarray]:
    """Firms of which something holds in the treated run only."""
    return lambda treated, control: holds(treated) & ~holds(control)


def _programme(trial: Trial, base: Policy) -> Plan:
    """A firm programme for one term, so that no firm is supported twice."""
    lever = getattr(base.levers, trial.lever)
    money = trial.yuan_per_firm or lever.yuan_per_firm
    treated = _with_lever(
        base, trial.lever, _ONE_TERM | {"yuan_per_firm": money, "budget_yuan": FIRMS * money * lever.intensity}
    )
    control = _with_lever(base, trial.lever, {"enabled": False})
    return Plan(treated, control, _START, _START, _START, 0, _marked(trial.lever))


def _standing(trial: Trial, base: Policy) -> Plan:
    """The lever at its defaults from 2021 on; its recipients of the first two years are followed."""
    treated, control = policies(trial.lever, base)
    always = trial.lever in ("innovation_release", "open_innovation")  # what they act on exists without them
    return Plan(treated, control, _START, _START, _START + 7, 0, _marked(trial.lever, always))


def _research_push(trial: Trial, base: Policy) -> Plan:
    """R&D from outside the firm's own choice: orders that are paid by public money alone, to all who may have them."""
    values = {"enabled": True, "start": "2021Q1", "leader_share": 0.0, "budget_yuan": 1e12}
    once = trial.experiment == "research_year"
    treated = _with_lever(base, trial.lever, values | {"end": "2021Q4" if once else "2030Q4"})
    control = _with_lever(base, trial.lever, {"enabled": False})
    # A yield "a year later" counts from the end of the year in which the R&D was done.
    return Plan(treated, control, _START, _START, _START, TERM if once else 0, _marked(trial.lever))


def _award(trial: Trial, base: Policy) -> Plan:
    """Awards of 2021, paid from 2022 on.

    At the margin a round is compared with one of half the size: those awarded in the larger one alone stand just above
    its cut-off, where a regression discontinuity looks.
    """
    values = {"enabled": True, "start": "2021Q3", "end": "2021Q4"}
    whole = AWARDS * base.levers.little_giant_awards.award_yuan
    treated = _with_lever(base, trial.lever, values | {"budget_yuan": whole})
    other = {"budget_yuan": 0.5 * whole} if trial.experiment == "award_margin" else {"enabled": False}
    control = _with_lever(base, trial.lever, values | other)
    return Plan(treated, control, Quarter(2021, 3), Quarter(2021, 4), Quarter(2021, 4), 1, _marked(trial.lever))


def _digital(trial: Trial, base: Policy) -> Plan:
    """One batch of pilot cities for its two years."""
    treated = _with_lever(base, trial.lever, {"enabled": True, "start": "2021Q3", "end": "2023Q2", "city_batches": 1})
    control = _with_lever(base, trial.lever, {"enabled": False})
    return Plan(treated, control, Quarter(2021, 3), Quarter(2021, 3), Quarter(2023, 2), 1, _marked(trial.lever))


def _cluster(trial: Trial, base: Policy) -> Plan:
    """Recognitions of 2021 and 2022 against none, or open innovation in recognised clusters."""
    treated, control = policies(trial.lever, base)
    followed = _marked(trial.lever, always=trial.lever == "open_innovation")
    if trial.experiment == "cluster_neighbours":
        followed = _neighbours
    return Plan(treated, control, _START, Quarter(2021, 4), Quarter(2022, 4), 1, followed)


def _neighbours(treated: SRDIModel, control: SRDIModel) -> np.ndarray:
    """Firms of a county with a recognised cluster that are not its members: bool (slots,)."""
    columns = treated.firms.columns
    near = treated.environment.county_active[columns.county] & (columns.employment > 0)
    return near & ~supported(treated, "cluster_recognition")


def _cluster_end(trial: Trial, base: Policy) -> Plan:
    """Grants to clusters end with 2023, against grants that go on."""
    values = {"enabled": True, "start": "2021Q1"}
    treated = _with_lever(base, trial.lever, values | {"end": "2023Q4"})
    control = _with_lever(base, trial.lever, values | {"end": "2030Q4"})
    last = Quarter(2023, 4)
    return Plan(treated, control, _START, last, last, 1, _marked(trial.lever, always=True))


def _new_supplier(trial: Trial, base: Policy) -> Plan:
    """Firms that become suppliers of a leader through its openness, in 2021 and 2022."""
    treated, control = policies(trial.lever, base)
    return Plan(treated, control, _START, _START, _START + 7, 1, _marked(trial.lever))


def _listing(trial: Trial, base: Policy) -> Plan:
    """Firms that are listed by the end of 2021 through a strong support of listings, with places for all who apply."""
    base = base.model_copy(update={"parameters": base.parameters | {"listing_places": _AMPLE}})
    budget = FIRMS * base.levers.listing_support.yuan_per_firm * LISTING
    treated = _with_lever(base, trial.lever, _ONE_TERM | {"intensity": LISTING, "budget_yuan": budget})
    control = _with_lever(base, trial.lever, {"enabled": False})
    listed = _in_one_run(lambda model: model.firms.columns.flags & LISTED != 0)
    return Plan(treated, control, _START, Quarter(2021, 4), Quarter(2021, 4), 1, listed)


def _certificate(trial: Trial, base: Policy) -> Plan:
    """Firms that a lower pass mark of the SRDI score lets in, in the rounds of 2021: those just below the mark."""
    mark = base.rules.srdi.score_min - BAND
    lower = base.rules.model_copy(
        update={"start": str(_START), "srdi": base.rules.srdi.model_copy(update={"score_min": mark})}
    )
    titled = _in_one_run(lambda model: model.firms.columns.tier >= Tier.srdi)
    return Plan(base.model_copy(update={"rules": lower}), base, _START, _START, Quarter(2021, 3), 1, titled)


_PLANS: dict[str, Callable[[Trial, Policy], Plan]] = {
    "programme_once": _programme,
    "demand_push": _programme,
    "standing": _standing,
    "award": _award,
    "award_margin": _award,
    "digital": _digital,
    "cluster": _cluster,
    "cluster_neighbours": _cluster,
    "cluster_end": _cluster_end,
    "new_supplier": _new_supplier,
    "listing_margin": _listing,
    "certificate_margin": _certificate,
    "research_push": _research_push,
    "research_year": _research_push,
}
