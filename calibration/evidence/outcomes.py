"""What studies measure, from the columns of firms that are followed in two runs with the same random draws.

An outcome gives each firm a gain and a weight, NaN where it has none; the effect is the ratio of their sums. So a mean
of differences has weight one, and yuan of R&D per yuan of money the money as its weight. `logged` outcomes are the log
of one plus that ratio.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from calibration.firms.response import true_research
from sim.firms.columns import LISTED, MOVED, NEVER
from sim.mechanisms.exports import exports
from sim.mechanisms.support import Channel, programme_channel
from sim.model import SRDIModel
from sim.numerics.draws import Purpose, uniform_pair

#: Quarters in which firms that close count for `log_exit_hazard`: those of one term of support.
TERM = 4
#: Log demand added in the experiment `demand_push`, a tenth more.
PUSH = math.log(1.1)


@dataclass(frozen=True)
class View:
    """Followed firms of both runs at the end of a quarter.

    Attributes:
        treated, control: the two models. cohort: int64 (firms,), slots of all followed firms, closed ones too.
        alive: bool (2, cohort), whether the firm is still there, in the treated run and in the control.
        years: since the first quarter with effect.
        slots: int64 (firms,), those of the cohort that are alive in both runs; the next four are for them.
        paid: yuan of support received so far; money: yuan a year now.
        idle, unlinked: whether the firm did no R&D, had no main customer when it was first followed.
        rounds: bool (2, firms), whether an equity round has closed since, in the treated run and in the control.
    """

    treated: SRDIModel
    control: SRDIModel
    cohort: np.ndarray
    alive: np.ndarray
    years: float
    slots: np.ndarray
    paid: np.ndarray
    money: np.ndarray
    idle: np.ndarray
    unlinked: np.ndarray
    rounds: np.ndarray

    def both(self, values: Callable[[SRDIModel], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Values of the firms in both runs, float64 (firms,) each; `values` gives those of all slots of a model."""
        return tuple(values(model)[self.slots].astype(np.float64) for model in (self.treated, self.control))

    def column(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """A column of the firms in both runs, float64 (firms,) each."""
        return self.both(lambda model: getattr(model.firms.columns, name))


Gains = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Outcome:
    """An outcome of single firms.

    Attributes:
        gains: gain and weight of each firm, float64 (firms,) each. logged: the effect is ln(1 + ratio).
        yearly: read at the end of a calendar year, when firms report their R&D.
        within_term: read at the end of one term of support, whatever the horizon of the study.
        counts: firms in or out of something: an effect of less than one of them cannot be seen.
    """

    gains: Callable[[View], Gains]
    logged: bool = False
    yearly: bool = False
    within_term: bool = False
    counts: bool = False


def _mean(differences: np.ndarray) -> Gains:
    return differences, np.ones(len(differences))


def _difference(name: str) -> Outcome:
    def gains(view: View) -> Gains:
        with_, without = view.column(name)
        return _mean(with_ - without)

    return Outcome(gains)


def _log_ratio(values: Callable[[SRDIModel], np.ndarray]) -> Callable[[View], np.ndarray]:
    """Log of a value with the lever over that without, float64 (firms,); NaN where one of them is not above 0."""

    def ratio(view: View) -> np.ndarray:
        with_, without = view.both(values)
        positive = (with_ > 0.0) & (without > 0.0)
        return np.log(np.where(positive, with_, np.nan) / np.where(positive, without, np.nan))

    return ratio


def _log_difference(values: Callable[[SRDIModel], np.ndarray]) -> Outcome:
    def gains(view: View) -> Gains:
        return _mean(_log_ratio(values)(view))

    return Outcome(gains)


def _log_of_sums(values: Callable[[SRDIModel], np.ndarray], yearly: bool = False) -> Outcome:
    def gains(view: View) -> Gains:
        with_, without = view.both(values)
        return with_ - without, without

    return Outcome(gains, logged=True, yearly=yearly)


def _column(name: str) -> Callable[[SRDIModel], np.ndarray]:
    return lambda model: getattr(model.firms.columns, name).astype(np.float64)


def _labour_productivity(model: SRDIModel) -> np.ndarray:
    columns = model.firms.columns
    return columns.revenue / np.maximum(columns.employment, 1e-9).astype(np.float64)


def _own_research(model: SRDIModel) -> np.ndarray:
    return model.firms.columns.rd_intensity * model.firms.columns.revenue.astype(np.float64)


def _true_research(model: SRDIModel) -> np.ndarray:
    return true_research(model.firms.columns)


def _reported_research(model: SRDIModel) -> np.ndarray:
    return model.firms.columns.rd_last_year * model.firms.columns.revenue.astype(np.float64)


def _credit(model: SRDIModel) -> np.ndarray:
    """Share of the wanted credit that firms obtain."""
    return 1.0 - model.firms.columns.constraint.astype(np.float64)


def _sold_abroad(model: SRDIModel, slots: np.ndarray) -> np.ndarray:
    """Whether the firms in these slots sell abroad, as the model counts them: bool (firms,)."""
    columns, env, p = model.firms.columns, model.environment, model.parameter_record
    key = model.lasting_keys[Purpose.ASPIRATION]
    sells = np.zeros(len(slots), dtype=bool)
    for index, slot in enumerate(slots):
        if env.sector_manufacturing[columns.sector[slot]]:
            odds = programme_channel(columns.support[slot], env.programme_effects, Channel.exports)
            _, draw = uniform_pair(key, slot)
            size = math.log(max(float(columns.employment[slot]), 1.0))
            sells[index] = exports(draw, float(columns.productivity[slot]), size, odds, p)
    return sells


def _exporter(view: View) -> Gains:
    return _mean(_sold_abroad(view.treated, view.slots) - _sold_abroad(view.control, view.slots).astype(np.float64))


def _exports(view: View) -> Gains:
    """Every exporter sells the same share of its revenue abroad, so that the share drops out."""
    with_, without = view.column("revenue")
    with_ *= _sold_abroad(view.treated, view.slots)
    without *= _sold_abroad(view.control, view.slots)
    return with_ - without, without


def _productivity_in_sd(view: View) -> Gains:
    with_, without = view.column("productivity")
    return with_ - without, np.full(len(without), without.std())


def _research_added(view: View) -> np.ndarray:
    with_, without = view.both(_true_research)
    return with_ - without


def _knowledge_per_yuan(view: View) -> Gains:
    with_, without = view.column("knowledge")
    return with_ - without, view.paid


def _revenue_per_research(view: View) -> Gains:
    """Sales per yuan paid, where every yuan paid became R&D."""
    with_, without = view.column("revenue")
    return with_ - without, view.paid


def _revenue_per_credit(view: View) -> Gains:
    return _log_ratio(_column("revenue"))(view), _log_ratio(_credit)(view)


def _productivity_per_research(view: View) -> Gains:
    with_, without = view.column("productivity")
    return with_ - without, _log_ratio(_true_research)(view)


def _rise_of_share(chosen: Callable[[View], np.ndarray], now: Callable[[SRDIModel], np.ndarray]) -> Outcome:
    """Relative rise of the share of firms of which something holds now, among those chosen when first followed."""

    def gains(view: View) -> Gains:
        with_, without = (values[chosen(view)] for values in view.both(now))
        return with_ - without, without

    return Outcome(gains, counts=True)


def _flag(bit: int) -> Outcome:
    def gains(view: View) -> Gains:
        with_, without = view.both(lambda model: model.firms.columns.flags & bit != 0)
        return _mean(with_ - without)

    return Outcome(gains, counts=True)


def _linked(view: View) -> Gains:
    with_, without = view.both(lambda model: model.firms.columns.customer != NEVER)
    return _mean(with_ - without)


def _alive(view: View) -> np.ndarray:
    return view.alive[0].astype(np.float64) - view.alive[1]


def _closed(view: View) -> Gains:
    return -_alive(view), 1.0 - view.alive[1]


def _rounds(view: View) -> tuple[np.ndarray, np.ndarray]:
    with_, without = view.rounds.astype(np.float64)
    return with_ - without, without


OUTCOMES: dict[str, Outcome] = {
    "productivity": _difference("productivity"),
    "productivity_sd": Outcome(_productivity_in_sd),
    "neighbours_productivity": _difference("productivity"),
    "log_employment": _log_difference(_column("employment")),
    "log_revenue": _log_difference(_column("revenue")),
    "log_labour_productivity": _log_difference(_labour_productivity),
    "staff_per_demand": Outcome(lambda view: (_log_ratio(_column("employment"))(view), np.full(len(view.slots), PUSH))),
    "log_knowledge": _log_difference(_column("knowledge")),
    "log_research": _log_of_sums(_own_research),
    "log_research_funded": _log_of_sums(_true_research, yearly=True),
    "log_research_reported": _log_of_sums(_reported_research, yearly=True),
    "own_research_per_yuan": Outcome(lambda view: (_research_added(view) - view.money, view.money), yearly=True),
    "research_added_per_yuan": Outcome(lambda view: (_research_added(view), view.money), yearly=True),
    "research_yuan_per_firm": Outcome(lambda view: _mean(_research_added(view)), yearly=True),
    "research_start": _rise_of_share(lambda view: view.idle, lambda model: model.firms.columns.rd_intensity > 0.0),
    "productivity_per_log_research": Outcome(_productivity_per_research, yearly=True),
    "revenue_per_research": Outcome(_revenue_per_research),
    "transfer_per_yuan": Outcome(_knowledge_per_yuan),
    "governance": _difference("governance"),
    "digital": _difference("digital"),
    "green": _difference("green"),
    "refinement": _difference("refinement"),
    "log_credit": _log_difference(_credit),
    "revenue_per_credit": Outcome(_revenue_per_credit),
    "equity_round": Outcome(lambda view: _mean(_rounds(view)[0]), counts=True),
    "equity_round_rise": Outcome(_rounds, counts=True),
    "listed": _flag(LISTED),
    "moved": _flag(MOVED),
    "linked": Outcome(_linked, counts=True),
    "new_customer_rise": _rise_of_share(
        lambda view: view.unlinked, lambda model: model.firms.columns.customer != NEVER
    ),
    "exporter": Outcome(_exporter, counts=True),
    "log_exports": Outcome(_exports, logged=True),
    "survival": Outcome(lambda view: _mean(_alive(view)), counts=True),
    "exit_rate": Outcome(lambda view: _mean(-_alive(view) / max(view.years, 1.0)), counts=True),
    "log_exit_hazard": Outcome(_closed, logged=True, within_term=True, counts=True),
}

#: Outcomes that are not of single firms followed in two runs: where they are measured, or why they are not.
NOT_MEASURED: dict[str, str] = {
    "parameter": "",
    "private_per_public_equity": "",
    "rivals_log_revenue": "",
    "log_revenue_per_log_research": "",
    "link_survival": "",
    "productivity_autocorrelation": "its parameters are fitted, with this figure as their prior",
    "exit_hazard": "the hazard by age is a stylised fact (srdi facts)",
    "supplier_tail": "a stylised fact (srdi facts)",
    "relabelled_share": "a figure that the model is fitted to (srdi calibrate)",
    "relabelled_share_of_rise": "a change of rules, in which no firm is supported",
    "neighbours_governance": "firms beside those that are trained are not followed",
    "spillover_ratio": "what firms elsewhere gain is less than the noise between runs",
    "applied": "the model does not record applications by firm",
    "applied_changed": "the model does not record applications by firm",
    "jobs_per_loan": "the model has no volumes of loans",
    "cost_per_job": "a price over the whole programme, not an effect on a firm",
    "value_added_per_yuan": "the model has no value added",
    "county_log_employment": "a rate of investment subsidy; the model has no capital",
    "customer_log_revenue": "lost supplies do not reach customers in the model",
    "output_loss_per_input_loss": "a property of a shock, not of a lever",
}
