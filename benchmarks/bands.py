"""The table of bands in docs/experiments.md: the baseline of the policy page beside the calibration page.

python -m benchmarks.bands
"""

from __future__ import annotations

import click
import numpy as np

from scenarios.commands.command import Script, echo
from viz.live.measures import course, days, yearly
from viz.live.runner import Runner
from viz.live.session import Answer
from viz.shared.calibrated import packaged_validation
from viz.shared.units import unit_per_quarter
from viz.words.language import Words

#: Runs and scale of the policy page, and its last year.
MEMBERS, SCALE, UNTIL = 12, 0.02, 2030
#: Rows of the table: a reported figure by its id, or a forecast of a quantity at the last date.
FIGURES = ("giants-2023", "srdi-2022", "srdi-2023-09", "innovative-2023-09", "counties")
FORECASTS = ("srdi_smes", "little_giants", "counties_with_little_giant", "county_share_of_little_giants")
HEADS = ("Quantity", "Date", "Policy page", "Calibration page", "Width", "Width", "Runs alone")


def baseline_answer(until: int = UNTIL) -> Answer:
    """What the policy page shows of the baseline, up to the end of a year."""
    runner = Runner(SCALE, MEMBERS, until=until)
    runs = tuple(runner.baseline_run(member) for member in range(MEMBERS + 1))
    return Answer(runner.baseline, 1, runs[0], runs[0], runs[1:], runs[1:], weight=1.0 / SCALE)


def rows(answer: Answer) -> list[tuple[str, ...]]:
    """One row of texts for each quantity and date."""
    words, validation, dates = Words("en"), packaged_validation(), days(answer.central)
    targets = {row["id"]: row for row in validation.results["targets"]}
    compared = [
        (row["quantity"], row["date"], (row["p05"], row["median"], row["p95"]), "figure")
        for row in map(targets.__getitem__, FIGURES)
    ]
    forecasts = {(row["quantity"], row["date"]): row for row in validation.forecasts["forecasts"]}
    end = f"{UNTIL}-12-31"
    compared += [
        (name, end, tuple(forecasts[name, end][each] for each in ("q05", "q50", "q95")), "forecast")
        for name in FORECASTS
    ]
    found = []
    for quantity, day, other, kind in compared:
        unit = unit_per_quarter(quantity)
        at = next(index for index, each in enumerate(dates) if each.isoformat() == day)
        fan = course(answer, quantity).fan or {}
        page = tuple(float(fan[each][at]) for each in (0.05, 0.5, 0.95))
        alone = np.quantile([yearly(run, quantity)[at] for run in answer.runs], (0.05, 0.5, 0.95))
        texts = ["{} ({})".format(*words.estimate(middle, low, high, unit)) for low, middle, high in (page, other)]
        widths = (f"{(high - low) / middle:.0%}".replace("%", " %") for low, middle, high in (page, other, alone))
        found.append((words.column(quantity), day, texts[0], f"{texts[1]} {kind}", *widths))
    return found


@click.command(cls=Script)
def main() -> None:
    """Run the baseline as the policy page does, and print its bands beside those of the calibration page."""
    echo("| " + " | ".join(HEADS) + " |")
    echo("|---|---|---|---|---:|---:|---:|")
    for row in rows(baseline_answer()):
        echo("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
