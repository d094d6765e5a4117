"""Libraries of runs: one file, whose first line identifies the design, then one line per finished run.

Lines are appended whole, and the run of a truncated last line is repeated, so that interrupted work resumes where it
stopped. The file belongs to one design: other settings, data or code start another file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scenarios.ensembles.processes import call_each, compile_once
from scenarios.errors import InputError
from scenarios.records.storage import atomic_file

#: Called with the number of finished runs and of all runs.
RunProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Library:
    """The file of a design's runs.

    Attributes:
        path: of the file. checksum: of everything that determines the runs. lengths: number of values of each run.
        scale: share of the population, for readers of the file.
    """

    path: Path
    checksum: str
    lengths: tuple[int, ...]
    scale: float

    @property
    def points(self) -> int:
        """Number of runs."""
        return len(self.lengths)

    def run(
        self,
        function: Callable[..., np.ndarray],
        jobs: Sequence[tuple],
        workers: int = 1,
        on_run: RunProgress = lambda done, all_: None,
    ) -> list[np.ndarray]:
        """Make the runs that are missing in the file, and return the values of all.

        Args:
            function: gives the values of one run, float64 (values,), NaN where there is none. jobs: its arguments, one
                tuple per point.
            on_run: called with the number of finished runs and of all runs, at the start and after each run.

        Raises:
            InputError: the file belongs to another design, or is damaged.
        """
        values = self._read()
        missing = [point for point in range(self.points) if point not in values]
        on_run(len(values), self.points)
        with self.path.open("a", encoding="utf-8") as file:
            for point, found in self._make(function, jobs, missing, workers):
                values[point] = found
                line = {"point": point, "values": [None if np.isnan(v) else float(v) for v in found]}
                file.write(json.dumps(line) + "\n")
                file.flush()
                on_run(len(values), self.points)
        return [values[point] for point in range(self.points)]

    def _make(
        self, function: Callable[..., np.ndarray], jobs: Sequence[tuple], missing: list[int], workers: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Point and values of the missing runs, as they finish."""
        if not missing:
            return
        compile_once()
        for index, found in call_each(function, [jobs[point] for point in missing], min(workers, len(missing))):
            yield missing[index], found

    def _read(self) -> dict[int, np.ndarray]:
        """Values so far by point. Creates the file if there is none, and removes a truncated last line."""
        head = {"design": self.checksum, "points": self.points, "scale": self.scale}
        if not self.path.exists():
            with atomic_file(self.path) as draft:
                draft.write_text(json.dumps(head) + "\n", encoding="utf-8")
            return {}
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        try:
            first, *lines = [json.loads(line) for line in whole.splitlines()]
            if first.get("design") != self.checksum:
                raise InputError(
                    f"{self.path} holds runs of another design (model, points, scale, seeds, priors or figures "
                    "differ): name another directory"
                )
            values = {line["point"]: np.array(line["values"], dtype=np.float64) for line in lines}
            if any(found.shape != (self.lengths[point],) for point, found in values.items()):
                raise ValueError
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            raise InputError(f"{self.path} is damaged: it is not a library of runs") from None
        if whole != text:
            with atomic_file(self.path) as draft:
                draft.write_text(whole, encoding="utf-8")
        return values
