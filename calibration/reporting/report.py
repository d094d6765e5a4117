"""The calibration report: one self-contained HTML file."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from calibration.reporting import charts
from scenarios.display.drawing import svg
from scenarios.display.formatting import format_interval, format_number
from scenarios.records.storage import atomic_file


def write_report(path: Path, summary: dict, draws: pd.DataFrame, validation: dict | None = None) -> None:
    """Write the report of a calibration, with a validation if given.

    Args:
        summary: from `calibration.studies.study.calibrate`. draws: parameter draws, one column per parameter.
        validation: from `calibration.studies.validation.validate`.
    """
    forecasts = []
    names = [row["parameter"] for row in summary["parameters"]]
    targets = validation["targets"] if validation else summary["targets"]
    figures = {
        "targets": charts.target_chart(targets),
        "provinces": charts.province_chart(targets),
        "parameters": charts.parameter_chart(summary["parameters"], draws),
        "pairs": charts.pairs_chart(summary["parameters"], draws),
        "correlation": charts.correlation_chart(draws),
        "information": charts.information_chart(summary["information"], names),
        "profiles": charts.profile_chart(summary["profiles"]),
        "coverage": charts.coverage_chart(summary["coverage"]),
    }
    if validation:
        forecasts = json.loads(Path(validation["forecasts"]).read_text(encoding="utf-8"))["forecasts"]
        figures["forecasts"] = charts.forecast_chart(forecasts, targets)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"interval": format_interval, "number": number, "percent": percent}
    template = environment.from_string(files("calibration").joinpath("report.html.jinja").read_text(encoding="utf-8"))
    html = template.render(
        summary=summary,
        validation=validation,
        targets=targets,
        forecasts=forecasts,
        charts={name: Markup(svg(figure)) for name, figure in figures.items()},
    )
    with atomic_file(path) as draft:
        draft.write_text(html, encoding="utf-8")


def percent(value: float | None) -> str:
    """A share as a signed percentage without decimals; a dash for None."""
    return "–" if value is None else f"{100 * value:+.0f} %"


def number(value: float | None, unit: str = "") -> str:
    """A number in its stored unit, which is printed separately; a year with one decimal, a dash for None."""
    return f"{value:.1f}" if unit == "year" and value is not None else format_number(value)
