"""The simulator of the fit, from parameter values to reported quantities, and the libraries of its runs.

The name of a library (see `calibration.fitting.library`) contains the digest of the design: other settings, figures or
code start another file, so that an interrupted fit resumes where it stopped.

Every run has its own seed, the same in every repetition of a fit. Runs that are compared (screening) share one seed; an
emulator of expected figures learns more from different random draws.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from calibration.fitting.library import Library, RunProgress
from scenarios.analysis.reported import FACT, Quantity, ReportedFigure, reported_figures, simulated_values
from scenarios.ensembles.jobs import model_digest

#: The quarter of the cut-off, and the year at whose end single firms are measured.
LAST, FACT_YEAR = "2024Q1", 2022
#: First seed of runs that test or predict; runs that train the emulator never reach it.
TEST_SEEDS = 100_000


def measure(tables: dict[str, pd.DataFrame], facts: dict[str, float], figures: Sequence[ReportedFigure]) -> np.ndarray:
    """Reported quantities of one run, float64 (figures,); NaN where the run gives none.

    Args:
        tables: the tables of a run, with a column replicate. facts: measures of single firms by id.
    """
    values = np.full(len(figures), np.nan)
    for index, figure in enumerate(figures):
        if figure.quantity.startswith(FACT):
            values[index] = facts.get(figure.quantity.removeprefix(FACT), np.nan)
            continue
        value = simulated_values(tables, figure)
        if len(value):
            values[index] = value.iloc[0]
    return values


def simulate(
    parameters: dict[str, float], scale: float, seed: int, figures: tuple[ReportedFigure, ...] | None = None
) -> np.ndarray:
    """Run the reported policy with changed parameters to the cut-off: float64 (figures,), for the full population."""
    from calibration.firms.facts import RevenueByYear, cross_section, reported_measures
    from sim.calendar import Quarter
    from sim.model import SRDIModel
    from sim.policy import find_policy

    last, facts = Quarter.parse(LAST), {}
    policy = find_policy("baseline").model_copy(update={"parameters": parameters})
    model = SRDIModel(policy, scale=scale, rng=seed, until=last.year)
    try:
        revenue = RevenueByYear(model)
        while model.quarter < last:
            model.step()
            revenue.record()
            if model.quarter == Quarter(FACT_YEAR, 4):
                cities = model.geography.county_city
                weight = np.bincount(cities, model.county_giant_weight)
                facts = reported_measures(cross_section(model, revenue.before), cities, weight)
        tables = model.tables()
    finally:
        model.close()
    names = ("national", "province", "tier", "cluster")
    frames = {name: pd.DataFrame(tables[name]).assign(replicate=0) for name in names}
    return measure(frames, facts, reported_figures() if figures is None else figures)


@cache
def measures_digest() -> str:
    """SHA-256 of the measures of a run: the definitions of the reported figures and the code that measures them."""
    definitions = [figure.model_dump(include=set(Quantity.model_fields), mode="json") for figure in reported_figures()]
    digest = hashlib.sha256(json.dumps(definitions).encode())
    for package, name in (
        ("scenarios", "analysis/reported.py"),
        ("calibration", "firms/facts.py"),
        ("calibration", "fitting/simulator.py"),
    ):
        digest.update(files(package).joinpath(name).read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Design:
    """A set of runs.

    Attributes:
        names: parameters. values: float64 (points, parameters). scale: share of the population.
        seeds: int64 (points,). ids: of the measured figures.
    """

    names: tuple[str, ...]
    values: np.ndarray
    scale: float
    seeds: np.ndarray
    ids: tuple[str, ...]

    @classmethod
    def of(cls, names: Iterable[str], values: np.ndarray, scale: float, seeds: np.ndarray) -> Design:
        """Points whose runs measure all reported figures."""
        ids = tuple(figure.id for figure in reported_figures())
        return cls(tuple(names), values, scale, np.asarray(seeds, dtype=np.int64), ids)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of everything that determines the runs, including the model's code and data."""
        settings = [self.names, self.scale, self.ids, model_digest(self.names), measures_digest()]
        digest = hashlib.sha256(json.dumps(settings).encode())
        digest.update(np.ascontiguousarray(self.values, dtype=np.float64).tobytes())
        digest.update(np.ascontiguousarray(self.seeds, dtype=np.int64).tobytes())
        return digest.hexdigest()

    def library(self, folder: Path, name: str) -> Path:
        """The file of the design's runs in a folder."""
        return folder / f"{name}-{self.checksum[:12]}.jsonl"


def seeds_from(first: int, count: int) -> np.ndarray:
    """Consecutive seeds, int64 (count,)."""
    return first + np.arange(count, dtype=np.int64)


def run_library(
    design: Design, path: Path, workers: int = 1, on_run: RunProgress = lambda done, all_: None
) -> np.ndarray:
    """Make the runs missing in the file at `path`, and return all outcomes, float64 (points, figures).

    Args:
        on_run: called with the number of finished runs and of all runs, at the start and after each run.

    Raises:
        InputError: the file belongs to another design.
    """
    library = Library(path, design.checksum, (len(design.ids),) * len(design.values), design.scale)
    jobs = [
        (dict(zip(design.names, map(float, values), strict=True)), design.scale, int(seed))
        for values, seed in zip(design.values, design.seeds, strict=True)
    ]
    return np.array(library.run(simulate, jobs, workers, on_run)).reshape(-1, len(design.ids))
