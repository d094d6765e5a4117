"""Scenarios, ensembles and results.

``from scenarios import load_scenario, run_ensemble, load_results``
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and the reference
    from scenarios.analysis.comparison import compare
    from scenarios.ensembles.ensemble import run_ensemble
    from scenarios.ensembles.jobs import RunFailed
    from scenarios.errors import InputError, ResultsError, ScenarioError
    from scenarios.files.loading import load_scenario
    from scenarios.files.schema import Scenario
    from scenarios.records.results import Results, load_results

_HOMES = {
    "InputError": "errors",
    "Results": "records.results",
    "ResultsError": "errors",
    "RunFailed": "ensembles.jobs",
    "Scenario": "files.schema",
    "ScenarioError": "errors",
    "compare": "analysis.comparison",
    "load_results": "records.results",
    "load_scenario": "files.loading",
    "run_ensemble": "ensembles.ensemble",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # Imported when first used: the command line's help must not load pandas.
    if name in _HOMES:
        return getattr(import_module(f"scenarios.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
