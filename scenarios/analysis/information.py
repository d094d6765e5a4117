"""Whose doubt moves the ranking of levers, and what it would be worth to know a strength.

Levers are ranked by what they gain per yuan: the mean difference of an outcome over the mean public cost. Who knew the
strength θ of a lever would choose by the means given θ instead. How much more that gains on average is the expected
value of partial perfect information,

    EVPPI(θ) = E_θ max_l E[G_l | θ] - max_l E[G_l],

with G_l the gain of lever l per yuan. The means given θ come from a regression of the runs' gains on θ, without further
runs (Strong, Oakley and Brennan 2014, Medical Decision Making 34(3)); with the same random draws an effect is nearly
linear in a strength, so the regression is linear, and quadratic with many draws. Noise in it makes the best of several
levers seem to change where it does not. A value therefore counts only if it exceeds the largest that any strength has
when all are dealt out to the runs at random (Westfall and Young 1993), so that it may be one of many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.polynomial import polynomial

from scenarios.analysis.metrics import Metric
from scenarios.files.labels import Label
from scenarios.files.strengths import lever_strengths

#: Fewest draws of strengths from which anything is learned.
FEWEST = 4
#: Ends of the bars of a tornado: quantiles of a strength.
ENDS = (0.1, 0.9)
#: Yuan to which gains are related.
BILLION = 1e9
#: Highest degree of the regression, and draws per term that it takes at least beyond the linear one.
_DEGREE, _DRAWS_PER_TERM = 2, 10
#: Times that strengths are dealt out at random, and the quantile of the largest values that a value must exceed.
_DEALS, _LEVEL = 199, 0.95
_SEED = 1
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Candidate:
    """A lever in the runs.

    Attributes:
        lever: its name. strengths: parameters that set its strength.
        effects, gains, costs: float64 (pairs,), differences of the outcome it acts on first, of the outcome by which
            levers are ranked (more is better), and of public cost in yuan.
        priced: whether it clearly costs something; only then is it ranked.
    """

    lever: str
    strengths: tuple[str, ...]
    effects: np.ndarray
    gains: np.ndarray
    costs: np.ndarray
    priced: bool

    @property
    def per_billion(self) -> np.ndarray:
        """Gain per billion yuan of mean cost, float64 (pairs,)."""
        return self.gains / (self.costs.mean() / BILLION)


@dataclass(frozen=True)
class Information:
    """What knowing the strengths would be worth.

    Attributes:
        metric: the outcome by which levers are ranked.
        ranking: lever and gain_per_billion_yuan, the best first; levers without a clear cost are left out.
        rows: one per strength and lever, the most valuable first. Columns: parameter; lever (None for a parameter that
            several levers share and none sets); label and studies; low, high (ENDS of the strength); effect_low,
            effect_high (the lever's effect there); gain_low, gain_high (its gain per billion yuan there, or for a
            shared parameter that of the best lever); value (EVPPI per billion yuan), noise (the largest of all values
            that chance alone gives), clear (whether value is above it); switches (share of draws in which another
            lever would be chosen).
    """

    metric: Metric
    ranking: pd.DataFrame
    rows: pd.DataFrame

    @property
    def studies_worth_making(self) -> pd.DataFrame:
        """The rows whose value is clear, one per parameter."""
        return self.rows[self.rows["clear"]].drop_duplicates("parameter")


def information(
    metric: Metric,
    candidates: Sequence[Candidate],
    used: pd.DataFrame,
    drawn: pd.DataFrame,
    labels: Mapping[str, Label],
) -> Information | None:
    """What knowing each strength would be worth.

    Args:
        candidates: the levers in the runs. used: strengths of each pair, one column per parameter. drawn: all draws of
            them. labels: what they rest on.

    Returns:
        None if there are too few draws to learn from.
    """
    deck, dealt = np.unique(used.to_numpy(), axis=0, return_inverse=True)
    if len(deck) < FEWEST or not candidates:
        return None
    dealt = dealt.ravel()
    rng = np.random.default_rng(_SEED)
    orders = [rng.permutation(len(deck)) for _ in range(_DEALS)]
    priced = [candidate for candidate in candidates if candidate.priced]
    gains = np.column_stack([each.per_billion for each in priced]) if priced else np.empty((len(used), 0))
    of_levers = {name for names in lever_strengths().values() for name in names}
    rows = []
    by_chance = np.zeros(_DEALS)
    for place, name in enumerate(used):
        setting = [candidate for candidate in candidates if name in candidate.strengths]
        shared = name not in of_levers
        moved = [index for index, each in enumerate(priced) if shared or each in setting]
        values = deck[:, place]
        if np.ptp(values) == 0.0 or (shared and not priced):
            continue
        low, high = np.quantile(drawn[name], ENDS).clip(values.min(), values.max())
        about = {"parameter": name, **labels.get(name, Label("assumed")).columns, "low": low, "high": high}
        if moved and len(priced) > 1:
            about |= _worth(values[dealt], gains, moved)
            dealt_out = [_worth(values[order][dealt], gains, moved)["value"] for order in orders]
            by_chance = np.maximum(by_chance, dealt_out)
        if shared:
            best = priced[int(gains.mean(axis=0).argmax())]
            gain_ends = _at((low, high), values[dealt], best.per_billion)
            rows.append(about | {"lever": None, **_ends("effect", None), **_ends("gain", gain_ends)})
        for candidate in setting:
            effects = _at((low, high), values[dealt], candidate.effects)
            ends = _at((low, high), values[dealt], candidate.per_billion) if candidate.priced else None
            rows.append(about | {"lever": candidate.lever, **_ends("effect", effects), **_ends("gain", ends)})
    frame = _sorted(rows, float(np.quantile(by_chance, _LEVEL)))
    return Information(metric, _ranking(priced, gains), frame)


def _ends(name: str, ends: np.ndarray | None) -> dict:
    low, high = (np.nan, np.nan) if ends is None else map(float, ends)
    return {f"{name}_low": low, f"{name}_high": high}


def _worth(x: np.ndarray, gains: np.ndarray, moved: list[int]) -> dict:
    """Value of knowing a strength, and how often another lever would be chosen.

    Args:
        x: float64 (pairs,), the strength. gains: float64 (pairs, levers). moved: levers that depend on the strength.
    """
    means = _means_given(x, gains, moved)
    best = gains.mean(axis=0).argmax()
    return {"value": _value(means), "switches": float((means.argmax(axis=1) != best).mean())}


def _means_given(x: np.ndarray, gains: np.ndarray, moved: list[int]) -> np.ndarray:
    """Means of the gains given a strength x (pairs,): those that depend on it by regression; (pairs, levers)."""
    means = np.tile(gains.mean(axis=0), (len(gains), 1))
    means[:, moved] = _regression(x, gains[:, moved], x)
    return means


def _value(means: np.ndarray) -> float:
    """EVPPI from the means given a strength, float64 (pairs, levers); rounding error counts as 0."""
    value = float(means.max(axis=1).mean() - means.mean(axis=0).max())
    return value if value > _ROUNDING * np.abs(means).max() else 0.0


def _at(points: tuple[float, float], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean of y (pairs,) given a strength at some points."""
    return _regression(x, y[:, None], np.array(points))[:, 0]


def _regression(x: np.ndarray, y: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Polynomial regression of the columns of y (pairs, columns) on x (pairs,) at some points: (points, columns)."""
    middle, spread = x.mean(), x.std()
    degree = min(max(len(np.unique(x)) // _DRAWS_PER_TERM, 1), _DEGREE)
    weights = polynomial.polyfit((x - middle) / spread, y, degree)
    return polynomial.polyval((at - middle) / spread, weights).T


def _ranking(priced: Sequence[Candidate], gains: np.ndarray) -> pd.DataFrame:
    columns = {"lever": [each.lever for each in priced], "gain_per_billion_yuan": gains.mean(axis=0)}
    # By name where gains are the same, as they are where none of a few simulated firms responds.
    order = ["gain_per_billion_yuan", "lever"]
    return pd.DataFrame(columns).sort_values(order, ascending=[False, True], ignore_index=True)


def _sorted(rows: list[dict], noise: float) -> pd.DataFrame:
    """The rows with what chance alone gives, the most valuable first, then the widest bars."""
    names = ("parameter", "lever", "label", "studies", "low", "high", "effect_low", "effect_high", "gain_low")
    frame = pd.DataFrame(rows, columns=[*names, "gain_high", "value", "switches"])
    frame = frame.assign(noise=noise, clear=frame["value"] > noise)
    swing = (frame["gain_high"] - frame["gain_low"]).abs()
    keys = frame.assign(known=frame["value"].where(frame["clear"], 0.0), swing=swing)
    order = keys.sort_values(["known", "swing"], ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)
