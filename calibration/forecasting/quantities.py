"""The quantities that are forecast, and their names."""

from __future__ import annotations

from datetime import date, timedelta

from pydantic import model_validator

from calibration.forecasting.lists import positions_of, regions
from scenarios.analysis.reported import FACT, GIANT_RATIOS, GIANT_RD, REVIEW_PASS_RATE, Quantity, ReportedFigure
from scenarios.errors import InputError, nearest
from sim.records.outputs import NATIONAL
from sim.reference import province_names

#: Year ends of the published forecasts.
YEARS = tuple(range(2024, 2031))
#: National quantities of the published forecasts.
PUBLISHED = (
    "srdi_smes",
    "little_giants",
    "little_giants_granted",
    "little_giants_reviewed",
    "little_giants_renewed",
    REVIEW_PASS_RATE,
    "manufacturing_share_of_little_giants",
    "county_share_of_little_giants",
    GIANT_RD,
    "counties_with_little_giant",
    "clusters",
    "listed_firms",
)
#: Quantities of little giants that can be forecast by province and region: the stock and a year's grants.
BY_PROVINCE = ("little_giants", "little_giants_granted")
#: Quantities published for every province and region.
OF_PLACES = ("srdi_smes", "little_giants")
_PLACED = tuple(dict.fromkeys((*OF_PLACES, *BY_PROVINCE)))
#: National columns that are flows: their figures are sums over the year. The unit of a count does not show this.
FLOWS = (
    *("little_giants_granted", "little_giants_renewed", "little_giants_lapsed", "little_giants_reviewed"),
    *("applications", "births", "deaths"),
    *(column.name for column in NATIONAL if column.unit.endswith("per quarter")),
)
#: Quantities that are forecast from the figures of another measure: R&D of little giants from means of firms, which the
#: model moves by the change of its ratio of sums. Figures of that ratio are no part of the series.
_REPORTED_AS = {GIANT_RD: f"{FACT}certified_rd"}
#: Days from the end of the year to the report, where that is long: the bulletin on R&D comes in August or September,
#: the number of firms with R&D came after 16 and 18 months.
REPORT_LAG = {"rd_reported_yuan": timedelta(270), "rd_firms_manufacturing": timedelta(550)}


class Asked(Quantity):
    """A quantity in the tables of a run, or of a region, which has no row there.

    Attributes:
        region: one of the four of the statistics office (`lists.regions`); empty for a province and the nation.
    """

    region: str = ""

    @property
    def place(self) -> str:
        """Its province or region; empty for the nation."""
        return self.province or self.region

    @property
    def provinces(self) -> tuple[int, ...] | None:
        """Positions of its provinces in `province_names`; None for the nation."""
        if not self.place:
            return None
        return positions_of(self.place)

    @model_validator(mode="after")
    def _check_region(self):
        if self.region and self.region not in regions():
            raise ValueError(f"region is {self.region!r}{nearest(self.region, regions())}")
        return self


def quantity_of(name: str, day: date) -> Asked:
    """The quantity called `name`: a national column, one of GIANT_RATIOS, or srdi_smes.PLACE or little_giants.PLACE.

    PLACE is a province or one of the regions east, centre, west and northeast; little_giants_granted has them too.

    Raises:
        InputError: an unknown name, with the nearest known one.
    """
    column, _, place = name.partition(".")
    known = [
        *(column.name for column in NATIONAL[1:]),
        *GIANT_RATIOS,
        *(f"{quantity}.{each}" for quantity in _PLACED for each in (*regions(), *province_names())),
    ]
    if name not in known:
        allowed = (
            f"a national column, {', '.join(GIANT_RATIOS)}, {' or '.join(f'{quantity}.PLACE' for quantity in _PLACED)}"
        )
        raise InputError(f"unknown quantity {name!r}{nearest(name, known)} (allowed: {allowed}: {', '.join(known)})")
    where = {"region" if place in regions() else "province": place}
    return Asked(quantity=column, date=day, whole_year=column in FLOWS, **where)


def name_of(quantity: Asked) -> str:
    """The name that `quantity_of` reads."""
    return f"{quantity.quantity}.{quantity.place}" if quantity.place else quantity.quantity


def reported_as(quantity: Quantity) -> str:
    """The quantity whose reported figures are the series of this one: nearly always itself."""
    return _REPORTED_AS.get(quantity.quantity, quantity.quantity)


def published_quantities() -> list[Asked]:
    """Quantities and dates of the published forecasts."""
    places = (*regions(), *province_names())
    names = [*PUBLISHED, *(f"{quantity}.{place}" for quantity in OF_PLACES for place in places)]
    return [quantity_of(name, date(year, 12, 31)) for name in names for year in YEARS]


def known_by(figure: ReportedFigure, day: date) -> bool:
    """Whether a figure was reported by a day; its own date counts, but for those of `REPORT_LAG`."""
    return figure.date + REPORT_LAG.get(figure.quantity, timedelta(0)) <= day
