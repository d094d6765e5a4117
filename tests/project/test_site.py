"""The documentation builds without a warning, loads nothing from other machines, and its files are true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.analysis.outcomes import read_outcome
from scenarios.files.loading import load_scenario
from scenarios.search.design import factors_of, read_design
from scenarios.search.optimize import Problem, SearchFile

pytest.importorskip("mkdocs")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    return out


def test_pages_load_nothing_from_other_machines(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]+src="(?:https?:)?//[^"]*', text), page
        assert not re.findall(
            r'<link[^>]+rel="(?:stylesheet|preconnect|preload)"[^>]+href="(?:https?:)?//[^"]*', text
        ), page
    for style in site.rglob("*.css"):
        assert not re.search(r"@import\s+(?:url\()?[\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("reference/levers", "levers.sme_fund.co_investment"),
        ("reference/rules", "rules.little_giant.review_strictness"),
        ("reference/parameters", "award_additionality"),
        ("reference/results", "counties_with_little_giant"),
        ("reference/commands", "srdi optimize [OPTIONS] FILE"),
        ("reference/python", "simulated firms per real firm"),
        ("reference/equations", "Δ ln L = μ + b_a a − b_c c"),
        ("reference/sources", "first list, June 2019"),
        ("odd", "Grimm et al. 2020"),
        ("architecture", "Import rules"),
    ],
)
def test_the_reference_holds_what_the_code_declares(site, page, text):
    assert text in (site / page / "index.html").read_text(encoding="utf-8").replace("<wbr>", "")


def test_the_search_of_the_how_to_is_valid(tmp_path):
    text = (ROOT / "docs" / "how-to" / "index.md").read_text(encoding="utf-8")
    code, _ = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "goals.toml"
    path.write_text(code, encoding="utf-8")
    file = read_design(path, SearchFile)
    problem = Problem.of(file, factors_of(file, load_scenario(file.base), str(path)))
    assert [read_outcome(goal, 2030) for goal in problem.goals]


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "README.zh-CN.md"])
def test_every_file_a_document_names_is_there(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    names = re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.[a-z]+)?|[A-Z]+\.md|pyproject\.toml)`", text)
    for name in (*(link for link in links if "://" not in link), *names):
        assert (ROOT / name).exists(), name


def test_the_diagram_shows_what_its_source_says():
    source = (ROOT / "docs/figures/architecture.mmd").read_text(encoding="utf-8")
    drawn = (ROOT / "docs/figures/architecture.svg").read_text(encoding="utf-8")
    shown = "".join(re.sub("<[^>]*>", "", drawn).split())
    labels = [*re.findall(r'"(.+?)"', source), *re.findall(r"subgraph \w+ \[(.+?)\]", source)]
    assert len(labels) == 14
    for label in labels:
        for line in label.split("<br>"):
            assert "".join(line.split()) in shown, line
    assert len(re.findall("-->", source)) == drawn.count('class="edge-thickness-normal edge-pattern-solid'), "arrows"


def test_long_names_in_tables_break_between_their_parts(site):
    text = (site / "mechanisms" / "index.html").read_text(encoding="utf-8")
    assert "<code>sim/<wbr>mechanisms/<wbr>chain_<wbr>links.<wbr>py</code>" in text
    assert "counties_with_little_giant" in (site / "search" / "search_index.json").read_text(encoding="utf-8")
