"""A network of thousands of nodes, drawn on a canvas in the browser, and a radial layout of trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import solara
from numpy.typing import ArrayLike

from viz.app.widgets.chart import COLOUR

#: Keys that ``texts`` must have, with words and patterns.
TEXTS = (
    "network",  # what a screen reader calls the drawing
    "help",  # which keys do what
    "wheel",  # how the wheel zooms
    "search",  # label of the search field
    "found",  # "{number} found"
    "closer",  # buttons
    "farther",
    "whole",
    "clear",
    "neighbours",  # "Linked to {name} ({number})"
    "no_neighbours",  # "{name} has no links"
    "further",  # "and {number} more"
)


def network(xy: ArrayLike, size: ArrayLike, colour: ArrayLike, edges: ArrayLike) -> dict:
    """The graph of a `Network`: nodes and edges as one block of bytes, which is sent without JSON.

    Args:
        xy: float, shape (nodes, 2): positions, y downwards, in any unit (the drawing is fitted to its frame).
        size: float, shape (nodes,): radius in px when the whole network is shown; it grows more slowly than the zoom.
        colour: integer, shape (nodes,): index in the palette; lower ones are drawn above higher ones.
        edges: integer, shape (edges, 2): pairs of nodes, or empty.

    Returns:
        counts of ``nodes`` and ``edges``, and ``values``: bytes of xy and size as float32, then of colour and edges
        as int32, one after the other.

    Raises:
        ValueError: lengths differ, a position or size is not finite, or an index is out of range.
    """
    xy, size = np.asarray(xy, dtype="<f4"), np.asarray(size, dtype="<f4")
    colour, edges = np.asarray(colour), np.asarray(edges)
    nodes = len(size)
    if size.ndim != 1 or xy.shape != (nodes, 2) or colour.shape != (nodes,):
        raise ValueError(f"xy, size and colour of a network have shapes {xy.shape}, {size.shape}, {colour.shape}")
    if edges.size == 0:
        edges = np.empty((0, 2), dtype="<i4")
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise ValueError(f"edges are pairs of nodes, not of shape {edges.shape}")
    if not (np.isfinite(xy).all() and np.isfinite(size).all()):
        raise ValueError("a position or size of a network is not finite")
    if nodes and colour.min() < 0:
        raise ValueError("a colour of a network is negative")
    if len(edges) and not (edges.min() >= 0 and edges.max() < nodes):
        raise ValueError("an edge of a network names no node")
    parts = (xy, size, colour.astype("<i4"), edges.astype("<i4"))
    return {"nodes": nodes, "edges": len(edges), "values": b"".join(part.tobytes() for part in parts)}


@solara.component_vue("network.vue", vuetify=False)
def _Network(  # noqa: PLR0917, Solara turns the arguments into properties, set by name
    graph: dict,
    labels: list,
    palette: list,
    names: list,
    texts: dict,
    label: str,
    height: int = 520,
    dark: bool = False,
    selected: int = -1,
    version: int | str = 0,
    event_select: Callable[[int], None] | None = None,
) -> None:
    """Traits of ``network.vue``, as in `Network`."""


def Network(
    graph: dict,
    *,
    labels: Sequence[str],
    palette: Sequence[str],
    texts: Mapping[str, str],
    label: str,
    names: Sequence[str] = (),
    height: int = 520,
    dark: bool = False,
    selected: int = -1,
    version: int | str = 0,
    event_select: Callable[[int], None] | None = None,
) -> solara.Element:
    """A network that can be moved, zoomed and searched in the browser.

    Args:
        graph: of `network`. Pass the same object while it does not change, because comparing bytes takes time.
        labels: one per node, for tooltip, search and lists; sent separately, so pass the same list, too.
        palette: #rrggbb by index of colour; shapes also distinguish the colours (see ``network.vue``).
        texts: words for the keys TEXTS in the user's language. label: description for screen readers.
        names: meaning of each colour, for legend and tooltip; empty for no legend.
        height: of the drawing in px. dark: whether the page is dark.
        selected: node to select and show, -1 for none; changing it sends no event.
        version: of the graph; the root element (class ``srdi-network``) has it as ``data-version`` once painted.
        event_select: called with the node that the user selects, or -1.

    Raises:
        ValueError: a node has no label, a text is missing, or a colour is not in the form #rrggbb.
    """
    if len(labels) != graph["nodes"]:
        raise ValueError(f"a network of {graph['nodes']} nodes has {len(labels)} labels")
    missing = [key for key in TEXTS if key not in texts]
    if missing:
        raise ValueError(f"texts of a network lack {', '.join(missing)}")
    wrong = [colour for colour in palette if not COLOUR.fullmatch(colour)]
    if wrong or not palette:
        raise ValueError(f"the palette of a network holds colours as #rrggbb, not {wrong or 'none'}")
    return _Network(
        graph=graph,
        labels=labels if isinstance(labels, list) else list(labels),
        palette=list(palette),
        names=list(names),
        texts={key: texts[key] for key in TEXTS},
        label=label,
        height=height,
        dark=dark,
        selected=selected,
        version=version,
        event_select=event_select,
    )


def radial_layout(centre: tuple[float, float], parents: ArrayLike, group: ArrayLike) -> np.ndarray:
    """Positions of a forest's nodes on rings around a centre; deterministic.

    A node of depth d (1 without a parent) is on the ring of radius d. Every node has a sector of the circle within its
    parent's sector, in proportion to the size of its subtree, and is placed in the middle of it. Nodes of one group are
    next to each other, with a small gap between groups. In a loop of parents, the node with the lowest index counts as
    one without a parent. The time is O(n log n), without a loop over nodes.

    Args:
        centre: position of the centre, which is not itself a node.
        parents: integer, shape (nodes,): index of a node's parent, -1 for children of the centre.
        group: integer, shape (nodes,): first sort key of the children of a parent, before their index.

    Returns:
        float32, shape (nodes, 2).

    Raises:
        ValueError: lengths differ, or a parent is not a node.
    """
    parents, group = np.array(parents, dtype=np.int64), np.asarray(group)
    n = len(parents)
    if parents.ndim != 1 or group.shape != (n,):
        raise ValueError(f"parents and group have shapes {parents.shape}, {group.shape}")
    if n == 0:
        return np.empty((0, 2), dtype=np.float32)
    if parents.min() < -1 or parents.max() >= n:
        raise ValueError("a parent is no node")
    parents = _without_loops(parents)
    enter, leave = _tour(parents, group)
    # Depth: nodes entered and not yet left. Size of a subtree: half the steps between entering and leaving it.
    steps = np.empty(2 * n, dtype=np.int64)
    steps[enter], steps[leave] = 1, -1
    depth = np.cumsum(steps)[enter]
    subtree = (leave - enter + 1) / 2.0
    # Number of nodes entered before.
    start = (np.cumsum(steps > 0)[enter] - 1).astype(np.float64)
    # A gap for each group before.
    roots = np.flatnonzero(parents < 0)
    roots = roots[np.argsort(enter[roots])]
    gaps = np.concatenate([[0], np.cumsum(np.diff(group[roots]) != 0)])
    before = gaps[np.searchsorted(enter[roots], enter, side="right") - 1]
    groups = gaps[-1] + 1
    gap = max(1.0, 0.015 * n) if groups > 1 else 0.0
    angle = 2.0 * np.pi * (start + 0.5 * subtree + gap * before) / (n + gap * groups)
    places = depth[:, None] * np.column_stack([np.sin(angle), -np.cos(angle)])
    return (np.asarray(centre, dtype=np.float64) + places).astype(np.float32)


def _without_loops(parents: np.ndarray) -> np.ndarray:
    """Parents with every loop cut above the node with its lowest index; node n is the centre."""
    n = len(parents)
    above = np.append(np.where(parents < 0, n, parents), n)
    lowest = np.arange(n + 1)
    # After k rounds, `above` is the ancestor 2**k up and `lowest` the lowest index on the way there.
    for _ in range(n.bit_length()):
        lowest = np.minimum(lowest, lowest[above])
        above = above[above]
    # A node that is n or more steps above another is in a loop.
    looped = np.zeros(n + 1, dtype=bool)
    looped[above] = True
    looped[n] = False
    cut = looped[:n] & (lowest[:n] == np.arange(n))
    return np.where(cut, -1, parents)


def _tour(parents: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps (0 to 2n - 1) at which a depth-first walk enters and leaves each node; children by group and index."""
    n = len(parents)
    order = np.lexsort((np.arange(n), group, parents))
    # Steps of the walk: i enters node i and n + i leaves it; 2n is the end, which is its own successor.
    follower = np.append(np.arange(n, 2 * n), np.append(np.where(parents < 0, 2 * n, n + parents), 2 * n))
    same = np.flatnonzero(parents[order][1:] == parents[order][:-1])
    follower[n + order[same]] = order[same + 1]
    first = order[np.flatnonzero(np.diff(parents[order], prepend=-2))]
    inner = first[parents[first] >= 0]
    follower[parents[inner]] = inner
    # Number of steps to the end, by pointer doubling.
    left = np.ones(2 * n + 1, dtype=np.int64)
    left[2 * n] = 0
    for _ in range((2 * n).bit_length()):
        left += left[follower]
        follower = follower[follower]
    place = 2 * n - left[:-1]
    return place[:n], place[n:]
