"""Tables of a calibration and of a validation as text, for the terminal and for the page on calibration alike."""

from __future__ import annotations

from calibration.forecasting.forecasts import QUANTILES
from calibration.reporting.report import number, percent
from scenarios.display.formatting import format_interval
from scenarios.display.screen import Cells


def targets(rows: list[dict]) -> Cells:
    """Reported figures beside simulated ones; the width of the interval is over its median."""
    return Cells(
        "Reported and simulated",
        ("Figure", "Date", "Role", ">Reported", ">Median", ">5–95 %", ">Width", "Inside"),
        [
            (
                row["label"],
                row["date"],
                row["role"],
                format_interval(row["reported_low"], row["reported_high"]),
                number(row["median"]),
                _range(row["p05"], row["p95"]),
                _share((row["p95"] - row["p05"]) / row["median"] if row["median"] else None),
                _yes(row["inside"]),
            )
            for row in rows
        ],
    )


def parameters(rows: list[dict]) -> Cells:
    """Prior and posterior of the fitted parameters."""
    return Cells(
        "Learned and assumed",
        ("Parameter", "Unit", ">Prior 5–95 %", ">Posterior 5 · 50 · 95 %", ">Profile 90 %", ">Learned", "Verdict"),
        [
            (
                row["parameter"],
                row["unit"],
                _range(row["prior_05"], row["prior_95"], row["unit"]),
                " · ".join(number(row[f"posterior_{level}"], row["unit"]) for level in ("05", "50", "95")),
                _range(row["low"], row["high"], row["unit"]) + (", open" if row["open"] else ""),
                _share(row["contraction"]),
                row["verdict"],
            )
            for row in rows
        ],
    )


def left_out(rows: list[dict]) -> Cells:
    """Each figure as the others predict it."""
    return Cells(
        "Each figure without itself",
        ("Figure", ">Reported", ">Median with it", ">Without it 5 · 50 · 95 %", ">Deviation, sd"),
        [
            (
                row["id"],
                format_interval(row["low"], row["high"]),
                number(row["with_50"]),
                " · ".join(number(row[f"without_{level}"]) for level in ("05", "50", "95")),
                f"{row['score']:.2f}",
            )
            for row in rows
        ],
    )


def hindcast(rows: list[dict]) -> Cells:
    """What the figures up to the end of 2022 would have forecast."""
    return Cells(
        "Hindcast from the end of 2022",
        ("Figure", "Date", ">Reported", ">Median", ">5–95 %", "Inside", ">Error", ">Last value", ">Linear trend"),
        [
            (
                row["label"],
                row["date"],
                format_interval(row["low"], row["high"]),
                number(row["p50"]),
                _range(row["p05"], row["p95"]),
                _yes(row["inside_90"]),
                *(percent(row[key]) for key in ("error", "error_last_value", "error_linear_trend")),
            )
            for row in rows
        ],
    )


def emulator(rows: list[dict]) -> Cells:
    """How well the emulator knows each figure."""
    return Cells(
        "The emulator",
        ("Figure", ">Variance explained", ">Luck of a run, sd", ">Error of the mean, sd", ">Over a quadratic's"),
        [
            (
                row["id"],
                f"{100 * row['explained']:.1f} %",
                *(f"{row[key]:.3f}" for key in ("noise", "error")),
                f"{row['process_over_polynomial']:.2f}",
            )
            for row in rows
        ],
    )


def facts(rows: list[dict]) -> Cells:
    """Stylised facts."""
    return Cells(
        "Stylised facts",
        ("Fact", ">Value", "Reference", "Holds"),
        [(row["description"], _measured(row["value"]), row["reference"], _yes(row["holds"])) for row in rows],
    )


def estimates(rows: list[dict]) -> Cells:
    """Econometrics."""
    return Cells(
        "Econometrics on the model's own panel",
        ("Estimate", ">Value", ">95 % interval", "Published", "Meets"),
        [
            (
                row["description"],
                _measured(row["value"]),
                _range(row["low"], row["high"]),
                row["reference"],
                _yes(row["holds"]),
            )
            for row in rows
        ],
    )


def forecasts(rows: list[dict]) -> Cells:
    """National forecasts; those of provinces stand in the file alone."""
    levels = [round(100 * level) for level in QUANTILES]
    return Cells(
        "Forecasts",
        ("Quantity", "Date", *(f">{level} %" for level in levels)),
        [
            (row["quantity"], row["date"], *(number(row[f"q{level:02d}"]) for level in levels))
            for row in rows
            if "." not in row["quantity"]
        ],
    )


def scores(score: dict) -> Cells:
    """How forecasts did, by forecaster."""
    rows = []
    for title, part in (("all", score), ("national", score.get("national")), ("provinces", score.get("provinces"))):
        if not part:
            continue
        for name in ("model", "last_value", "linear_trend"):
            keys = ("coverage_50", "coverage_90", "relative_crps", "absolute_error")
            rows.append((title, name.replace("_", " "), *(_share(part[name][key]) for key in keys)))
    return Cells(
        f"Forecasts against {score['figures']} realised figures, of which all three forecast {score['compared']}: "
        f"{_share(score['coverage_50'])} inside the 50 % and {_share(score['coverage_90'])} inside the 90 % interval",
        ("Figures", "Forecast", ">Inside 50 %", ">Inside 90 %", ">CRPS over realised", ">Absolute error"),
        rows,
    )


def realised(rows: list[dict]) -> Cells:
    """Realised figures beside their forecasts."""
    return Cells(
        "Realised figures one by one",
        ("Quantity", "Date", ">Realised", ">Median", ">5–95 %", "Inside", ">CRPS", ">Last value", ">Linear trend"),
        [
            (
                row["quantity"],
                row["date"],
                format_interval(row["low"], row["high"]),
                number(row["q50"]),
                _range(row["q05"], row["q95"]),
                _yes(row["inside_90"]),
                *(number(row[f"crps_{name}"]) for name in ("model", "last_value", "linear_trend")),
            )
            for row in rows
        ],
    )


def coverage_in_words(coverage: dict) -> list[str]:
    """A sentence for each kind of figures whose parameters were known."""
    return [
        f"Where the {name} makes the figures ({row['repeats']} repeats), 50 and 90 % intervals hold "
        f"{100 * row['coverage_50']:.1f} and {100 * row['coverage_90']:.1f} % of the parameters, "
        f"{100 * row['coverage_50_learned']:.1f} and {100 * row['coverage_90_learned']:.1f} % of the learned ones."
        for name, row in coverage.items()
    ]


def inside_in_words(inside: dict) -> list[str]:
    """A sentence for each role."""
    return [
        f"Of {counts['of']} figures of role {role}, {counts['inside']} are inside; of {counts['within']} the median "
        "itself lies within the reported interval."
        for role, counts in inside.items()
    ]


def _range(low: float | None, high: float | None, unit: str = "") -> str:
    return f"{number(low, unit)} – {number(high, unit)}"


def _measured(value: float | None) -> str:
    return "too few firms" if value is None else number(value)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _yes(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "–"}[value]
