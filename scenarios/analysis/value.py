"""Worth of a policy: value added net of displacement, less the labour and R&D it moves, over its full public cost.

A pair is one parameter draw and replicate, run under a scenario and the baseline. Rivals' losses in the same niches and
sectors are in the nation's revenue (feedback `displacement`), so differences of it are net of them. With present values
of differences, summed over the quarters of the run:

    V = v · revenue                            value added; v: share of revenue
    L = ω · wage · job-years                   work given up elsewhere; ω: share of workers who come from it
    R = ρ · R&D                                people and materials of R&D given up elsewhere; ρ: their share
    S = V − L − R                              gain of society, before public cost
    T = τ · S                                  part of S that flows back as tax; τ: taxes over value added
    G                                          full public cost: levers, tax relief, awards for titles
    net benefit = S − (1 + λ) G                λ: marginal cost of public funds
    benefit-cost ratio = S / ((1 + λ) G)
    MVPF = (S − T) / (G − T)                   after Hendren and Sprung-Keyser (2020); to be compared with 1 + λ

S is before tax, so T is a part of it and not added to it. It falls if workers come from taxed work elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import permutations

import numpy as np
import pandas as pd

from scenarios.analysis.comparison import COST_OF_FUNDS, common_quarters, common_scenarios
from scenarios.analysis.intervals import BAND, band, band_columns
from scenarios.checks import refuse_beyond, single
from scenarios.errors import InputError, ResultsError
from scenarios.files.labels import Label, weakest
from scenarios.records.results import Results
from scenarios.records.storage import records
from sim.arguments import quoted
from sim.calendar import Quarter

#: Year whose wage is given.
WAGE_YEAR = 2022
#: What no number here holds, for output and help.
NOT_COUNTED = (
    "knowledge that spills over to sectors outside the model",
    "the environment",
    "consumers' surplus, such as lower prices and better products",
    "years after the run: what its R&D earns later, and money committed but not yet paid",
    "capital tied up, and what firms and offices spend on applying and assessing",
)
#: Why a ratio or its range is missing, by name; some: pairs of which it is true.
REASONS = {
    "free": "costs nothing more than the baseline",
    "saves": "saves public money; for a ratio, use this scenario as the baseline",
    "unclear": "not clearly more costly: costs more in {some} of {pairs} pairs",
    "no_range": "no range: costs more in {some} of {pairs} pairs",
    "pays": "pays for itself",
    "pays_in_some": "pays for itself in {some} of {pairs} pairs",
}
#: Switches and parameters that make a number gross or incomplete when they are off, and what is said then.
SWITCHES = {
    ("displacement", "displacement"): "gains are not net of what rivals in the niche lose",
    ("displacement", "sector_displacement"): "gains are not net of what the rest of the sector loses",
    ("full_cost", "tax_relief_counted"): "tax relief on R&D is not in the public cost",
    ("full_cost", "title_award_srdi"): "awards for titles of SRDI SMEs are not in the public cost",
}
#: Parts of the public cost: quantity and the column of `national` it sums.
PARTS = {
    "cost_lever_yuan": "public_spending_yuan",
    "cost_tax_yuan": "tax_relief_yuan",
    "cost_title_yuan": "title_awards_yuan",
}
_COLUMNS = ("revenue_yuan", "employment", "rd_true_yuan", "public_cost_yuan", *PARTS.values())
_RUN = ["draw", "replicate"]
_ASSUMED = Label("assumed")


@dataclass(frozen=True)
class Assumptions:
    """What a reader brings to the results. None of it comes from the model; every default is an assumption.

    The official figures named are quoted from general knowledge, no page at hand, but for the census's revenue
    (``sim/data/sectors.toml``). All were reported before 8 March 2024.

    Attributes:
        discount_rate: a year, for yuan of the day. 0.05: a choice; the official method for construction projects of
            2006 takes 0.08.
        present: the quarter whose yuan all amounts are in. A flow is dated at its own quarter.
        value_added_share: v, of revenue. 0.225: the middle of a fifth to a quarter. China's industry had 30.5 trillion
            yuan of value added in 2018 (statistics office, February 2019; also of the self-employed, which makes the
            share high) over 118.5 trillion of revenue (fourth economic census): 0.257. Services have more.
        wage: yuan a year per worker in 2022. 70,000: about the 67,352 yuan of private manufacturing in towns
            (statistics office, May 2023).
        wage_growth: a year. 0.05: as the model's demand, in yuan of the day.
        labour_moved: ω, share of added workers who come from equally productive work elsewhere. 1: all of them.
        research_moved: ρ, share of added R&D whose people and materials come from equally productive use elsewhere. 0
            takes R&D to be worth what it costs.
        tax_share: τ. 0.14: 18.1 trillion yuan of taxes over 126.1 trillion of gross domestic product in 2023 (ministry
            of finance and statistics office, January and February 2024).
    """

    discount_rate: float = 0.05
    present: str = "2024Q1"
    value_added_share: float = 0.225
    wage: float = 70_000.0
    wage_growth: float = 0.05
    labour_moved: float = 1.0
    research_moved: float = 1.0
    tax_share: float = 0.14

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            refuse_beyond(name, getattr(self, name), low, high)
        first, last = PRESENT_RANGE
        try:
            known = first <= Quarter.parse(self.present) <= last
        except (TypeError, ValueError):
            known = False
        if not known:
            raise InputError(
                f"present is {quoted(self.present)}: it must be a quarter such as 2024Q1, from {first} to {last}"
            )

    def discount(self, quarter: Quarter) -> float:
        """What a yuan of a quarter is worth at present."""
        return (1.0 + self.discount_rate) ** ((Quarter.parse(self.present) - quarter) / 4.0)

    def wage_in(self, year: int) -> float:
        """Yuan a year per worker."""
        return self.wage * (1.0 + self.wage_growth) ** (year - WAGE_YEAR)


#: Least and most of each number of `Assumptions`, and of a marginal cost of public funds.
RANGES = {
    "discount_rate": (0.0, 1.0),
    "value_added_share": (0.0, 1.0),
    "wage": (0.0, 1e7),
    "wage_growth": (-0.5, 0.5),
    "labour_moved": (0.0, 1.0),
    "research_moved": (0.0, 1.0),
    "tax_share": (0.0, 0.9),
}
PRESENT_RANGE = (Quarter(2000, 1), Quarter(2100, 4))
_FUNDS_RANGE = (0.0, 5.0)


@dataclass(frozen=True)
class Reason:
    """Why a ratio or its range is missing: a key of `REASONS`, and in how many of the pairs it is so."""

    key: str
    some: int
    pairs: int

    def __str__(self) -> str:
        return REASONS[self.key].format(some=self.some, pairs=self.pairs)


@dataclass(frozen=True)
class Value:
    """Benefit, cost and rank of the scenarios of an ensemble.

    Attributes:
        baseline: the scenario the others are compared with. until: the last quarter counted.
        scenarios: the others, in order. assumptions: those of the reader.
        cost_of_funds: marginal costs of public funds.
        rows: one row per number. Columns: scenario; quantity; other (the baseline, or the scenario it is ranked
            against); cost_of_funds (NaN where it plays no part); unit; value, low and high (mean over the pairs, 10 and
            90 % of them; a ratio is one of means, its band that of the ratios of pairs; NaN for a single pair and where
            there is no number); note (why there is none); label and studies (see `scenarios.files.labels`).
            Quantities, all against the baseline and in present yuan: revenue_yuan; job_years (not discounted);
            research_yuan; value_added_yuan; labour_yuan and research_moved_yuan (taken off); gain_yuan; tax_back_yuan
            (part of the gain); public_cost_yuan and its parts cost_lever_yuan, cost_tax_yuan, cost_title_yuan; mvpf.
            With a cost of funds: net_benefit_yuan, benefit_cost, positive_share (of the pairs, those with a net benefit
            above zero) and beats_share (those in which it is above that of the other). beats_per_yuan_share: those in
            which net benefit per yuan of public cost is above that of the other, at any cost of funds.
        reasons: why a ratio or its range is missing, by scenario and quantity (benefit_cost, mvpf).
        caveats: sentences on settings of the runs that make a number gross or incomplete.
        pairs: their number. parameters_vary: whether they differ in parameters, not only in random draws.
    """

    baseline: str
    until: str
    scenarios: tuple[str, ...]
    assumptions: Assumptions
    cost_of_funds: tuple[float, ...]
    rows: pd.DataFrame
    reasons: Mapping[tuple[str, str], Reason]
    caveats: tuple[str, ...]
    pairs: int
    parameters_vary: bool

    def records(self) -> dict:
        """Plain values for JSON: baseline, until, assumptions, not_counted, caveats, rows; None for what is missing."""
        return {
            "baseline": self.baseline,
            "until": self.until,
            "assumptions": asdict(self.assumptions),
            "not_counted": list(NOT_COUNTED),
            "caveats": list(self.caveats),
            "rows": records(self.rows),
        }


def value(
    results: Results,
    baseline: str = "baseline",
    *,
    cost_of_funds: Iterable[float] = COST_OF_FUNDS,
    until: str | None = None,
    assumptions: Assumptions | None = None,
) -> Value:
    """Net benefit, benefit-cost ratio and marginal value of public funds of every scenario, and their rank.

    Args:
        results: an ensemble with the baseline and at least one other scenario.
        baseline: the scenario the others are compared with.
        cost_of_funds: marginal costs of public funds, what raising a yuan of taxes costs beyond that yuan; one number
            or several.
        until: the last quarter counted, such as 2030Q4; none means the last of the run.
        assumptions: None means the defaults of `Assumptions`.

    Raises:
        InputError: an unknown baseline or quarter, a single scenario, or a number out of its range.
        ResultsError: the table `national` lacks a column or rows.

    Example:
        >>> value(load_results("results/fund"), cost_of_funds=0.3).rows  # doctest: +SKIP
    """
    single("results", results, Results, "load_results")
    given = assumptions if assumptions is not None else Assumptions()
    single("assumptions", given, Assumptions, "Assumptions")
    funds = _costs_of_funds(cost_of_funds)
    names = common_scenarios([results], baseline)
    (last,) = common_quarters([results], [] if until is None else [str(until)])
    sums = _present_values(results, names, last, given)
    others = [name for name in names if name != baseline]
    accounts = {name: _account(sums[name], sums[baseline], given) for name in others}
    rows: list[dict] = []
    for name, account in accounts.items():
        label = results.change_label(baseline, name)
        rows += [{"scenario": name, "other": baseline, **row} for row in _worth(account, label, funds)]
    for one, other in permutations(others, 2):
        labels = weakest([*(results.change_label(baseline, each) for each in (one, other)), _ASSUMED])
        ranks = _rank(accounts[one], accounts[other], funds)
        rows += [{"scenario": one, "other": other, **row, **labels.columns} for row in ranks]
    reasons = {(row["scenario"], row["quantity"]): row["note"] for row in rows if isinstance(row["note"], Reason)}
    frame = pd.DataFrame(rows)[_ROW]
    frame["note"] = frame["note"].map(str)
    draws = results.national[_RUN].drop_duplicates()
    caveats = tuple(_caveats(results))
    return Value(
        baseline=baseline,
        until=str(last),
        scenarios=tuple(others),
        assumptions=given,
        cost_of_funds=funds,
        rows=frame,
        reasons=reasons,
        caveats=caveats,
        pairs=len(draws),
        parameters_vary=draws["draw"].nunique() > 1,
    )


_ROW = ["scenario", "quantity", "other", "cost_of_funds", "unit", "value", "low", "high", "note", "label", "studies"]


def _costs_of_funds(given: object) -> tuple[float, ...]:
    """The marginal costs of public funds, each once; raises InputError if one is out of range or there is none."""
    several = isinstance(given, Iterable) and not isinstance(given, str | bytes)
    numbers = list(given) if several else [given]  # type: ignore[call-overload]
    if not numbers:
        raise InputError("cost_of_funds is empty: give one number or several, such as 0.2")
    for number in numbers:
        refuse_beyond("cost_of_funds", number, *_FUNDS_RANGE)
    return tuple(dict.fromkeys(map(float, numbers)))


def _present_values(
    results: Results, names: list[str], last: Quarter, given: Assumptions
) -> dict[str, dict[str, np.ndarray]]:
    """Of each scenario, sums over the quarters of each run, float64 (runs,): columns of `national` and work.

    Raises:
        ResultsError: a column, a run or a quarter is missing or there twice, or a number is.
    """
    national = results.national
    for name in _COLUMNS:
        if name not in national:
            raise ResultsError(
                f"{results.path} has no column {name} in its table national: run it again with this srdi"
            )
    frame = national[national["quarter"] <= pd.Timestamp(last.end_date)]
    frame = frame.assign(scenario=frame["scenario"].astype(str))
    keys = ["scenario", *_RUN, "quarter"]
    runs = len(frame[_RUN].drop_duplicates())
    whole = len(names) * runs * (last - Quarter.parse(results.manifest["first_quarter"]) + 1)
    if frame.empty or len(frame) != whole or frame.duplicated(keys).any():
        raise ResultsError(f"{results.path} is damaged: national.parquet does not have every run in every quarter")
    for name in _COLUMNS:
        if not np.isfinite(frame[name].to_numpy(np.float64)).all():
            raise ResultsError(f"{results.path} is damaged: national.parquet has no number in {name} somewhere")
    quarters = [Quarter(date.year, date.quarter) for date in frame["quarter"]]
    weights = np.array([given.discount(quarter) for quarter in quarters])
    job_years = frame["employment"].to_numpy(np.float64) / 4.0
    wages = np.array([given.wage_in(quarter.year) for quarter in quarters])
    flows = {name: frame[name].to_numpy(np.float64) * weights for name in _COLUMNS if name != "employment"}
    flows |= {"job_years": job_years, "wages_yuan": job_years * wages * weights}
    sums = frame[keys].assign(**flows).groupby(["scenario", *_RUN])[list(flows)].sum().sort_index()
    return {name: {flow: sums.loc[name][flow].to_numpy(np.float64) for flow in flows} for name in names}


@dataclass(frozen=True)
class _Account:
    """Differences of a scenario from the baseline in each pair, float64 (pairs,), by quantity of `Value.rows`."""

    amounts: Mapping[str, np.ndarray]

    @property
    def gain(self) -> np.ndarray:
        return self.amounts["gain_yuan"]

    @property
    def cost(self) -> np.ndarray:
        return self.amounts["public_cost_yuan"]

    @property
    def tax(self) -> np.ndarray:
        return self.amounts["tax_back_yuan"]

    def net(self, funds: float) -> np.ndarray:
        """Net benefit at a marginal cost of public funds."""
        return self.gain - (1.0 + funds) * self.cost


def _account(now: Mapping[str, np.ndarray], before: Mapping[str, np.ndarray], given: Assumptions) -> _Account:
    change = {name: now[name] - before[name] for name in now}
    amounts = {
        "revenue_yuan": change["revenue_yuan"],
        "job_years": change["job_years"],
        "research_yuan": change["rd_true_yuan"],
        "value_added_yuan": given.value_added_share * change["revenue_yuan"],
        "labour_yuan": given.labour_moved * change["wages_yuan"],
        "research_moved_yuan": given.research_moved * change["rd_true_yuan"],
    }
    gain = amounts["value_added_yuan"] - amounts["labour_yuan"] - amounts["research_moved_yuan"]
    amounts |= {
        "gain_yuan": gain,
        "tax_back_yuan": given.tax_share * gain,
        "public_cost_yuan": change["public_cost_yuan"],
        **{name: change[column] for name, column in PARTS.items()},
    }
    return _Account(amounts)


#: Quantities that rest on the runs alone, besides the discount rate.
_OF_THE_RUNS = ("revenue_yuan", "job_years", "research_yuan", "public_cost_yuan", *PARTS)


def _worth(account: _Account, label: Label, funds: Iterable[float]) -> Iterator[dict]:
    """Rows of one scenario against the baseline."""
    assumed = weakest([label, _ASSUMED]).columns
    for quantity, values in account.amounts.items():
        columns = label.columns if quantity in _OF_THE_RUNS else assumed
        yield {**_number(quantity, values, "person-years" if quantity == "job_years" else "yuan"), **columns}
    yield {**_mvpf(account), **assumed}
    for each in funds:
        at = {"cost_of_funds": each, **assumed}
        net = account.net(each)
        yield {**_number("net_benefit_yuan", net, "yuan"), **at}
        yield {**_row("benefit_cost", "ratio", *_ratio(account.gain, (1.0 + each) * account.cost)), **at}
        yield {**_share("positive_share", net > 0.0), **at}


def _rank(one: _Account, other: _Account, funds: Iterable[float]) -> Iterator[dict]:
    """Rows on the chance that one scenario is better than another, in all and per yuan; a tie is no win."""
    for each in funds:
        yield {**_share("beats_share", one.net(each) > other.net(each)), "cost_of_funds": each}
    if (one.cost > 0.0).all() and (other.cost > 0.0).all():
        # Net benefit per yuan is gain over cost, less 1 + λ, which is the same for both.
        yield _share("beats_per_yuan_share", one.gain / one.cost > other.gain / other.cost)
    else:
        note = "no net benefit per yuan: one of the two does not cost more than the baseline in every pair"
        yield _row("beats_per_yuan_share", "share", note=note)


def _row(
    quantity: str,
    unit: str,
    middle: float = math.nan,
    low: float = math.nan,
    high: float = math.nan,
    note: Reason | str = "",
) -> dict:
    ends = {"value": float(middle), "low": float(low), "high": float(high)}
    return {"quantity": quantity, "unit": unit, "cost_of_funds": math.nan, **ends, "note": note}


def _number(quantity: str, values: np.ndarray, unit: str) -> dict:
    """Mean over the pairs and 10 to 90 % of them."""
    return _row(quantity, unit) | band_columns(values)


def _share(quantity: str, wins: np.ndarray) -> dict:
    """Share of the pairs, which no single pair has and so no band."""
    return _row(quantity, "share", float(wins.mean()))


def _ratio(gains: np.ndarray, costs: np.ndarray) -> tuple[float, float, float, Reason | str]:
    """Ratio of the means, its band over the pairs, and why one is missing."""
    pairs, costly = len(costs), int((costs > 0.0).sum())
    if not costs.any():
        return math.nan, math.nan, math.nan, Reason("free", pairs, pairs)
    if (costs < 0.0).all():
        return math.nan, math.nan, math.nan, Reason("saves", pairs, pairs)
    if not np.quantile(costs, BAND[0]) > 0.0:
        return math.nan, math.nan, math.nan, Reason("unclear", costly, pairs)
    middle = float(gains.mean() / costs.mean())
    if costly < pairs:
        return middle, math.nan, math.nan, Reason("no_range", costly, pairs)
    _, low, high = band(gains / costs)
    return middle, float(low), float(high), ""


def _mvpf(account: _Account) -> dict:
    """Marginal value of public funds: what people gain after tax per yuan that the budget loses in the end."""
    *_, note = _ratio(account.gain, account.cost)
    if note:
        return _row("mvpf", "ratio", note=note)
    lost = account.cost - account.tax
    own = int((lost <= 0.0).sum())
    if own:
        return _row("mvpf", "ratio", note=Reason("pays" if own == len(lost) else "pays_in_some", own, len(lost)))
    return _row("mvpf", "ratio", *_ratio(account.gain - account.tax, lost))


def switched_off(results: Results) -> dict[tuple[str, str], list[str]]:
    """Scenarios in which a switch of `SWITCHES` or its parameter is off, by the two; without those that are on."""
    manifest = results.manifest
    found = {}
    for feedback, parameter in SWITCHES:
        off = [
            each["name"]
            for each in manifest["scenarios"]
            if each.get("model", {}).get(feedback) is False
            or {**manifest.get("parameters", {}), **each.get("parameters", {})}.get(parameter) == 0.0
        ]
        if off:
            found[feedback, parameter] = off
    return found


def _caveats(results: Results) -> Iterator[str]:
    """Sentences on what is off in a scenario, by its switch or its parameter."""
    for (feedback, parameter), off in switched_off(results).items():
        word = SWITCHES[feedback, parameter]
        yield f"In {', '.join(off)} {word} (model.{feedback} or {parameter} is off)."
