"""The likelihood of published estimates given the effects that the model shows.

For row i of study s with the published estimate β_i, standard error se_i and transport τ_i, and with the model's effect
b_i(θ) learned with error e_i,

    β ~ N(b(θ), C),    C_ij = ρ_ij σ_i σ_j + [i = j] e_i²,    σ_i² = se_i² + (τ_i β_i)²,

with ρ one on the diagonal, `SHARED` between rows of one study, and 0 otherwise: a study's sample and context are in all
of its figures. A study that found nothing has no transport error (β = 0), only its standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from calibration.evidence.curves import Curve
from calibration.evidence.rows import Estimate

#: Correlation of the errors of two figures of one study (assumed).
SHARED = 0.8


@dataclass(frozen=True)
class Finding:
    """A published estimate beside the curve of the model's effect.

    Attributes:
        study: rows of one study share an error. estimate: in the unit of the outcome.
        error: standard deviation σ of the estimate as a statement on China's firms.
    """

    study: str
    estimate: float
    error: float
    curve: Curve


def finding_of(row: Estimate, curve: Curve) -> Finding:
    """The finding of a row with an estimate and a standard error."""
    assert row.estimate is not None
    assert row.se is not None
    return Finding(row.study, row.estimate, float(np.hypot(row.se, row.tau * row.estimate)), curve)


@dataclass(frozen=True)
class Likelihood:
    """Log likelihood of findings that speak to the same parameters.

    Attributes:
        names: parameters, the order of the columns of `values` below.
    """

    names: tuple[str, ...]
    findings: Sequence[Finding]

    def covariance(self) -> np.ndarray:
        """C, float64 (findings, findings)."""
        errors = np.array([finding.error for finding in self.findings])
        same = np.array([[one.study == other.study for other in self.findings] for one in self.findings])
        correlation = np.where(same, SHARED, 0.0)
        np.fill_diagonal(correlation, 1.0)
        learned = np.diag([finding.curve.spread**2 for finding in self.findings])
        return correlation * np.outer(errors, errors) + learned

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Log likelihood up to a constant at parameter values (points, parameters): float64 (points,)."""
        column = {name: values[:, index] for index, name in enumerate(self.names)}
        missed = np.array(
            [
                finding.estimate - finding.curve(np.column_stack([column[name] for name in finding.curve.names]))
                for finding in self.findings
            ]
        )
        return -0.5 * (missed * cho_solve(cho_factor(self.covariance()), missed)).sum(axis=0)


def components(names: Sequence[str], findings: Sequence[Finding]) -> list[Likelihood]:
    """Likelihoods of parameters that no finding ties to those of another one: these are independent.

    Shared mechanisms are so judged jointly with all levers whose studies speak to them, and a lever alone by itself.

    Args:
        names: of the parameters; those of which no finding speaks have no likelihood.
    """
    group = {name: name for name in names}

    def root(name: str) -> str:
        while group[name] != name:
            name = group[name]
        return name

    for finding in findings:
        first, *others = finding.curve.names
        for other in others:
            group[root(other)] = root(first)
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(root(finding.curve.names[0]), []).append(finding)
    return [
        Likelihood(tuple(name for name in names if root(name) == key), tuple(members)) for key, members in found.items()
    ]
