"""The effect that the model gives as a smooth function of the parameters, learned from a few runs.

With the same random draws an effect is nearly linear in a strength, and nearly a product in two of them, so a
quadratic polynomial in the parameters is learned by least squares. A Gaussian process, as in the fit, would need many
more runs to see that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curve:
    """An effect by parameters.

    Attributes:
        names: of the parameters. centre: float64 (parameters,), values by which they are divided.
        weights: float64 (terms,), of the polynomial. error: standard deviation by which it misses the effect, from runs
            left out one at a time. sampling: of the effect itself, from the number of firms.
    """

    names: tuple[str, ...]
    centre: np.ndarray
    weights: np.ndarray
    error: float
    sampling: float

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Effects at parameter values (points, parameters): float64 (points,)."""
        return _terms(values / self.centre) @ self.weights

    @property
    def spread(self) -> float:
        """Standard deviation of both errors together."""
        return float(np.hypot(self.error, self.sampling))


def identity(name: str, centre: float) -> Curve:
    """The curve of an estimate of a parameter itself."""
    return Curve((name,), np.array([centre]), np.array([0.0, centre, 0.0]), 0.0, 0.0)


def terms_of(parameters: int) -> int:
    """Terms of a quadratic polynomial in so many parameters."""
    return (parameters + 1) * (parameters + 2) // 2


def _terms(x: np.ndarray) -> np.ndarray:
    """1, x_i and x_i x_j of points x (points, parameters): float64 (points, terms)."""
    count = x.shape[1]
    products = [x[:, i] * x[:, j] for i in range(count) for j in range(i, count)]
    return np.column_stack([np.ones(len(x)), *x.T, *products])


def learn(names: tuple[str, ...], centre: np.ndarray, values: np.ndarray, effects: np.ndarray) -> Curve | None:
    """The curve through the effects of a design.

    Args:
        centre: float64 (parameters,). values: float64 (points, parameters), of the runs.
        effects: float64 (points, 2), effect and sampling error of each run; NaN where too few firms were reached.

    Returns:
        None if too few runs gave an effect.
    """
    found = np.isfinite(effects).all(axis=1)
    terms = _terms(values[found] / centre)
    if not len(terms) or (names and len(terms) <= terms.shape[1]):
        return None
    y, sampling = effects[found].T
    # Singular values rather than normal equations: products of parameters lie near each other.
    left, sizes, right = np.linalg.svd(terms, full_matrices=False)
    kept = sizes > 1e-10 * sizes[0]
    left = left[:, kept]
    weights = right[kept].T @ ((left.T @ y) / sizes[kept])
    missed = (y - terms @ weights) / np.maximum(1.0 - (left**2).sum(axis=1), 1e-6)
    error = float(np.sqrt(np.mean(missed**2))) if len(terms) > 1 else 0.0
    return Curve(names, centre, weights, error, float(np.sqrt(np.mean(sampling**2))))
