"""Regressions from the literature, run on a panel of the model's firms and compared with published estimates.

Treatment starts with the first observed SRDI certificate of a firm and lasts, whether or not the certificate lapses
later. With Y of firm i in year t and D its treatment:

- two-way fixed effects: Y = α_i + λ_t + β D + ε;
- staggered difference-in-differences in two stages (Gardner 2022): α_i and λ_t from firms not yet treated, then
  Y − α_i − λ_t on D. Unlike the first, it does not compare newly treated firms with those treated in earlier years.

The test of parallel trends uses firms not yet treated: Y on the years shortly before treatment, α_i and λ_t.

Standard errors are clustered by firm. Estimation is by pyfixest.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

#: Tier from which a firm counts as certified: SRDI SMEs and little giants.
CERTIFIED = 2
#: Years before treatment used to test for parallel trends; the year just before is the reference.
LEADS = (-4, -3, -2)
#: Fewest treated firms for an estimate.
FEWEST_TREATED = 30
#: Half the width of a 95 % interval in standard errors.
NORMAL_95 = 1.96


@dataclass(frozen=True)
class Estimate:
    """A coefficient on the model's panel and its published reference.

    Attributes:
        id, description: name and what is estimated. value, low, high: coefficient and 95 % interval; NaN with too few
            treated firms.
        reference_low, reference_high: bounds that the interval must overlap; None where one side is open.
        reference: in words. source: of the reference. observations: firm-years.
    """

    id: str
    description: str
    value: float
    low: float
    high: float
    reference_low: float | None
    reference_high: float | None
    reference: str
    source: str
    observations: int

    @property
    def holds(self) -> bool:
        """Whether the interval overlaps the reference, or with one side open lies entirely inside; false for NaN."""
        if self.reference_low is None or self.reference_high is None:
            inside = self.reference_low is None or self.low > self.reference_low
            return inside and (self.reference_high is None or self.high < self.reference_high)
        return self.low <= self.reference_high and self.reference_low <= self.high

    def record(self) -> dict:
        """The estimate as plain values; None where it could not be estimated."""
        numbers = {name: getattr(self, name) for name in ("value", "low", "high")}
        return {
            "id": self.id,
            "description": self.description,
            **{name: None if math.isnan(value) else value for name, value in numbers.items()},
            "reference": self.reference,
            "reference_low": self.reference_low,
            "reference_high": self.reference_high,
            "holds": self.holds,
            "observations": self.observations,
        }


def prepare(panel: pd.DataFrame) -> pd.DataFrame:
    """The regressors of a panel, one row per firm and year.

    Args:
        panel: the table `firms` of a run: quarter, firm, tier, employment, productivity, revenue, rd_last_year,
            knowledge.

    Returns:
        Columns firm (number), year, treated (0 or 1), first (year of the first certificate, 0 for never), relative
        (years since then), productivity (log), log_employment, rd (share of revenue), log_revenue, log_knowledge (NaN
        without knowledge). Firms observed for fewer than two years before their certificate are left out, because
        their own level cannot be separated from chance.
    """
    table = pd.DataFrame(
        {
            "firm": pd.factorize(panel["firm"])[0],
            "year": pd.to_datetime(panel["quarter"]).dt.year,
            "productivity": panel["productivity"],
            "log_employment": np.log(panel["employment"]),
            "rd": panel["rd_last_year"],
            "log_revenue": np.log(panel["revenue"]),
            "log_knowledge": np.log(panel["knowledge"].where(panel["knowledge"] > 0)),
        }
    )
    certified = table["year"].where(panel["tier"].to_numpy() >= CERTIFIED)
    first = certified.groupby(table["firm"]).transform("min")
    table["first"] = first.fillna(0).astype(int)
    table["treated"] = (table["year"] >= first).astype(int)
    table["relative"] = table["year"] - first
    before = (1 - table["treated"]).groupby(table["firm"]).transform("sum")
    return table[before > 1].reset_index(drop=True)


def estimate(panel: pd.DataFrame) -> list[Estimate]:
    """All estimates of ``calibration/econometrics.toml`` on a panel (see `prepare`), in file order."""
    table = prepare(panel)
    results = {
        "fe_productivity": fixed_effects(table, "productivity"),
        "did_productivity": two_stage(table, "productivity"),
        "did_employment": two_stage(table, "log_employment"),
        "did_rd": two_stage(table, "rd"),
        "lead_productivity": leads(table, "productivity"),
        "lead_rd": leads(table, "rd"),
        "knowledge_elasticity": knowledge_elasticity(table),
    }
    estimates = []
    for row in references():
        value, low, high, observations = results[row["id"]]
        estimates.append(
            Estimate(
                id=row["id"],
                description=row["description"],
                value=value,
                low=low,
                high=high,
                reference_low=row.get("low"),
                reference_high=row.get("high"),
                reference=row["reference"],
                source=row["source"],
                observations=observations,
            )
        )
    return estimates


def fixed_effects(table: pd.DataFrame, outcome: str) -> tuple[float, float, float, int]:
    """β of treatment with firm and year fixed effects: value, low, high, observations."""
    import pyfixest as pf

    if not _enough_treated(table):
        return _no_estimate(table)
    return _coefficient(pf.feols(f"{outcome} ~ treated | firm + year", table, vcov={"CRV1": "firm"}), "treated", table)


def two_stage(table: pd.DataFrame, outcome: str) -> tuple[float, float, float, int]:
    """Mean effect on the treated by the two-stage estimator: value, low, high, observations."""
    import pyfixest as pf

    if not _enough_treated(table):
        return _no_estimate(table)
    fitted = pf.did2s(
        table,
        yname=outcome,
        first_stage="~ 0 | firm + year",
        second_stage="~ treated",
        treatment="treated",
        cluster="firm",
    )
    return _coefficient(fitted, "treated", table)


def leads(table: pd.DataFrame, outcome: str) -> tuple[float, float, float, int]:
    """Mean difference LEADS years before treatment from the level expected from firms not yet treated.

    The firm effect comes from the years before treatment alone: later years would make it absorb the lead.
    """
    import pyfixest as pf

    before = table[(table["first"] == 0) | (table["relative"] < 0)].copy()
    before["lead"] = before["relative"].isin(LEADS).astype(int)
    before = before[before.groupby("firm")["year"].transform("size") > 1]
    if before.loc[before["lead"] == 1, "firm"].nunique() < FEWEST_TREATED:
        return _no_estimate(before)
    return _coefficient(pf.feols(f"{outcome} ~ lead | firm + year", before, vcov={"CRV1": "firm"}), "lead", before)


def knowledge_elasticity(table: pd.DataFrame) -> tuple[float, float, float, int]:
    """Elasticity of revenue to knowledge given employment: value, low, high, observations."""
    import pyfixest as pf

    panel = table.dropna(subset=["log_knowledge"])
    panel = panel[panel.groupby("firm")["year"].transform("size") > 1]
    if panel["firm"].nunique() < FEWEST_TREATED:
        return _no_estimate(panel)
    fitted = pf.feols("log_revenue ~ log_knowledge + log_employment | firm + year", panel, vcov={"CRV1": "firm"})
    return _coefficient(fitted, "log_knowledge", panel)


def _enough_treated(table: pd.DataFrame) -> bool:
    return table.loc[table["treated"] == 1, "firm"].nunique() >= FEWEST_TREATED


def _no_estimate(table: pd.DataFrame) -> tuple[float, float, float, int]:
    return math.nan, math.nan, math.nan, len(table)


def _coefficient(fitted: Any, name: str, table: pd.DataFrame) -> tuple[float, float, float, int]:
    value, error = float(fitted.coef()[name]), float(fitted.se()[name])
    return value, value - NORMAL_95 * error, value + NORMAL_95 * error, len(table)


@cache
def references() -> tuple[dict, ...]:
    """The rows of ``calibration/econometrics.toml``, in file order."""
    text = files("calibration").joinpath("econometrics.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["estimate"])
