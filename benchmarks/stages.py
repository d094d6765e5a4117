"""The model's quarter cut into its parts, so that each can be timed.

What the parts are is read from the source of `SRDIModel.step` and `sim.engine.advance`: a part added there appears
in the profile by itself.
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
from benchmarks.state import put_in_place
from sim.engine import advance
from sim.kernel_cache import cache_folder
from sim.model import SRDIModel

#: The phase of the engine's pass that counts; those before it are the mechanisms.
COUNTING = "count_tile"
_MODULE = "staged_engine"


def _called(statement: ast.stmt) -> str | None:
    """What a statement calls first, as written: ``self._record`` or ``sell``; None if it calls nothing."""
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return ast.unparse(calls[0].func) if calls else None


# --- the pass over firms


@cache
def staged_pass() -> tuple[Callable, tuple[str, ...]]:
    """The engine's `advance` as a kernel that stops early, and the names of its phases in order.

    The kernel takes a number of phases before the arguments of `advance`, and runs that many on every tile.
    """
    tree = ast.parse(inspect.getsource(sim.engine))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == advance.__name__)
    function.args.args.insert(0, ast.arg("depth"))
    loop = next(statement for statement in function.body if isinstance(statement, ast.For))
    choices = [statement for statement in loop.body if isinstance(statement, ast.If)]
    assert [ast.unparse(choice.test) for choice in choices] == ["acts"], "a tile acts where firms act at all"
    first = loop.body.index(choices[0])
    phases = [*choices[0].body, *loop.body[first + 1 :]]
    loop.body[first:] = [
        *(_empty_list(phase) for phase in phases if isinstance(phase, ast.Assign)),
        *(ast.If(ast.parse(f"depth > {k}", mode="eval").body, [phase], []) for k, phase in enumerate(phases)),
    ]
    module = _imported(ast.unparse(ast.fix_missing_locations(tree)))
    return module.advance, tuple(_called(phase) or ast.unparse(phase) for phase in phases)


def _empty_list(phase: ast.Assign) -> ast.stmt:
    """The list of firms that a phase makes for later ones, empty: a pass that stops before it reads it nonetheless."""
    assert isinstance(phase.value, ast.Subscript), "firms are listed in working memory, of which the list is a part"
    return ast.parse(f"{ast.unparse(phase.targets[0])} = {ast.unparse(phase.value.value)}[:0]").body[0]


def _imported(source: str) -> ModuleType:
    """A module of the given source, kept beside the compiled kernels so that it is compiled only once."""
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
    """Lets a model's pass over firms stop after some phases, and times it.

    Attributes:
        seconds: time the last pass took, without the reading of orders before it.
    """

    def __init__(self, model: SRDIModel) -> None:
        self._kernel, self.phases = staged_pass()
        self.depth = len(self.phases)
        self.seconds = 0.0
        self._run = model.blocks.run
        put_in_place(model.blocks, "run", self.run)

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
    """`SRDIModel.step` as a function (model, clock) that calls the clock with the name of each part when it is done."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(SRDIModel.step)))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    function.args.args.append(ast.arg("clock"))
    body: list[ast.stmt] = []
    for statement in function.body:
        body.append(statement)
        called = _called(statement)
        if called:
            label = called.removeprefix("self.").removeprefix("_")
            body.append(ast.parse(f"clock({label!r})").body[0])
    function.body = body
    names = dict(vars(sim.model))
    exec(compile(ast.fix_missing_locations(tree), "<step in parts>", "exec"), names)
    return names[function.name]


class ClockedModel:
    """Steps a model and notes what its parts take.

    Attributes:
        parts: seconds of each part of the last step, in model order.
        kernels: seconds of each kernel over firms in the last step; they are within the parts.
    """

    def __init__(self, model: SRDIModel) -> None:
        self.model = model
        self.parts: dict[str, float] = {}
        self.kernels: dict[str, float] = {}
        self._last = 0.0
        self._run = model.blocks.run
        put_in_place(model.blocks, "run", self._timed_run)

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
