"""A Chinese page says what its English twin says: the same code, the same sections, the same numbers in its tables."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Chinese pages that are not the whole of their twin, and why.
SHORTER = {
    "docs/calibration.zh.md": "in short; its results are put in when the site is built",
    "docs/reference/python.zh.md": "leads to the English page, which is made from docstrings",
}
#: Made from the same rows as its twin by `calibration.reporting.evidence_page`.
MADE = {"docs/evidence.zh.md"}
#: The English page of each Chinese one, where both are files.
TWINS = {
    str(path.relative_to(ROOT)): english
    for path in ROOT.glob("docs/**/*.zh.md")
    if (english := path.with_name(path.name.replace(".zh.md", ".md"))).is_file()
} | {"README.zh-CN.md": ROOT / "README.md"}
WHOLE = sorted(set(TWINS) - set(SHORTER) - MADE)
_BLOCK = re.compile(r"^```\w+.*?\n(.*?)^```$", re.DOTALL | re.MULTILINE)

#: Without those before "million", which Chinese writes in units of ten thousand.
_NUMBER = re.compile(r"\b\d(?:[\d,.]*\d)?\b(?![,.]?\d| million)", re.ASCII)


def code(text: str) -> list[str]:
    """The blocks of code of a page, without comments: these are in the page's language."""
    return [re.sub(r"\s*#.*", "", block) for block in _BLOCK.findall(text)]


def outline(text: str) -> list[int]:
    """Levels of the headings of a page, in order."""
    return [len(marks) for marks in re.findall(r"^(#+) ", _BLOCK.sub("", text), re.MULTILINE)]


def numbers(text: str) -> list[Counter]:
    """The numbers of each row of a page's tables."""
    return [Counter(_NUMBER.findall(line)) for line in _BLOCK.sub("", text).splitlines() if line[:1] == "|"]


def read(page: str) -> tuple[str, str]:
    """A Chinese page and its twin."""
    return (ROOT / page).read_text(encoding="utf-8"), TWINS[page].read_text(encoding="utf-8")


def test_what_is_compared_is_there():
    assert set(SHORTER) | MADE <= set(TWINS)
    assert len(WHOLE) >= 8
    assert numbers("| a | 1,200 … 3.5, 20 million |\n") == [Counter(["1,200", "3.5"])]
    assert numbers("| 10,500 million, 7 |\n") == [Counter(["7"])]
    assert outline("# A\n\n```sh\n# B\n```\n\n## C\n") == [1, 2]
    assert code("```sh\nrun x  # does it\n```\n") == code("```sh\nrun x  # 运行\n```\n") == ["run x\n"]


@pytest.mark.parametrize("page", sorted(TWINS))
def test_every_chinese_page_has_an_english_twin_with_all_its_code(page):
    chinese, english = read(page)
    assert Counter(code(chinese)) <= Counter(code(english))


@pytest.mark.parametrize("page", WHOLE)
def test_a_twin_has_the_code_sections_and_numbers_of_its_page(page):
    chinese, english = read(page)
    assert code(chinese) == code(english)
    assert outline(chinese) == outline(english)
    rows = zip(numbers(chinese), numbers(english), strict=True)
    assert [said for row, said in rows if not said <= row] == []
