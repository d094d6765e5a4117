"""Regret and robustness: how policies do over all states of the world that were run.

A state of the world is what the policies of one ensemble share: parameter draw and luck of a replicate, and the
directory where several were run under different stress. All states weigh the same.
"""

from __future__ import annotations

import pandas as pd

#: Share of states that stand for the bad end.
BAD = 0.05


def regret_table(values: pd.DataFrame, baseline: str, less_is_better: bool) -> pd.DataFrame:
    """Regret and robustness of every policy in one metric (Savage 1951).

    Regret of a policy in a state: the best any policy reaches there less what this one reaches, never negative.

    Args:
        values: float64, a row a state, a column a policy.
        baseline: the column policies are held against.
        less_is_better: whether the best is the lowest.

    Returns:
        One row a policy: scenario; states (count); regret_mean, regret_p90, regret_max, in the metric's unit;
        best_share (share of states in which no policy is better: ties count for each); better_share (share in which
        it is better than the baseline); bad_difference (difference from the baseline that only 5 % of the states
        fall short of, or exceed if less is better), in the metric's unit.
    """
    merit = -values if less_is_better else values
    regret = merit.rsub(merit.max(axis=1), axis=0)
    difference = values.sub(values[baseline], axis=0)
    table = pd.DataFrame(
        {
            "states": len(values),
            "regret_mean": regret.mean(),
            "regret_p90": regret.quantile(0.9),
            "regret_max": regret.max(),
            "best_share": (regret == 0.0).mean(),
            "better_share": (difference < 0.0 if less_is_better else difference > 0.0).mean(),
            "bad_difference": difference.quantile(1.0 - BAD if less_is_better else BAD),
        }
    )
    return table.rename_axis("scenario").reset_index()
