"""Runs held in memory as the results of an ensemble: everything that reads a results directory reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pandas as pd
import pyarrow as pa

from scenarios.jobs import model_checksum, versions
from scenarios.results import FORMAT, FORMAT_VERSION, Results
from scenarios.schema import Scenario
from scenarios.storage import to_arrow
from sim.calendar import START, Quarter
from sim.outputs import TABLES
from sim.parameters import parameter_table
from viz.live.runner import Run, Runner


class GatheredResults(Results):
    """Results whose tables are joined from runs when first read.

    Args:
        scenarios: by name; runs: of each, the same members in the same order.
        name: of the directory they would have.
    """

    def __init__(
        self, runner: Runner, scenarios: Sequence[Scenario], runs: Mapping[str, Sequence[Run]], name: str = "page"
    ) -> None:
        members = [run.member for run in runs[scenarios[0].name]]
        super().__init__(Path(name), _manifest(runner, scenarios, members))
        self._runner, self._runs = runner, runs
        self._tables: dict[str, pa.Table] = {}

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables there are."""
        return tuple(TABLES)

    def arrow(self, name: str) -> pa.Table:
        """One table as it would be stored, with units in the metadata of its fields."""
        if name not in self._tables:
            self._tables[name] = pa.concat_tables(
                to_arrow(name, run.tables[name], {"scenario": scenario, **self._runner.identity(run.member)})
                for scenario, runs in self._runs.items()
                for run in runs
            ).unify_dictionaries()
        return self._tables[name]

    def table(self, name: str) -> pd.DataFrame:
        """One table by name; raises KeyError for an unknown one."""
        if name not in TABLES:
            raise KeyError(f"unknown table {name!r}; tables: {', '.join(TABLES)}")
        return self.arrow(name).to_pandas()

    @cached_property
    def columns(self) -> dict:
        """Columns of every table with unit and description."""
        from scenarios.storage import columns_of

        return {name: columns_of(name) for name in TABLES}


def _manifest(runner: Runner, scenarios: Sequence[Scenario], members: Sequence[int]) -> dict:
    """What the manifest of a directory of these runs would say."""
    identities = [runner.identity(member) for member in members]
    drawn = any(identity["draw"] for identity in identities)
    central = runner.baseline_run(0)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "scenarios": [scenario.model_dump(by_alias=True, mode="json") for scenario in scenarios],
        "until": runner.until,
        "scale": runner.scale,
        "replicates": len(members),
        "seed": runner.seed,
        "firms_panel": 0,
        "crossed_draws": None,
        "parameter_draws": runner.draws.identity if drawn else None,
        "model": model_checksum(),
        "versions": versions(),
        "draws": len({identity["draw"] for identity in identities}),
        "runs": len(scenarios) * len(members),
        "parameters": {name: parameter.value for name, parameter in parameter_table().items()},
        "seeds": [identity["seed"] for identity in identities],
        "first_quarter": str(START),
        "last_quarter": str(Quarter(runner.until, 4)),
        "firms_at_start": round(float(central.tables["national"]["firms"][0]) * runner.scale),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "files": {f"{name}.parquet": "" for name in TABLES},
    }
