"""Measurements of ``srdi bench`` over time, one line of JSON each, and the values that changed by more than noise."""

from __future__ import annotations

import itertools
import math
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from scenarios.errors import InputError, first_fault

#: The tracked measurements, oldest first.
HISTORY = Path(__file__).parent / "history.jsonl"
#: Noise if the history is too short to estimate it, and its minimum; both are assumptions, relative.
ASSUMED_NOISE, MIN_NOISE = 0.1, 0.02
#: Smallest and largest number of changes between measurements used to estimate noise.
MIN_CHANGES, MAX_CHANGES = 3, 12
#: Noise in units of the median change. For normal noise, the median change between two measurements is 0.95 standard
#: deviations of a measurement; three times that is two standard deviations of a change.
MEDIAN_FACTOR = 3.0


class TargetValue(BaseModel):
    """The measured value of a target, None if it could not be measured, and its limit at that time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measured: float | None
    limit: float
    at_least: bool


class Measurement(BaseModel):
    """One line of the history.

    Attributes:
        date: end of the measurement, UTC. commit: of the source, with + if the tree had changes; empty without Git.
        plan: of the suite. machine: processor, cores, memory in GiB, system. versions: of Python and packages.
        firm_quarter_ns: nanoseconds of the whole step per firm-quarter by size, None if not measured.
        targets: values by the id in `benchmarks.suite.TARGETS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: datetime
    commit: str
    plan: Literal["full", "quick"]
    threads: int
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    firm_quarter_ns: dict[str, float | None]
    targets: dict[str, TargetValue]

    @property
    def conditions(self) -> tuple:
        """What must be equal for two measurements to be comparable."""
        return self.plan, self.threads, *(self.machine.get(key) for key in ("processor", "cores", "system"))


class Change(BaseModel):
    """The value of a target and the last tracked one.

    Attributes:
        change: relative, above 0 for an increase; None if one of the two is missing. noise: relative, see `noise`.
        verdict: "worse" or "better" if the change exceeds the noise, else empty.
    """

    id: str
    before: float | None
    now: float | None
    change: float | None
    noise: float
    verdict: Literal["worse", "better", ""]


class Comparison(BaseModel):
    """A measurement compared with the last comparable one; None and no changes if there is none.

    Attributes:
        tracked: number of comparable measurements, from which the noise is estimated.
    """

    tracked: int
    last: Measurement | None
    changes: list[Change]


def measurement(results: dict, quick: bool, commit: str) -> Measurement:
    """The line of the history for the results of a suite that has just ended and was started at a commit."""
    machine = {key: value for key, value in results["machine"].items() if key != "versions"}
    return Measurement(
        date=datetime.now(UTC).replace(microsecond=0),
        commit=commit,
        plan="quick" if quick else "full",
        threads=results["threads"],
        machine=machine,
        versions=results["machine"]["versions"],
        firm_quarter_ns=results["firm_quarter_ns"],
        targets={
            row["id"]: TargetValue(measured=row["measured"], limit=row["limit"], at_least=row["at_least"])
            for row in results["targets"]
        },
    )


def commit() -> str:
    """The commit of the source, with + if files other than the history have changed; empty without Git."""

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=HISTORY.parent, capture_output=True, encoding="utf-8", check=True)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)  # not a checkout of this project
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", f":!{HISTORY.name}")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def read_history(path: Path) -> list[Measurement]:
    """The measurements in a file, oldest first; none if the file does not exist.

    Raises:
        InputError: a line is not a measurement; the message has its number.
    """
    if not path.exists():
        return []
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        try:
            rows.append(Measurement.model_validate_json(line))
        except ValidationError as error:
            raise InputError(f"{path}, line {number}: {first_fault(error, _known_keys)}") from None
    return rows


def _known_keys(path: list[str]) -> list[str]:
    """Keys of a line, or of one of its targets, below a path of keys."""
    return list((TargetValue if path else Measurement).model_fields)


def append(new: Measurement, path: Path) -> None:
    """Append a measurement to the file, which is created if needed."""
    with path.open("a", encoding="utf-8") as file:
        file.write(new.model_dump_json() + "\n")


def noise(tracked: list[float]) -> float:
    """Relative change of a value that noise alone can cause, from its tracked values, oldest first.

    Three times the median change between successive measurements. Between most measurements the speed of the model did
    not change, and the median ignores the few in which it did.
    """
    steps = [abs(math.log(after / before)) for before, after in itertools.pairwise(tracked)][-MAX_CHANGES:]
    return max(MEDIAN_FACTOR * median(steps), MIN_NOISE) if len(steps) >= MIN_CHANGES else ASSUMED_NOISE


def compare(history: list[Measurement], new: Measurement) -> Comparison:
    """A measurement compared with the last one of the same plan on the same machine."""
    tracked = [old for old in history if old.conditions == new.conditions]
    if not tracked:
        return Comparison(tracked=0, last=None, changes=[])
    last = tracked[-1]
    rows = [_change(name, last.targets.get(name), now, _values(tracked, name)) for name, now in new.targets.items()]
    return Comparison(tracked=len(tracked), last=last, changes=rows)


def _values(tracked: list[Measurement], name: str) -> list[float]:
    """All measured values of a target, oldest first."""
    values = (old.targets[name].measured for old in tracked if name in old.targets)
    return [value for value in values if value]


def _change(name: str, old: TargetValue | None, new: TargetValue, tracked: list[float]) -> Change:
    before, now, noise_share = old.measured if old else None, new.measured, noise(tracked)
    if not before or not now:
        return Change(id=name, before=before, now=now, change=None, noise=noise_share, verdict="")
    moved = math.log(now / before)
    gain = moved if new.at_least else -moved
    verdict: Literal["worse", "better", ""] = "" if abs(moved) <= noise_share else "better" if gain > 0 else "worse"
    return Change(id=name, before=before, now=now, change=now / before - 1, noise=noise_share, verdict=verdict)
