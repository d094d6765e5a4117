"""The results section of ``docs/calibration.md``, from the packaged calibration and validation."""

from __future__ import annotations

import json
from importlib.resources import files

from calibration.reporting import cells
from calibration.reporting.report import number
from calibration.studies.study import SUMMARY
from calibration.studies.validation import FORECASTS, VALIDATION
from scenarios.display.screen import between, markdown

BEGIN, END = "<!-- tables: written by calibration/reporting/document.py -->", "<!-- end of tables -->"


def results_section() -> str:
    """All results as Markdown."""
    summary, validation, forecasts = (
        json.loads(files("calibration").joinpath(name).read_text(encoding="utf-8"))
        for name in (SUMMARY, VALIDATION, FORECASTS)
    )
    national = [row for row in validation["targets"] if "." not in row["id"]]
    fixed = ", ".join(f"`{row['parameter']}` {number(row['value'], row['unit'])}" for row in summary["held"])
    blocks = [
        *("## Results", _in_words(summary, validation)),
        *(markdown(cells.targets(national)), _provinces(validation["targets"])),
        *(markdown(cells.parameters(summary["parameters"])), f"Fixed, and therefore assumed as well: {fixed}."),
        markdown(cells.left_out(summary["left_out"])),
        markdown(cells.hindcast(summary["hindcast"])),
        *([markdown(cells.hindcast_scores(scores))] if (scores := summary.get("hindcast_scores")) else []),
        markdown(cells.emulator(summary["emulator"])),
        markdown(cells.facts(validation["facts"])),
        markdown(cells.estimates(validation["estimates"])),
        markdown(cells.forecasts(forecasts["forecasts"])),
    ]
    return "\n\n".join(blocks)


def with_results(page: str) -> str:
    """The page with the current results.

    Raises:
        ValueError: one of the two marks is missing in the page.
    """
    return between(page, BEGIN, END, results_section())


def _in_words(summary: dict, validation: dict) -> str:
    settings, information, sampler = summary["settings"], summary["information"], summary["sampler"]
    time = ""
    if summary["minutes"] is not None:
        time = f", in {summary['minutes']:g} minutes with {summary['workers']} workers"
    lines = [
        f"{summary['runs']:,} runs at scale {settings['scale']} and all diagnostics{time}.",
        *cells.inside_in_words(validation["inside"]),
        f"The figures identify {information['identified']} of {len(information['eigenvalues'])} directions of "
        "parameter space.",
        *cells.coverage_in_words(summary["coverage"]),
        f"The autocorrelation time of the chains is up to {sampler['autocorrelation']:.0f} steps; each chain has "
        f"{settings['steps']:,}.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _provinces(rows: list[dict]) -> str:
    """Counts of provincial figures inside their intervals."""
    by_series: dict[str, list[dict]] = {}
    for row in rows:
        if "." in row["id"]:
            by_series.setdefault(row["label"].split(":")[0], []).append(row)
    sentences = []
    for label, series in by_series.items():
        names = ", ".join(row["label"].split(": ")[1] for row in series if not row["inside"])
        outside = f"; outside: {names}" if names else ""
        sentences.append(
            f"{label}, by province: {sum(row['inside'] for row in series)} of {len(series)} inside{outside}."
        )
    return "\n".join(f"- {sentence}" for sentence in sentences)
