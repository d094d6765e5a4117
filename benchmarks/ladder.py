"""The chart in the README: the ladder of an ensemble and the reported figures.

srdi run baseline --params posterior --replicates 40 --scale 0.05 --out results/ladder
python -m benchmarks.ladder results/ladder docs/figures/ladder.png
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from scenarios import load_results
from scenarios.analysis.reported import CUT_OFF
from scenarios.commands.command import Script
from scenarios.display.drawing import BLUE, GREY
from scenarios.records.storage import make_folder, refuse_unwritable
from viz.shared.compared import reported_of

#: Columns in the chart, and their titles.
TIERS = {"srdi_smes": "SRDI SMEs", "little_giants": "Little giants"}


def draw(national: pd.DataFrame, cut_off: date = CUT_OFF) -> Figure:
    """Chart of the bands and medians of both tiers over the runs, with the reported intervals.

    Args:
        national: table of an ensemble with the columns quarter and those of `TIERS`, one row per run and quarter.
        cut_off: date up to which reported figures are used.
    """
    chart = Figure(figsize=(9.0, 3.4), layout="constrained")
    for axes, (tier, title) in zip(chart.subplots(1, 2), TIERS.items(), strict=True):
        quantiles = national.groupby("quarter")[tier].quantile([0.05, 0.25, 0.5, 0.75, 0.95]).unstack()
        quarters = quantiles.index
        axes.fill_between(
            quarters, quantiles[0.05], quantiles[0.95], color=BLUE, alpha=0.15, lw=0, label="90 % of runs"
        )
        axes.fill_between(
            quarters, quantiles[0.25], quantiles[0.75], color=BLUE, alpha=0.25, lw=0, label="50 % of runs"
        )
        axes.plot(quarters, quantiles[0.5], color=BLUE, lw=1.8, label="median")
        reported = reported_of(tier, quarters.max())
        days = [figure.date for figure in reported]
        # A missing end is NaN and gets no whisker.
        rows = [[getattr(figure, end) for figure in reported] for end in ("low", "middle", "high")]
        low, middle, high = np.array(rows, dtype=np.float64)
        spread = [middle - low, high - middle]
        axes.errorbar(days, middle, spread, fmt="o", ms=3.5, color="black", lw=1.2, label="reported", zorder=3)
        axes.axvline(cut_off, color=GREY, lw=0.8, ls=":")
        axes.set_title(title, loc="left", fontsize=10, fontweight="bold")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.xaxis.set_major_locator(mdates.YearLocator(2))
        axes.xaxis.set_major_formatter(mdates.DateFormatter("%Y"))
        axes.tick_params(labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", lw=0.4, alpha=0.6)
    axes.legend(fontsize=8, frameon=False, loc="upper left")
    return chart


@click.command(cls=Script)
@click.argument("results", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--scenario", default="baseline", show_default=True, help="Scenario to draw.")
def main(results: Path, out: Path, scenario: str) -> None:
    """Draw the ladder of RESULTS into OUT (png or svg)."""
    national = load_results(results).national
    chosen = national[national["scenario"] == scenario]
    if chosen.empty:
        raise click.BadParameter(f"{scenario!r} is not in {results}: {', '.join(sorted(set(national['scenario'])))}")
    make_folder(out.parent)
    refuse_unwritable(out)
    draw(chosen).savefig(out, dpi=110)
    click.echo(f"{chosen['replicate'].nunique()} runs drawn in {out}")


if __name__ == "__main__":
    main()
