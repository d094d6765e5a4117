"""What a start imports and compiles: seconds of every command, so nothing that the command does without."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

#: Runs a command and prints what it has imported.
COMMAND = """
import sys
from scenarios.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules, file=sys.stderr)
"""
#: Runs a model with every lever on and prints which functions were compiled.
COMPILED = """
from numba.core import event

class Listener(event.Listener):
    def on_start(self, event):
        print(event.data["dispatcher"].py_func.__name__)

    def on_end(self, event):
        pass

event.register("numba:compile", Listener())
from sim.warmup import warm_up
warm_up()
"""
#: Takes a quarter's step and prints what has been imported; then uses the parts of Mesa that were left out.
QUARTER = """
import sys
from sim.model import SRDIModel
model = SRDIModel("baseline", scale=0.0005, rng=1)
model.step()
print(*sys.modules)
import mesa
from mesa import batch_run
assert isinstance(model, mesa.Model) and mesa.space.MultiGrid and mesa.__version__
assert isinstance(model.datacollector, mesa.DataCollector)
"""
MODEL = {"mesa", "numba", "pandas", "pyarrow", "scipy"}
FIGURES = {"SALib", "altair", "duckdb", "jinja2", "matplotlib", "optuna", "scipy.stats", "solara", "xarray"}


def python(code: str, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)


@pytest.mark.parametrize(
    ("command", "forbidden"),
    [
        ("--version", MODEL | FIGURES | {"numpy", "pydantic", "rich"}),
        ("list", MODEL | FIGURES),
        ("show no-policy", MODEL | FIGURES),
        ("run baseline --scale 0.0005 --until 2019", FIGURES),
    ],
)
def test_a_command_imports_nothing_it_does_without(command, forbidden):
    imported = set(python(COMMAND, *command.split()).stderr.split())
    assert "click" in imported
    assert not forbidden & imported


def test_a_worker_imports_the_model_with_its_first_run():
    imported = set(python("import scenarios.ensembles.jobs, sys; print(*sys.modules)").stdout.split())
    assert not (MODEL | FIGURES) & imported


@pytest.mark.skipif(not version("mesa").startswith("3.3."), reason="Mesa's Model imports these itself")
def test_a_model_imports_no_part_of_mesa_that_it_does_without():
    imported = set(python(QUARTER).stdout.split())
    assert "mesa.model" in imported
    assert not {"matplotlib", "mesa.space", "networkx", "pandas", "pyarrow", "scipy.spatial", "tqdm"} & imported


def test_nothing_is_compiled_twice():
    python(COMPILED)
    assert python(COMPILED).stdout == ""
