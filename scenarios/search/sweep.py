"""Sweeps: a design over settings (grid, Latin hypercube, Sobol points), run as one ensemble beside its base."""

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
from scenarios.files.loading import flattened
from scenarios.files.schema import Scenario
from scenarios.records.layout import MANIFEST
from scenarios.records.results import Results
from scenarios.search.design import MOST_POINTS, DesignFile, Factor, Value, factors_of, points_over


class SweepFile(DesignFile):
    """A design file of ``srdi sweep``."""

    method: Literal["grid", "lhs", "sobol"] = Field(description="how points are chosen")
    points: int | None = Field(None, ge=1, le=MOST_POINTS, description="points of lhs and sobol")


def sweep_scenarios(file: SweepFile, base: Scenario, source: str | Path) -> list[Scenario]:
    """The base and after it a scenario for each point; the same file and base give the same.

    Raises:
        InputError: a factor the base does not take, or a design that cannot be made.
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
        {factor.key: factor.at(u) for factor, u in zip(factors, row, strict=True)}
        for row in sampler.random(file.points)
    ]


def _grid(file: SweepFile, factors: tuple[Factor, ...], source: str) -> list[dict[str, Value]]:
    if file.points is not None:
        raise InputError(f"{source}: points is {file.points}; a grid has as many as its factors' levels make")
    for factor in factors:
        if factor.values is None and factor.levels is None:
            raise InputError(f"{source}: factors.{factor.key}: a grid needs levels = N, or values = [...]")
    levels = [factor.grid() for factor in factors]
    count = math.prod(map(len, levels))
    if count > MOST_POINTS:
        sizes = " x ".join(str(len(values)) for values in levels)
        raise InputError(
            f"{source}: the grid has {sizes} = {count:,} points; at most {MOST_POINTS:,} are allowed: "
            'take fewer levels, or method = "lhs"'
        )
    keys = [factor.key for factor in factors]
    return [dict(zip(keys, values, strict=True)) for values in product(*levels)]


def design_of(results: Results) -> pd.DataFrame:
    """The design of a sweep, read from its manifest: one row a point, one column a factor.

    Columns are the factors that `run_ensemble` was told, by dotted key and in that order. Where it was told none, they
    are the settings that differ between scenarios other than the first, the base: a factor of one value is not seen
    then. The index is named scenario: ``results.national.join(design_of(results), on="scenario")`` puts factors beside
    outputs.

    Raises:
        ResultsError: the manifest names a factor that its scenarios do not set.
    """
    rows = {
        values["name"]: flattened({key: values[key] for key in ("levers", "rules", "shocks", "parameters")})
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
        One row a point, in the design's order. Columns: ("factor", key); and (outcome, "median"),
        (outcome, "p05"), (outcome, "p95") over the runs of the point.
    """
    design = design_of(results)
    runs = measure(results.national, outcomes).groupby("scenario", observed=True)
    parts = {("factor", key): design[key] for key in design}
    for outcome in outcomes:
        for name, share in (("median", 0.5), ("p05", 0.05), ("p95", 0.95)):
            parts[outcome.text, name] = runs[outcome.text].quantile(share).reindex(design.index)
    return pd.DataFrame(parts)
