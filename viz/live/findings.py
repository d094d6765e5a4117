"""Results of comparing policies, as numbers: effects, prices, robustness, and quantities over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scenarios.analysis.metrics import CUMULATIVE_COST, LESS_IS_BETTER
from scenarios.analysis.regret import regret_table
from scenarios.errors import Fault, InputError
from scenarios.records.results import Results
from viz.shared.compared import Compared, End
from viz.shared.prices import Price, is_bought
from viz.shared.quantities import ENDS

#: Kinds of firms with a price, and quantities with a robustness analysis.
PRICED = ("little_giants", "genuine_little_giants", "srdi_smes")
ROBUST = ("little_giants", "genuine_little_giants", "srdi_smes", CUMULATIVE_COST)


@dataclass(frozen=True)
class Robustness:
    """Performance of a policy over all states of the world, each a parameter draw with its own random draws.

    Attributes:
        states: their number. better: share of states in which it is better than the baseline.
        worst: difference to the baseline in the worst state.
        regret: largest shortfall, over all states, from the best policy in that state, including the baseline.
        best: share of states in which no policy is better.
    """

    states: int
    better: float
    worst: float
    regret: float
    best: float


@dataclass(frozen=True, eq=False)
class Findings:
    """Results of a comparison at the end of the runs, as numbers.

    Attributes:
        compared: the runs. ends: by scenario, including the baseline, and quantity of `viz.shared.quantities.ENDS`.
        prices: by scenario and quantity of PRICED. robustness: by scenario and quantity of ROBUST.
    """

    compared: Compared
    ends: dict[tuple[str, str], End]
    prices: dict[tuple[str, str], Price]
    robustness: dict[tuple[str, str], Robustness]

    @property
    def pairs(self) -> int:
        """Number of pairs of runs on which every number is based."""
        return self.compared.runs_each


def find(results: Results, baseline: str | None = None) -> Findings:
    """Compare every scenario in the results with one of them.

    Raises:
        InputError: an unknown baseline, or a single scenario.
    """
    compared = Compared(results, baseline)
    if not compared.others:
        text = f"{results.path} contains only {compared.baseline!r}: there is nothing to compare it with"
        raise InputError(text, Fault("one_scenario"))
    ends = {(name, quantity): compared.end(name, quantity) for name in compared.names for quantity in ENDS}
    written = {values["name"]: values for values in results.manifest["scenarios"]}
    bought = {name: is_bought(written[compared.baseline], written[name]) for name in compared.others}
    prices = {
        (name, quantity): compared.price(name, quantity) if bought[name] else Price("shock")
        for name in compared.others
        for quantity in PRICED
    }
    robustness = {(name, quantity): row for quantity in ROBUST for name, row in _robustness(compared, quantity).items()}
    return Findings(compared, ends, prices, robustness)


def _robustness(compared: Compared, quantity: str) -> dict[str, Robustness]:
    values = pd.DataFrame({name: compared.runs(name, quantity).iloc[-1] for name in compared.names})
    less = quantity in LESS_IS_BETTER
    table = regret_table(values, compared.baseline, less).set_index("scenario")
    differences = values.sub(values[compared.baseline], axis=0)
    worst = differences.max() if less else differences.min()
    return {
        name: Robustness(
            states=int(row["states"]),
            better=float(row["better_share"]),
            worst=float(worst[name]),
            regret=float(row["regret_max"]),
            best=float(row["best_share"]),
        )
        for name, row in table.iterrows()
    }


@dataclass(frozen=True, eq=False)
class Lines:
    """A quantity over time under every scenario.

    Attributes:
        quarters: labels such as 2024Q1.
        levels: float64 (quarters,) by scenario, the baseline first: means over the runs.
        differences: by policy, the mean over the pairs and the ends of its 90 % interval (NaN for one pair), float64
            (quarters,) each.
        low, high: float64 (quarters,), 90 % band of the baseline.
    """

    quarters: list[str]
    levels: dict[str, np.ndarray]
    differences: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
    low: np.ndarray
    high: np.ndarray


def lines(findings: Findings, quantity: str) -> Lines:
    """A national quantity over time; quarterly flows are summed by year and labelled by its last quarter."""
    compared = findings.compared
    band = compared.fan(compared.baseline, quantity)
    return Lines(
        [f"{day.year}Q{day.quarter}" for day in band.index],
        {name: compared.runs(name, quantity).mean(axis=1).to_numpy() for name in compared.names},
        {name: tuple(compared.effects(name, quantity).to_numpy().T) for name in compared.others},
        band.iloc[:, 0].to_numpy(),
        band.iloc[:, -1].to_numpy(),
    )
