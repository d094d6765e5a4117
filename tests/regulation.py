"""The criteria file of the regulation, read by plain Python."""

from __future__ import annotations

from sim.reference import read_data


def holds(condition: dict, thresholds: dict, firm: dict) -> bool:
    bound = condition.get("at_least", condition.get("at_most"))
    bound = thresholds[bound] if isinstance(bound, str) else bound
    return firm[condition["field"]] <= bound if "at_most" in condition else firm[condition["field"]] >= bound


def points(items: list[dict], firm: dict) -> float:
    total = 0.0
    for item in items:
        at_most = item.get("at_most", False)
        value = firm[item["field"]]
        total += next((p for bound, p in item["bands"] if (value <= bound if at_most else value >= bound)), 0.0)
    return total


def meets_the_file(tier: str, firm: dict, noise: float, thresholds: dict) -> bool:
    """The criteria file read by plain Python; noise is the most an assessor's score may be off."""
    data = read_data("criteria")[tier]
    items = data.get("score", [])
    for requirement in data.get("require", ()):
        if not any(all(holds(c, thresholds, firm) for c in a["all"]) for a in requirement["any"]):
            return False
    if not items or any(all(holds(c, thresholds, firm) for c in a["all"]) for a in data["direct"]):
        return True
    for group, least in data.get("group_min", {}).items():
        if points([item for item in items if item["group"] == group], firm) < least:
            return False
    return points(items, firm) + noise >= thresholds["score_min"]
