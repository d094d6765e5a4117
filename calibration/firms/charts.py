"""Charts of the stylised facts: supplier counts, growth rates, R&D intensity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from scipy.stats import laplace, norm

from calibration.firms.facts import (
    BIN,
    COUNTED_EMPLOYMENT,
    MIN_CLASS,
    Observations,
    applicants,
    rescaled_growth,
    supplier_tail,
    suppliers_per_customer,
)
from scenarios.display.drawing import BLUE, ORANGE, write_charts

_DARK = "#555555"


def write_figures(baseline: Observations, no_threshold: Observations, folder: str | Path) -> list[Path]:
    """Write all charts as PNG and SVG into an existing folder, and return the files.

    `baseline` is a run with the R&D thresholds, `no_threshold` the same run without them.
    """
    charts = {
        "supplier_counts": supplier_chart(baseline.end.customer),
        "growth_tent": growth_chart(baseline.size, baseline.growth),
        "rd_bunching": bunching_chart(applicants(baseline.end), applicants(no_threshold.end), baseline.rd_threshold),
    }
    return write_charts(charts, Path(folder))


def _new_chart(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.4), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def supplier_chart(customer: np.ndarray) -> Figure:
    """Complementary cumulative distribution of suppliers per customer, with the fitted power law.

    Args:
        customer: int (firms,), as in `suppliers_per_customer`.
    """
    figure, axes = _new_chart(
        "Suppliers per customer firm (chain leaders apart)", "Suppliers k (firms)", "Share of customers with k or more"
    )
    counts = np.sort(suppliers_per_customer(customer))
    axes.set(xscale="log", yscale="log")
    if len(counts):
        values, first = np.unique(counts, return_index=True)
        axes.plot(values, 1.0 - first / len(counts), "o", ms=4, color=BLUE, label=f"model, {len(counts):,} customers")
    fit = supplier_tail(counts)
    if np.isfinite(fit.exponent):
        x = np.geomspace(fit.start, counts[-1], 50)
        level = (counts >= fit.start).mean()
        label = f"power law, density exponent {fit.exponent:.2f} from {fit.start:.0f} suppliers"
        axes.plot(x, level * (x / fit.start) ** (1.0 - fit.exponent), color=ORANGE, label=label)
    if len(counts):
        axes.legend(frameon=False, loc="lower left")
    return figure


def growth_chart(size: np.ndarray, growth: np.ndarray) -> Figure:
    """Density of yearly growth rates, rescaled within size classes, on a log axis, with Laplace and normal densities.

    Args:
        size, growth: float64 (n,), as in `Observations`.
    """
    figure, axes = _new_chart(
        f"Yearly growth of employment, firms of {COUNTED_EMPLOYMENT} or more",
        "Log growth minus the median of the size class (standard deviations of the class)",
        "Density (log scale)",
    )
    rescaled = rescaled_growth(size, growth)
    edges = np.linspace(-6.0, 6.0, 61)
    middle = 0.5 * (edges[1:] + edges[:-1])
    if len(rescaled) >= MIN_CLASS:
        density = np.histogram(rescaled, edges)[0] / (len(rescaled) * np.diff(edges))
        filled = density > 0
        axes.plot(middle[filled], density[filled], "o", ms=4, color=BLUE, label=f"model, {len(rescaled):,} firm-years")
    # Both have a standard deviation of one, like the rescaled rates.
    x = np.linspace(edges[0], edges[-1], 601)
    axes.plot(x, laplace.pdf(x, scale=np.sqrt(0.5)), color=ORANGE, label="Laplace")
    axes.plot(x, norm.pdf(x), "--", color=_DARK, label="normal")
    axes.set(yscale="log", ylim=(1e-5, 2.0))
    axes.legend(frameon=False)
    return figure


def bunching_chart(with_threshold: np.ndarray, without: np.ndarray, threshold: float) -> Figure:
    """Reported R&D intensity of applicants with the threshold and without it.

    Args:
        with_threshold, without: reported R&D over revenue (firms,). threshold: in the same unit.
    """
    figure, axes = _new_chart(
        "Reported R&D of firms without an SRDI certificate",
        f"R&D over revenue (log scale, bins of {100 * BIN:.0f} %)",
        "Firms (share of those with R&D)",
    )
    # The threshold is a bin edge, so that no bin contains firms from both sides.
    edges = threshold * np.exp(BIN * np.arange(-20, 21))
    for values, colour, label in ((with_threshold, BLUE, "with the threshold"), (without, ORANGE, "threshold removed")):
        counts = np.histogram(values.astype(np.float64), edges)[0]
        axes.stairs(counts / max(len(values), 1), edges, color=colour, lw=1.6, label=f"{label}, {len(values):,} firms")
    axes.axvline(threshold, color=_DARK, ls=":", label=f"threshold {100 * threshold:g} %")
    axes.set_xscale("log")
    ticks = threshold * np.array([1 / 6, 1 / 3, 2 / 3, 1, 2, 4])
    axes.set_xticks(ticks, labels=[f"{100 * tick:g} %" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(frameon=False)
    return figure
