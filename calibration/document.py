"""The tables of ``docs/calibration.md``, from the calibration and validation that come with the package."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files

from calibration.forecasts import QUANTILES
from calibration.report import interval, number, percent
from calibration.study import SUMMARY
from calibration.validation import FORECASTS, VALIDATION

BEGIN, END = "<!-- tables: written by calibration/document.py -->", "<!-- end of tables -->"


def tables() -> str:
    """All tables as Markdown."""
    summary, validation, forecasts = (
        json.loads(files("calibration").joinpath(name).read_text(encoding="utf-8"))
        for name in (SUMMARY, VALIDATION, FORECASTS)
    )
    parts = [
        *("## What came out", _in_words(summary, validation)),
        *("### Reported and simulated", _targets(validation["targets"])),
        *("### Learned and assumed", _parameters(summary["parameters"]), _held(summary["held"])),
        *("### Each figure without itself", _left_out(summary["left_out"])),
        *("### Hindcast from the end of 2022", _hindcast(summary["hindcast"])),
        *("### The emulator", _emulator(summary["emulator"])),
        *("### Stylised facts", _facts(validation["facts"])),
        *("### Econometrics on the model's own panel", _estimates(validation["estimates"])),
        *("### Forecasts", _forecasts(forecasts["forecasts"])),
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
    inside = [
        f"{role} {counts['inside']} of {counts['of']} (the median itself of {counts['within']})"
        for role, counts in validation["inside"].items()
    ]
    coverage = [
        f"figures made by the {name}, {row['repeats']} repeats: {100 * row['coverage_50']:.1f} and "
        f"{100 * row['coverage_90']:.1f} % of the parameters, {100 * row['coverage_50_learned']:.1f} and "
        f"{100 * row['coverage_90_learned']:.1f} % of the learned ones"
        for name, row in summary["coverage"].items()
    ]
    took = (
        f"took {summary['minutes']:g} minutes with {summary['workers']} workers" if summary["minutes"] else "are done"
    )
    lines = [
        f"{summary['runs']:,} runs at scale {settings['scale']} and all diagnostics {took}.",
        f"Inside, of {validation['draws']} runs with posterior draws: {', '.join(inside)}.",
        f"The figures identify {told['identified']} of {len(told['eigenvalues'])} directions of parameter space.",
        f"50 and 90 % intervals hold: {'; '.join(coverage)}.",
        f"The chains need up to {sampler['autocorrelation']:.0f} steps to forget and run {settings['steps']:,} each.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _targets(rows: list[dict]) -> str:
    """National figures one by one, those by province counted."""
    national = [row for row in rows if "." not in row["id"]]
    by_series: dict[str, list[dict]] = {}
    for row in rows:
        if "." in row["id"]:
            by_series.setdefault(row["id"].split(".")[0], []).append(row)
    table = _table(
        ("Figure", "Date", "Role", "Reported", "Median", "90 % interval", "Width over median", "Inside"),
        (
            (
                row["label"],
                row["date"],
                row["role"],
                interval(row["reported_low"], row["reported_high"]),
                number(row["median"]),
                f"{number(row['p05'])} – {number(row['p95'])}",
                f"{100 * (row['p95'] - row['p05']) / row['median']:.0f} %",
                "yes" if row["inside"] else "**no**",
            )
            for row in national
        ),
    )
    counts = [
        f"{found[0]['label'].split(':')[0]} by province: {sum(row['inside'] for row in found)} of {len(found)} inside"
        for found in by_series.values()
    ]
    outside = [row["label"].split(": ")[1] for found in by_series.values() for row in found if not row["inside"]]
    missed = f" Outside: {', '.join(dict.fromkeys(outside))}." if outside else ""
    return f"{table}\n\n{'; '.join(counts)}.{missed}"


def _parameters(rows: list[dict]) -> str:
    return _table(
        ("Parameter", "Unit", "Prior 5 – 95 %", "Posterior 5 · 50 · 95 %", "Profile 90 %", "Learned", "Verdict"),
        (
            (
                f"`{row['parameter']}`",
                row["unit"],
                f"{number(row['prior_05'], row['unit'])} – {number(row['prior_95'], row['unit'])}",
                " · ".join(number(row[f"posterior_{level}"], row["unit"]) for level in ("05", "50", "95")),
                f"{number(row['low'], row['unit'])} – {number(row['high'], row['unit'])}"
                + (", open" if row["open"] else ""),
                f"{100 * row['contraction']:.0f} %",
                row["verdict"],
            )
            for row in rows
        ),
    )


def _held(rows: list[dict]) -> str:
    named = ", ".join(f"`{row['parameter']}` {number(row['value'], row['unit'])}" for row in rows)
    return f"Held, so assumed: {named}."


def _left_out(rows: list[dict]) -> str:
    return _table(
        ("Figure", "Reported", "Median with it", "Without it 5 · 50 · 95 %", "Deviation, sd"),
        (
            (
                row["id"],
                interval(row["low"], row["high"]),
                number(row["with_50"]),
                " · ".join(number(row[f"without_{level}"]) for level in ("05", "50", "95")),
                f"{row['score']:.2f}",
            )
            for row in rows
        ),
    )


def _hindcast(rows: list[dict]) -> str:
    return _table(
        ("Figure", "Date", "Reported", "Median", "90 % interval", "Inside", "Error", "Last value", "Linear trend"),
        (
            (
                row["label"],
                row["date"],
                interval(row["low"], row["high"]),
                number(row["p50"]),
                f"{number(row['p05'])} – {number(row['p95'])}",
                "yes" if row["inside_90"] else "**no**",
                *(percent(row[key]) for key in ("error", "error_last_value", "error_linear_trend")),
            )
            for row in rows
        ),
    )


def _emulator(rows: list[dict]) -> str:
    return _table(
        ("Figure", "Variance explained", "Luck of a run, sd", "Error of the mean, sd", "Over a quadratic's"),
        (
            (
                row["id"],
                f"{100 * row['explained']:.1f} %",
                f"{row['noise']:.3f}",
                f"{row['error']:.3f}",
                f"{row['process_over_polynomial']:.2f}",
            )
            for row in rows
        ),
    )


def _facts(rows: list[dict]) -> str:
    return _table(
        ("Fact", "Value", "Reference", "Holds"),
        ((r["description"], number(r["value"]), r["reference"], "yes" if r["holds"] else "**no**") for r in rows),
    )


def _estimates(rows: list[dict]) -> str:
    return _table(
        ("Estimate", "Value", "95 % interval", "Published", "Meets"),
        (
            (
                row["description"],
                number(row["value"]),
                f"{number(row['low'])} – {number(row['high'])}",
                row["reference"],
                "yes" if row["holds"] else "**no**",
            )
            for row in rows
        ),
    )


def _forecasts(rows: list[dict]) -> str:
    """National quantities; provinces stand in the file alone."""
    return _table(
        ("Quantity", "Date", "5 %", "25 %", "50 %", "75 %", "95 %"),
        (
            (f"`{row['quantity']}`", row["date"], *(number(row[f"q{round(100 * q):02d}"]) for q in QUANTILES))
            for row in rows
            if "." not in row["quantity"]
        ),
    )


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
