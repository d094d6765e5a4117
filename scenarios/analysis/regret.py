"""Regret and robustness of policies over all states of the world that were run.

A state of the world is what the policies of an ensemble share: a parameter draw and the random draws of a replicate,
and, if several directories are compared, the stress of the directory. All states have equal weight.
"""

from __future__ import annotations

import pandas as pd

#: Share of states that are counted as the worst.
WORST_SHARE = 0.05


def regret_table(values: pd.DataFrame, baseline: str, less_is_better: bool) -> pd.DataFrame:
    """Regret and robustness of every policy in one metric (Savage 1951).

    Regret of a policy in a state is the best value of any policy there minus the value of this policy. It is never
    negative.

    Args:
        values: float64, one row per state, one column per policy.
        baseline: the column that policies are compared with.
        less_is_better: whether the lowest value is the best.

    Returns:
        One row per policy: scenario; states (count); regret_mean, regret_p90, regret_max, in the metric's unit;
        best_share (share of states in which no policy is better; ties count for each policy); better_share (share in
        which it is better than the baseline); bad_difference (difference from the baseline that is worse in only 5 %
        of the states), in the metric's unit.
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
            "bad_difference": difference.quantile(1.0 - WORST_SHARE if less_is_better else WORST_SHARE),
        }
    )
    return table.rename_axis("scenario").reset_index()
