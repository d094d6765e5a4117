"""Draws of parameters from the evidence, by importance sampling.

Points that fill the prior are weighted by their likelihood and drawn in proportion. Published estimates are few and
wide, so that thousands of a hundred thousand points keep weight; how many do is reported (`Draws.effective`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calibration.evidence.likelihood import Likelihood
from calibration.fitting.posterior import latin_hypercube
from calibration.fitting.priors import Priors

#: Points of the prior, and bins in which what is learned of one parameter is measured.
POINTS, BINS = 100_000, 20


@dataclass(frozen=True)
class Draws:
    """Draws of parameters.

    Attributes:
        names: of the parameters. values: float64 (draws, parameters).
        effective: by parameter, how many points of the prior the draws stand for (Kish 1965).
        learned: by parameter, what the evidence says of it beyond its prior, in nats (see `information`).
    """

    names: tuple[str, ...]
    values: np.ndarray
    effective: dict[str, float]
    learned: dict[str, float]

    def column(self, name: str) -> np.ndarray:
        """Draws of one parameter, float64 (draws,)."""
        return self.values[:, self.names.index(name)]

    def columns(self, names: Sequence[str]) -> np.ndarray:
        """Draws of some parameters, float64 (draws, parameters)."""
        return self.values[:, [self.names.index(name) for name in names]]


def draw(priors: Priors, likelihoods: Sequence[Likelihood], count: int, seed: int, points: int = POINTS) -> Draws:
    """Draw all parameters: those with a likelihood from their posterior, the others from their prior.

    Args:
        likelihoods: of disjoint sets of parameters (see `calibration.evidence.likelihood.components`).
        points: of the prior, from which draws are taken.
    """
    rng = np.random.default_rng(seed)
    values = np.empty((count, len(priors.names)))
    effective: dict[str, float] = {}
    learned: dict[str, float] = {}
    known = {name for likelihood in likelihoods for name in likelihood.names}
    alone: list[tuple[str, ...]] = [(name,) for name in priors.names if name not in known]
    sets = [*((likelihood.names, likelihood) for likelihood in likelihoods), *((names, None) for names in alone)]
    for number, (names, likelihood) in enumerate(sets):
        cube = latin_hypercube(np.tile([0.0, 1.0], (len(names), 1)), points, seed + number)
        candidates = Priors({name: priors.by_name[name] for name in names}).values(cube)
        log = np.zeros(points) if likelihood is None else likelihood(candidates)
        chosen, weights = resample(log, count, rng)
        places = [priors.names.index(name) for name in names]
        values[:, places] = candidates[chosen]
        effective |= dict.fromkeys(names, effective_number(weights))
        learned |= {name: information(column, weights) for name, column in zip(names, cube.T, strict=True)}
    return Draws(priors.names, values, effective, learned)


def resample(log: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw points in proportion to their weights, in random order.

    Args:
        log: float64 (points,), logarithms of the weights. count: number of draws.

    Returns:
        int64 (count,), the points drawn; float64 (points,), the weights, sum 1.
    """
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    # Evenly spaced quantiles of the weights instead of independent draws: less noise in small samples.
    order = np.searchsorted(np.cumsum(weights), (np.arange(count) + rng.random()) / count)
    return rng.permutation(order.clip(max=len(weights) - 1)), weights


def effective_number(weights: np.ndarray) -> float:
    """How many equally weighted points weights (points,) of sum 1 stand for (Kish 1965)."""
    return float(1.0 / (weights**2).sum())


def information(coordinate: np.ndarray, weights: np.ndarray) -> float:
    """Kullback-Leibler divergence of a parameter's draws from its prior, in nats; 0 if the evidence says nothing of it.

    A normal that becomes half as wide gains 0.32 nats, one whose mean moves by a third of its width 0.05.

    Args:
        coordinate: float64 (points,), in the unit interval of the prior, in which it is flat.
        weights: float64 (points,), sum 1.
    """
    share, _ = np.histogram(coordinate, BINS, (0.0, 1.0), weights=weights)
    return max(float((share * np.log(np.maximum(share * BINS, 1e-300))).sum()), 0.0)
