"""Units of quantities, as the results declare them and as a year of them has them."""

from __future__ import annotations

from scenarios.analysis.metrics import choose_metrics
from scenarios.analysis.reported import CLUSTER_SUM, REVIEW_PASS_RATE, ReportedFigure
from sim.outputs import CLUSTER, NATIONAL, PROVINCE

#: How units of what is counted by the quarter end.
PER_QUARTER = " per quarter"

#: Units by quantity: of the nation and of provinces, of sums over clusters, of measures of single firms.
_UNITS = {column.name: column.unit for table in (PROVINCE, NATIONAL) for column in table}
_UNITS |= {CLUSTER_SUM + column.name: column.unit for column in CLUSTER}
_UNITS |= {REVIEW_PASS_RATE: "share", "fact.certified_revenue": "yuan", "fact.certified_age": "years"}


def unit_of(quantity: str) -> str:
    """Unit of a metric (see `scenarios.analysis.metrics`), but yearly for what is counted by the quarter."""
    return yearly(unit_per_quarter(quantity))


def yearly(unit: str) -> str:
    """A unit once what is counted by the quarter is summed over a year."""
    return unit.replace(PER_QUARTER, " per year")


def unit_per_quarter(quantity: str) -> str:
    """Unit of a metric as it is counted."""
    return choose_metrics((quantity,))[0].unit


def unit_of_figure(figure: ReportedFigure) -> str:
    """Unit of a reported figure, as columns of results name it."""
    if figure.is_share:
        return "share"
    return unit_of_quantity(figure.quantity, summed=figure.whole_year or figure.since_start)


def unit_of_quantity(quantity: str, *, summed: bool = False) -> str:
    """Unit of what figures may refer to, as columns of results name it; empty for what is not known.

    Args:
        summed: over quarters, so that nothing is left "per quarter".
    """
    unit = _UNITS.get(quantity, "")
    if unit == "0-1":
        return "share"
    return unit.removesuffix(PER_QUARTER) if summed else unit
