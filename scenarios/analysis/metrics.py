"""Metrics by which policies are compared: the columns of `national` and some values derived from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from scenarios.errors import InputError, nearest
from sim.records.outputs import NATIONAL, Output

#: Numeric columns of `national` by name.
COLUMNS = {column.name: column for column in NATIONAL if column.dtype == "float64"}

#: Public cost up to the end of a quarter: in full and by part, each with the flow it sums.
CUMULATIVE_COST = "public_cost_cumulative_yuan"
COST_PARTS = {
    "lever": "public_spending_cumulative_yuan",
    "tax": "tax_relief_cumulative_yuan",
    "title": "title_awards_cumulative_yuan",
}
CUMULATIVE = {name: name.replace("_cumulative", "") for name in (CUMULATIVE_COST, *COST_PARTS.values())}
#: Derived counts of genuine certificates, each with its two columns: the share that is genuine and the stock.
GENUINE = {
    "genuine_little_giants": ("genuine_little_giant_share", "little_giants"),
    "genuine_srdi_smes": ("genuine_srdi_share", "srdi_smes"),
}
_DERIVED = {
    **{name: Output(name, COLUMNS[stock].unit, COLUMNS[share].description) for name, (share, stock) in GENUINE.items()},
    **{
        name: Output(name, "yuan", f"{COLUMNS[flow].description}; since the start") for name, flow in CUMULATIVE.items()
    },
}

#: Metrics compared by default.
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
#: Metrics of which less is better; of all others, more is better.
LESS_IS_BETTER = frozenset(
    {
        *CUMULATIVE,
        *CUMULATIVE.values(),
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
#: Stocks that have a price. A flow of one quarter cannot be priced in money spent over years.
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
    """A national value in a quarter.

    Attributes:
        name: column of the frame returned by `with_derived`. unit, description: as declared in `sim.records.outputs`.
        less_is_better: whether a lower value is better.
        priced: whether public money per additional unit is meaningful.
    """

    name: str
    unit: str
    description: str
    less_is_better: bool
    priced: bool


def choose_metrics(names: Iterable[str] = ()) -> tuple[Metric, ...]:
    """Metrics by name, without duplicates, in the order given; none means the default ones.

    Raises:
        InputError: a name is unknown.
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
    """The table `national`, sorted by quarter, with the derived values as additional columns."""
    frame = national.sort_values("quarter", kind="stable")
    runs = frame.groupby(["scenario", "draw", "replicate"], observed=True)
    # Rounded so that equal counts are equal: share times stock is a count only up to rounding error.
    derived = {name: (frame[share] * frame[stock]).round(6) for name, (share, stock) in GENUINE.items()}
    return frame.assign(**derived, **{name: runs[flow].cumsum() for name, flow in CUMULATIVE.items()})
