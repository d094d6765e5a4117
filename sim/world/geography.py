"""Provinces, cities and county-level units, and where firms of each sector stand.

Provinces carry real counts of county-level units by type. The units themselves are
synthetic points with an id and a type. The geography is the same in every run: it depends
on the data and the parameters, not on the seed.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from sim.numerics.arrays import exp, log, power, unit_normal
from sim.numerics.draws import TIMELESS, Purpose, stream_key, uniform_array
from sim.reference import read_data

#: Seed of the fixed synthetic structure (county attractiveness, niches, chains).
STRUCTURE_SEED = 20240308

#: Streams of the fixed structure, by number; another number changes every result.
Structure = namedtuple(
    "Structure",
    [
        "attraction",  # of counties
        "sectors",  # firms of a sector in a county
        "chain_home",
        "chain_openness",
        "niche_chain",  # one a sector: this number and those that follow, up to that of `niches_hit`
        "niches_hit",  # by a foreign supplier's failure
    ],
)(attraction=0, sectors=1, chain_home=3, chain_openness=4, niche_chain=10, niches_hit=50)

#: How far counties crowd in a province's larger cities: exponent of a city's share; 0 is evenly, 1 as urban districts
#: do (assumed).
_COUNTY_LEAN = 0.15


def structure_draws(stream: int, count: int) -> np.ndarray:
    """Uniform draws in (0, 1), float64 (count,), of a stream of the fixed structure (see `Structure`)."""
    return uniform_array(stream_key(STRUCTURE_SEED + stream, TIMELESS, Purpose.STRUCTURE), count)


#: Types of county-level units as tables name them, county (县域) and urban district, in the order of `county_is_urban`.
COUNTY_TYPES = ("county", "urban")


def county_type_names(is_urban: np.ndarray) -> np.ndarray:
    """Names of the types of units, an array of objects as tables hold text.

    is_urban: bool (n,), `Geography.county_is_urban` of each.
    """
    return np.array(COUNTY_TYPES, dtype=object)[is_urban.astype(np.intp)]


@dataclass(frozen=True)
class Geography:
    """County-level units and the firms each holds per sector at the start.

    Attributes:
        county_province: int16 (units,), province of each unit.
        county_city: int16 (units,), city (prefecture-level unit) of each unit.
        county_is_urban: bool (units,), urban district rather than county (县域).
        county_attraction: float64 (units,), Zipf-like weight, mean 1 within the province.
        county_place: int16 (units,), province, plus the number of provinces for urban districts.
        city_province: int16 (cities,); city_is_first: bool (cities,), the province's first city.
        firms: float64 (units, sectors), expected firms at 1:1 at the start.
        province_research: float64 (provinces,), log R&D intensity relative to the mean.
    """

    county_province: np.ndarray
    county_city: np.ndarray
    county_is_urban: np.ndarray
    county_attraction: np.ndarray
    county_place: np.ndarray
    city_province: np.ndarray
    city_is_first: np.ndarray
    firms: np.ndarray
    province_research: np.ndarray

    @property
    def units(self) -> int:
        """Number of county-level units."""
        return len(self.county_province)


def _units_of(province: dict, p) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """City (0 is the first city), urban flag and city weight of a province's units."""
    cities = province["cities"]
    weights = power(np.arange(1, cities + 1), -p.city_zipf)
    shares = weights / weights.sum()

    def spread(units: int, lean: float) -> np.ndarray:
        # Larger cities hold more of the urban districts; counties are spread almost evenly.
        leaning = power(shares, lean)
        portions = leaning / leaning.sum()
        bounds = np.round(np.cumsum(portions) * units).astype(int)
        return np.repeat(np.arange(cities), np.diff(bounds, prepend=0))

    districts = province["urban_districts"]
    city = np.concatenate([spread(districts, 1.0), spread(province["county_units"] - districts, _COUNTY_LEAN)])
    urban = np.arange(len(city)) < districts
    return city, urban, weights[city]


def build_geography(p) -> Geography:
    """Lay out the units of all provinces and place the sectors' firms on them.

    `p` is a parameter record. Firms per unit and sector are fitted by iterative
    proportional scaling, so that sector totals and provincial totals (manufacturing and
    services apart) hold at once.
    """
    provinces = read_data("provinces")["province"]
    sectors = read_data("sectors")["sector"]

    province_of, city_of, urban, weight = [], [], [], []
    first_city = 0
    for index, province in enumerate(provinces):
        city, is_urban, city_weight = _units_of(province, p)
        province_of.append(np.full(len(city), index))
        city_of.append(city + first_city)
        urban.append(is_urban)
        weight.append(city_weight)
        first_city += province["cities"]
    county_province = np.concatenate(province_of)
    county_is_urban = np.concatenate(urban)
    units = len(county_province)

    noise = exp(p.county_noise * unit_normal(structure_draws(Structure.attraction, units)))
    attraction = np.concatenate(weight) * noise * np.where(county_is_urban, p.urban_attraction, 1.0)
    mean = np.bincount(county_province, attraction) / np.bincount(county_province)
    attraction = attraction / mean[county_province]

    city_province = np.repeat(np.arange(len(provinces)), [province["cities"] for province in provinces])
    rd = np.array([province["rd_intensity"] for province in provinces])
    return Geography(
        county_province=county_province.astype(np.int16),
        county_city=np.concatenate(city_of).astype(np.int16),
        county_is_urban=county_is_urban,
        county_attraction=attraction,
        county_place=(county_province + len(provinces) * county_is_urban).astype(np.int16),
        city_province=city_province.astype(np.int16),
        city_is_first=np.diff(city_province, prepend=-1) != 0,
        firms=_place_firms(attraction, county_province, county_is_urban, provinces, sectors, p),
        province_research=log(rd / rd.mean()),
    )


def _place_firms(attraction, county_province, urban, provinces, sectors, p) -> np.ndarray:
    """Expected firms, float64 (units, sectors), at 1:1 at the start."""
    units, kinds = len(attraction), len(sectors)
    manufacturing = np.array([sector["manufacturing"] for sector in sectors])
    local = unit_normal(structure_draws(Structure.sectors, units * kinds)).reshape(units, kinds)
    firms = attraction[:, None] * exp(p.sector_noise * local)
    # Services stand in the cities far more than manufacturing does.
    firms[:, ~manufacturing] *= np.where(urban, p.urban_services, 1.0)[:, None]

    totals = np.array([sector["firms"] for sector in sectors], dtype=float)
    for group, column in ((manufacturing, "industrial_firms"), (~manufacturing, "service_share")):
        weights = np.array([province[column] for province in provinces])
        by_province = weights / weights.sum() * totals[group].sum()
        block = firms[:, group]
        for _ in range(50):
            block *= (by_province / np.bincount(county_province, block.sum(axis=1)))[county_province, None]
            block *= totals[group] / block.sum(axis=0)
        firms[:, group] = block
    return firms
