"""The quarter of the model, divided into parts that can be timed.

The parts are read from the source code of `SRDIModel.step` and `sim.engine.advance`, so a part added there appears in
the profile automatically.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import sim.engine
import sim.model
from benchmarks.state import replace_method
from sim.engine import advance
from sim.model import SRDIModel
from sim.numerics.kernel_cache import cache_folder

#: The phase of the engine's pass that counts firms; the phases before it are the mechanisms.
COUNTING = "count_tile"
_MODULE = "staged_engine"


def _first_call(statement: ast.stmt) -> str | None:
    """The first call of a statement, as written: ``self._record`` or ``sell``; None if there is none."""
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return ast.unparse(calls[0].func) if calls else None


# --- the pass over firms


@cache
def staged_pass() -> tuple[Callable, tuple[str, ...]]:
    """The engine's `advance` as a kernel that can stop early, and the names of its phases in order.

    The first argument of the kernel is the number of phases to run on every tile; then follow those of `advance`.
    """
    tree = ast.parse(inspect.getsource(sim.engine))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == advance.__name__)
    function.args.args.insert(0, ast.arg("depth"))
    loop = next(statement for statement in function.body if isinstance(statement, ast.For))
    choices = [statement for statement in loop.body if isinstance(statement, ast.If)]
    assert [ast.unparse(choice.test) for choice in choices] == ["acts"], (
        "the loop over tiles has the single condition `acts`"
    )
    first = loop.body.index(choices[0])
    phases = [*choices[0].body, *loop.body[first + 1 :]]
    loop.body[first:] = [
        *(_empty_list(phase) for phase in phases if isinstance(phase, ast.Assign)),
        *(ast.If(ast.parse(f"depth > {k}", mode="eval").body, [phase], []) for k, phase in enumerate(phases)),
    ]
    module = _import_source(ast.unparse(ast.fix_missing_locations(tree)))
    return module.advance, tuple(_first_call(phase) or ast.unparse(phase) for phase in phases)


def _empty_list(phase: ast.Assign) -> ast.stmt:
    """An empty version of the list of firms made by a phase, because a pass that stops earlier still reads it."""
    assert isinstance(phase.value, ast.Subscript), "the list of firms is a slice of working memory"
    return ast.parse(f"{ast.unparse(phase.targets[0])} = {ast.unparse(phase.value.value)}[:0]").body[0]


def _import_source(source: str) -> ModuleType:
    """A module with the given source, stored next to the compiled kernels so that it is compiled only once."""
    path = (cache_folder() or Path(tempfile.mkdtemp())) / f"{_MODULE}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != source:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as draft:
            draft.write(source)
        os.replace(draft.name, path)
    specification = importlib.util.spec_from_file_location(_MODULE, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = sys.modules[_MODULE] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class StagedPass:
    """Makes a model's pass over firms stop after `depth` phases, and times it.

    Attributes:
        seconds: duration of the last pass, without reading orders before it.
    """

    def __init__(self, model: SRDIModel) -> None:
        self._kernel, self.phases = staged_pass()
        self.depth = len(self.phases)
        self.seconds = 0.0
        self._run = model.blocks.run
        replace_method(model.blocks, "run", self.run)

    def run(self, kernel: Callable, *arguments: object, **working: Any) -> None:
        """`Blocks.run`, with the staged kernel in place of `advance`."""
        started = time.perf_counter()
        if kernel is advance:
            kernel = partial(self._kernel, self.depth)
        self._run(kernel, *arguments, **working)
        self.seconds = time.perf_counter() - started


# --- the whole step


@cache
def _clocked_step() -> Callable:
    """`SRDIModel.step` as a function (model, clock) that calls `clock` with the name of each part after it."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(SRDIModel.step)))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    function.args.args.append(ast.arg("clock"))
    body: list[ast.stmt] = []
    for statement in function.body:
        body.append(statement)
        call = _first_call(statement)
        if call:
            label = call.removeprefix("self.").removeprefix("_")
            body.append(ast.parse(f"clock({label!r})").body[0])
    function.body = body
    names = dict(vars(sim.model))
    exec(compile(ast.fix_missing_locations(tree), "<step in parts>", "exec"), names)
    return names[function.name]


class ClockedModel:
    """Steps a model and measures the time of its parts.

    Attributes:
        parts: seconds of each part of the last step, in model order.
        kernels: seconds of each kernel over firms in the last step; they are included in the parts.
    """

    def __init__(self, model: SRDIModel) -> None:
        self.model = model
        self.parts: dict[str, float] = {}
        self.kernels: dict[str, float] = {}
        self._last = 0.0
        self._run = model.blocks.run
        replace_method(model.blocks, "run", self._timed_run)

    def step(self) -> None:
        """One quarter."""
        self.parts, self.kernels = {}, {}
        self._last = time.perf_counter()
        _clocked_step()(self.model, self._done)

    def _done(self, part: str) -> None:
        now = time.perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + now - self._last
        self._last = now

    def _timed_run(self, kernel: Callable, *arguments: object, **working: Any) -> None:
        started = time.perf_counter()
        self._run(kernel, *arguments, **working)
        name = kernel.__name__
        self.kernels[name] = self.kernels.get(name, 0.0) + time.perf_counter() - started
