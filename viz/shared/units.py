"""Units of quantities, as declared in the results and for yearly sums."""

from __future__ import annotations

from scenarios.analysis.metrics import choose_metrics
from scenarios.analysis.reported import CLUSTER_SUM, GIANT_RATIOS, ReportedFigure
from sim.records.outputs import CLUSTER, NATIONAL, PROVINCE

#: Ending of the units of quarterly flows.
PER_QUARTER = " per quarter"

#: Units by quantity: national and provincial columns, sums over clusters, measures of single firms.
_UNITS = {column.name: column.unit for table in (PROVINCE, NATIONAL) for column in table}
_UNITS |= {CLUSTER_SUM + column.name: column.unit for column in CLUSTER}
_UNITS |= dict.fromkeys(GIANT_RATIOS, "share")
_UNITS |= {
    "fact.certified_revenue": "yuan",
    "fact.certified_age": "years",
    "fact.certified_patents": "count",
    "fact.certified_employees": "persons",
    "fact.srdi_revenue": "yuan",
    "fact.srdi_employees": "persons",
}


def unit_of(quantity: str) -> str:
    """Unit of a metric (see `scenarios.analysis.metrics`), yearly for quarterly flows."""
    return yearly(unit_per_quarter(quantity))


def yearly(unit: str) -> str:
    """The unit of a yearly sum."""
    return unit.replace(PER_QUARTER, " per year")


def unit_per_quarter(quantity: str) -> str:
    """Unit of a metric as recorded, per quarter for flows."""
    return choose_metrics((quantity,))[0].unit


def unit_of_figure(figure: ReportedFigure) -> str:
    """Unit of a reported figure, as named in the results."""
    if figure.is_share:
        return "share"
    return unit_of_quantity(figure.quantity, summed=figure.whole_year or figure.since_start)


def unit_of_quantity(quantity: str, *, summed: bool = False) -> str:
    """Unit of a quantity that figures may refer to, as named in the results; empty if unknown.

    Args:
        summed: whether quarters are summed, which removes "per quarter".
    """
    unit = _UNITS.get(quantity, "")
    if unit == "0-1":
        return "share"
    return unit.removesuffix(PER_QUARTER) if summed else unit
