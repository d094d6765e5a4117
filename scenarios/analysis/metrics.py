"""What policies are compared on: the columns of `national`, and a few figures derived from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from scenarios.errors import InputError, nearest
from sim.outputs import NATIONAL, Output

#: Numeric columns of `national` by name.
COLUMNS = {column.name: column for column in NATIONAL if column.dtype == "float64"}

#: Public money spent up to a quarter's end: what a policy has cost by then.
SPENT = "public_spending_cumulative_yuan"
#: Derived counts of genuine certificates: the share of genuine ones and the stock it is of.
GENUINE = {
    "genuine_little_giants": ("genuine_little_giant_share", "little_giants"),
    "genuine_srdi_smes": ("genuine_srdi_share", "srdi_smes"),
}
_DERIVED = {
    **{name: Output(name, COLUMNS[stock].unit, COLUMNS[share].description) for name, (share, stock) in GENUINE.items()},
    SPENT: Output(SPENT, "yuan", "public money spent through all levers since the start"),
}

#: Metrics compared unless others are asked for.
DEFAULT_METRICS = (
    "little_giants",
    "srdi_smes",
    "genuine_little_giants",
    "genuine_srdi_smes",
    "productivity_index",
    "rd_true_yuan",
    "employment",
    "counties_with_little_giant",
    "county_share_of_little_giants",
    "chain_gaps_filled_share",
)
#: Of these, less is better; of all others, more.
LESS_IS_BETTER = frozenset(
    {
        SPENT,
        "public_spending_yuan",
        "little_giants_lapsed",
        "relabelled_rd_share",
        "output_lost_yuan",
        "digital_level_1",
        "constraint_mean",
        "theil_little_giants_by_county",
        "gini_little_giants_by_county",
        "deaths",
    }
)
#: Counts at a quarter's end that have a price: a flow of one quarter has none in money spent over years.
PRICED = frozenset(
    {
        *GENUINE,
        "innovative_smes",
        "srdi_smes",
        "little_giants",
        "counties_with_little_giant",
        "employment",
    }
)


@dataclass(frozen=True)
class Metric:
    """A figure of the nation in a quarter.

    Attributes:
        name: column of the frame `with_derived` returns. unit, description: as declared in `sim.outputs`.
        less_is_better: whether a policy is better if it has less of it.
        priced: whether public money per additional unit means something.
    """

    name: str
    unit: str
    description: str
    less_is_better: bool
    priced: bool


def choose_metrics(names: Iterable[str] = ()) -> tuple[Metric, ...]:
    """Metrics by name, each once and in the order given; none means the default ones.

    Raises:
        InputError: for an unknown name.
    """
    known = COLUMNS | _DERIVED
    chosen = tuple(dict.fromkeys(names)) or DEFAULT_METRICS
    for name in chosen:
        if name not in known:
            raise InputError(f"unknown metric {name!r}{nearest(name, known)} (allowed: {', '.join(known)})")
    return tuple(
        Metric(name, known[name].unit, known[name].description, name in LESS_IS_BETTER, name in PRICED)
        for name in chosen
    )


def with_derived(national: pd.DataFrame) -> pd.DataFrame:
    """The table `national` with the derived figures as further columns, rows in the order of quarters."""
    frame = national.sort_values("quarter", kind="stable")
    runs = frame.groupby(["scenario", "draw", "replicate"], observed=True)
    # Rounded, so that equal counts differ by nothing: a share times its stock is a count up to its last bits.
    derived = {name: (frame[share] * frame[stock]).round(6) for name, (share, stock) in GENUINE.items()}
    return frame.assign(**derived, **{SPENT: runs["public_spending_yuan"].cumsum()})
