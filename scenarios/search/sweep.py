"""Sweeps: a design over settings (grid, Latin hypercube, Sobol points), run as one ensemble with its base."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.stats import qmc

from scenarios.analysis.outcomes import Outcome, measure
from scenarios.errors import InputError, ResultsError
from scenarios.files.loading import flatten
from scenarios.files.schema import Scenario
from scenarios.records.layout import MANIFEST
from scenarios.records.results import Results
from scenarios.search.design import MAX_POINTS, DesignFile, Factor, Value, factors_of, points_over
from sim.policy import POLICY_TABLES


class SweepFile(DesignFile):
    """A design file of ``srdi sweep``."""

    method: Literal["grid", "lhs", "sobol"] = Field(description="how points are chosen")
    points: int | None = Field(None, ge=1, le=MAX_POINTS, description="points of lhs and sobol")


def sweep_scenarios(file: SweepFile, base: Scenario, source: str | Path) -> list[Scenario]:
    """The base followed by a scenario for each point; the same file and base always give the same scenarios.

    Raises:
        InputError: a factor is not valid for the base, or the design is not possible.
    """
    factors = factors_of(file, base, str(source))
    return [base, *points_over(base, design_points(file, factors, str(source)), file.name)]


def design_points(file: SweepFile, factors: tuple[Factor, ...], source: str) -> list[dict[str, Value]]:
    """Values by key for each point of the design."""
    if file.method == "grid":
        return _grid(file, factors, source)
    if file.points is None:
        raise InputError(f"{source}: method {file.method!r} needs points = N")
    power = file.points.bit_length() - 1
    if file.method == "sobol" and file.points != 2**power:
        raise InputError(
            f"{source}: points is {file.points}; Sobol points are balanced in powers of two, "
            f"such as {2**power} or {2 ** (power + 1)}"
        )
    sampler = (qmc.Sobol if file.method == "sobol" else qmc.LatinHypercube)(
        len(factors), rng=np.random.default_rng(file.seed)
    )
    return [
        {factor.key: factor.value_at(u) for factor, u in zip(factors, row, strict=True)}
        for row in sampler.random(file.points)
    ]


def _grid(file: SweepFile, factors: tuple[Factor, ...], source: str) -> list[dict[str, Value]]:
    if file.points is not None:
        raise InputError(
            f"{source}: points is {file.points}; the number of points of a grid follows from the levels of its factors"
        )
    for factor in factors:
        if factor.values is None and factor.levels is None:
            raise InputError(f"{source}: factors.{factor.key}: a grid needs levels = N, or values = [...]")
    levels = [factor.grid() for factor in factors]
    count = math.prod(map(len, levels))
    if count > MAX_POINTS:
        sizes = " x ".join(str(len(values)) for values in levels)
        raise InputError(
            f"{source}: the grid has {sizes} = {count:,} points; at most {MAX_POINTS:,} are allowed: "
            'use fewer levels, or method = "lhs"'
        )
    keys = [factor.key for factor in factors]
    return [dict(zip(keys, values, strict=True)) for values in product(*levels)]


def design_of(results: Results) -> pd.DataFrame:
    """The design of a sweep, read from its manifest: one row per point, one column per factor.

    The columns are the `factors` given to `run_ensemble`, by dotted key and in that order. If none were given, they are
    the settings that differ between the scenarios after the first, which is the base; a factor with a single value is
    then missing. The index is named scenario, so ``results.national.join(design_of(results), on="scenario")`` adds the
    factors to the outputs.

    Raises:
        ResultsError: the manifest has a factor that its scenarios do not set.
    """
    rows = {
        values["name"]: flatten({key: values[key] for key in POLICY_TABLES if key in values})
        for values in results.manifest["scenarios"][1:]
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="scenario")
    factors = results.manifest.get("factors")
    if not factors:
        return frame.loc[:, [column for column in frame if frame[column].map(repr).nunique() > 1]]
    for factor in factors:
        if factor not in frame:
            raise ResultsError(f"{results.path / MANIFEST} is damaged: no scenario sets its factor {factor!r}")
    return frame[factors]


def sweep_table(results: Results, outcomes: tuple[Outcome, ...]) -> pd.DataFrame:
    """Factors and outcomes of every point.

    Returns:
        One row per point, in the order of the design. Columns: ("factor", key); and (outcome, "median"),
        (outcome, "p05"), (outcome, "p95") over the runs of the point.
    """
    design = design_of(results)
    runs = measure(results.national, outcomes).groupby("scenario", observed=True)
    columns = {("factor", key): design[key] for key in design}
    for outcome in outcomes:
        for name, share in (("median", 0.5), ("p05", 0.05), ("p95", 0.95)):
            columns[outcome.text, name] = runs[outcome.text].quantile(share).reindex(design.index)
    return pd.DataFrame(columns)
