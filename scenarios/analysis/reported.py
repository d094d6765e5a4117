"""Reported figures, and the values of a run at their dates.

The figures are in ``calibration/targets.toml``, both for the printed comparison and for the fit.
The file is read as package data, so this module does not depend on the code of the fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from scenarios.errors import InputError, nearest
from sim.records.outputs import CLUSTER, NATIONAL, PROVINCE
from sim.reference import province_names

#: Quantities that are not columns: little giants that passed review over those reviewed, and reported R&D over revenue
#: of all little giants together.
REVIEW_PASS_RATE, GIANT_RD = "review_pass_rate", "rd_intensity_of_little_giants"
#: Their columns of the tier table, summed over the year: the first over the second.
GIANT_RATIOS = {REVIEW_PASS_RATE: ("renewed", "reviewed"), GIANT_RD: ("rd_reported_yuan", "revenue_yuan")}
#: Figures reported after this date are not used.
CUT_OFF = date(2024, 3, 8)
#: Prefixes of quantities that are not columns of the national table.
CLUSTER_SUM, FACT = "cluster.", "fact."
_UNITS = {column.name: column.unit for column in NATIONAL}


class Quantity(BaseModel):
    """A number in the tables of a run at a date.

    Attributes:
        quantity: a column of the national table (of the province table with a province), one of GIANT_RATIOS,
            cluster.COLUMN or fact.ID. date: its quarter's end is used.
        whole_year, since_start: the quantity is a flow, summed over the year or since the start.
        province: empty for the nation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quantity: str
    date: date
    whole_year: bool = False
    since_start: bool = False
    province: str = ""

    @property
    def quarter_end(self) -> pd.Timestamp:
        """Last day of the quarter that contains the date."""
        return pd.Timestamp(self.date) + pd.offsets.QuarterEnd(0)

    @property
    def is_share(self) -> bool:
        """Whether the quantity is between 0 and 1, so that its errors are on the log-odds scale."""
        return self.quantity in GIANT_RATIOS or _UNITS.get(self.quantity) in ("share", "0-1")

    @model_validator(mode="after")
    def _check_names(self):
        known = known_quantities(self.province)
        if self.quantity not in known and not self.quantity.startswith(FACT):
            raise ValueError(f"quantity is {self.quantity!r}{nearest(self.quantity, known)}")
        if self.province and self.province not in province_names():
            raise ValueError(f"province is {self.province!r}{nearest(self.province, province_names())}")
        return self


class ReportedFigure(Quantity):
    """One reported figure with its rounding interval, source and role (see ``calibration/targets.toml``).

    Attributes:
        low, high: rounding interval, in the unit of the quantity; None if the figure is one-sided.
        discrepancy: standard deviation of the model's own error, on the log or log-odds scale. why: its reason.
    """

    id: str = Field(min_length=1)
    label: str = Field(min_length=1)
    text: str
    low: float | None = None
    high: float | None = None
    source: str = Field(min_length=1)
    mark: Literal["A", "B", "C"]
    role: Literal["fit", "check", "given"]
    discrepancy: float = Field(0.0, ge=0.0, le=2.0, allow_inf_nan=False)
    why: str = ""

    @model_validator(mode="after")
    def _check_consistency(self):
        if self.low is None and self.high is None:
            raise ValueError("low and high are missing; at least one must be given")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low is {self.low:g}, above high, {self.high:g}")
        if self.date > date(2024, 3, 31):
            raise ValueError(f"date is {self.date}, after the quarter of the cut-off, {CUT_OFF}")
        if self.role == "fit" and not self.discrepancy > 0.0:
            raise ValueError("discrepancy is missing; a figure of role fit needs one above 0")
        return self

    @property
    def is_share(self) -> bool:
        """As in `Quantity`; a measure of single firms is a share if its figure is at most 1."""
        return self.middle <= 1.0 if self.quantity.startswith(FACT) else super().is_share

    @property
    def middle(self) -> float:
        """Middle of the rounding interval; its only end if it is one-sided."""
        return middle_of(self.low, self.high)


def middle_of(low: float | None, high: float | None) -> float:
    """Middle of an interval, or its only end; at least one end must be given."""
    ends = [end for end in (low, high) if end is not None]
    return sum(ends) / len(ends)


def known_quantities(province: str = "") -> tuple[str, ...]:
    """Quantities a figure may refer to, in the nation or in a province, except measures of single firms."""
    if province:
        return tuple(column.name for column in PROVINCE)[2:]
    clusters = (CLUSTER_SUM + column.name for column in CLUSTER if column.dtype == "float64")
    return (*(column.name for column in NATIONAL[1:]), *GIANT_RATIOS, *clusters)


@cache
def reported_figures() -> tuple[ReportedFigure, ...]:
    """All reported figures, in file order."""
    text = files("calibration").joinpath("targets.toml").read_text(encoding="utf-8")
    return parse_reported_figures(text, "calibration/targets.toml")


def parse_reported_figures(text: str, source: str) -> tuple[ReportedFigure, ...]:
    """Reported figures in a TOML text; raises InputError naming the figure, the key and the value."""
    from scenarios.files.loading import parse_toml

    rows = parse_toml(text, source).get("figure", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{source}: there is no [[figure]]")
    figures = tuple(_parse_row(row, source) for given in rows for row in _by_province(given))
    ids = set()
    for figure in figures:
        if figure.id in ids:
            raise InputError(f"{source}: id {figure.id!r} is given twice")
        ids.add(figure.id)
    return figures


def _by_province(row: dict) -> list[dict]:
    """One row per province if a figure has by_province, else the row itself."""
    if "by_province" not in row:
        return [row]
    shared = {key: value for key, value in row.items() if key != "by_province"}
    return [
        shared
        | {
            "id": f"{row.get('id')}.{province}",
            "label": f"{row.get('label')}: {province}",
            "province": province,
            "low": value,
            "high": value,
        }
        for province, value in row["by_province"].items()
    ]


def _parse_row(row: dict, source: str) -> ReportedFigure:
    try:
        return ReportedFigure.model_validate(row)
    except ValidationError as error:
        fault = error.errors()[0]
        where = f"{source}: figure {row.get('id', '?')!r}"
        key = ".".join(map(str, fault["loc"]))
        if fault["type"] == "extra_forbidden":
            known = [name for name in ReportedFigure.model_fields if name != "province"]
            raise InputError(f"{where}: unknown key {key}{nearest(key, known)} (allowed: {', '.join(known)})") from None
        if fault["type"] == "missing":
            raise InputError(f"{where}: {key} is missing") from None
        message = fault["msg"].removeprefix("Value error, ")
        value_text = f"{key} is {fault['input']!r}: " if key else ""
        raise InputError(f"{where}: {value_text}{message[0].lower()}{message[1:]}") from None


def simulated_values(tables: Mapping[str, pd.DataFrame], figure: Quantity) -> pd.Series:
    """Value of a quantity in each run, indexed by draw (if the tables have draws) and replicate.

    Empty if the run ends before the date, and for measures of single firms, which are in no table.
    A run without any review has no pass rate, one without little giants no R&D of theirs.

    Args:
        tables: rows of one scenario in the tables national and tier, and, for figures that need them, province and
            cluster.
    """
    run = [name for name in ("draw", "replicate") if name in tables["national"]]
    day = figure.quarter_end
    if figure.quantity.startswith(FACT) or not (tables["national"]["quarter"] >= day).any():
        return pd.Series(dtype=float)
    if figure.quantity in GIANT_RATIOS:
        tier, (part, whole) = tables["tier"], GIANT_RATIOS[figure.quantity]
        sums = _year(tier[tier["tier"] == "little_giant"], day).groupby(run)[[part, whole]].sum()
        return (sums[part] / sums[whole]).dropna()
    if figure.quantity.startswith(CLUSTER_SUM):
        clusters = tables["cluster"]
        at_date = clusters[clusters["quarter"] == day]
        return at_date.groupby(run)[figure.quantity.removeprefix(CLUSTER_SUM)].sum()
    rows = tables["national"]
    if figure.province:
        province = tables["province"]
        rows = province[province["province"] == figure.province]
    if figure.since_start:
        return rows[rows["quarter"] <= day].groupby(run)[figure.quantity].sum()
    if figure.whole_year:
        return _year(rows, day).groupby(run)[figure.quantity].sum()
    return rows[rows["quarter"] == day].set_index(run)[figure.quantity]


def _year(rows: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    return rows[(rows["quarter"].dt.year == day.year) & (rows["quarter"] <= day)]


def compare_with_reported(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Reported and simulated values, one row per national figure within the run.

    Args:
        tables: as for `simulated_values`, all replicates.

    Returns:
        Columns id, label, date, text, low, high, role, median, p05, p95 and deviation (of the
        median from the middle of the reported interval, share).
    """
    rows = []
    for figure in reported_figures():
        values = pd.Series(dtype=float) if figure.province else simulated_values(tables, figure)
        if values.empty:
            continue
        median = values.median()
        rows.append(
            {
                "id": figure.id,
                "label": figure.label,
                "date": figure.date.isoformat(),
                "text": figure.text,
                "low": figure.low,
                "high": figure.high,
                "role": figure.role,
                "median": median,
                "p05": values.quantile(0.05),
                "p95": values.quantile(0.95),
                "deviation": median / figure.middle - 1.0,
            }
        )
    return pd.DataFrame(rows)
