"""The tables of ``docs/calibration.md``, from the calibration and validation that come with the package."""

from __future__ import annotations

import json
from importlib.resources import files

from calibration.reporting import cells
from calibration.reporting.report import number
from calibration.studies.study import SUMMARY
from calibration.studies.validation import FORECASTS, VALIDATION

BEGIN, END = "<!-- tables: written by calibration/reporting/document.py -->", "<!-- end of tables -->"


def tables() -> str:
    """All tables as Markdown."""
    summary, validation, forecasts = (
        json.loads(files("calibration").joinpath(name).read_text(encoding="utf-8"))
        for name in (SUMMARY, VALIDATION, FORECASTS)
    )
    national = [row for row in validation["targets"] if "." not in row["id"]]
    held = ", ".join(f"`{row['parameter']}` {number(row['value'], row['unit'])}" for row in summary["held"])
    parts = [
        *("## What came out", _in_words(summary, validation)),
        *(_markdown(cells.targets(national)), _provinces(validation["targets"])),
        *(_markdown(cells.parameters(summary["parameters"])), f"Held, so assumed as well: {held}."),
        _markdown(cells.left_out(summary["left_out"])),
        _markdown(cells.hindcast(summary["hindcast"])),
        _markdown(cells.emulator(summary["emulator"])),
        _markdown(cells.facts(validation["facts"])),
        _markdown(cells.estimates(validation["estimates"])),
        _markdown(cells.forecasts(forecasts["forecasts"])),
    ]
    return "\n\n".join(parts)


def written_into(page: str) -> str:
    """The page with its tables renewed.

    Raises:
        ValueError: the page lacks one of the two marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _in_words(summary: dict, validation: dict) -> str:
    settings, told, sampler = summary["settings"], summary["information"], summary["sampler"]
    took = "are done"
    if summary["minutes"] is not None:
        took = f"took {summary['minutes']:g} minutes with {summary['workers']} workers"
    lines = [
        f"{summary['runs']:,} runs at scale {settings['scale']} and all diagnostics {took}.",
        *cells.inside_in_words(validation["inside"]),
        f"The figures identify {told['identified']} of {len(told['eigenvalues'])} directions of parameter space.",
        *cells.coverage_in_words(summary["coverage"]),
        f"The chains need up to {sampler['autocorrelation']:.0f} steps to forget and run {settings['steps']:,} each.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _provinces(rows: list[dict]) -> str:
    """Figures by province, counted."""
    by_series: dict[str, list[dict]] = {}
    for row in rows:
        if "." in row["id"]:
            by_series.setdefault(row["label"].split(":")[0], []).append(row)
    sentences = []
    for label, found in by_series.items():
        outside = ", ".join(row["label"].split(": ")[1] for row in found if not row["inside"])
        missed = f"; outside: {outside}" if outside else ""
        sentences.append(f"{label}, by province: {sum(row['inside'] for row in found)} of {len(found)} inside{missed}.")
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _markdown(text: cells.Cells) -> str:
    rules = ["---:" if head.startswith(">") else "---" for head in text.heads]
    lines = [[head.removeprefix(">") for head in text.heads], rules, *text.rows]
    return f"### {text.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)
