"""Measurements of ``srdi bench`` over time, one line of JSON each, and which figures changed by more than noise."""

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
#: Noise while it cannot be read from the history, and the least that is ever taken; both assumed, relative.
ASSUMED_NOISE, LEAST_NOISE = 0.1, 0.02
#: Changes from one measurement to the next that noise is read from: no fewer, and the latest of more.
FEWEST, MOST = 3, 12
#: Median changes that a change by noise alone rarely exceeds. Of normal noise the median change between two
#: measurements is 0.95 standard deviations of one of them; three are two standard deviations of the change.
MEDIANS = 3.0


class Figure(BaseModel):
    """What was measured of one target, None if it could not be, and the limit it then had."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measured: float | None
    limit: float
    at_least: bool


class Measurement(BaseModel):
    """One line of the history.

    Attributes:
        date: of the end, UTC. commit: of the source, with + where the tree had changes; empty without Git.
        plan: of the suite. machine: processor, cores, memory in GiB, system. versions: of Python and packages.
        firm_quarter_ns: nanoseconds of the whole step per firm-quarter by size, None where not measured.
        targets: figures by the id of `benchmarks.suite.TARGETS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    date: datetime
    commit: str
    plan: Literal["full", "quick"]
    threads: int
    machine: dict[str, str | int | float]
    versions: dict[str, str]
    firm_quarter_ns: dict[str, float | None]
    targets: dict[str, Figure]

    @property
    def place(self) -> tuple:
        """What has to be the same for two measurements to be held against each other."""
        return self.plan, self.threads, *(self.machine.get(key) for key in ("processor", "cores", "system"))


class Change(BaseModel):
    """A target's figure beside the last tracked one.

    Attributes:
        change: relative, above 0 for more; None where one of the two is missing. noise: relative, see `noise`.
        verdict: "worse" or "better" where the change is beyond noise, else empty.
    """

    id: str
    before: float | None
    now: float | None
    change: float | None
    noise: float
    verdict: Literal["worse", "better", ""]


class Comparison(BaseModel):
    """A measurement beside the last comparable one; None, and no changes, where there is none.

    Attributes:
        tracked: number of comparable measurements, which the noise is read from.
    """

    tracked: int
    last: Measurement | None
    changes: list[Change]


def measurement(results: dict, quick: bool, commit: str) -> Measurement:
    """The line of the history for the results of a suite that has just ended, begun at a commit."""
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
            row["id"]: Figure(measured=row["measured"], limit=row["limit"], at_least=row["at_least"])
            for row in results["targets"]
        },
    )


def commit() -> str:
    """The commit of the source, with + if it has changes beside the history; empty where it is not kept by Git."""

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=HISTORY.parent, capture_output=True, encoding="utf-8", check=True)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)  # installed into the tree of something else
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/", f":!{HISTORY.name}")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def read_history(path: Path) -> list[Measurement]:
    """The measurements of a file, oldest first; none if there is no such file.

    Raises:
        InputError: a line is no measurement; says which.
    """
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        try:
            found.append(Measurement.model_validate_json(line))
        except ValidationError as error:
            raise InputError(f"{path}, line {number}: {first_fault(error, _known_keys)}") from None
    return found


def _known_keys(path: list[str]) -> list[str]:
    """Keys of a line, or of one of its targets, below a path of keys."""
    return list((Figure if path else Measurement).model_fields)


def append(new: Measurement, path: Path) -> None:
    """Append a measurement to the file, which is made if it is not there."""
    with path.open("a", encoding="utf-8") as file:
        file.write(new.model_dump_json() + "\n")


def noise(tracked: list[float]) -> float:
    """Relative change of a figure that noise alone may make, from its tracked values, oldest first.

    Three times the median change from one measurement to the next. Between most measurements the model became no
    faster or slower, and the median takes no notice of the few in which it did.
    """
    steps = [abs(math.log(after / before)) for before, after in itertools.pairwise(tracked)][-MOST:]
    return max(MEDIANS * median(steps), LEAST_NOISE) if len(steps) >= FEWEST else ASSUMED_NOISE


def compare(history: list[Measurement], new: Measurement) -> Comparison:
    """A measurement beside the last of the history that was made by the same plan on the same machine."""
    tracked = [old for old in history if old.place == new.place]
    if not tracked:
        return Comparison(tracked=0, last=None, changes=[])
    last = tracked[-1]
    found = [_change(name, last.targets.get(name), now, _values(tracked, name)) for name, now in new.targets.items()]
    return Comparison(tracked=len(tracked), last=last, changes=found)


def _values(tracked: list[Measurement], name: str) -> list[float]:
    """All that was measured of a target, oldest first."""
    figures = (old.targets[name].measured for old in tracked if name in old.targets)
    return [value for value in figures if value]


def _change(name: str, old: Figure | None, new: Figure, tracked: list[float]) -> Change:
    before, now, spread = old.measured if old else None, new.measured, noise(tracked)
    if not before or not now:
        return Change(id=name, before=before, now=now, change=None, noise=spread, verdict="")
    moved = math.log(now / before)
    gain = moved if new.at_least else -moved
    verdict: Literal["worse", "better", ""] = "" if abs(moved) <= spread else "better" if gain > 0 else "worse"
    return Change(id=name, before=before, now=now, change=now / before - 1, noise=spread, verdict=verdict)
