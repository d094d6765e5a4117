"""Tables of a calibration and a validation as text, for the terminal and for the documentation page on calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from calibration.firms.displacement import COMPETITION
from calibration.forecasting.forecasts import QUANTILES
from calibration.reporting.report import number, percent
from scenarios.analysis.reported import reported_figures
from scenarios.display.formatting import format_interval, format_number
from scenarios.display.screen import Cells
from scenarios.files.labels import Label, study_name


def targets(rows: list[dict]) -> Cells:
    """Reported and simulated figures; the width of the interval is relative to its median."""
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


def responses(frame: pd.DataFrame) -> Cells:
    """Effects on supported firms by lever, per cent, at the ends of the years after first support."""
    years = sorted(frame["years"].unique())
    names = {"tfp": "TFP", "employment": "Employment", "revenue": "Revenue", "research": "R&D"}
    rows = []
    for lever, of_lever in frame.groupby("lever", sort=False):
        effect = of_lever.set_index(["outcome", "years"])
        published = of_lever.dropna(subset=["published_low"])
        rows.append(
            (
                str(lever),
                number(float(of_lever["firms"].max())),
                *(" · ".join(_signed(effect.loc[(name, year), "effect"]) for year in years) for name in names),
                "; ".join(
                    f"{names[one.outcome]} year {one.years}: {_signed_range(one.published_low, one.published_high)}"
                    for one in published.itertuples()
                ),
            )
        )
    heads = (f">{title}, % in year {' · '.join(map(str, years))}" for title in names.values())
    return Cells("Response of supported firms", ("Lever", ">Firms", *heads, "Published"), rows)


def sales(frame: pd.DataFrame) -> Cells:
    """Sales of the nation per yuan of public cost, by lever and competition for demand."""
    heads = (">Cost, billion yuan", ">No competition", ">Within niches", ">In full")
    rows = [
        (str(row["lever"]), number(row["cost_yuan"] / 1e9), *(_with_interval(row, extent) for extent in COMPETITION))
        for row in frame.to_dict("records")
    ]
    return Cells("Sales of all firms per yuan of public cost, by competition for demand", ("Lever", *heads), rows)


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    """A number of a row, with its interval if it has one."""
    middle, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return number(middle) if math.isnan(low) else f"{number(middle)} ({number(low)} to {number(high)})"


def evidence(rows: list[dict]) -> Cells:
    """Published effects beside the model's, with 90 % intervals, in the unit of each outcome."""
    return Cells(
        "Published and modelled effects, with 90 % intervals",
        ("Lever", "Study", "Outcome", ">Years", "Use", ">Published", ">Model", "Meet"),
        [
            (
                row["lever"],
                study_name(row["study"]),
                row["outcome"].replace("_", " "),
                f"{row['horizon_years']:g}",
                "fitted" if row["fitted"] else "compared",
                _estimate(row["published"], row["low"], row["high"]) if row["sign"] is None else _SIGNS[row["sign"]],
                _estimate(row["model"], row["model_low"], row["model_high"]),
                _yes(row["inside"]),
            )
            for row in rows
            if row["compared"]
        ],
    )


_SIGNS = {1: "positive", 0: "none", -1: "negative"}


def _estimate(*quantiles: float) -> str:
    """Middle, low and high as text."""
    middle, low, high = (format_number(value, signed=True) for value in quantiles)
    return f"{middle} ({low} to {high})"


def strengths(rows: list[dict]) -> Cells:
    """Parameters drawn from evidence, and those that stay assumed."""
    return Cells(
        "Strengths",
        ("Parameter", "Unit", ">Default", ">5 · 50 · 95 %", "Rests on"),
        [
            (
                row["parameter"],
                row["unit"],
                number(row["default"]),
                " · ".join(number(row[level]) for level in ("low", "median", "high")),
                str(Label(row["label"], tuple(row["studies"]))),
            )
            for row in rows
        ],
    )


def largest_shifts(agreement: dict) -> dict[str, str]:
    """Largest mean shift of a figure before and after (`calibration.evidence.agreement`), and the label of that."""
    shifts = {when: {row["figure"]: abs(row[when]) for row in agreement["figures"]} for when in ("before", "after")}
    texts = {when: f"{max(by_figure.values()):.1f} %" for when, by_figure in shifts.items()}
    most = max(shifts["before"], key=shifts["before"].__getitem__)
    return texts | {"figure": next((figure.label for figure in reported_figures() if figure.id == most), most)}


def agreement_in_words(agreement: dict) -> list[str]:
    """How far strengths move the baseline's reported figures, and how many draws keep weight."""
    found = largest_shifts(agreement)
    return [
        f"Strengths from studies alone would move a reported figure of the baseline by up to {found['before']} on "
        f"average ({found['figure']}); those drawn move none by more than {found['after']}.",
        f"Of {agreement['draws']:,} draws, {agreement['effective']:,.0f} keep weight.",
    ]


def met_in_words(inside: dict) -> list[str]:
    """One sentence per use of rows, for uses with any."""
    names = {"fit": "fitted estimates", "check": "estimates that are only compared", "sign": "signs"}
    return [
        f"Study and model meet for {counts['inside']} of {counts['of']} {names[use]}."
        for use, counts in inside.items()
        if counts["of"]
    ]


def _signed(share: float) -> str:
    """A relative effect in per cent."""
    return "-" if math.isnan(share) else f"{100.0 * share:+.2f}"


def _signed_range(low: float, high: float) -> str:
    return f"{100.0 * low:+.1f} %" if low == high else f"{100.0 * low:+.1f} to {100.0 * high:+.1f} %"


def left_out(rows: list[dict]) -> Cells:
    """Each figure as predicted from all others."""
    return Cells(
        "Each figure left out in turn",
        ("Figure", ">Reported", ">Median with it", ">Without it 5 · 50 · 95 %", ">Deviation, sd", ">Pareto k"),
        [
            (
                row["id"],
                format_interval(row["low"], row["high"]),
                number(row["with_50"]),
                " · ".join(number(row[f"without_{level}"]) for level in ("05", "50", "95")),
                f"{row['score']:.2f}",
                f"{row['pareto_k']:.2f}",
            )
            for row in rows
        ],
    )


def hindcast(rows: list[dict]) -> Cells:
    """National forecasts from the figures known at the end of an earlier year."""
    return Cells(
        "Hindcasts",
        ("From", "Figure", "Date", ">Reported", ">Median", ">5–95 %", "Inside", ">Error", ">Last value", ">Trend"),
        [
            (
                # Summaries of before the rolling hindcasts name no origin.
                f"end of {row.get('origin', '2022')[:4]}",
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


def hindcast_scores(rows: list[dict]) -> Cells:
    """Scores of the hindcasts of the nation and of provinces, by forecast."""
    return Cells(
        "Scores of the hindcasts",
        ("Scope", "Forecast", ">Figures", ">CRPS over reported", ">Absolute error", ">Log score", ">PIT", ">Weight"),
        [
            (
                row["scope"],
                row["forecast"].replace("_", " "),
                str(row["figures"]),
                *(_share(row[key]) for key in ("crps", "error")),
                *("–" if row[key] is None else f"{row[key]:.2f}" for key in ("log_score", "pit")),
                _share(row["weight"]),
            )
            for row in rows
        ],
    )


def emulator(rows: list[dict]) -> Cells:
    """Accuracy of the emulator for each figure."""
    return Cells(
        "The emulator",
        ("Figure", ">Variance explained", ">Noise of a run, sd", ">Error of the mean, sd", ">Over quadratic"),
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
    """Econometric estimates."""
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
    """National forecasts; those of provinces are only in the file."""
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
    """Scores of the forecasts, by forecaster."""
    rows = []
    for title, scope in (("all", score), ("national", score.get("national")), ("provinces", score.get("provinces"))):
        if not scope:
            continue
        for name in ("model", "last_value", "linear_trend"):
            keys = ("coverage_50", "coverage_90", "relative_crps", "absolute_error")
            rows.append((title, name.replace("_", " "), *(_share(scope[name][key]) for key in keys)))
    return Cells(
        f"Forecasts against {score['figures']} realised figures ({score['compared']} forecast by all three): "
        f"{_share(score['coverage_50'])} inside the 50 % and {_share(score['coverage_90'])} inside the 90 % interval"
        + (f"; {floors} without an upper end are not in CRPS and error" if (floors := score.get("floors")) else ""),
        ("Figures", "Forecast", ">Inside 50 %", ">Inside 90 %", ">CRPS over realised", ">Absolute error"),
        rows,
    )


def realised(rows: list[dict]) -> Cells:
    """Realised figures next to their forecasts."""
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
    """One sentence per source of synthetic figures (emulator, model)."""
    return [
        f"With figures made by the {name} ({row['repeats']} repeats), 50 and 90 % intervals contain "
        f"{100 * row['coverage_50']:.1f} and {100 * row['coverage_90']:.1f} % of the parameters, and "
        f"{100 * row['coverage_50_learned']:.1f} and {100 * row['coverage_90_learned']:.1f} % of the learned ones."
        for name, row in coverage.items()
    ]


def inside_in_words(inside: dict) -> list[str]:
    """One sentence per role."""
    return [
        f"Role {role}: {counts['inside']} of {counts['of']} figures are inside; for {counts['within']}, the median "
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
