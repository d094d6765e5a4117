"""What is known of places at a date: ``calibration/ledger.toml``, with the figures it names in targets.toml.

Lists of little giants, and counts of SRDI SMEs.

Nothing that was reported after the day asked for is read, so the same code makes forecasts and hindcasts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

import numpy as np

from scenarios.analysis.reported import ReportedFigure, middle_of, reported_figures
from sim.reference import province_names, region_names

#: The end of the quarter of the cut-off, 8 March 2024: reported figures carry the end of their quarter.
KNOWN = date(2024, 3, 31)
#: The quantity of which provinces reported counts.
SRDI = "srdi_smes"
#: Years from the award of a certificate to its review, and from one review to the next (measures of 2022).
REVIEW_YEARS = 3
#: Year of the first batch; there has been one a year since.
FIRST_BATCH = 2019
#: Month from which the lists and reviews of a year are out.
SUMMER = 7


@dataclass(frozen=True)
class Batch:
    """One list of the ministry.

    Attributes:
        year: of the list. size: firms left on it after withdrawals.
        review: known result of its review, the lowest and highest number of firms that passed; None before the review.
    """

    year: int
    size: float
    review: tuple[float, float] | None

    @property
    def kept(self) -> float:
        """Share of its firms whose certificates have not lapsed at the review; 1 before the review."""
        return middle_of(*self.review) / self.size if self.review else 1.0


@dataclass(frozen=True, eq=False)
class Listed:
    """Firms of one province or region on some lists together.

    Attributes:
        day: of the report. years: of the lists. in_force: whether firms that failed their review are left out.
        place: province or region. provinces: their positions in `province_names`.
        low, high: rounding interval of the firms.
    """

    day: date
    years: tuple[int, ...]
    in_force: bool
    place: str
    provinces: tuple[int, ...]
    low: float
    high: float

    @property
    def count(self) -> float:
        """Middle of the rounding interval, firms."""
        return (self.low + self.high) / 2.0

    def weights(self, last: date) -> np.ndarray:
        """Firms of each year's batch in the whole country that the report counts, float64 (years,)."""
        known = known_batches(last)
        # Reviews come out with the lists in summer; their figures carry the end of the year.
        summer = self.day.month >= SUMMER
        until = min(date(self.day.year if summer else self.day.year - 1, 12, 31), last)
        reviewed = known_batches(until) if self.in_force else {}
        return np.array([known[y].size * (reviewed[y].kept if y in reviewed else 1.0) for y in self.years])


@dataclass(frozen=True)
class Count:
    """SRDI SMEs of one province.

    Attributes:
        date: of the count. place: the province. low, high: rounding interval of the firms.
    """

    date: date
    place: str
    low: float
    high: float

    @property
    def middle(self) -> float:
        """Middle of the rounding interval, firms."""
        return middle_of(self.low, self.high)


def regions() -> dict[str, tuple[str, ...]]:
    """Provinces of the four regions of the statistics office."""
    of = region_names()
    return {region: tuple(name for name in of if of[name] == region) for region in dict.fromkeys(of.values())}


def known_batches(last: date = KNOWN) -> dict[int, Batch]:
    """The batches listed up to a day, by year. A batch and a review count as known at the end of their year."""
    batches = {}
    for row in _file()["batch"]:
        listed = _figure(row["figure"])
        if listed.date <= last:
            review = _figure(row["review"]) if "review" in row else None
            ends = _ends(review) if review and review.date <= last else None
            batches[listed.date.year] = Batch(listed.date.year, _ends(listed)[0], ends)
    return batches


def known_lists(last: date = KNOWN) -> tuple[Listed, ...]:
    """What was reported up to a day of provinces and regions, by date."""
    batches = known_batches(last)
    found = []
    for row in _file()["list"]:
        day, years = date.fromisoformat(row["date"]), tuple(FIRST_BATCH - 1 + number for number in row["batches"])
        if day > last or any(year not in batches for year in years):
            continue
        found += [
            Listed(day, years, row.get("in_force", False), place, positions_of(place), low, high)
            for place, low, high in _rows(row, sum(batches[year].size for year in years))
        ]
    return tuple(sorted(found, key=lambda listed: listed.day))


def known_counts(last: date = KNOWN) -> tuple[Count, ...]:
    """SRDI SMEs of provinces reported up to a day, by date."""
    found = []
    for row in _file()["count"]:
        day = date.fromisoformat(row["date"])
        if date.fromisoformat(row.get("reported", row["date"])) <= last:
            found += [Count(day, place, low, high) for place, low, high in _rows(row, math.nan)]
    return tuple(sorted(found, key=lambda count: count.date))


def _rows(row: Mapping, size: float) -> list[tuple[str, float, float]]:
    """Place and rounding interval of the firms of a list, `size` firms in the whole country."""
    rows = [
        (figure.province, *_ends(figure))
        for figure in reported_figures()
        if figure.province and figure.id.startswith(f"{row.get('figure')}.")
    ]
    for key, unit in (("by_province", 1.0), ("by_region", 1.0), ("by_region_share", size)):
        for place, value in row.get(key, {}).items():
            low, high = value if isinstance(value, list) else (value, value)
            rows.append((place, unit * low, unit * high))
    return rows


def positions_of(place: str) -> tuple[int, ...]:
    """Positions of the provinces of a region, or of one province."""
    return tuple(province_names().index(name) for name in regions().get(place, (place,)))


def _ends(figure: ReportedFigure) -> tuple[float, float]:
    ends = [end for end in (figure.low, figure.high) if end is not None]
    return ends[0], ends[-1]


def _figure(id_: str) -> ReportedFigure:
    return next(figure for figure in reported_figures() if figure.id == id_)


@cache
def _file() -> dict:
    from scenarios.files.loading import parse_toml

    return parse_toml(
        files("calibration").joinpath("ledger.toml").read_text(encoding="utf-8"), "calibration/ledger.toml"
    )
