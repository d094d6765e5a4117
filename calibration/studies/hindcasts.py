"""Rolling hindcasts: forecasts from what was known at the end of 2021 and of 2022, scored on the following year.

At each origin, the parameters are fitted again to the figures known at that day, on the emulator of the first waves
over the whole prior cube. The forecasts then follow the method of `calibration.forecasting.forecasts`: the ledger of
that day for little giants, and the last figure moved by the emulated change for other quantities. The emulator gives
the same quantities that runs give, so the code is the same.

Known limits. The structure of the model, and the constants marked as assumed, were chosen with all figures in view. A
figure counts as known at its own date, and those with a long lag later (`quantities.known_by`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from calibration.fitting.fit import Fit
from calibration.fitting.posterior import Likelihood, sample
from calibration.forecasting.blend import MODEL, Blend, inverse_score_weights, pooled
from calibration.forecasting.forecasts import QUANTILES, anchor, anchored, drift, drift_error
from calibration.forecasting.ledger import QUANTITIES, Ledger, Simulated, ledger_of
from calibration.forecasting.lists import FIRST_BATCH, KNOWN, REVIEW_YEARS, known_lists
from calibration.forecasting.naive import NAIVE, list_share, naive_forecasts
from calibration.forecasting.quantities import BY_PROVINCE, Asked, known_by
from calibration.forecasting.scores import density_scores, interval_scores
from scenarios.analysis.model_error import with_error
from scenarios.analysis.reported import REVIEW_PASS_RATE, ReportedFigure, reported_figures

#: Days up to which figures are known, and how far each hindcast reaches: a year and the quarter of the cut-off.
ORIGINS = (date(2021, 12, 31), date(2022, 12, 31))
HORIZON = timedelta(456)
#: Share of little giants lost in a year without review, which no figure tells the emulator: that of runs with draws
#: from the posterior (a test holds it to those of the package).
LOSSES = 0.035
#: Name of the naive forecast of provinces that takes the national forecast of the model.
LAST_SHARE = "last_share"


@dataclass(frozen=True)
class Hindcasts:
    """Hindcasts from all origins.

    Attributes:
        national, provinces: one row per figure, see `hindcast`. blends: by scope, the names of these tables.
    """

    national: pd.DataFrame
    provinces: pd.DataFrame
    blends: Mapping[str, Blend]

    @property
    def scores(self) -> pd.DataFrame:
        """Mean scores of each forecast in each scope, over the figures that it forecasts.

        Returns:
            Columns scope, forecast, figures, crps (over the reported value), error (mean absolute), log_score, pit
            (mean), weight (in the blend; NaN if it is not in it).
        """
        rows = []
        for scope, table in (("national", self.national), ("provinces", self.provinces)):
            for name in (MODEL, *NAIVE, LAST_SHARE, "blend"):
                suffix = "" if name == MODEL else f"_{name}"
                if f"crps{suffix}" not in table:
                    continue
                weight = self.blends[scope].weights.get(name, math.nan)
                means = {key: float(table[f"{key}{suffix}"].mean()) for key in ("crps", "log_score", "pit")}
                error = float(table[f"error{suffix}"].abs().mean())
                figures = int(table[f"crps{suffix}"].notna().sum())
                rows.append(
                    {"scope": scope, "forecast": name, "figures": figures, "error": error, **means, "weight": weight}
                )
        return pd.DataFrame(rows)


def hindcast(fit: Fit, origins: tuple[date, ...] = ORIGINS) -> Hindcasts:
    """Forecasts of the figures of the year after each origin.

    Quantities without any earlier figure are left out, because there is no series to extend. Provinces are those with
    a list of that year.

    Returns:
        Tables with the columns origin, id, label, quantity, date, low, high (reported), p05, p25, p50, p75, p95 (of
        the model, natural units), inside_50, inside_90 (whether the reported interval overlaps the forecast's), error
        (of the median, share), crps (over the reported middle), log_score and pit (see `density_scores`). The naive
        forecasts have error_NAME, crps_NAME, log_score_NAME and pit_NAME: last_value and linear_trend, from figures up
        to the origin, and for provinces last_share (the last share times the model's national forecast). With at least
        two origins also those of blend, the pool with weights from the other origins.
    """
    rows: dict[str, list[dict]] = {"national": [], "provinces": []}
    samples: dict[str, list[dict[str, np.ndarray]]] = {"national": [], "provinces": []}
    for last in origins:
        emulated = _emulated(fit, last)
        if emulated is None:
            continue
        for scope, row, forecasts in (*_national(emulated), *_provinces(emulated)):
            rows[scope].append(row | _scored(forecasts, row["low"], row["high"]))
            samples[scope].append(forecasts)
    blends = {}
    for scope, found in rows.items():
        if found:
            blends[scope] = _blend(found, samples[scope])
    return Hindcasts(pd.DataFrame(rows["national"]), pd.DataFrame(rows["provinces"]), blends)


@dataclass(frozen=True, eq=False)
class _Emulated:
    """A posterior fitted to the figures known at a day, and the figures it expects.

    Attributes:
        last: the day. figures: of role fit. natural: float64 (draws, figures), expected values.
        ledger: of that day; None if the fit has no batch of the next year. rng: of all errors.
    """

    last: date
    figures: tuple[ReportedFigure, ...]
    natural: np.ndarray
    ledger: Ledger | None
    rng: np.random.Generator

    def column(self, figure: ReportedFigure) -> np.ndarray | None:
        """Expected values of a figure, float64 (draws,); None if it was not emulated."""
        ids = [each.id for each in self.figures]
        return self.natural[:, ids.index(figure.id)] if figure.id in ids else None

    def ahead(self, day: date) -> bool:
        """Whether a date is after the origin and within the horizon."""
        return self.last < day <= self.last + HORIZON


def _emulated(fit: Fit, last: date) -> _Emulated | None:
    """The posterior at a day; None if none of the fitted figures was known."""
    known = np.array([known_by(figure, last) for figure in fit.targets.figures])
    if not known.any():
        return None
    emulator, settings = fit.wide_emulator, fit.settings
    likelihood = replace(Likelihood.of(emulator, fit.targets), used=known)
    cube = np.tile([0.0, 1.0], (len(fit.priors.names), 1))
    draws = sample(likelihood, cube, settings.draws, settings.seed + 15, settings.steps).cube
    rng = np.random.default_rng([settings.seed + 16, last.year])
    expected = emulator(draws)
    expected += rng.normal(size=expected.shape) * emulator.error
    natural = fit.targets.natural(expected)
    simulated = _simulated(fit.targets.figures, natural)
    next_year = last.year + 1
    ledger = ledger_of(simulated, last, next_year, settings.seed) if next_year in simulated.years else None
    return _Emulated(last, fit.targets.figures, natural, ledger, rng)


def _simulated(figures: tuple[ReportedFigure, ...], natural: np.ndarray) -> Simulated:
    """What the ledger takes from runs, from emulated figures, float64 (draws, figures)."""
    columns: dict[str, dict[int, np.ndarray]] = {"little_giants_granted": {}, REVIEW_PASS_RATE: {}}
    for figure, values in zip(figures, natural.T, strict=True):
        if figure.quantity in columns and figure.whole_year and not figure.province:
            columns[figure.quantity][figure.date.year] = values
    granted, passed = columns.values()
    # Before the first review there is nothing to pass; later years without one cannot be continued.
    years = tuple(sorted(year for year in granted if year in passed or year < FIRST_BATCH + REVIEW_YEARS))
    nothing = np.full(len(natural), math.nan)
    return Simulated(
        years=years,
        granted=np.array([granted[year] for year in years]).T.reshape(len(natural), -1),
        passed=np.array([passed.get(year, nothing) for year in years]).T.reshape(len(natural), -1),
        losses=np.full(len(natural), LOSSES),
    )


def _national(emulated: _Emulated) -> Iterator[tuple[str, dict, dict[str, np.ndarray]]]:
    """Scope, row and samples of each national figure after the origin with an earlier one."""
    own = {figure.id: figure for figure in emulated.figures}
    reported = [own.get(figure.id, figure) for figure in reported_figures() if not figure.province]
    for figure in reported:
        before = [f for f in reported if f.quantity == figure.quantity and known_by(f, emulated.last)]
        if not emulated.ahead(figure.date) or not before or figure.low is None or figure.high is None:
            continue
        values = _forecast(emulated, figure)
        if values is None:
            continue
        row = {"id": figure.id, "label": figure.label, "quantity": figure.quantity}
        forecasts = {MODEL: values, **naive_forecasts(figure, emulated.last).samples}
        yield "national", _row(emulated, row, figure.date, figure.low, figure.high), forecasts


def _forecast(emulated: _Emulated, figure: ReportedFigure) -> np.ndarray | None:
    """The model's forecast of a figure, float64 (draws,); None if the fit says nothing of it."""
    if figure.quantity in QUANTITIES:
        if emulated.ledger is None or figure.date.year > emulated.last.year + 1:
            return None
        return emulated.ledger.values(figure.quantity, figure.date)
    values = emulated.column(figure)
    if values is None:
        return None
    start = anchor(figure, emulated.last, emulated.figures)
    then = None if start is None else emulated.column(start)
    error = emulated.rng.normal(size=len(values))
    if start is None or then is None:
        return with_error(values, error * drift_error(figure, emulated.last), figure.is_share)
    return anchored(values, then, start, emulated.rng.random(len(values)), error * drift(figure, start.date))


def _provinces(emulated: _Emulated) -> Iterator[tuple[str, dict, dict[str, np.ndarray]]]:
    """Scope, row and samples of each list of a province or region with the batch of the year after the origin."""
    if emulated.ledger is None:
        return
    year = emulated.last.year + 1
    for listed in known_lists(KNOWN):
        if max(listed.years) != year or not emulated.ahead(listed.day):
            continue
        quantity = BY_PROVINCE[0] if len(listed.years) > 1 else BY_PROVINCE[1]
        asked = Asked(quantity=quantity, date=date(year, 12, 31), whole_year=len(listed.years) == 1)
        share = list_share(listed.place, emulated.last)
        naive = naive_forecasts(asked, emulated.last).samples
        nation = emulated.ledger.values(quantity, asked.date)
        forecasts = {
            MODEL: emulated.ledger.on_list(listed),
            **{name: share * values for name, values in naive.items()},
            LAST_SHARE: share * nation,
        }
        row = {
            "id": f"list-{listed.day}-{quantity}.{listed.place}",
            "label": f"{'Little giants' if len(listed.years) > 1 else 'Little giants granted'}: {listed.place}",
            "quantity": f"{quantity}.{listed.place}",
        }
        yield "provinces", _row(emulated, row, listed.day, listed.low, listed.high), forecasts


def _row(emulated: _Emulated, row: dict, day: date, low: float, high: float) -> dict:
    return {"origin": emulated.last.isoformat(), **row, "date": day.isoformat(), "low": low, "high": high}


def _scored(forecasts: Mapping[str, np.ndarray], low: float, high: float) -> dict:
    """Quantiles of the model's forecast, and the scores of all."""
    middle = (low + high) / 2.0
    model = forecasts[MODEL][np.isfinite(forecasts[MODEL])]
    levels = np.quantile(model, QUANTILES) if len(model) else [math.nan] * len(QUANTILES)
    row: dict = {f"p{round(100 * q):02d}": float(level) for q, level in zip(QUANTILES, levels, strict=True)}
    for name, values in forecasts.items():
        scores = interval_scores(values, low, high)
        relative = {
            "error": scores["error"],
            "crps": scores["crps"] / middle,
            **density_scores(values, middle),
        }
        if name == MODEL:
            row |= {"inside_50": scores["inside_50"], "inside_90": scores["inside_90"]} | relative
        else:
            row |= {f"{key}_{name}": value for key, value in relative.items()}
    return row


def _blend(rows: list[dict], samples: list[dict[str, np.ndarray]]) -> Blend:
    """Weights from the scores of all hindcasts; the scores of the pool are added to the rows."""
    names = [name for name in (MODEL, *NAIVE) if name in samples[0]]
    scores = pd.DataFrame(
        [{name: row["crps" if name == MODEL else f"crps_{name}"] for name in names} for row in rows],
    )
    origins = np.array([row["origin"] for row in rows])
    for index, row in enumerate(rows):
        others = scores[origins != row["origin"]].dropna()
        if len(others):
            values = pooled(samples[index], inverse_score_weights(others))
            middle = (row["low"] + row["high"]) / 2.0
            found = interval_scores(values, row["low"], row["high"])
            row |= {"error_blend": found["error"], "crps_blend": found["crps"] / middle}
            row |= {f"{key}_blend": value for key, value in density_scores(values, middle).items()}
    judged = [row for row in rows if math.isfinite(row.get("crps_blend", math.nan)) and math.isfinite(row["crps"])]
    means = [float(np.mean([row[key] for row in judged])) if judged else None for key in ("crps", "crps_blend")]
    quantities = tuple(dict.fromkeys(row["quantity"].partition(".")[0] for row in rows))
    return Blend(inverse_score_weights(scores), quantities, means[0], means[1], len(rows))
