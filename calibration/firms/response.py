"""How supported firms respond to a lever: each firm is compared with itself without it, with the same random draws.

The two runs share every draw, so the difference between the two is exactly the effect on the firm: neither a comparison
group nor a regression is needed. A firm is followed from the year of first support. What other firms lose is found
elsewhere: `calibration.firms.displacement`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from scenarios.analysis.recipients import founded, supported
from sim.branching import branch
from sim.calendar import Quarter
from sim.firms.columns import Columns
from sim.levers import Lever, Levers
from sim.mechanisms.chain_links import FIRST_LEADER
from sim.model import SRDIModel
from sim.policy import Policy, find_policy

#: Years after first support at whose ends firms are compared.
YEARS = (0, 1, 4)
#: What is compared: log productivity, log employment, log revenue; true R&D in yuan, as a ratio of sums.
OUTCOMES = ("tfp", "employment", "revenue", "research")
#: Half-width of a 95 % interval in standard errors.
_WIDTH = 1.96
#: First quarter of a lever's window: firms are certified and clusters recognised by then.
FIRST = "2021Q1"
#: Fewest treated firms for a mean.
FEWEST = 20

#: Called with the numbers of finished levers and of all levers, and the rows of the finished ones.
LeverProgress = Callable[[int, int, pd.DataFrame], None]


@dataclass(frozen=True)
class _Snapshot:
    """Firms of one run at a year's end: columns, which of them are active, and since when."""

    founded: np.ndarray
    alive: np.ndarray
    tfp: np.ndarray
    employment: np.ndarray
    revenue: np.ndarray
    research: np.ndarray


def true_research(columns: Columns) -> np.ndarray:
    """R&D of each slot's firm without what was relabelled, yuan a year as last reported: float64 (slots,).

    What public money adds is in it, unlike in `rd_intensity`.
    """
    return columns.rd_last_year * (1.0 - columns.relabelled) * columns.revenue.astype(np.float64)


def _snapshot(model: SRDIModel) -> _Snapshot:
    columns = model.firms.columns
    return _Snapshot(
        founded=founded(model),
        alive=columns.employment > 0,
        tfp=columns.productivity.astype(np.float64),
        employment=columns.employment.astype(np.float64),
        revenue=columns.revenue.astype(np.float64),
        research=true_research(columns),
    )


def policies(lever: str, base: Policy | None = None) -> tuple[Policy, Policy]:
    """The reported policy with and without one lever, which acts from FIRST on."""
    base = base or find_policy("baseline")
    changed = getattr(base.levers, lever).model_copy(update={"enabled": True, "start": FIRST, "end": "2030Q4"})
    off = changed.model_copy(update={"enabled": False})
    others = dict(base.levers)
    if lever == "open_innovation":  # it acts in recognised clusters only
        others["cluster_recognition"] = base.levers.cluster_recognition.model_copy(
            update={"enabled": True, "start": FIRST}
        )

    def with_lever(one: Lever) -> Policy:
        return base.model_copy(update={"levers": Levers(**others | {lever: one})})

    return with_lever(changed), with_lever(off)


def pair(
    treated: Policy, control: Policy, first: Quarter, *, scale: float, seed: int, until: int
) -> tuple[SRDIModel, SRDIModel]:
    """Models under two policies with the same random draws, at the end of the quarter before `first`.

    The policies must not differ before; what happens until then is run once.
    """
    model = SRDIModel(control, scale=scale, rng=seed, until=until)
    while model.quarter + 1 < first:
        model.step()
    return branch(model, treated), model


def response(lever: str, scale: float, seed: int, base: Policy | None = None) -> pd.DataFrame:
    """Mean effect on supported firms by outcome and years since first support.

    Args:
        base: the policy that the lever is added to; None for the reported one.

    Returns:
        Columns outcome, years, effect (relative; NaN with fewer than FEWEST firms), low and high (95 % interval, firms
        taken as independent), firms (simulated).
    """
    begin = Quarter.parse(FIRST)
    treated, control = pair(*policies(lever, base), begin, scale=scale, seed=seed, until=begin.year + max(YEARS) + 1)
    since = founded(treated)
    first = np.full(len(since), -1, dtype=np.int64)
    found: dict[tuple[str, int], list[np.ndarray]] = {(o, k): [] for o in OUTCOMES for k in YEARS}
    try:
        while treated.running:
            treated.step()
            control.step()
            mark = supported(treated, lever)
            if lever == "chain_leader_openness":
                mark &= ~(control.firms.columns.customer <= FIRST_LEADER)  # new suppliers only
            now_since = founded(treated)
            first[now_since != since] = -1
            since = now_since
            new = mark & (first < 0)
            first[new] = treated.quarter.year
            if treated.quarter.number != 4:
                continue
            now, other = _snapshot(treated), _snapshot(control)
            both = now.alive & other.alive & (now.founded == other.founded)
            for outcome, years in found:
                chosen = both & (first == treated.quarter.year - years)
                found[outcome, years].append(_gains(outcome, now, other, chosen))
    finally:
        treated.close()
        control.close()
    return pd.DataFrame(
        {"outcome": outcome, "years": years} | _mean_effect(np.concatenate(gains, axis=1))
        for (outcome, years), gains in found.items()
    )


def _gains(outcome: str, now: _Snapshot, other: _Snapshot, chosen: np.ndarray) -> np.ndarray:
    """Gain and weight of the chosen firms, float64 (2, firms): logs weigh one, R&D what it is without the lever."""
    mine, theirs = getattr(now, outcome)[chosen], getattr(other, outcome)[chosen]
    if outcome == "research":
        return np.stack([mine - theirs, theirs])
    return np.stack([mine - theirs if outcome == "tfp" else np.log(mine / theirs), np.ones(len(mine))])


def _mean_effect(gains: np.ndarray) -> dict[str, float]:
    """Ratio of the sums of gains and weights (2, firms), its 95 % interval, and the firms."""
    effect, error = ratio_of_sums(gains)
    interval = {"low": effect - _WIDTH * error, "high": effect + _WIDTH * error}
    return {"effect": effect, **interval, "firms": gains.shape[1]}


def ratio_of_sums(gains: np.ndarray, fewest: int = FEWEST) -> tuple[float, float]:
    """Ratio of the sums of gains and weights (2, firms) and its standard error by linearisation.

    Both are NaN with fewer than `fewest` firms or without weight.
    """
    gain, weight = gains
    whole = float(weight.sum())
    if len(gain) < fewest or whole <= 0.0:
        return np.nan, np.nan
    effect = float(gain.sum()) / whole
    return effect, float(np.sqrt(((gain - effect * weight) ** 2).sum())) / whole


def responses(
    levers: Iterable[str], scale: float, seed: int, base: Policy | None = None, on_lever: LeverProgress | None = None
) -> pd.DataFrame:
    """`response` of several levers, with the published estimate beside the effect where there is one.

    Returns:
        Columns lever, outcome, years, effect, low, high, firms, published (midpoint), published_low, published_high,
        source, inside (whether the intervals meet; None where nothing is published or too few firms are supported).
    """
    levers = tuple(levers)
    parts: list[pd.DataFrame] = []
    rows = pd.DataFrame()
    for index, lever in enumerate(levers):
        if on_lever:
            on_lever(index, len(levers), rows)
        parts.append(response(lever, scale, seed, base).assign(lever=lever))
        rows = _beside_published(pd.concat(parts, ignore_index=True))
    if on_lever:
        on_lever(len(levers), len(levers), rows)
    return rows


def _beside_published(effects: pd.DataFrame) -> pd.DataFrame:
    rows = effects.merge(published(), how="left", on=["lever", "outcome", "years"])
    rows["published"] = (rows["published_low"] + rows["published_high"]) / 2.0
    meets = (rows["low"] <= rows["published_high"]) & (rows["high"] >= rows["published_low"])
    rows["inside"] = meets.astype(object).where(rows["effect"].notna() & rows["published"].notna(), None)
    return rows


@cache
def published() -> pd.DataFrame:
    """``calibration/response.toml``: columns lever, outcome, years, published_low, published_high, source."""
    text = files("calibration").joinpath("response.toml").read_text(encoding="utf-8")
    return pd.DataFrame(tomllib.loads(text)["published"]).rename(
        columns={"low": "published_low", "high": "published_high"}
    )
