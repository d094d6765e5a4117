"""A policy with more or less money: what its levers add to a baseline, times a factor.

Of a lever that the baseline does not have, the budget is scaled and with it how many it reaches, not what a recipient
gets. Of a lever that both have, every amount, number and intensity in which they differ is moved from the baseline's
value towards the policy's and beyond: at 0 it is the baseline's, at 1 the policy's. All else is the policy's.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from scenarios.errors import InputError
from scenarios.files.loading import merge_values, nest
from scenarios.files.parts import differing_parts
from scenarios.files.schema import Scenario, build
from sim.levers import Lever, Levers

#: Largest factor.
MOST = 10.0
#: Settings, besides the budget, by which a lever reaches more or fewer; of most it is the budget alone.
_REACH = {
    # A city's support pays for its firms, so the same cities convert more or fewer.
    "digital_empowerment": ("firms", "city_yuan", "capital_city_yuan"),
    "cluster_recognition": ("per_year",),
}
#: Units, besides yuan, of settings that say how many are reached.
_NUMBERS = ("firms", "cities", "clusters per year")


#: Between the title of a policy and its factor.
TIMES = " × "


class NothingToScale(InputError):
    """A policy that adds no money to the baseline."""


@dataclass(frozen=True)
class Scaled:
    """A setting that is scaled.

    Attributes:
        key: dotted. before, after: values of the baseline (0 if it does not have the lever) and of the policy.
        whole: whether it is a whole number. most: the largest value allowed.
    """

    key: str
    before: float
    after: float
    whole: bool
    most: float

    def at(self, factor: float) -> float:
        """The value at a factor, rounded if the setting is a whole number."""
        value = self.before + factor * (self.after - self.before)
        return round(value) if self.whole else value

    @property
    def largest(self) -> float:
        """The largest factor that the setting allows; no amount or number falls below 0."""
        if self.after > self.before:
            return (self.most - self.before) / (self.after - self.before)
        return self.before / (self.before - self.after)


@dataclass(frozen=True)
class Scaling:
    """How a policy is given more or less money.

    Attributes:
        baseline, scenario: the policy is the latter at 1. settings: what is scaled.
    """

    baseline: Scenario
    scenario: Scenario
    settings: tuple[Scaled, ...]

    @property
    def most(self) -> float:
        """The largest factor allowed."""
        return min(MOST, *(setting.largest for setting in self.settings))

    @property
    def unscaled(self) -> tuple[str, ...]:
        """Names of the parts in which the policy still differs from the baseline when it has no money."""
        without_money = {setting.key.split(".")[1] for setting in self.settings if setting.at(0.0) == 0.0}
        parts = differing_parts(self.baseline, self.at(0.0, self.scenario.name))
        return tuple(part.name for part in parts if part.name not in without_money)

    def text(self, factor: float) -> str:
        """What is scaled, with the values at a factor, of the baseline and of the policy."""
        return ", ".join(
            f"{setting.key.removeprefix('levers.')} {setting.at(factor):,.12g} "
            f"(baseline {setting.before:,.12g}, as given {setting.after:,.12g})"
            for setting in self.settings
        )

    def at(self, factor: float, name: str) -> Scenario:
        """The policy at a factor, under another name."""
        values = self.scenario.model_dump(by_alias=True, mode="json")
        changes = nest({setting.key: setting.at(factor) for setting in self.settings})
        titles = {"title": self.scenario.title or self.scenario.name, "title_zh": self.scenario.title_zh}
        times = f"{TIMES}{factor:.4g}"
        scaled = {key: title[: 200 - len(times)] + times if title else "" for key, title in titles.items()}
        return build({**merge_values(values, changes), "name": name, **scaled}, name)


def scaling(baseline: Scenario, scenario: Scenario) -> Scaling:
    """What of a policy is scaled.

    Raises:
        NothingToScale: it adds no money to the baseline.
    """
    settings: list[Scaled] = []
    for name in Levers.model_fields:
        before, after = (getattr(each.levers, name) for each in (baseline, scenario))
        if after.enabled:
            settings += _of_lever(name, before, after)
    if not settings:
        raise NothingToScale(
            f"{scenario.name!r} cannot be rescaled: no lever that is on in it has a budget, amount, number or "
            f"intensity other than in {baseline.name!r}"
        )
    return Scaling(baseline, scenario, tuple(settings))


def _of_lever(name: str, before: Lever, after: Lever) -> list[Scaled]:
    settings = []
    for key, field in type(after).model_fields.items():
        value = getattr(after, key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if before.enabled:
            extra = field.json_schema_extra
            unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
            if key != "intensity" and not unit.startswith("yuan") and unit not in _NUMBERS:
                continue
        elif key not in ("budget_yuan", *_REACH.get(name, ())):
            continue
        start = float(getattr(before, key)) if before.enabled else 0.0
        if value != start:
            most = min((limit.le for limit in field.metadata if getattr(limit, "le", None) is not None), default=inf)
            settings.append(Scaled(f"levers.{name}.{key}", start, float(value), isinstance(value, int), most))
    return settings
