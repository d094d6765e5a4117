"""Numbers for people: the same figure reads the same in every table."""

from __future__ import annotations

import math

import pytest

from scenarios.display.formatting import format_interval, format_number, unit_name


def test_numbers_are_in_the_units_people_use():
    assert format_number(118_621_700, "persons") == "118.6"
    assert format_number(12.27e9, "yuan") == "12.27"
    assert format_number(0.0034, "share") == "0.34"
    assert [unit_name(unit) for unit in ("share", "yuan per quarter", "firms")] == [
        "per cent",
        "bn yuan per quarter",
        "firms",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (88.0, "88"),
        (0.61875, "0.6188"),
        (-0.1673, "-0.1673"),
        (999.4, "999.4"),
        (4762, "4,762"),
        (99_999_999, "99,999,999"),
        (400e6, "400 million"),
        (3.412e12, "3,412 bn"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_a_level_has_four_digits_or_all_before_the_point(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "share", "+1.23"),
        (-2.5e9, "yuan", "−2.50"),
        (0.000089512, "start = 100", "+0.00009"),
        (0.0, "firms", "0"),
        (4357.6, "firms", "+4,358"),
        (-250e6, "firms", "−250 million"),
        (math.nan, "firms", "–"),
    ],
)
def test_a_difference_has_its_sign_and_three_digits(value, unit, text):
    assert format_number(value, unit, signed=True) == text


def test_a_reported_figure_is_one_number_or_an_interval_open_or_not():
    assert format_interval(4762, 4762) == "4,762"
    assert format_interval(11_500, 12_499) == "11,500 – 12,499"
    assert (format_interval(0.8, None), format_interval(0.8, math.nan)) == ("over 0.8", "over 0.8")
    assert (format_interval(None, 0.8), format_interval(math.nan, 0.8)) == ("under 0.8", "under 0.8")
