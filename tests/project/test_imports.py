"""Who imports whom: what `lint-imports` cannot say of modules that stand side by side."""

from __future__ import annotations

import grimp
import networkx as nx
import pytest

PACKAGES = ("srdi", "sim", "scenarios", "calibration", "viz", "benchmarks")


def circles(*packages: str) -> list[list[str]]:
    """Modules that import each other, directly or around; imports inside functions count, those for types do not."""
    graph = grimp.build_graph(*packages, exclude_type_checking_imports=True, cache_dir=None)
    arrows = nx.DiGraph(
        (module, imported) for module in graph.modules for imported in graph.find_modules_directly_imported_by(module)
    )
    return [sorted(found) for found in nx.strongly_connected_components(arrows) if len(found) > 1]


def test_no_module_imports_one_that_imports_it():
    assert circles(*PACKAGES) == []


@pytest.mark.parametrize(
    ("back", "found"),
    [
        ("import circling.first", [["circling.first", "circling.second"]]),
        ("def late():\n    from circling.first import X", [["circling.first", "circling.second"]]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import circling.first", []),
    ],
)
def test_a_circle_is_found_in_functions_and_allowed_for_types(back, found, tmp_path, monkeypatch):
    (tmp_path / "circling").mkdir()
    for name, text in (("__init__", ""), ("first", "import circling.second"), ("second", back)):
        (tmp_path / "circling" / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert circles("circling") == found
