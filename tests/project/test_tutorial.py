"""Every block of the tutorial runs, in order, as its reader would run it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import unwatched

ROOT = Path(__file__).parents[2]
PAGES = ("first-run", "own-scenario", "comparison", "own-lever")
#: What a reader who adds a lever works in.
CHECKOUT = ("sim", "scenarios", "calibration", "viz", "benchmarks", "pyproject.toml")
#: Stands for uv: everything is installed here already.
UV = """#!{python}
import os, sys
words = sys.argv[2:]
while words[0] == "--extra":
    words = words[2:]
module = {{"srdi": "scenarios.cli", "pytest": "pytest"}}.get(words[0])
command = [sys.executable, "-m", module] if module else [sys.executable]
os.execv(command[0], [*command, *words[1:]])
"""
BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Language, title and code of each block of a page."""
    text = (ROOT / "docs" / "tutorial" / f"{page}.md").read_text(encoding="utf-8")
    assert text.count("```") == 2 * len(BLOCK.findall(text))
    return [(match["language"], match["title"] or "", match["code"]) for match in BLOCK.finditer(text)]


def edited(text: str, code: str) -> str:
    """A text in which what stands before the line of dashes is replaced by what stands after it."""
    before, after = code.split("---\n")
    assert text.count(before) == 1
    return text.replace(before, after)


# A lever of one's own compiles the model anew, which takes minutes.
RUNS = [pytest.param(page, marks=pytest.mark.slow) if page == "own-lever" else page for page in PAGES]


@pytest.mark.parametrize("page", RUNS)
def test_every_block_runs(page, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    if page == "own-lever":
        for name in CHECKOUT:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, folder / name)
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(UV.format(python=sys.executable), encoding="utf-8")
    uv.chmod(uv.stat().st_mode | stat.S_IXUSR)
    environment = {
        **unwatched(),
        "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder if page == "own-lever" else ROOT),
    }
    done = 0
    for language, title, code in blocks(page):
        if title.startswith("edit: "):
            path = folder / title.removeprefix("edit: ")
            path.write_text(edited(path.read_text(encoding="utf-8"), code), encoding="utf-8")
            continue
        if title:
            (folder / title).parent.mkdir(parents=True, exist_ok=True)
            (folder / title).write_text(code, encoding="utf-8")
            continue
        command = ["bash", "-euo", "pipefail", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert ran.returncode == 0, f"{code}\n{ran.stdout}\n{ran.stderr}"
        assert "Traceback" not in ran.stderr, ran.stderr
        done += 1
    assert done >= 2
    if page == "own-lever":  # what it adds is in the style that contributing asks for
        for check in (("check",), ("format", "--check")):
            command = [sys.executable, "-m", "ruff", *check, "."]
            ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert ran.returncode == 0, ran.stdout
