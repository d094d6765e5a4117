"""The fit as rows of numbers for texts and charts: figures, parameters, directions, forecasts.

Rows come from the JSON files of a calibration and a validation; null there is NaN here.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from scenarios.analysis.reported import FACT, ReportedFigure, middle_of, reported_figures
from scenarios.ensembles.parameter_draws import ParameterDraws
from sim.calendar import START
from viz.shared.compared import quarter_of, reported_of
from viz.shared.units import unit_of_figure, unit_of_quantity

#: Roles of figures in the order of presentation.
ROLES = ("fit", "check", "given")
#: Forecasters that are scored, the model first; the others have no model.
FORECASTERS = ("model", "last_value", "linear_trend")
#: Scopes of a score: all figures, national figures, provincial figures.
SCOPES = ("all", "national", "provinces")
#: Regions of the statistics office whose little giants are forecast.
REGIONS = ("east", "centre", "west", "northeast")


@dataclass(frozen=True)
class FittedFigure:
    """A reported figure and its simulated value.

    Attributes:
        id, role: as in ``calibration/targets.toml``. quantity: key of its words and unit.
        province: empty for the nation. date: day of the figure. unit: of all its numbers.
        low, high: reported interval, None where it is one-sided.
        median, p05, p95: simulated. within: the median lies in the reported interval. inside: the figure is reproduced.
        source: as declared, in English; empty for a figure unknown to this package.
    """

    id: str
    role: str
    quantity: str
    province: str
    date: date
    unit: str
    low: float | None
    high: float | None
    median: float
    p05: float
    p95: float
    within: bool
    inside: bool
    source: str

    @property
    def series(self) -> str:
        """Common part of the ids of provincial figures; the id of a national figure."""
        return self.id.partition(".")[0]

    @property
    def middle(self) -> float:
        """Middle of the reported interval, or its only end."""
        return middle_of(self.low, self.high)

    @property
    def miss(self) -> float:
        """Distance of the median from the reported interval, as a share of the nearer end; 0 inside it."""
        nearest = self.median
        if self.low is not None:
            nearest = max(nearest, self.low)
        if self.high is not None:
            nearest = min(nearest, self.high)
        return self.median / nearest - 1.0 if nearest else math.nan

    @property
    def width(self) -> float:
        """Width of the 90 % interval over the median."""
        return (self.p95 - self.p05) / self.median if self.median else math.nan

    @property
    def likely(self) -> bool:
        """Whether the reported interval overlaps the 90 % interval of single runs."""
        return (self.high is None or self.p05 <= self.high) and (self.low is None or self.low <= self.p95)

    def deviation(self, value: float | None) -> float:
        """Deviation of a value from the reported middle, in per cent of the middle."""
        return math.nan if value is None or not self.middle else 100.0 * (value / self.middle - 1.0)


def figures_of(validation: Mapping) -> list[FittedFigure]:
    """The figures of a validation, in file order."""
    known = {figure.id: figure for figure in reported_figures()}
    return [_figure(row, known.get(row["id"])) for row in validation["targets"]]


def _figure(row: Mapping, reported: ReportedFigure | None) -> FittedFigure:
    low, high = row["reported_low"], row["reported_high"]
    quantity = row["quantity"]
    province = reported.province if reported else row["id"].partition(".")[2]
    cumulative = quantity + "_cumulative"
    since_start = reported is not None and reported.since_start and bool(unit_of_quantity(cumulative))
    return FittedFigure(
        id=row["id"],
        role=row["role"],
        quantity=cumulative if since_start else quantity,
        province=province,
        date=date.fromisoformat(row["date"]),
        unit=unit_of_figure(reported) if reported else unit_of_quantity(quantity),
        low=low,
        high=high,
        **{name: _number(row[name]) for name in ("median", "p05", "p95")},
        within=row["within"],
        inside=row["inside"],
        source=reported.source if reported else "",
    )


def by_role(figures: Iterable[FittedFigure]) -> dict[str, list[FittedFigure]]:
    """Figures by role: those of ROLES in that order, then any others."""
    rows: dict[str, list[FittedFigure]] = {role: [] for role in ROLES}
    for figure in figures:
        rows.setdefault(figure.role, []).append(figure)
    return {role: figures for role, figures in rows.items() if figures}


def by_series(figures: Iterable[FittedFigure]) -> dict[str, list[FittedFigure]]:
    """Provincial figures by series."""
    rows: dict[str, list[FittedFigure]] = {}
    for figure in figures:
        if figure.province:
            rows.setdefault(figure.series, []).append(figure)
    return rows


def roles_of_facts(figures: Iterable[FittedFigure]) -> dict[str, str]:
    """Role of the reported figure that measures the same as a stylised fact, by the fact's id."""
    return {f.quantity.removeprefix(FACT): f.role for f in figures if f.quantity.startswith(FACT)}


def typical_width(figures: Iterable[FittedFigure]) -> tuple[float, int]:
    """Median width of the 90 % intervals of figures that are not given, and the number of these figures."""
    widths = [figure.width for figure in figures if figure.role != "given" and math.isfinite(figure.width)]
    return (float(np.median(widths)), len(widths)) if widths else (math.nan, 0)


# --- parameters


@dataclass(frozen=True)
class FittedParameter:
    """A fitted parameter.

    Attributes:
        prior, posterior: 5 %, 50 % and 95 % quantile in its unit. place: the posterior quantiles on the scale of the
            prior, as the share of the prior below; NaN if the prior is not known.
        learned: whether the figures removed enough of its variance. share: the share removed.
        profile: 90 % interval of the profile likelihood. open: whether it ends at the edge of the search.
    """

    name: str
    unit: str
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]
    place: tuple[float, float, float]
    learned: bool
    share: float
    profile: tuple[float, float]
    open: bool


_LEVELS = np.array([0.05, 0.5, 0.95])
#: Number of points at which the distribution function of a prior is tabulated; linear in between.
_GRID = 2001


def parameters_of(summary: Mapping, draws: ParameterDraws) -> list[FittedParameter]:
    """The fitted parameters: ranges from the parameter draws and the priors, verdicts from the summary of the fit."""
    summarised = {row["parameter"]: row for row in summary["parameters"]}
    priors = _prior_quantiles(draws.names)
    rows = []
    for name, values in zip(draws.names, draws.values.T, strict=True):
        if name not in summarised:
            continue
        row, posterior = summarised[name], np.quantile(values, _LEVELS)
        prior = place = np.full(len(_LEVELS), math.nan)
        if name in priors:
            grid = np.linspace(0.0, 1.0, _GRID)
            prior = np.interp(_LEVELS, grid, priors[name])
            place = np.interp(posterior, priors[name], grid)
        rows.append(
            FittedParameter(
                name=name,
                unit=row["unit"],
                prior=_three(prior),
                posterior=_three(posterior),
                place=_three(place),
                learned=row["verdict"] == "learned",
                share=_number(row["contraction"]),
                profile=(_number(row["low"]), _number(row["high"])),
                open=row["open"],
            )
        )
    return rows


def _three(values: np.ndarray) -> tuple[float, float, float]:
    low, middle, high = map(float, values)
    return low, middle, high


@cache
def _prior_quantiles(names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Values of the priors at equally spaced probabilities from 0 to 1: float64 (_GRID,) by parameter."""
    from calibration.fitting.priors import Priors, read_priors

    known = read_priors().by_name
    priors = Priors({name: known[name] for name in names if name in known})
    cube = np.tile(np.linspace(0.0, 1.0, _GRID)[:, None], (1, len(priors.names)))
    return dict(zip(priors.names, priors.values(cube).T, strict=True)) if priors.names else {}


@cache
def prior_sources() -> dict[str, str]:
    """Source of the prior of each parameter that may be fitted, in English."""
    from calibration.fitting.priors import read_priors

    return {name: prior.source for name, prior in read_priors().by_name.items()}


@dataclass(frozen=True, eq=False)
class Directions:
    """Information in the figures about independent combinations of the parameters, the best identified first.

    Attributes:
        share: float64 (directions,), share of the prior variance that the figures remove.
        identified: number of directions in which the figures are more informative than the prior.
        loose: names of the parameters that mostly make up the other directions, the largest weight first.
    """

    share: np.ndarray
    identified: int
    loose: tuple[str, ...]


def directions_of(summary: Mapping) -> Directions:
    """Directions of parameter space from the information of a fit."""
    information, names = summary["information"], [row["parameter"] for row in summary["parameters"]]
    # The figures add `value` times the precision of the prior, so the remaining variance is 1 / (1 + value).
    values = np.asarray(information["eigenvalues"], dtype=np.float64)
    identified = information["identified"]
    weight = (np.asarray(information["directions"], dtype=np.float64)[identified:] ** 2).sum(axis=0)
    order = np.argsort(-weight, kind="stable")
    # At least half of the weight of such a parameter lies in directions with little information.
    loose = tuple(names[index] for index in order if weight[index] >= 0.5)
    return Directions(values / (1.0 + values), identified, loose)


# --- forecasts


@dataclass(frozen=True)
class Forecast:
    """Quantiles of a quantity at a date, in its unit.

    Attributes:
        quantity: a national quantity, or that of a province. province: or one of REGIONS; empty for the nation.
        levels: 5, 25, 50, 75 and 95 % quantile.
    """

    quantity: str
    province: str
    date: date
    unit: str
    levels: tuple[float, float, float, float, float]

    @property
    def median(self) -> float:
        """Its 50 % quantile."""
        return self.levels[2]

    @property
    def width(self) -> float:
        """Width of the 90 % interval over the median."""
        return (self.levels[4] - self.levels[0]) / self.median if self.median else math.nan


def forecasts_of(rows: Sequence[Mapping]) -> list[Forecast]:
    """The rows of a file of forecasts."""
    forecasts = []
    for row in rows:
        quantity, _, province = row["quantity"].partition(".")
        low, lower, median, upper, high = (_number(row[f"q{level}"]) for level in ("05", "25", "50", "75", "95"))
        day, levels = date.fromisoformat(row["date"]), (low, lower, median, upper, high)
        # The forecast of a flow is its sum over the year.
        forecasts.append(Forecast(quantity, province, day, unit_of_quantity(quantity, summed=True), levels))
    return forecasts


def national_series(forecasts: Iterable[Forecast]) -> dict[str, list[Forecast]]:
    """National forecasts by quantity, sorted by date."""
    rows: dict[str, list[Forecast]] = {}
    for forecast in sorted((f for f in forecasts if not f.province), key=lambda forecast: forecast.date):
        rows.setdefault(forecast.quantity, []).append(forecast)
    return rows


@dataclass(frozen=True, eq=False)
class Outlook:
    """The past and the forecast of a national quantity by quarter.

    Attributes:
        quarters: labels from the start of the model to the last forecast.
        levels: float64 (5, quarters), quantiles as in `Forecast`, interpolated linearly from the last reported figure
            through the forecasts; NaN before it.
        at: positions of the forecasts in quarters. reported, reported_at: figures and their positions.
    """

    quarters: list[str]
    levels: np.ndarray
    at: list[int]
    reported: list[ReportedFigure]
    reported_at: list[int]


def outlook_of(series: Sequence[Forecast]) -> Outlook:
    """Past and forecast of one quantity.

    Args:
        series: its national forecasts by date, at least one.
    """
    last = quarter_of(series[-1].date)
    reported = sorted(
        (f for f in reported_of(series[0].quantity, pd.Timestamp(series[0].date)) if quarter_of(f.date) > START),
        key=lambda figure: figure.date,
    )
    quarters = [START + step for step in range(last - START + 1)]
    at = [quarter_of(forecast.date) - START for forecast in series]
    reported_at = [quarter_of(figure.date) - START for figure in reported]
    knots, values = list(at), [forecast.levels for forecast in series]
    if reported and reported_at[-1] < at[0]:
        end = reported[-1]
        low, high = (end.middle if each is None else each for each in (end.low, end.high))
        knots.insert(0, reported_at[-1])
        values.insert(0, (low, low, end.middle, high, high))
    positions = np.arange(len(quarters))
    levels = np.array([np.interp(positions, knots, line) for line in zip(*values, strict=True)])
    levels[:, positions < knots[0]] = math.nan
    return Outlook([str(quarter) for quarter in quarters], levels, at, reported, reported_at)


# --- scores of forecasts


def mean_error(rows: Iterable[Mapping], key: str) -> float:
    """Mean absolute value of a column of a hindcast; NaN if the column is empty."""
    errors = [abs(row[key]) for row in rows if row[key] is not None]
    return float(np.mean(errors)) if errors else math.nan


def best_forecaster(score: Mapping) -> str | None:
    """The forecaster with the smallest relative score over the figures that all forecast; None without a score."""
    scores = {name: score[name]["relative_crps"] for name in FORECASTERS}
    known = {name: value for name, value in scores.items() if value is not None}
    return min(known, key=known.__getitem__) if len(known) == len(scores) else None


@cache
def sources_of_references() -> dict[str, str]:
    """Source of the reference of each stylised fact and estimate by id, in English."""
    rows = []
    for name, table in (("facts.toml", "fact"), ("econometrics.toml", "estimate")):
        text = files("calibration").joinpath(name).read_text(encoding="utf-8")
        rows += tomllib.loads(text)[table]
    return {row["id"]: row["source"] for row in rows}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
