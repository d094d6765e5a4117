"""Tables of a page and its Chinese twin are renewed from printed ones: right cells, same headings and rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.questions import PAGES, printed_tables, renew, sections, tables
from scenarios.display.screen import Cells
from scenarios.errors import InputError

ENGLISH = """# Page

```sh
uv run srdi run baseline
```

## Who gains?

Of `jobs`, in 2025:

| Part | Mean | 10–90 % | Used up in |
|---|---:|---:|---|
| sales, bn yuan | 1.5 | 1 … 2 | not used up |
| = gain | 25 million | 3 … 5 | 2025Q4 |

So 1.5 are sold. As said:

| Number | Formula |
|---|---|
| gain | 1.5 × sales |

Nothing here.

But 25 here.

## Is it worth it?

| Part | Mean |
|---|---:|
| sales | 9 |

So 9.
"""
CHINESE = """# 页

```sh
uv run srdi run baseline
```

## 谁受益

`jobs`：

| 部分 | 平均 | 10–90% | 用完时间 |
|---|---:|---:|---|
| 销售 | 1.5 | 1 … 2 | 未用完 |
| = 收益（gain） | 2,500万 | 3 … 5 | 2025Q4 |

可见1.5。

| 指标 | 公式 |
|---|---|
| 收益 | 1.5 × 销售 |

## 是否值得

| 部分 | 平均 |
|---|---:|
| 销售 | 9 |
"""
HEADS = ("Year", "Part", ">Paid\nso far", ">10–90 %", ">Mean", ">10–90 %", "Used up in")


def row(year: str, part: str, mean: str, band: str, when: str) -> tuple[str, ...]:
    return year, part, "0", "0 … 0", mean, band, when


#: The first is of something else; in the second, the columns and rows that the page leaves out differ.
OTHER = Cells("Firms", HEADS, [row("2025", name, "7", "7", "7") for name in ("sales", "  = gain")])
WANTED = Cells(
    "All jobs",
    HEADS,
    [
        row("2024", "sales", "8", "8", "8"),
        row("2025", "sales", "+1.6  ", "1.1 … 2", "2030Q1"),
        row("2025", "  = gain", "10,550 million", "3 … 6", "not used up"),
        row("2025", "work", "8", "8", "8"),
    ],
)


def renewed(*printed: Cells, only: str = "gains"):
    return renew([ENGLISH, CHINESE], lambda section: printed, only)


def test_the_rows_of_both_pages_get_the_printed_numbers_and_all_else_stays():
    found = renewed(OTHER, WANTED)
    english = ENGLISH.replace("| 1.5 | 1 … 2 | not used up |", "| +1.6 | 1.1 … 2 | 2030Q1 |")
    english = english.replace("| 25 million | 3 … 5 | 2025Q4 |", "| 10,550 million | 3 … 6 | not used up |")
    chinese = CHINESE.replace("| 1.5 | 1 … 2 | 未用完 |", "| +1.6 | 1.1 … 2 | 2030Q1 |")
    chinese = chinese.replace("| 2,500万 | 3 … 5 | 2025Q4 |", "| 105.5亿 | 3 … 6 | 未用完 |")
    assert found.pages == [english, chinese]
    assert not found.missing


def test_paragraphs_after_a_new_table_and_those_with_a_number_that_has_gone_are_listed():
    english, chinese = (path.name for path in PAGES)
    assert renewed(OTHER, WANTED).paragraphs == [
        f"{english}:16: So 1.5 are sold. As said:",
        f"{english}:24: But 25 here.",
        f"{chinese}:16: 可见1.5。",
    ]


def test_the_same_numbers_change_nothing():
    same = Cells("", ("Part", ">Mean"), [("sales", "9")])
    assert renewed(same, only="worth") == ([ENGLISH, CHINESE], [], [])


def test_tables_are_used_once_and_in_their_order():
    page = "# P\n\n## S\n" + "\n| Part | Mean |\n|---|---:|\n| sales | 9 |\n" * 2
    printed = [Cells("", ("Part", ">Mean"), [("sales", number)]) for number in "123"]
    assert [each.rows for each in tables(sections(renew([page, page], lambda section: printed).pages[1])[1])] == [
        [["sales", "1"]],
        [["sales", "2"]],
    ]


def test_the_next_table_is_taken_after_the_one_used_last():
    page = "# P\n\n## S\n\nOf `two`:\n" + "".join(
        f"\n| Part | {head} |\n|---|---:|\n| sales | 9 |\n" for head in ("Mean", "Jobs")
    )
    printed = [Cells(name, ("Part", head), [("sales", name)]) for name in ("one", "two") for head in (">Mean", ">Jobs")]
    assert renew([page, page], lambda section: printed).pages == [page.replace("| 9 |", "| two |")] * 2


@pytest.mark.parametrize(
    "printed",
    [
        Cells("jobs", HEADS[:-1], [each[:-1] for each in WANTED.rows]),
        Cells("jobs", HEADS, WANTED.rows[:2]),
        Cells("jobs", HEADS, [WANTED.rows[1], *WANTED.rows[1:]]),
    ],
    ids=["no such column", "no such row", "two such rows"],
)
def test_a_table_without_a_printed_one_is_named_and_stays(printed):
    found = renewed(printed)
    assert found.missing == [f"{PAGES[0].name}:11: Part | Mean | 10–90 % | Used up in"]
    assert found.pages == [ENGLISH, CHINESE]


def test_unknown_sections_and_other_tables_are_refused_before_anything_runs():
    def run(section):
        raise AssertionError("runs")

    with pytest.raises(InputError, match="no section"):
        renew([ENGLISH, CHINESE], run, "nowhere")
    with pytest.raises(InputError, match="Who gains"):
        renew([ENGLISH, CHINESE.replace("| 销售 | 1.5 | 1 … 2 | 未用完 |\n", "")], run)


def test_files_and_commands_of_a_section_are_written_and_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    toml = 'extends = "baseline"\n\n[run]\nuntil = 2027\n'
    page = f"# P\n\nA file (`mine.toml`):\n\n```toml\n{toml}```\n\n```sh\nuv run srdi list\nuv run srdi list\n```\n"
    printed = printed_tables(sections(page)[0])
    assert Path("mine.toml").read_text(encoding="utf-8") == toml
    names = [row[0] for each in printed for row in each.rows]
    assert names.count("no-policy") == 2


def test_the_tables_of_the_pages_agree():
    """What the commands print is not known here; with the numbers as they stand, both pages stay as they are."""
    pages = [path.read_text(encoding="utf-8") for path in PAGES]

    def stand(section):
        return [Cells("", tuple(each.heads), [tuple(cells) for cells in each.rows]) for each in tables(section)]

    found = renew(pages, stand)
    assert not found.missing
    for page, new in zip(pages, found.pages, strict=True):
        assert [tables(each) for each in sections(new)] == [tables(each) for each in sections(page)]
