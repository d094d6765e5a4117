"""What is published: every package and nothing else, under one version."""

import re
import tomllib
from pathlib import Path

import pytest

import calibration
import scenarios
import srdi

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
VERSION = PROJECT["project"]["version"]
PACKAGES = {path.parent.name for path in Path().glob("*/__init__.py")} - {"tests"}


def test_the_wheel_takes_every_package():
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    assert set(PROJECT["tool"]["importlinter"]["root_packages"]) == PACKAGES


def test_every_document_names_the_same_version():
    citation = Path("CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == VERSION
    assert f"## [{VERSION}]" in Path("CHANGELOG.md").read_text(encoding="utf-8")
    assert srdi.__version__ == VERSION
    for name in ("README.md", "README.zh-CN.md"):
        assert set(re.findall(r"srdi-([\d.]+)-py3", Path(name).read_text(encoding="utf-8"))) == {VERSION}


@pytest.mark.parametrize("package", [srdi, scenarios, calibration])
def test_the_public_names_are_there(package):
    assert all(getattr(package, name).__name__ == name for name in package.__all__ if not name.startswith("__"))


def test_the_public_names_are_listed():
    assert set(srdi.__all__) <= set(dir(srdi))
