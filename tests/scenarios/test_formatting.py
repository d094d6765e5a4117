"""Numbers for people: the same figure reads the same in every table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from scenarios.display.formatting import (
    format_estimate,
    format_interval,
    format_number,
    supported,
    supported_arrays,
    unit_name,
)


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


@pytest.mark.parametrize(
    ("numbers", "unit", "shown", "step"),
    [
        ((34_303.0, 22_844.0, 54_639.0), "firms", (34_000, 23_000, 55_000), 1_000.0),
        ((1_153.0, 810.0, 1_497.0), "firms", (1_150, 810, 1_500), 10.0),
        ((2.36, 0.4, 4.1), "counties", (2, 0, 4), 1.0),  # no part of a county
        ((0.256, 0.238, 0.308), "share", (0.256, 0.238, 0.308), 0.001),
        ((0.00004, 0.00001, 0.00012), "share", (0.0, 0.0, 0.0001), 0.0001),  # a hundredth of a point
        ((-0.04, -9.96, 9.88), "start = 100", (0, -10, 10), 1.0),  # a width of 19.84 has the digits 20
        ((9.0e9, 9.0e9, 9.0e9), "yuan", (9.0e9, 9.0e9, 9.0e9), 1e6),  # no width: four digits
        ((12_345.6, 12_345.6, 12_345.6), "yuan", (12_350, 12_350, 12_350), 10.0),
        ((0.0, 0.0, 0.0), "firms", (0, 0, 0), 1.0),
    ],
)
def test_numbers_have_the_digits_that_their_interval_supports(numbers, unit, shown, step):
    found = supported(*numbers, unit)
    assert (found.value, found.low, found.high) == shown
    assert found.step == pytest.approx(step)
    arrays = supported_arrays(*(np.array([[each]]) for each in numbers), unit)
    assert tuple(float(each[0, 0]) for each in arrays) == shown


def test_a_number_without_an_interval_has_four_digits_and_is_whole_if_counted():
    found = supported(12_345.6, math.nan, math.nan)
    assert found.value == 12_350.0
    assert math.isnan(found.low)
    assert supported(2.4, math.nan, math.nan, "firms").value == 2.0


@pytest.mark.parametrize(
    ("numbers", "unit", "signed", "text"),
    [
        ((34_303.0, 22_844.0, 54_639.0), "firms", False, ("34,000", "23,000 … 55,000")),
        ((1_153.0, 810.0, 1_497.0), "firms", True, ("+1,150", "+810 … +1,500")),
        ((2.36, 0.4, 4.1), "counties", True, ("+2", "0 … +4")),
        ((0.0123, -0.004, 0.03), "share", True, ("+1.2", "−0.4 … +3.0")),
        ((12.27e9, 9.1e9, 15.2e9), "yuan", False, ("12.3", "9.1 … 15.2")),
        ((118_621_700.0, 117.0e6, 120.2e6), "persons", False, ("118.6", "117.0 … 120.2")),
        ((3.2e11, 2.9e11, 3.6e11), "", False, ("320 bn", "290 bn … 360 bn")),
        ((5.0, math.nan, math.nan), "firms", True, ("+5", "–")),
    ],
)
def test_a_printed_estimate_has_one_number_of_decimals(numbers, unit, signed, text):
    assert format_estimate(*numbers, unit, signed) == text


def test_what_is_counted_is_whole():
    assert format_number(2.36, "counties", signed=True) == "+2"
    assert format_number(0.4, "firms") == "0"
    assert format_number(0.4) == "0.4"
