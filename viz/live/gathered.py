"""Runs in memory with the interface of a results directory, so that any code for results can read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa

from scenarios.ensembles.directory import manifest_labels
from scenarios.ensembles.jobs import model_checksum, versions
from scenarios.ensembles.parameter_draws import ParameterDraws, values_table
from scenarios.files.labels import Label
from scenarios.files.schema import Scenario
from scenarios.records.layout import FORMAT, FORMAT_VERSION, MANIFEST, PARAMETER_DRAWS, PARAMETER_DRAWS_FILE
from scenarios.records.results import Results
from scenarios.records.storage import DRAW, checksum, to_arrow, write_json, write_parquet
from sim.calendar import START, Quarter
from sim.parameters import parameter_table
from sim.records.outputs import OPTIONAL_TABLES, TABLES
from viz.live.runner import PANEL, Run, Runner


class GatheredResults(Results):
    """Results whose tables are joined from runs on first use.

    Args:
        scenarios: in order. runs: by scenario name, the same members in the same order.
        name: of the directory they would be stored in.
    """

    def __init__(
        self, runner: Runner, scenarios: Sequence[Scenario], runs: Mapping[str, Sequence[Run]], name: str = "page"
    ) -> None:
        first = runs[scenarios[0].name]
        draws = runner.draws_of(first[0].member)
        super().__init__(Path(name), _manifest(runner, scenarios, first, draws))
        self._runner, self._runs, self._draws = runner, runs, draws
        self._tables: dict[str, pa.Table] = {}

    def arrow(self, name: str) -> pa.Table:
        """One table as it would be stored, with units in the metadata of its fields; KeyError for an unknown name."""
        if name not in self.columns:
            raise KeyError(f"unknown table {name!r}; tables: {', '.join(self.columns)}")
        if name not in self._tables:
            self._tables[name] = self._parameter_draws() if name == PARAMETER_DRAWS else self._join(name)
        return self._tables[name]

    def table(self, name: str) -> pd.DataFrame:
        """One table by name, including `parameter_draws`; KeyError for an unknown name."""
        frame = self.arrow(name).to_pandas()
        if name == PARAMETER_DRAWS:
            frame.insert(0, DRAW.name, range(1, len(frame) + 1))
            frame = frame.astype({DRAW.name: DRAW.dtype})
        return frame

    def write_files(self, folder: Path) -> None:
        """Write the corresponding results directory, which ``srdi rerun`` can check."""
        for name in self.columns:
            write_parquet(self.arrow(name), folder / f"{name}.parquet")
        files = {name: checksum(folder / name) for name in self.manifest["files"]}
        write_json({**self.manifest, "files": files}, folder / MANIFEST)

    def _join(self, name: str) -> pa.Table:
        """A table of all runs, in the order of a stored ensemble."""
        tables = (
            to_arrow(name, run.tables[name], {"scenario": each["name"], **self._runner.identity(run.member)})
            for each in self.manifest["scenarios"]
            for run in self._runs[each["name"]]
        )
        return pa.concat_tables(tables).unify_dictionaries().combine_chunks()

    @cached_property
    def drawn_labels(self) -> Mapping[str, Label]:
        """What the parameter draws rest on, by parameter; empty without draws."""
        return self._draws.labels if self._draws else {}

    def _parameter_draws(self) -> pa.Table:
        """The parameter draws used: the first ones of the runner's."""
        assert self._draws
        return values_table(self._draws.names, self._draws.values[: self.manifest["draws"]], self._draws.labels)


def _manifest(runner: Runner, scenarios: Sequence[Scenario], runs: Sequence[Run], draws: ParameterDraws | None) -> dict:
    """The manifest of a directory of these runs; files have no checksums until they are written."""
    identities = [runner.identity(run.member) for run in runs]
    panel = all(set(OPTIONAL_TABLES) <= set(run.tables) for run in runs)
    central = runner.baseline_run(0)
    written = [scenario.model_dump(by_alias=True, mode="json") for scenario in scenarios]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "scenarios": written,
        "until": runner.until,
        "scale": runner.scale,
        "replicates": len(runs),
        "seed": runner.seed,
        "firms_panel": PANEL if panel else 0,
        "crossed_draws": None,
        "parameter_draws": draws.identity if draws else None,
        "model": model_checksum(),
        "versions": versions(),
        "draws": len({identity["draw"] for identity in identities}),
        "runs": len(scenarios) * len(runs),
        "labels": manifest_labels(written, draws),
        "parameters": {name: parameter.value for name, parameter in parameter_table().items()},
        "seeds": [identity["seed"] for identity in identities],
        "first_quarter": str(START),
        "last_quarter": str(Quarter(runner.until, 4)),
        "firms_at_start": round(float(central.tables["national"]["firms"][0]) * runner.scale),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {
            **{f"{name}.parquet": "" for name in (*TABLES, *(OPTIONAL_TABLES if panel else ()))},
            **({PARAMETER_DRAWS_FILE: ""} if draws else {}),
        },
    }
