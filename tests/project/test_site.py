"""The documentation builds without a warning, loads nothing from other machines, and its files are true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import escape, unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from scenarios.analysis.outcomes import read_outcome
from scenarios.files.loading import load_scenario
from scenarios.search.design import factors_of, read_design
from scenarios.search.optimize import Problem, SearchFile

pytest.importorskip("mkdocs")
ROOT = Path(__file__).parents[2]
#: Pages that are shown in English among the Chinese ones, and why.
ENGLISH_ONLY = {
    **dict.fromkeys(["architecture", "contributing", "changes"], "for developers, who read the code in English"),
    **dict.fromkeys(
        ["mechanisms", "verification", "performance"], "lists of files, tests and measurements of the code"
    ),
    **dict.fromkeys(["tutorial/own-lever", "how-to/other-tools", "web"], "for programmers and those who run servers"),
    "reference/commands": "the help of the commands, which is English",
    "reference/sources": "sources as they were quoted",
    **dict.fromkeys(
        ["reference/levers", "reference/rules"], "made from what the code declares; in Chinese on the web page"
    ),
    **dict.fromkeys(["reference/parameters", "reference/results"], "as above"),
}


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


# --- both languages

#: A sign of Chinese writing.
HAN = "[\u4e00-\u9fff]"


def chinese_pages(site):
    """Text of each Chinese page by its place."""
    return {
        str(path.parent.relative_to(site / "zh")): path.read_text(encoding="utf-8")
        for path in (site / "zh").rglob("index.html")
    }


def article(text):
    """What a page says, with its language if that is not the page's; running text with … for tables and code."""
    tag, inner = re.search(r"<article([^>]*)>(.*?)</article>", text, re.DOTALL).groups()
    return re.findall(r'lang="(\w+)"', tag), re.sub(r"<(pre|table|code).*?</\1>", "…", inner, flags=re.DOTALL)


def links(text):
    """Targets of a page's links, and the language each names."""
    return [
        (unescape(address[1]), language[1] if (language := re.search(r'hreflang="([^"]*)"', tag)) else "")
        for tag in re.findall(r"<a [^>]*>", text)
        if (address := re.search(r'href="([^"]*)"', tag))
    ]


def test_every_page_has_a_chinese_twin_or_a_reason(site):
    pages = chinese_pages(site)
    english = {str(path.parent.relative_to(site)) for path in site.rglob("index.html")} - {"zh"}
    assert set(pages) == {page for page in english if not page.startswith("zh/")}
    assert {page for page, text in pages.items() if article(text)[0] == ["en"]} == set(ENGLISH_ONLY)
    for page, text in pages.items():
        assert '<html lang="zh"' in text, page
        signs = "".join(unescape(re.sub(r"<[^>]*>", "", article(text)[1])).split())
        assert (len(re.findall(HAN, signs)) > 0.2 * len(signs)) == (page not in ENGLISH_ONLY), page


def test_pages_lead_to_each_other_in_both_languages(site):
    for page in chinese_pages(site):
        for folder in (site / page, site / "zh" / page):
            menu = (folder / "index.html").read_text(encoding="utf-8").partition("<article")[0]
            switch = {language: (folder / address).resolve() for address, language in links(menu) if language}
            assert switch == {"en": (site / page).resolve(), "zh": (site / "zh" / page).resolve()}, folder


def test_no_link_of_a_page_is_broken(site):
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    names = {path: set(re.findall(r'(?:id|name)="([^"]+)"', text)) for path, text in texts.items()}
    for path, text in texts.items():
        if path.name == "404.html":  # its links begin at the root of the server
            continue
        for address, _ in links(text):
            target, _, anchor = address.partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            found = Path(os.path.normpath(path.parent / unquote(target))) if target else path
            found = found / "index.html" if found.is_dir() else found
            assert found.is_file(), (path, address)
            assert not anchor or found not in names or escape(unquote(anchor)) in names[found], (path, address)


def test_every_title_of_the_navigation_is_chinese(site):
    menu = chinese_pages(site)["."].partition("md-nav--primary")[2].partition("md-sidebar--secondary")[0]
    titles = re.findall(r'class="md-nav__link[^>]*>\s*<span class="md-ellipsis">\s*(.*?)\s*</span>', menu, re.DOTALL)
    assert len(titles) > 20
    assert [title for title in titles if not re.search(HAN, title)] == []


def test_lines_of_chinese_join_without_a_space(site):
    for page, text in chinese_pages(site).items():
        if page not in ENGLISH_ONLY:
            assert re.findall(f"(?:{HAN}|[，。；：）])\n *(?:{HAN}|[（“])", article(text)[1]) == [], page


def test_the_search_knows_chinese_words_and_shows_no_page_twice(site):
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    assert index["config"]["lang"] == ["en", "zh"]
    assert re.split(index["config"]["separator"], "认定\u200b，标准 rules") == ["认定", "标准", "rules"]
    places = [entry["location"] for entry in index["docs"]]
    assert len(places) == len(set(places))
    assert not {f"zh/{page}" for page in ENGLISH_ONLY} & {place.partition("#")[0].strip("/") for place in places}
    words = next(entry["text"] for entry in index["docs"] if entry["location"] == "zh/glossary/").split("\u200b")
    assert {"企业", "认定", "集群"} <= set(words)
