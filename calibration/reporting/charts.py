"""Charts of the calibration report, each from rows of ``calibration.json`` or ``validation.json``."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from calibration.studies.diagnostics import PROFILE_FALL
from scenarios.display.drawing import BLUE, GREY, ORANGE

#: Number of parameters in the pairs plot: those most informed by the figures.
PAIRS = 7


def _figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=7)
        axis.locator_params(axis="x", nbins=5)
    return figure, axes


def _grid(panels: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """A chart with `panels` panels in rows of a height (inches); unused cells of the last row stay empty."""
    rows = math.ceil(panels / columns)
    figure, axes = _figure(9.0, height * rows, rows, columns)
    for axis in axes.flat[panels:]:
        axis.set_visible(False)
    return figure, list(axes.flat[:panels])


def target_chart(targets: list[dict]) -> Figure:
    """National figures: simulated median and 90 % interval relative to the reported figure, one row each."""
    rows = [row for row in targets if "." not in row["id"]]
    figure, axes = _figure(8.5, 0.27 * len(rows) + 0.8)
    axis = axes[0, 0]
    for height, row in enumerate(reversed(rows)):
        ends = [row[end] for end in ("reported_low", "reported_high") if row[end] is not None]
        middle = sum(ends) / len(ends)
        colour = BLUE if row["inside"] else ORANGE
        axis.plot([min(ends) / middle, max(ends) / middle], [height, height], color="black", lw=6, alpha=0.35)
        if row["median"] is None:  # at a small scale, possibly no run gives a value
            continue
        axis.plot([row["p05"] / middle, row["p95"] / middle], [height, height], color=colour, lw=1.6)
        axis.plot(row["median"] / middle, height, "o", color=colour, ms=4)
    axis.axvline(1.0, color=GREY, lw=0.8)
    axis.set_xscale("log", base=2)
    axis.set_xticks([0.5, 0.75, 1.0, 1.5, 2.0], ["0.5", "0.75", "1", "1.5", "2"])
    axis.set_yticks(range(len(rows)), [f"{row['label']} ({row['role']})" for row in reversed(rows)], fontsize=7)
    axis.set_xlabel("simulated / reported (grey bar: reported interval)", fontsize=8)
    return figure


def province_chart(targets: list[dict]) -> Figure:
    """Provincial figures: reported against simulated, with 90 % intervals."""
    rows = [row for row in targets if "." in row["id"] and row["reported_low"] and row["median"] is not None]
    figure, axes = _figure(6.0, 5.0)
    axis = axes[0, 0]
    for row in rows:
        colour = BLUE if row["inside"] else ORANGE
        low = max(row["p05"], 1.0)
        axis.plot([row["reported_low"]] * 2, [low, max(row["p95"], 1.0)], color=colour, lw=0.9, alpha=0.7)
        axis.plot(row["reported_low"], max(row["median"], 1.0), "o", color=colour, ms=3)
    axis.axline((10, 10), (100, 100), color=GREY, lw=0.8)
    axis.set(xscale="log", yscale="log", xlabel="reported, firms", ylabel="simulated, firms")
    return figure


def parameter_chart(parameters: list[dict], draws: pd.DataFrame) -> Figure:
    """Posterior histogram of each parameter over its prior range."""
    figure, axes = _grid(len(parameters), 4, 1.5)
    for axis, row in zip(axes, parameters, strict=True):
        colour = BLUE if row["verdict"] == "learned" else GREY
        axis.hist(draws[row["parameter"]], bins=24, color=colour, density=True)
        axis.axvspan(row["prior_05"], row["prior_95"], ymax=0.06, color=ORANGE, alpha=0.8)
        axis.set_title(f"{row['parameter']}: {row['verdict']} ({100 * row['contraction']:.0f} %)", fontsize=7)
        axis.set_yticks([])
    return figure


def pairs_chart(parameters: list[dict], draws: pd.DataFrame) -> Figure:
    """Parameter draws of the most informed parameters against each other."""
    chosen = [row["parameter"] for row in sorted(parameters, key=lambda row: -row["contraction"])[:PAIRS]]
    figure, axes = _figure(9.0, 9.0, len(chosen), len(chosen))
    for down, y in enumerate(chosen):
        for across, x in enumerate(chosen):
            axis = axes[down, across]
            if across > down:
                axis.set_visible(False)
                continue
            if across == down:
                axis.hist(draws[x], bins=24, color=BLUE)
                axis.set_yticks([])
            else:
                axis.plot(draws[x], draws[y], ".", ms=1, color=BLUE, alpha=0.5)
            axis.tick_params(labelsize=5)
            if down == len(chosen) - 1:
                axis.set_xlabel(x, fontsize=6)
            if across == 0 and down:
                axis.set_ylabel(y, fontsize=6)
    return figure


def correlation_chart(draws: pd.DataFrame) -> Figure:
    """Rank correlation of the parameter draws, all parameters."""
    figure, axes = _figure(7.0, 6.0)
    axis = axes[0, 0]
    image = axis.imshow(draws.corr(method="spearman"), vmin=-1, vmax=1, cmap="RdBu_r")
    axis.set_xticks(range(draws.shape[1]), draws.columns, rotation=90, fontsize=6)
    axis.set_yticks(range(draws.shape[1]), draws.columns, fontsize=6)
    figure.colorbar(image, ax=axis, shrink=0.7, label="rank correlation")
    return figure


def information_chart(information: dict, names: list[str]) -> Figure:
    """Eigenvalues of the information relative to the prior, and their directions."""
    figure, axes = _figure(9.0, 4.6, 1, 2)
    values = np.maximum(information["eigenvalues"], 1e-3)
    axes[0, 0].bar(range(1, len(values) + 1), values, color=[BLUE if value > 1 else GREY for value in values])
    axes[0, 0].axhline(1.0, color=ORANGE, lw=0.9)
    axes[0, 0].set(yscale="log", xlabel="direction", ylabel="information, prior = 1")
    image = axes[0, 1].imshow(np.array(information["directions"]).T, vmin=-1, vmax=1, cmap="RdBu_r", aspect="auto")
    axes[0, 1].set_yticks(range(len(names)), names, fontsize=6)
    axes[0, 1].set_xlabel("direction", fontsize=8)
    figure.colorbar(image, ax=axes[0, 1], shrink=0.7)
    return figure


def profile_chart(profiles: list[dict]) -> Figure:
    """Profile likelihood of each parameter."""
    table = pd.DataFrame(profiles)
    names = list(dict.fromkeys(table["parameter"]))
    figure, axes = _grid(len(names), 4, 1.5)
    for axis, name in zip(axes, names, strict=True):
        rows = table[table["parameter"] == name]
        axis.plot(rows["value"], rows["fall"], color=BLUE, lw=1.2)
        axis.axhline(PROFILE_FALL, color=ORANGE, lw=0.8)
        axis.set_ylim(0, 8)
        axis.set_title(name, fontsize=7)
    return figure


def coverage_chart(coverage: dict) -> Figure:
    """Histograms of the ranks of the true parameters: flat if the intervals are correct."""
    figure, axes = _figure(8.0, 2.6, 1, 2)
    for axis, (name, row) in zip(axes.flat, coverage.items(), strict=True):
        ranks = np.ravel(row["ranks"])
        axis.hist(ranks, bins=20, range=(0, 1), color=BLUE)
        axis.axhline(len(ranks) / 20, color=ORANGE, lw=0.9)
        axis.set_title(f"figures made by the {name}: {row['repeats']} repeats", fontsize=8)
        axis.set_xlabel("rank of the true parameter among the draws", fontsize=7)
    return figure


def forecast_chart(forecasts: list[dict], targets: list[dict]) -> Figure:
    """National forecasts: medians with 50 % and 90 % intervals."""
    table = pd.DataFrame(forecasts)
    table = table[~table["quantity"].str.contains(".", regex=False)]
    names = list(dict.fromkeys(table["quantity"]))
    figure, axes = _grid(len(names), 3, 2.2)
    for axis, name in zip(axes, names, strict=True):
        rows = table[table["quantity"] == name]
        years = rows["date"].str[:4].astype(int)
        axis.vlines(years, rows["q05"], rows["q95"], color=BLUE, lw=1.2)
        axis.vlines(years, rows["q25"], rows["q75"], color=BLUE, lw=4, alpha=0.5)
        axis.plot(years, rows["q50"], "o", color=BLUE, ms=4)
        reported = [row for row in targets if row.get("quantity") == name and "." not in row["id"]]
        for row in reported:
            axis.plot(
                int(row["date"][:4]) + int(row["date"][5:7]) / 12 - 1, row["reported_low"], "x", color="black", ms=4
            )
        axis.set_title(name, fontsize=7)
        axis.set_ylim(bottom=0)
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure
