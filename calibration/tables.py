"""Tables that ``srdi calibrate`` and ``srdi validate`` print."""

from __future__ import annotations

from rich.console import Console, Group
from rich.table import Table

from calibration.report import interval, number, percent


def print_calibration(summary: dict, console: Console) -> None:
    """Targets, parameters and how far they can be believed."""
    console.print(_targets(summary["targets"]))
    table = _table("Parameters", "Parameter", "Unit", ">Prior 5–95 %", ">Posterior 5–50–95 %", ">Learned %", "Verdict")
    for row in summary["parameters"]:
        table.add_row(
            row["parameter"],
            row["unit"],
            f"{number(row['prior_05'], row['unit'])} … {number(row['prior_95'], row['unit'])}",
            " · ".join(number(row[f"posterior_{level}"], row["unit"]) for level in ("05", "50", "95")),
            f"{100 * row['contraction']:.0f}",
            row["verdict"],
        )
    console.print(table)
    console.print(_hindcast(summary["hindcast"]))
    for name, row in summary["coverage"].items():
        console.print(
            f"Figures made by the {name}, {row['repeats']} repeats: "
            f"50 % intervals hold {100 * row['coverage_50']:.1f} %, "
            f"90 % intervals {100 * row['coverage_90']:.1f} % of the parameters "
            f"({100 * row['coverage_90_learned']:.1f} % of the learned ones).",
            highlight=False,
        )
    known = summary["information"]["identified"]
    console.print(f"The figures identify {known} of {len(summary['parameters'])} directions.", highlight=False)
    _say_inside(summary["inside"], console)
    if summary["minutes"] is not None:
        console.print(f"{summary['runs']:,} runs, {summary['minutes']:g} minutes.", highlight=False)


def print_validation(found: dict, console: Console) -> None:
    """Targets, facts, econometrics, forecasts and their score."""
    if not found["model_unchanged"]:
        console.print("The model has changed since its parameters were fitted: srdi calibrate fits them anew.")
    console.print(_targets(found["targets"]))
    _say_inside(found["inside"], console)
    for title, key in (("Stylised facts", "facts"), ("Econometrics on the model's own panel", "estimates")):
        table = _table(title, "What", ">Value", "Reference", "Holds")
        for row in found[key]:
            value = "too few firms" if row["value"] is None else number(row["value"])
            table.add_row(row["description"], value, row["reference"], "yes" if row["holds"] else "no")
        console.print(table)
    if "score" in found:
        console.print(_score(found["score"]))


def _targets(rows: list[dict]) -> Table:
    table = _table("Reported and simulated", "Figure", "Date", "Role", ">Reported", ">Median", ">5–95 %", "Inside")
    for row in rows:
        table.add_row(
            row["label"],
            row["date"],
            row["role"],
            interval(row["reported_low"], row["reported_high"]),
            number(row["median"]),
            f"{number(row['p05'])} – {number(row['p95'])}",
            "yes" if row["inside"] else "no",
        )
    return table


def _hindcast(rows: list[dict]) -> Table:
    table = _table(
        "Hindcast from the figures up to the end of 2022",
        *("Figure", "Date", ">Reported", ">Median", ">5–95 %", "Inside", ">Error", ">Last value", ">Linear trend"),
    )
    for row in rows:
        table.add_row(
            row["label"],
            row["date"],
            interval(row["low"], row["high"]),
            number(row["p50"]),
            f"{number(row['p05'])} – {number(row['p95'])}",
            "yes" if row["inside_90"] else "no",
            *(percent(row[key]) for key in ("error", "error_last_value", "error_linear_trend")),
        )
    return table


def _score(score: dict) -> Group:
    names = ("model", "last_value", "linear_trend")
    summary = _table(
        f"Forecasts against {score['figures']} realised figures, of which all three forecast {score['compared']}: "
        f"{_share(score['coverage_50'])} inside the 50 % and {_share(score['coverage_90'])} inside the 90 % interval",
        *("Figures", "Forecast", ">Inside 50 %", ">Inside 90 %", ">CRPS over realised", ">Absolute error"),
    )
    for title, part in (("all", score), ("national", score.get("national")), ("provinces", score.get("provinces"))):
        for name in names if part else ():
            keys = ("coverage_50", "coverage_90", "relative_crps", "absolute_error")
            summary.add_row(title, name.replace("_", " "), *(_share(part[name][key]) for key in keys))
    table = _table(
        "Realised figures one by one",
        *("Quantity", "Date", ">Realised", ">Median", ">5–95 %", "Inside", ">CRPS", ">Last value", ">Linear trend"),
    )
    for row in score["rows"]:
        table.add_row(
            row["quantity"],
            row["date"],
            f"{number(row['low'])} – {number(row['high'])}",
            number(row["q50"]),
            f"{number(row['q05'])} – {number(row['q95'])}",
            {True: "yes", False: "no", None: "–"}[row["inside_90"]],
            *(number(row[f"crps_{name}"]) for name in names),
        )
    return Group(summary, table)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _say_inside(inside: dict, console: Console) -> None:
    for role, counts in inside.items():
        console.print(
            f"Of {counts['of']} figures of role {role}, {counts['inside']} are inside; "
            f"of {counts['within']} the median itself lies in the reported interval.",
            highlight=False,
        )


def _table(title: str, *columns: str) -> Table:
    """A table; a column name that begins with > is of numbers."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in columns:
        table.add_column(
            name.removeprefix(">"), justify="right" if name.startswith(">") else "left", no_wrap=name != "What"
        )
    return table
