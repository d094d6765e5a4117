"""Specs of charts, graphs of networks, and the layout in rings."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("solara")

from viz.app.widgets import chart
from viz.app.widgets import network as networks
from viz.app.widgets.chart import Chart, band, bar, interval, interval_chart, line, points, time_chart
from viz.app.widgets.network import Network, network, radial_layout

BLUE = "#0072B2"
QUARTERS = ["2024Q1", "2024Q2", "2024Q3"]
TEXTS = dict.fromkeys(chart.TEXTS, "word")
COMMON = {"title": "Firms", "label": "Firms over time", "texts": TEXTS}


def numbers(spec: dict) -> list[np.ndarray]:
    """The arrays of each series, shape (arrays, count), as the browser reads them."""
    block = np.frombuffer(spec["values"], dtype="<f4")
    arrays = {"line": 1, "bar": 1, "band": 2, "points": 2, "interval": 3}
    return [
        block[one["at"] : one["at"] + arrays[one["kind"]] * one["count"]].reshape(-1, one["count"])
        for one in spec["series"]
    ]


def test_numbers_of_a_time_chart_stand_in_one_block_of_float32():
    spec = time_chart(
        QUARTERS,
        [
            band("90%", [1, 2, 3], [4, 5, 6], colour=BLUE),
            line("Median", np.array([2, 3, 4]), colour=BLUE, dash=(4, 2)),
            bar("Spent", [7.5, 8.5, 9.5], colour=BLUE, stack="all"),
            points("Reported", [1], [10], [None], labels=["ministry"]),
        ],
        unit="share",
        **COMMON,
    )
    assert type(spec["values"]) is bytes
    found = numbers(spec)
    assert [array.tolist() for array in found[:3]] == [[[1, 2, 3], [4, 5, 6]], [[2, 3, 4]], [[7.5, 8.5, 9.5]]]
    assert found[3][0] == 10.0
    assert np.isnan(found[3][1])
    assert sum(array.nbytes for array in found) == len(spec["values"])
    assert spec["percent"]
    assert not spec["whole"]
    assert spec["series"][1]["dash"] == [4.0, 2.0]
    assert spec["series"][3]["index"] == [1]


def test_what_is_not_finite_is_a_gap():
    spec = time_chart(QUARTERS, [line("", [None, np.inf, 1e300], colour=BLUE)], **COMMON)
    assert np.isnan(numbers(spec)[0]).all()


def test_later_changes_of_an_array_do_not_reach_a_spec():
    values = np.ones(3, dtype=np.float32)
    spec = time_chart(QUARTERS, [line("", values, colour=BLUE)], **COMMON)
    values[:] = 2.0
    assert numbers(spec)[0].tolist() == [[1.0, 1.0, 1.0]]


def test_specs_of_equal_numbers_are_equal_even_with_gaps():
    one, other = (time_chart(QUARTERS, [line("", [1.0, np.nan, 2.0], colour=BLUE)], **COMMON) for _ in range(2))
    assert one == other


def test_a_chart_whose_numbers_change_is_described_as_before():
    specs = [
        time_chart(QUARTERS, [line("", [1, 2, end], colour=BLUE)], **COMMON | {"label": f"{end}"}) for end in (3, 4)
    ]
    one, other = (Chart(spec).kwargs for spec in specs)
    assert one["described"] == other["described"]
    assert [each["label"] for each in (one, other)] == ["3", "4"]
    assert one["values"] != other["values"]


def test_rows_make_the_height_of_an_interval_chart():
    series = [interval("A", [1], [2], [3]), interval("B", [1], [2], [3], colour=BLUE, marker="diamond")]
    spec = interval_chart(["Row"], series, scale="log", **COMMON)
    longer = interval_chart(["Row"] * 9, [interval("A", [1] * 9, [2] * 9, [3] * 9)], **COMMON)
    assert numbers(spec)[1].tolist() == [[1.0], [2.0], [3.0]]
    assert 60 < spec["height"] < longer["height"]
    assert interval_chart(["Row"], series, height=99, **COMMON)["height"] == 99


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: time_chart(QUARTERS, [line("A", [1, 2], colour=BLUE)], **COMMON), "'A' has 2 values for 3"),
        (lambda: band("A", [1, 2], [1, 2, 3], colour=BLUE), "different lengths"),
        (lambda: line("A", [[1, 2]], colour=BLUE), "one-dimensional"),
        (lambda: line("A", [1], colour="red"), "#rrggbb"),
        (lambda: band("A", [1], [2], colour=BLUE, opacity=0.0), "opacity"),
        (lambda: points("A", [0, 1], [1], [1]), "2 positions for 1"),
        (lambda: points("A", [0], [1], [1], labels=["a", "b"]), "2 labels"),
        (lambda: time_chart(QUARTERS, [points("A", [3], [1], [1])], **COMMON), "outside x"),
        (lambda: time_chart(["1"], [interval("A", [1], [2], [3])], **COMMON), "interval chart"),
        (lambda: interval_chart(["1"], [line("A", [1], colour=BLUE)], **COMMON), "time chart"),
        (lambda: interval_chart(["1", "2"], [interval("A", [1], [2], [3])], **COMMON), "1 intervals for 2"),
        (lambda: interval_chart(["1"], [], scale="log", zero_line=True, **COMMON), "no zero"),
        (lambda: interval_chart(["1"], [], scale="cubic", **COMMON), "linear or log"),
        (lambda: interval("A", [1], [2], [3], marker="star"), "marker"),
        (lambda: time_chart([], [], title="", label="", texts={}), "lack table"),
        (lambda: time_chart([], [], language="fr", **COMMON), "en or zh"),
    ],
)
def test_specs_refuse_what_cannot_be_drawn(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()


def test_a_graph_is_one_block():
    graph = network([[0, 1], [2, 3]], [4, 5], np.array([1, 0], dtype=np.uint8), [[1, 0]])
    floats = np.frombuffer(graph["values"], dtype="<f4", count=6)
    whole = np.frombuffer(graph["values"], dtype="<i4", offset=24)
    assert (graph["nodes"], graph["edges"]) == (2, 1)
    assert floats.tolist() == [0, 1, 2, 3, 4, 5]
    assert whole.tolist() == [1, 0, 1, 0]


def test_a_graph_may_be_empty():
    assert network(np.empty((0, 2)), [], [], []) == {"nodes": 0, "edges": 0, "values": b""}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([[0, 0]], [1, 1], [0, 0], []), "shapes"),
        (([[0, np.nan]], [1], [0], []), "not finite"),
        (([[0, 0]], [1], [-1], []), "negative"),
        (([[0, 0]], [1], [0], [[0, 1]]), "names no node"),
        (([[0, 0]], [1], [0], [0, 0]), "pairs"),
    ],
)
def test_graphs_refuse_what_cannot_be_drawn(arguments, says):
    with pytest.raises(ValueError, match=says):
        network(*arguments)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"labels": []}, "0 labels"),
        ({"texts": {}}, "lack"),
        ({"palette": ["red"]}, "#rrggbb"),
        ({"palette": []}, "none"),
    ],
)
def test_a_network_needs_labels_texts_and_colours(changed, says):
    texts = dict.fromkeys(networks.TEXTS, "word")
    whole = {"graph": network([[0, 0]], [1], [0], []), "labels": ["A"], "palette": [BLUE], "texts": texts, "label": "A"}
    with pytest.raises(ValueError, match=says):
        Network(**{**whole, **changed})


def forest(n: int, groups: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Parents, half of the first nodes without one, and groups that children take from their parents."""
    random = np.random.default_rng(seed)
    parents = np.array([random.integers(i) if i > 40 and random.random() < 0.8 else -1 for i in range(n)])
    group = random.integers(0, groups, n)
    for node in np.flatnonzero(parents >= 0):
        group[node] = group[parents[node]]
    # In another order than from the roots on.
    order = random.permutation(n)
    place = np.argsort(order)
    parents = parents[order]
    return np.where(parents < 0, -1, place[parents]), group[order]


def angles(xy: np.ndarray) -> np.ndarray:
    return np.arctan2(xy[:, 0], -xy[:, 1]) % (2.0 * np.pi)


@pytest.mark.parametrize("n", [1, 2, 50, 3000])
def test_rings_are_depths_and_no_two_nodes_are_at_one_spot(n):
    parents, group = forest(n, 5)
    xy = radial_layout((0.0, 0.0), parents, group)
    assert xy.dtype == np.float32
    assert xy.shape == (n, 2)
    depth = np.array([_depth(parents, node) for node in range(n)])
    np.testing.assert_allclose(np.hypot(*xy.T), depth, rtol=1e-5)
    for ring in np.unique(depth):
        around = np.sort(angles(xy[depth == ring].astype(np.float64)))
        gaps = np.diff(np.append(around, around[0] + 2.0 * np.pi))
        # Middles of sectors are a node's share of the circle apart; gaps between five groups take some of it.
        assert gaps.min() > 0.99 * 2.0 * np.pi / (n + 5 * max(1.0, 0.015 * n))


def test_groups_lie_in_one_sector_each():
    parents, group = forest(2000, 6)
    around = angles(radial_layout((0.0, 0.0), parents, group))
    in_order = group[np.argsort(around)]
    assert (np.diff(in_order) != 0).sum() == 5


def test_subtrees_keep_to_sectors_as_wide_as_they_are_large():
    # Two roots, one with three children of which one has a child.
    parents = [-1, -1, 0, 0, 0, 3]
    around = angles(radial_layout((0.0, 0.0), parents, [0] * 6))
    share = 2.0 * np.pi / 6.0
    np.testing.assert_allclose(around[:2], [2.5 * share, 5.5 * share], rtol=1e-6)
    np.testing.assert_allclose(around[[2, 3, 4, 5]], np.array([1.5, 3.0, 4.5, 3.5]) * share, rtol=1e-6)


def test_a_layout_is_the_same_again_and_moves_with_its_centre():
    parents, group = forest(500, 3)
    xy = radial_layout((0.0, 0.0), parents, group)
    assert (radial_layout((0.0, 0.0), parents, group) == xy).all()
    np.testing.assert_allclose(radial_layout((7.0, -3.0), parents, group), xy + np.float32([7.0, -3.0]), atol=1e-5)


def test_loops_of_parents_are_cut_at_their_lowest_node():
    # 1 -> 3 -> 4 -> 1 is a loop, 0 hangs on it, 2 is its own parent.
    xy = radial_layout((0.0, 0.0), [3, 3, 2, 4, 1], [0] * 5)
    np.testing.assert_allclose(np.hypot(*xy.T), [4.0, 1.0, 1.0, 3.0, 2.0], rtol=1e-6)


def test_a_long_chain_and_many_nodes_take_little_time():
    for parents in (np.arange(-1, 4999), forest(5000, 9)[0], np.full(5000, -1)):
        began = time.perf_counter()
        radial_layout((0.0, 0.0), parents, np.zeros(len(parents)))
        # A few ms; the limit is for a machine that does much else.
        assert time.perf_counter() - began < 0.25


@pytest.mark.parametrize("parents", [[1], [-2], [[0]]])
def test_a_layout_refuses_parents_that_are_no_nodes(parents):
    with pytest.raises(ValueError, match="parent"):
        radial_layout((0.0, 0.0), parents, [0])


def test_no_nodes_have_no_places():
    assert radial_layout((0.0, 0.0), [], []).shape == (0, 2)


def _depth(parents: np.ndarray, node: int) -> int:
    depth = 1
    while parents[node] >= 0:
        node, depth = parents[node], depth + 1
    return depth
