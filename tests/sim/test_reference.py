"""The reference data: complete, sourced, consistent with the reported totals, and used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sim
from sim.parameters import parameter_table
from sim.reference import province_names, read_data, sector_names

PROVINCES = read_data("provinces")["province"]
SECTORS = read_data("sectors")["sector"]


def test_administrative_totals():
    assert len(province_names()) == 31
    assert sum(province["county_units"] for province in PROVINCES) == 2843
    assert sum(province["urban_districts"] for province in PROVINCES) == 977
    assert sum(province["cities"] for province in PROVINCES) == 337


def test_census_totals():
    made = [sector for sector in SECTORS if sector["manufacturing"]]
    assert sum(sector["firms"] for sector in made) == 3_270_000
    assert sum(sector["firms"] for sector in SECTORS) == 5_470_000
    assert sum(sector["revenue_yuan"] for sector in made) < 118.5e12
    assert sum(sector["rd_firms"] for sector in made) < 104_820
    general = next(sector for sector in made if sector["key"] == "general_machinery")
    assert general["firms"] == pytest.approx(0.097 * 3_451_000, rel=0.01)


@pytest.mark.parametrize("name", ["provinces", "sectors"])
def test_every_column_has_a_unit_a_date_a_mark_and_a_source(name):
    data = read_data(name)
    rows = data["province" if name == "provinces" else "sector"]
    described = set(data["source"])
    for source in data["source"].values():
        assert all(source[key] for key in ("unit", "date", "mark", "source"))
    named = {"name", "name_zh", "key", "manufacturing", "sme_employees", "sme_revenue_yuan"}
    assert set(rows[0]) - named <= described
    assert all(set(row) == set(rows[0]) for row in rows)


def test_nothing_is_dated_after_the_cut_off():
    for name in ("provinces", "sectors", "criteria", "calendar", "demand"):
        text = Path(sim.__file__).parent.joinpath("data", f"{name}.toml").read_text(encoding="utf-8")
        for date in re.findall(r'date = "([^"]+)"', text):
            assert date.split("-")[-1 if len(date) == 9 else 0] <= "2024"
    assert max(read_data("demand")["growth"]) <= "2023"


def test_every_parameter_lies_in_its_range_and_says_what_it_is():
    for parameter in parameter_table().values():
        assert parameter.low <= parameter.value <= parameter.high, parameter.name
        assert parameter.unit, parameter.name
        assert parameter.description, parameter.name
        assert parameter.source, parameter.name


def test_every_parameter_is_used():
    code = "\n".join(path.read_text(encoding="utf-8") for path in Path(sim.__file__).parent.rglob("*.py"))
    reach = re.compile(r"reach_(innovative|srdi|giant)_(max|mid|width)")  # read by composed name
    unused = [name for name in parameter_table() if not re.search(rf"\b{name}\b", code) and not reach.fullmatch(name)]
    assert unused == []


def test_sectors_are_twelve_groups_of_manufacturing_and_two_services():
    assert len(sector_names()) == 14
    assert sum(sector["manufacturing"] for sector in SECTORS) == 12
