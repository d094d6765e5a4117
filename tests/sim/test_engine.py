"""The engine's tools: tiles, lists of the rare, and the arithmetic that vectorises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from conftest import ALL_LEVERS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sim.firms.columns import Columns
from sim.firms.tile import TILE, list_indices, stretch_end, window
from sim.ladder.criteria import mark_hopeful
from sim.ladder.fields import assessment_scratch
from sim.ladder.recognition import meets, read_fields
from sim.model import SRDIModel
from sim.numerics.elementary import exp, log
from sim.numerics.jit import kernel
from sim.policy import Policy
from sim.tiers import TIERS


@kernel
def _list(marks, places):
    return list_indices(marks, places)


@kernel
def _ends(values, ends):
    count, first = 0, 0
    while first < values.size:
        first = stretch_end(values, first, values.size)
        ends[count] = first
        count += 1
    return count


@kernel
def _hopeful(criteria, firms, p, marks):
    mark_hopeful(criteria, firms, p, marks)


@kernel
def _meets(criteria, firms, quarter, fields, noise, met):
    for i in range(met.size):
        read_fields(firms, quarter, i, fields)
        met[i] = firms.employment[i] > 0.0 and meets(criteria, fields, noise)


@kernel
def _elementary(x, exponentials, logarithms):
    for i in range(x.size):
        exponentials[i] = exp(x[i])
        logarithms[i] = log(abs(x[i]) + 1e-12)


marks = arrays.arrays(np.int8, st.integers(1, 200), elements=st.sampled_from([0, 0, 0, 0, 1, -1]))


@given(marks)
def test_the_places_of_all_marks_are_listed_in_order(marks):
    places = np.zeros(TILE, dtype=np.int64)
    count = _list(marks, places)
    np.testing.assert_array_equal(places[:count], np.flatnonzero(marks))


@given(arrays.arrays(np.int16, st.integers(1, 200), elements=st.sampled_from([3, 3, 3, 4])))
def test_a_stretch_ends_where_the_value_changes(values):
    ends = np.zeros(values.size, dtype=np.int64)
    count = _ends(values, ends)
    np.testing.assert_array_equal(ends[:count], [*(np.flatnonzero(np.diff(values)) + 1), values.size])


def test_a_window_holds_the_columns_under_their_own_names():
    firms = Columns(*(np.arange(8) + 100.0 * k for k in range(len(Columns._fields))))
    for name, part in zip(Columns._fields, window(firms, 2, 5), strict=True):
        np.testing.assert_array_equal(part, getattr(firms, name)[2:5], err_msg=name)


def test_exponential_and_logarithm_are_as_exact_as_they_say():
    x = np.concatenate([np.linspace(-40.0, 40.0, 20_001), np.geomspace(1e-9, 600.0, 2_000)])
    exponentials, logarithms = np.empty_like(x), np.empty_like(x)
    _elementary(x, exponentials, logarithms)
    np.testing.assert_allclose(exponentials, np.exp(x), rtol=1e-9)
    np.testing.assert_allclose(logarithms, np.log(np.abs(x) + 1e-12), atol=1e-10, rtol=0)


@pytest.fixture(scope="module")
def grown():
    """A model with all levers after ten quarters."""
    model = SRDIModel(Policy(levers=ALL_LEVERS), scale=0.01, rng=5)
    for _ in range(10):
        model.step()
    return model


@pytest.mark.parametrize("tier", TIERS)
def test_whoever_meets_the_criteria_is_marked_as_hopeful(grown, tier):
    firms, criteria, p = grown.firms.columns, grown.rounds.criteria[tier], grown.parameter_record
    met = np.zeros(len(firms.tier), dtype=bool)
    hopeful = np.empty(len(firms.tier))
    _meets(criteria, firms, grown.inputs, assessment_scratch().fields, 3.0 * p.assessment_noise, met)
    _hopeful(criteria, firms, p, hopeful)
    assert met.any()
    assert hopeful[met].all()
    assert hopeful.mean() < 0.5


def test_vacant_slots_hold_nothing_that_could_be_counted(grown):
    firms = grown.firms.columns
    vacant = firms.employment == 0.0
    assert vacant.any()
    for name in ("revenue", "rd_intensity", "relabelled", "rd_last_year", "rd_before", "knowledge", "equity", "tier"):
        assert not getattr(firms, name)[vacant].any(), name
    for name, column in firms._asdict().items():
        if column.dtype.kind == "f":
            assert math.isfinite(column.sum(dtype=np.float64)), name
