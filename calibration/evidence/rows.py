"""Rows of an evidence file: published estimates, each with its error and with the doubt whether it travels.

The package's file is ``calibration/evidence.toml``; a user's file of the same form is checked in the same way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from calibration.evidence.outcomes import NOT_MEASURED, OUTCOMES
from scenarios.analysis.reported import CUT_OFF
from scenarios.errors import InputError, first_fault, nearest
from scenarios.files.loading import load_scenario, parse_toml, read_text
from sim.fieldtypes import Number, Switch
from sim.levers import PROGRAMMES, Levers
from sim.parameters import parameter_table
from sim.policy import POLICY_TABLES, find_policy
from sim.wording import shortened

#: Mechanisms that several levers share, with rows of their own.
BLOCKS = (
    "production",
    "staffing",
    "displacement",
    "finance",
    "certificate",
    "commons",
    "research",
    "turnover",
    "network",
)
#: Value of the key `extends`: the rows are added to the package's and replace those of the same id.
PACKAGED = "packaged"
#: The package's file as named in messages.
SOURCE = "calibration/evidence.toml"
#: Horizons beyond this many years are refused.
_MOST_YEARS = 40.0

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Experiment = Literal[
    "programme_once",
    "standing",
    "award",
    "award_margin",
    "digital",
    "cluster",
    "cluster_end",
    "cluster_neighbours",
    "new_supplier",
    "listing_margin",
    "certificate_margin",
    "research_push",
    "research_year",
    "demand_push",
    "niche_shares",
    "relocation",
    "rule_threshold",
    "rule_audit",
    "foreign_supply",
    "panel_regression",
    "moment",
    "direct",
    "none",
]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    id: Id
    lever: str
    parameter: str

    @model_validator(mode="after")
    def _names_exist(self):
        known = (*Levers.model_fields, *BLOCKS)
        if self.lever not in known:
            raise ValueError(f"lever is {self.lever!r}{nearest(self.lever, known)} (allowed: {', '.join(known)})")
        for name in (self.parameter, *getattr(self, "also", ()), *getattr(self, "in_prior", ())):
            _check_parameter(name)
        return self


class Gap(_Row):
    """A parameter for which no study was found.

    Attributes:
        looked_for: what was sought.
    """

    none_found: Literal[True]
    looked_for: Text


class Estimate(_Row):
    """A published estimate (see the head of ``calibration/evidence.toml`` for the keys).

    Attributes:
        estimate, se, range_low, range_high: in the unit of the outcome. tau: sd of the log ratio of contexts.
        horizon_years: after the first support. dose_amount, dose_amount_high: money a firm, in dose_currency.
        settings: values by the dotted keys of scenario files.
    """

    study: Id
    also: tuple[str, ...] = Field((), max_length=8)
    experiment: Experiment
    settings: dict[str, Any] = Field(default_factory=dict)
    outcome: Id
    estimand: Literal["ATT", "ITT", "RD", "LATE", "elasticity", "meta", "structural", "association", "moment"]
    horizon_years: Number = Field(ge=0, le=_MOST_YEARS)
    horizon_assumed: Switch = False
    estimate: Number | None = None
    unit: Text | None = None
    sign: Literal[-1, 0, 1] | None = None
    reverse: Switch = False
    take_up: Number = Field(1.0, gt=0, le=1)
    se: Number | None = Field(None, gt=0)
    se_assumed: Switch = False
    se_from: Text | None = None
    null: Switch = False
    not_significant: Switch = False
    range_low: Number | None = None
    range_high: Number | None = None
    midpoint: Switch = False
    bound: Literal["lower", "upper"] | None = None
    derived: Switch = False
    tau: Number = Field(ge=0, le=2)
    dose: Text
    dose_amount: Number | None = Field(None, gt=0)
    dose_amount_high: Number | None = Field(None, gt=0)
    dose_currency: str | None = None
    dose_date_unproven: Switch = False
    dose_yuan: Literal[0] | None = None
    dose_elasticity: tuple[Number, Number] | None = None
    sample: Text
    subset: Literal["small", "large", "young", "mature", "coastal", "inland"] | None = None
    published: date
    date_from_memory: Switch = False
    date_unknown: Switch = False
    source: Text
    read: Text
    secondary: Switch = False
    mark: Literal["A", "B", "C"]
    basis: Literal["excerpt", "checked", "known"]
    use: Literal["fit", "check", "sign"]
    in_prior: tuple[str, ...] = Field((), max_length=8)
    not_compared: Text | None = None
    note: Text

    @property
    def parameters(self) -> tuple[str, ...]:
        """All parameters that the row speaks to, the first of them above the others."""
        return (self.parameter, *self.also)

    @model_validator(mode="after")
    def _is_consistent(self):
        if self.published > CUT_OFF:
            raise ValueError(f"published is {self.published}; allowed are dates up to {CUT_OFF}")
        wanted, unwanted = ("sign", "estimate") if self.use == "sign" else ("estimate", "sign")
        if getattr(self, wanted) is None:
            raise ValueError(f"{wanted} is missing; a row of use {self.use!r} needs one")
        if getattr(self, unwanted) is not None:
            raise ValueError(f"{unwanted} is {getattr(self, unwanted):g}; a row of use {self.use!r} has none")
        if self.use != "sign" and self.se is None:
            raise ValueError(f"se is missing; a row of use {self.use!r} needs a standard error")
        if self.range_low is not None and self.range_high is not None and self.range_low > self.range_high:
            raise ValueError(f"range_low is {self.range_low:g}, above range_high, {self.range_high:g}")
        if (self.dose_amount is None) != (self.dose_currency is None):
            raise ValueError("dose_amount and dose_currency are given together or not at all")
        return self


@dataclass(frozen=True)
class Evidence:
    """The rows of an evidence file.

    Attributes:
        estimates, gaps: in file order. currency: yuan of 2023 for a unit, by code. source: as named in messages.
    """

    estimates: tuple[Estimate, ...]
    gaps: tuple[Gap, ...]
    currency: dict[str, float]
    source: str

    @property
    def rows(self) -> tuple[Estimate | Gap, ...]:
        """All rows."""
        return (*self.estimates, *self.gaps)

    def dose_in_yuan(self, row: Estimate) -> float | None:
        """Money a treated firm of the study received, in yuan; None where it is not known or no money was paid.

        Of two amounts the geometric mean, as effects grow with a power of the money.
        """
        if row.dose_amount is None or row.dose_currency is None:
            return None
        high = row.dose_amount_high or row.dose_amount
        return math.sqrt(row.dose_amount * high) * self.currency[row.dose_currency]


def read_evidence(path: str | Path | None = None) -> Evidence:
    """The evidence of the package, or of a user's file.

    A user's file that begins with ``extends = "packaged"`` adds its rows to the package's and replaces those of the
    same id.

    Raises:
        InputError: one sentence with the file, the row, the key, the value found and the values allowed.
    """
    if path is None:
        return _packaged()
    return parse_evidence(read_text(Path(path)), shortened(str(path)))


@cache
def _packaged() -> Evidence:
    return parse_evidence(files("calibration").joinpath("evidence.toml").read_text(encoding="utf-8"), SOURCE)


def parse_evidence(text: str, source: str) -> Evidence:
    """The evidence in a TOML text; see `read_evidence`."""
    values = parse_toml(text, source)
    known = ("evidence", "currency", "extends")
    for key in values:
        if key not in known:
            raise InputError(
                f"{source}: unknown key {shortened(key)}{nearest(key, known)} (allowed: {', '.join(known)})"
            )
    base = _base(values.get("extends"), source)
    currency = base.currency | _currency(values.get("currency", {}), source)
    own = _rows(values.get("evidence"), source)
    for row in own:
        if isinstance(row, Estimate):
            _check_run(row, currency, source)
    ids = {row.id for row in own}
    rows = [*(row for row in base.rows if row.id not in ids), *own]
    _check_levers(rows, source)
    estimates = tuple(row for row in rows if isinstance(row, Estimate))
    return Evidence(estimates, tuple(row for row in rows if isinstance(row, Gap)), currency, source)


def _base(extends: object, source: str) -> Evidence:
    if extends is None:
        return Evidence((), (), {}, source)
    if extends != PACKAGED:
        raise InputError(f"{source}: extends is {shortened(repr(extends))} (allowed: {PACKAGED})")
    return _packaged()


def _currency(values: object, source: str) -> dict[str, float]:
    if not isinstance(values, dict):
        raise InputError(f"{source}: currency is {shortened(repr(values))}; it must be a table such as USD = 7.05")
    for code, yuan in values.items():
        if isinstance(yuan, bool) or not isinstance(yuan, int | float) or not 0.0 < yuan < math.inf:
            raise InputError(
                f"{source}: currency.{shortened(code)} is {shortened(repr(yuan))}; it must be yuan for a unit, above 0"
            )
    return {code: float(yuan) for code, yuan in values.items()}


def _rows(values: object, source: str) -> list[Estimate | Gap]:
    if not isinstance(values, list) or not values or not all(isinstance(row, dict) for row in values):
        raise InputError(f"{source}: there is no [[evidence]]")
    rows = [_row(row, number, source) for number, row in enumerate(values, start=1)]
    ids: set[str] = set()
    for row in rows:
        if row.id in ids:
            raise InputError(f"{source}: id {row.id!r} is given twice")
        ids.add(row.id)
    return rows


def _row(values: dict, number: int, source: str) -> Estimate | Gap:
    """One row; in messages it goes by its id, or without a usable one by its number in the file."""
    kind = Gap if "none_found" in values else Estimate
    name = values.get("id")
    where = f"{source}: evidence {repr(shortened(name)) if isinstance(name, str) else f'number {number}'}"
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{where}: {first_fault(error, lambda _: list(kind.model_fields))}") from None


def _check_parameter(name: str) -> None:
    """Raise ValueError unless the name is a parameter or the dotted key of a setting."""
    table = parameter_table()
    if name in table:
        return
    if "." not in name:
        raise ValueError(f"unknown parameter {shortened(name)!r}{nearest(name, table)}")
    if name not in _setting_keys():
        raise ValueError(f"unknown setting {shortened(name)!r}{nearest(name, _setting_keys())}")


@cache
def _setting_keys() -> frozenset[str]:
    from scenarios.files.describe import lever_rows, rule_rows

    settings = [setting for lever in lever_rows() for setting in lever["settings"]]
    return frozenset(row["key"] for row in (*settings, *rule_rows()))


def _check_levers(rows: Iterable[Estimate | Gap], source: str) -> None:
    """Raise InputError if a lever has neither a row nor is marked as without any."""
    found = {row.lever for row in rows}
    for lever in Levers.model_fields:
        if lever not in found:
            raise InputError(
                f"{source}: lever {lever} has no row; give an estimate, or a row with none_found = true and "
                f'looked_for, or write extends = "{PACKAGED}" at the top to add to the package\'s rows'
            )


def _check_run(row: Estimate, currency: dict[str, float], source: str) -> None:
    """Raise InputError if what the row says of experiment, outcome, dose or settings cannot be run."""
    where = f"{source}: evidence {row.id!r}"
    known = (*OUTCOMES, *NOT_MEASURED)
    if row.outcome not in known:
        raise InputError(
            f"{where}: outcome is {row.outcome!r}{nearest(row.outcome, known)} (allowed: {', '.join(known)})"
        )
    if row.experiment == "programme_once" and row.lever not in (*PROGRAMMES, *BLOCKS):
        raise InputError(
            f"{where}: experiment programme_once needs a lever that supports single firms; lever is {row.lever} "
            f"(allowed: {', '.join(PROGRAMMES)})"
        )
    if row.experiment == "direct" and row.parameter not in parameter_table():
        _check_number(row.parameter, where)
    if row.dose_currency is not None and row.dose_currency not in currency:
        raise InputError(
            f"{where}: dose_currency is {shortened(repr(row.dose_currency))}{nearest(row.dose_currency, currency)} "
            f"(allowed: {', '.join(currency) or 'none; add a table [currency]'})"
        )
    for key in row.settings:
        if key.split(".")[0] not in POLICY_TABLES:
            raise InputError(
                f"{where}: settings: unknown key {shortened(key)} (allowed: keys of {', '.join(POLICY_TABLES)})"
            )
    if row.settings:
        try:
            load_scenario("baseline", settings_of(row))
        except InputError as error:
            raise InputError(f"{where}: settings: {error}") from None


def _check_number(key: str, where: str) -> None:
    """Raise InputError if the setting of a dotted key is not a number in the baseline."""
    value = baseline_value(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: parameter is {key}, which is not a number in the baseline")


def baseline_value(key: str) -> object:
    """The baseline's value of a setting by its dotted key."""
    value: object = find_policy("baseline")
    for name in key.split("."):
        value = getattr(value, name)
    return value


def settings_of(row: Estimate) -> tuple[str, ...]:
    """The settings of a row in the form of ``--set``."""
    # JSON of text, numbers, switches and lists is TOML as well.
    return tuple(f"{key}={json.dumps(value, ensure_ascii=False, default=str)}" for key, value in row.settings.items())
