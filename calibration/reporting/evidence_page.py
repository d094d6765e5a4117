"""The page on evidence, ``docs/evidence.md`` and ``docs/evidence.zh.md``, from the packaged file and its results."""

from __future__ import annotations

import json
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from calibration.evidence.effects import Settings
from calibration.evidence.rows import BLOCKS, Estimate, Evidence, read_evidence
from calibration.evidence.study import SUMMARY_FILE
from calibration.evidence.trials import obstacle
from calibration.reporting.cells import largest_shifts
from scenarios.display.formatting import format_number
from scenarios.files.describe import lever_title
from scenarios.files.labels import study_name
from scenarios.files.strengths import lever_strengths
from sim.levers import Levers

#: The page of each language, below the folder of the site.
PAGES = {"en": "evidence.md", "zh": "evidence.zh.md"}
_SIGNS = {1: "positive", 0: "none", -1: "negative"}


@cache
def words_of(language: str) -> dict:
    """``calibration/evidence_words.toml`` in one language."""
    text = files("calibration").joinpath("evidence_words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)[language]


def evidence_page(language: str) -> str:
    """The page in a language ("en", "zh"): method, every row by lever, and the model beside them if it was run."""
    words, evidence = words_of(language), read_evidence()
    summary = packaged_summary()
    agreement = _agreement(summary, language)
    parts = [f"# {words['title']}", *(_filled(words[part], evidence, agreement) for part in ("intro", "method"))]
    if summary is not None:
        parts += _results(summary, words)
    for lever in (*Levers.model_fields, *BLOCKS):
        parts += _chapter(lever, evidence, language)
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def packaged_summary() -> dict | None:
    """The packaged ``evidence.json``; None if the package has none yet."""
    file = files("calibration").joinpath(SUMMARY_FILE)
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def write_pages(folder: Path) -> None:
    """Write the page of each language into the folder of the site."""
    for language, name in PAGES.items():
        (folder / name).write_text(evidence_page(language), encoding="utf-8")


def _agreement(summary: dict | None, language: str) -> str:
    """How far the baseline's figures move with strengths from studies alone, and with the draws that are used."""
    if summary is None:
        return ""
    words, found = words_of(language), largest_shifts(summary["agreement"])
    counts = {name: f"{round(summary['agreement'][name]):,}" for name in ("draws", "effective")}
    return words["agreement"].format(**found, **counts)


def _filled(text: str, evidence: Evidence, agreement: str) -> str:
    numbers = [row for row in evidence.estimates if row.estimate is not None]
    return text.format(
        estimates=len(evidence.estimates),
        studies=len({row.study for row in evidence.estimates}),
        assumed=sum(row.se_assumed for row in numbers),
        pairs=Settings.baselines,
        agreement=agreement,
    )


def _chapter(lever: str, evidence: Evidence, language: str) -> list[str]:
    """The rows of a lever or block; nothing for a block without any."""
    words = words_of(language)
    rows = [row for row in evidence.estimates if row.lever == lever]
    gaps = [gap for gap in evidence.gaps if gap.lever == lever]
    if not rows and not gaps:
        return []
    parts = [f"## {words['block'][lever] if lever in BLOCKS else lever_title(lever, language)}"]
    if lever not in BLOCKS:
        names = ", ".join(f"`{name}`" for name in lever_strengths()[lever])
        parts.append(words["strengths"].format(names=names) if names else words["rule"])
    if rows:
        parts.append(_table(words["heads"], [_cells(row, language) for row in rows]))
    # What was looked for is written in English only, like the remarks.
    return parts + [words["no_study"].format(parameter=gap.parameter, looked_for=gap.looked_for) for gap in gaps]


def _cells(row: Estimate, language: str) -> list[str]:
    words = words_of(language)
    use, reason = words[row.use], obstacle(row)
    if reason:
        use = f"{words['not_compared']}: {reason}" if language == "en" else words["not_compared"]
    found = words["found"].format(outcome=words["outcome"][row.outcome], found=_found(row, words))
    remark = f"{row.note} {row.source}." if language == "en" else row.source
    return [study_name(row.study), found, row.sample, f"{row.horizon_years:g}", use, remark]


def _found(row: Estimate, words: dict) -> str:
    if row.sign is not None:
        return words["signs"][_SIGNS[row.sign]]
    error = words["assumed_error" if row.se_assumed else "error"].format(se=format_number(row.se), tau=row.tau)
    return f"{format_number(row.estimate, signed=True)} {error}"


def _results(summary: dict, words: dict) -> list[str]:
    """The model beside the estimates, and the misses in the words of the file."""
    compared = [row for row in summary["rows"] if row["compared"] and row["published"] is not None]
    met = sum(row["inside"] for row in compared)
    lines = [
        [
            study_name(row["study"]),
            words["outcome"][row["outcome"]],
            f"{row['horizon_years']:g}",
            _interval(row, "published", "low", "high"),
            _interval(row, "model", "model_low", "model_high"),
            words["yes" if row["inside"] else "no"],
        ]
        for row in compared
    ]
    misses = [f"- {study_name(row['study'])}: {row['note']}" for row in compared if not row["inside"]]
    parts = [words["results"], words["results_intro"].format(inside=met, of=len(compared))]
    parts.append(_table(words["result_heads"], lines))
    return [*parts, *([words["misses"], "\n".join(misses)] if misses else [])]


def _interval(row: dict, *keys: str) -> str:
    middle, low, high = (format_number(row[key], signed=True) for key in keys)
    return f"{middle} ({low} … {high})"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
