"""Nominal demand by quarter from reported yearly growth."""

from __future__ import annotations

from functools import cache

import numpy as np

from sim.calendar import START, Quarter
from sim.numerics.arrays import log
from sim.reference import read_data


@cache
def quarterly_growth() -> dict[Quarter, float]:
    """Log growth of demand in each quarter of the reported years.

    The smoothest quarterly path (least squared second differences of log demand; Denton 1971) whose
    yearly means grow as reported. Rounded to six places, so that no library's last bit enters a run.
    """
    reported = {int(year): growth for year, growth in read_data("demand")["growth"].items()}
    years = sorted(reported)
    quarters = 4 * (len(years) + 1)
    yearly = np.kron(np.eye(len(years) + 1), np.full(4, 0.25))
    growth = np.diff(yearly, axis=0)
    level = yearly[:1]
    rough = np.diff(np.eye(quarters), n=2, axis=0)
    constraints = np.vstack([level, growth])
    values = np.concatenate([[0.0], log([1.0 + reported[year] for year in years])])
    # Least squares under linear constraints: the stationary point of the Lagrangian.
    system = np.block([[rough.T @ rough, constraints.T], [constraints, np.zeros((len(values), len(values)))]])
    path = np.linalg.solve(system, np.concatenate([np.zeros(quarters), values]))[:quarters]
    steps = np.round(np.diff(path)[3:], 6)
    return {START + 1 + k: float(step) for k, step in enumerate(steps)}
