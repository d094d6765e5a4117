"""Scenarios, ensembles and results.

``from scenarios import load_scenario, run_ensemble, load_results``
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for type checkers and the reference
    from scenarios.analysis.additionality import additionality
    from scenarios.analysis.cash import cash
    from scenarios.analysis.comparison import compare
    from scenarios.analysis.decomposition import decompose
    from scenarios.analysis.equal_money import equal_money
    from scenarios.analysis.incidence import incidence
    from scenarios.analysis.value import Assumptions, value
    from scenarios.ensembles.ensemble import run_ensemble
    from scenarios.ensembles.jobs import RunFailed
    from scenarios.errors import InputError, ResultsError, ScenarioError
    from scenarios.files.loading import load_scenario
    from scenarios.files.schema import Scenario
    from scenarios.records.results import Results, load_results
    from scenarios.search.answers import load_answers
    from scenarios.search.target_runs import target

_MODULES = {
    "Assumptions": "analysis.value",
    "InputError": "errors",
    "Results": "records.results",
    "ResultsError": "errors",
    "RunFailed": "ensembles.jobs",
    "Scenario": "files.schema",
    "ScenarioError": "errors",
    "additionality": "analysis.additionality",
    "cash": "analysis.cash",
    "compare": "analysis.comparison",
    "decompose": "analysis.decomposition",
    "equal_money": "analysis.equal_money",
    "incidence": "analysis.incidence",
    "load_answers": "search.answers",
    "load_results": "records.results",
    "load_scenario": "files.loading",
    "run_ensemble": "ensembles.ensemble",
    "target": "search.target_runs",
    "value": "analysis.value",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    # Imported on first use, so that the command line's help does not load pandas.
    if name in _MODULES:
        return getattr(import_module(f"scenarios.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
