"""Turns the criteria file and a scenario's thresholds into tables, and evaluates them.

The tables mirror the file: requirements of alternatives of conditions, score items of bands.
"""

from __future__ import annotations

from collections import namedtuple
from itertools import pairwise

import numpy as np

from sim.ladder.fields import RESEARCH_FIELDS, Field
from sim.mechanisms.knowledge import class1_patents
from sim.numerics.jit import inlined
from sim.reference import read_data

#: One tier's criteria as flat arrays.
Criteria = namedtuple(
    "Criteria",
    [
        "condition_field",  # int64 (conditions,)
        "condition_at_most",  # bool (conditions,), the value is an upper bound
        "condition_value",  # float64 (conditions,)
        "alternative_start",  # int64 (alternatives + 1,), first condition of each alternative
        "requirement_start",  # int64 (requirements + 1,), first alternative of each requirement
        "direct_start",  # int64 (2,), first and last + 1 alternative that stands in for the score
        "item_field",  # int64 (items,)
        "item_at_most",  # bool (items,)
        "group_start",  # int64 (groups + 1,), first item of each group
        "band_start",  # int64 (items + 1,), first band of each item
        "band_value",  # float64 (bands,)
        "band_points",  # float64 (bands,)
        "group_min",  # float64 (groups,), least points a group must reach
        "score_min",  # float64 (1,), pass mark; 0 where the tier has no score
        "needs_research",  # bool (1,), no firm meets them without R&D, patents or new equity
        "least_patents",  # float64 (1,), fewer class-I rights count as none
        "least_equity",  # float64 (1,), yuan; less new equity counts as none
    ],
)


def _condition(condition: dict, rules) -> tuple[int, bool, float]:
    at_most = "at_most" in condition
    value = condition["at_most" if at_most else "at_least"]
    bound = float(getattr(rules, value) if isinstance(value, str) else value)
    return getattr(Field, condition["field"]), at_most, bound


def build_criteria(tier: str, rules) -> Criteria:
    """Criteria tables of a tier under a scenario's rules (a TierRules with the tier's thresholds)."""
    data = read_data("criteria")[tier]
    conditions: list[tuple[int, bool, float]] = []
    alternative_start, requirement_start = [0], [0]

    def add_alternative(alternative: dict) -> None:
        conditions.extend(_condition(condition, rules) for condition in alternative["all"])
        alternative_start.append(len(conditions))

    for requirement in data.get("require", ()):
        for alternative in requirement["any"]:
            add_alternative(alternative)
        requirement_start.append(len(alternative_start) - 1)
    first_direct = len(alternative_start) - 1
    for alternative in data.get("direct", ()):
        add_alternative(alternative)

    groups = list(dict.fromkeys(item["group"] for item in data.get("score", ())))
    items = sorted(data.get("score", ()), key=lambda item: groups.index(item["group"]))
    sizes = [sum(item["group"] == group for item in items) for group in groups]
    minima = data.get("group_min", {})
    bands = [band for item in items for band in item["bands"]]
    fields, at_most, values = zip(*conditions, strict=True)
    criteria = Criteria(
        condition_field=np.array(fields, dtype=np.int64),
        condition_at_most=np.array(at_most, dtype=np.bool_),
        condition_value=np.array(values, dtype=np.float64),
        alternative_start=np.array(alternative_start, dtype=np.int64),
        requirement_start=np.array(requirement_start, dtype=np.int64),
        direct_start=np.array([first_direct, len(alternative_start) - 1], dtype=np.int64),
        item_field=np.array([getattr(Field, item["field"]) for item in items], dtype=np.int64),
        item_at_most=np.array([item.get("at_most", False) for item in items], dtype=np.bool_),
        group_start=np.cumsum([0, *sizes]).astype(np.int64),
        band_start=np.cumsum([0, *(len(item["bands"]) for item in items)]).astype(np.int64),
        band_value=np.array([band[0] for band in bands], dtype=np.float64),
        band_points=np.array([band[1] for band in bands], dtype=np.float64),
        group_min=np.array([minima.get(group, 0) for group in groups], dtype=np.float64),
        score_min=np.array([getattr(rules, "score_min", 0.0)], dtype=np.float64),
        needs_research=np.zeros(1, dtype=np.bool_),
        least_patents=np.zeros(1),
        least_equity=np.zeros(1),
    )
    criteria.needs_research[0] = _needs_research(criteria)
    criteria.least_patents[0] = _least_bound(criteria, "class1_ip")
    criteria.least_equity[0] = _least_bound(criteria, "equity_yuan")
    return criteria


def _needs_research(criteria: Criteria) -> bool:
    """Whether a firm that is 0 in RESEARCH_FIELDS fails for sure, however good it is in all other fields."""
    nil = np.isin(np.arange(len(Field)), [getattr(Field, name) for name in RESEARCH_FIELDS])
    fails = nil[criteria.condition_field] & ~criteria.condition_at_most & (criteria.condition_value > 0.0)
    can_hold = [not fails[slice(*bounds)].any() for bounds in pairwise(criteria.alternative_start)]
    requirements = [any(can_hold[slice(*bounds)]) for bounds in pairwise(criteria.requirement_start)]
    if not all(requirements):
        return True
    if not criteria.group_min.size or any(can_hold[slice(*criteria.direct_start)]):
        return False
    most = np.zeros(criteria.item_field.size)
    for item, (first, last) in enumerate(pairwise(criteria.band_start)):
        earned = (
            ~nil[criteria.item_field[item]] | criteria.item_at_most[item] | (criteria.band_value[first:last] <= 0.0)
        )
        most[item] = (criteria.band_points[first:last] * earned).max(initial=0.0)
    groups = [most[slice(*bounds)].sum() for bounds in pairwise(criteria.group_start)]
    return bool(np.any(groups < criteria.group_min))


def _least_bound(criteria: Criteria, field: str) -> float:
    """The smallest positive bound that conditions or bands set on a field; infinite if there is none."""
    index = getattr(Field, field)
    bounds = list(criteria.condition_value[criteria.condition_field == index])
    for item in np.flatnonzero(criteria.item_field == index):
        bounds.extend(criteria.band_value[criteria.band_start[item] : criteria.band_start[item + 1]])
    return min((bound for bound in bounds if bound > 0.0), default=np.inf)


@inlined
def mark_hopeful(criteria, firms, p, marks):
    """Mark with 1 the firms of a tile that have R&D, patents or new equity, where the criteria ask for any; else 0.

    All firms that meet the criteria are marked, and few others, so that the rest need not be assessed.
    marks: float64, a place a firm, written.
    """
    demanding, equity, patents = criteria.needs_research[0], criteria.least_equity[0], criteria.least_patents[0]
    for j in range(len(marks)):
        hopeless = (
            demanding
            & (firms.rd_last_year[j] == 0.0)
            & (firms.rd_before[j] == 0.0)
            & (firms.equity[j] < equity)
            & (class1_patents(firms.knowledge[j], p) < patents)
        )
        marks[j] = 0.0 if hopeless or firms.employment[j] == 0.0 else 1.0


@inlined
def _alternative_holds(criteria, alternative, fields):
    for c in range(criteria.alternative_start[alternative], criteria.alternative_start[alternative + 1]):
        value = fields[criteria.condition_field[c]]
        bound = criteria.condition_value[c]
        if value > bound if criteria.condition_at_most[c] else value < bound:
            return False
    return True


@inlined
def meets_requirements(criteria, fields):
    """Whether every requirement has an alternative that holds."""
    for requirement in range(criteria.requirement_start.size - 1):
        held = False
        for alternative in range(criteria.requirement_start[requirement], criteria.requirement_start[requirement + 1]):
            if _alternative_holds(criteria, alternative, fields):
                held = True
                break
        if not held:
            return False
    return True


@inlined
def has_direct_condition(criteria, fields):
    """Whether a condition holds that stands in for the score."""
    for alternative in range(criteria.direct_start[0], criteria.direct_start[1]):
        if _alternative_holds(criteria, alternative, fields):
            return True
    return False


@inlined
def _item_points(criteria, item, fields):
    """Points of one item: those of the first band reached."""
    value = fields[criteria.item_field[item]]
    for band in range(criteria.band_start[item], criteria.band_start[item + 1]):
        bound = criteria.band_value[band]
        if value <= bound if criteria.item_at_most[item] else value >= bound:
            return criteria.band_points[band]
    return 0.0


@inlined
def score(criteria, fields):
    """Points of 100 over all items."""
    total = 0.0
    for item in range(criteria.item_field.size):
        total += _item_points(criteria, item, fields)
    return total


@inlined
def reaches_score(criteria, fields, noise):
    """Whether every group reaches its minimum and the score, `noise` points off, the pass mark."""
    total = noise
    for group in range(criteria.group_min.size):
        points = 0.0
        for item in range(criteria.group_start[group], criteria.group_start[group + 1]):
            points += _item_points(criteria, item, fields)
        # Most firms fail here, in the first group, for want of R&D.
        if points < criteria.group_min[group]:
            return False
        total += points
    return total >= criteria.score_min[0]
