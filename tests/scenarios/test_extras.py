"""What is not installed is asked for by name: each command says in a sentence which optional extra it needs."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from scenarios import InputError, errors
from scenarios.cli import main
from scenarios.ensembles.processes import on_cluster

EXTRAS = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
#: Command, extra, and a module of that extra that may be missing.
CASES = [
    ("facts", "calibration", "powerlaw"),
    ("calibrate", "calibration", "sklearn"),
    ("validate", "calibration", "pyfixest"),
    ("ui", "ui", "solara"),
]


def without(monkeypatch, module):
    monkeypatch.setattr(errors, "find_spec", lambda name: None if name == module else object())


@pytest.mark.parametrize(("command", "extra", "module"), CASES)
def test_a_command_names_the_extra_it_needs(monkeypatch, command, extra, module):
    without(monkeypatch, module)
    with pytest.raises(InputError) as refused:
        CliRunner().invoke(main.get_command(None, command), [], catch_exceptions=False)
    assert str(refused.value) == (
        f"srdi {command} needs the extra {extra!r} ({module} cannot be found): "
        f'pip install "srdi[{extra}]", or in a checkout pip install -e ".[{extra}]"'
    )
    assert extra in EXTRAS


def test_a_cluster_names_the_extra_it_needs(monkeypatch):
    without(monkeypatch, "distributed")
    with pytest.raises(
        InputError, match=r"^scheduler \(--scheduler\) needs the extra 'cluster' \(distributed cannot be found\)"
    ):
        next(on_cluster(abs, [(1,)], "tcp://127.0.0.1:9"))
