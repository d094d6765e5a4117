"""The mutants of a file: Cosmic Ray's operators, without those left out by the configuration and `_ignored_spans`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """One operator applied at one position in one file."""

    module: str  # path from the project's root
    function: str  # outermost function that contains it, with its class; empty at module or class level
    line: int
    operator: str  # Cosmic Ray's name
    occurrence: int

    def source(self) -> str:
        """Text of the whole changed file."""
        from cosmic_ray.mutating import mutate_code
        from cosmic_ray.plugins import get_operator

        return mutate_code(source_of(self.module), get_operator(self.operator)(), self.occurrence)

    def change(self) -> tuple[str, str]:
        """The changed lines before and after, stripped."""
        pairs = zip(source_of(self.module).splitlines(), self.source().splitlines(), strict=True)
        sides = zip(*(pair for pair in pairs if pair[0] != pair[1]), strict=True)
        before, after = ("\n".join(line.strip() for line in side) for side in sides)
        return before, after


@cache
def source_of(module: str) -> str:
    """Text of a file of the project."""
    return (PROJECT / module).read_text(encoding="utf-8")


@cache
def functions_of(module: str) -> dict[str, range]:
    """Lines of each function's or method's body by qualified name; inner functions belong to the outer one."""

    def bodies(node: ast.AST, prefix: str) -> Iterator[tuple[str, range]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                yield from bodies(child, f"{prefix}{child.name}.")
            elif isinstance(child, ast.FunctionDef):
                yield f"{prefix}{child.name}", range(child.body[0].lineno, (child.end_lineno or child.lineno) + 1)

    return dict(bodies(ast.parse(source_of(module)), ""))


def _ignored_spans(tree: ast.AST) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Spans of the source that tests cannot or should not cover: annotations, decorators, ``__all__``."""
    nodes: list[ast.expr | ast.stmt | None] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            nodes.append(node.annotation)
        if isinstance(node, ast.FunctionDef):
            nodes.append(node.returns)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            nodes.extend(node.decorator_list)
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            nodes.append(node)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset))
        for node in nodes
        if node
    ]


def mutants_of(module: str, exclude: list[str]) -> list[Mutant]:
    """All mutants of a file, except those of operators whose name matches a pattern in `exclude`."""
    import parso  # noqa: F401  must be imported before Cosmic Ray's operators
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    ignored = _ignored_spans(ast.parse(source_of(module)))
    nodes = list(ast_nodes(get_ast(source_of(module))))
    mutants = []
    for name in sorted(plugins.operator_names()):
        operator_class = plugins.get_operator(name)
        if operator_class.arguments() or any(re.search(pattern, name) for pattern in exclude):
            continue
        spans = (span for node in nodes for span in operator_class().mutation_positions(node))
        for occurrence, (start, end) in enumerate(spans):
            if any(first <= tuple(start) and tuple(end) <= last for first, last in ignored):
                continue
            function = next((name for name, body in functions_of(module).items() if start[0] in body), "")
            mutants.append(Mutant(module, function, start[0], name, occurrence))
    return mutants
