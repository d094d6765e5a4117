"""A lever and a rule varied together: response curves, and the drivers of the outcome.

    uv run python examples/sweep_and_sensitivity.py
    uv run python examples/sweep_and_sensitivity.py --scale 0.05 --samples 128 --out results/services

Writes into --out: sweep/ and drivers/ (the runs), sweep.csv and response.pdf and .png (the curves), drivers.csv.
Repeated with the same settings, it reuses existing runs; other settings need another --out.
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from calibration.sensitivity.analysis import run_sensitivity, space_of
from calibration.sensitivity.printing import print_sensitivity
from scenarios import InputError, compare, load_scenario, run_ensemble
from scenarios.analysis.outcomes import read_outcome
from scenarios.display.screen import console
from scenarios.ensembles.request import EnsembleOptions
from scenarios.ensembles.stages import Stages, run_settings
from scenarios.search.design import DesignFile, factors_of, make_design
from scenarios.search.sweep import SweepFile, design_of, sweep_scenarios

LEVER, LEVER_LABEL = "levers.public_services.budget_yuan", "Budget of public services, 2024 to 2030 (billion yuan)"
RULE = "rules.srdi.rd_intensity_min"
OUTCOME, OUTCOME_LABEL = "srdi_smes", "SRDI SMEs, difference to the base"
BASE = ("rules.start=2024Q1",)  # a changed rule applies from here on, the reported rule before
# A grid takes all combinations of the values. For the same as a file, see srdi sweep --help.
SWEEP = {
    "name": "services",
    "method": "grid",
    "factors": {LEVER: {"values": [0, 5e9, 15e9, 40e9]}, RULE: {"values": [0.03, 0.04]}},
}
# Ranges are a judgement, and the answer depends on them: a factor with a wider range has a larger effect.
DRIVERS = {
    "name": "drivers",
    "factors": {
        LEVER: {"from": 0, "to": 40e9},
        RULE: {"from": 0.03, "to": 0.05},
        "rules.audit_strictness": {"from": 0.1, "to": 0.9},
        "levers.cluster_recognition.per_year": {"from": 50, "to": 150},
    },
}
COLOURS = ("#0072B2", "#D55E00")  # distinct for colour-blind readers (Okabe and Ito 2008)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/sweep"), help="output directory")
    parser.add_argument("--scale", type=float, default=0.01, help="simulated firms per real firm; 1 is one for one")
    parser.add_argument("--replicates", type=int, default=6, help="runs of each point of the sweep")
    parser.add_argument("--until", type=int, default=2027, help="last year of the run")
    parser.add_argument("--samples", type=int, default=32, help="base samples of the Sobol indices, a power of two")
    parser.add_argument("--trajectories", type=int, default=8, help="Morris trajectories")
    parser.add_argument("--workers", type=int, help="worker processes (default: one per core)")
    return parser.parse_args()


def draw_response(points: pd.DataFrame) -> plt.Figure:
    """Difference from the base over the lever, one line per value of the rule."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for (bar, rows), colour in zip(points.groupby(RULE), COLOURS, strict=True):
        billions = rows[LEVER] / 1e9
        axes.plot(billions, rows["difference"], "o-", color=colour, markersize=4)
        axes.fill_between(billions, rows["low"], rows["high"], color=colour, alpha=0.2, linewidth=0)
        label = f"  R&D bar {100 * bar:g} %"
        axes.text(billions.iloc[-1], rows["difference"].iloc[-1], label, color=colour, va="center")
    axes.axhline(0, color="#777777", linewidth=0.8)
    first = points.iloc[0]
    axes.set(xlabel=LEVER_LABEL, ylabel=f"{OUTCOME_LABEL} ({first['unit']})")
    axes.set_title(f"{first['quarter']}, {first['pairs']} pairs; bands: 95 % interval of the mean", fontsize=9)
    axes.yaxis.set_major_formatter(lambda value, place: f"{value:+,.0f}" if value else "0")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def main() -> None:
    options = read_options()
    base = load_scenario("baseline", BASE)
    shared = {"scale": options.scale, "until": options.until, "workers": options.workers}

    # The sweep: the base and a scenario for each point, all with the same seeds. compare pairs every point with the
    # base, design_of has the factors' values: joined by scenario, they are the data of the curves.
    scenarios = sweep_scenarios(make_design(SWEEP, SweepFile, __file__), base, __file__)
    settings = {**shared, "replicates": options.replicates, "factors": (LEVER, RULE)}  # factors: for design_of
    results = run_ensemble(scenarios, out=options.out / "sweep", resume=True, **settings)
    points = compare(results, metrics=[OUTCOME]).rows.join(design_of(results), on="scenario")
    points.to_csv(options.out / "sweep.csv", index=False)
    table = points.set_index([LEVER, RULE])[["difference", "low", "high", "cost_yuan"]].round().reset_index()
    print(table.to_string(index=False, float_format="{:,.12g}".format), "\n")
    figure = draw_response(points)
    for name in ("response.pdf", "response.png"):
        figure.savefig(options.out / name, dpi=200)

    # What drives the outcome: elementary effects (Morris) of all factors, shares of the variance (Sobol) of the three
    # strongest. All points share one seed, so only factors move the outcome. Simulation noise is measured at the centre
    # with eight different seeds. How to read the table:
    # - "First" is the effect of a factor alone, "Total" its effect with all interactions.
    # - A total share whose interval does not lie above the share of noise is marked "noise?" and is not reliable: a
    #   factor that only changes which firms succeed can reach as much. A larger --scale lowers the share of noise.
    # - Intervals wider than the differences between factors give no order: use more --samples (32 are few).
    # - Shares refer to the variance over the ranges above, and do not give the sign of an effect.
    ensemble = EnsembleOptions(replicates=1, **shared)
    stages = Stages(ensemble, run_settings(ensemble, base), options.out / "drivers")
    space = space_of(factors_of(make_design(DRIVERS, DesignFile, __file__), base, __file__))
    outcomes = (read_outcome(OUTCOME, options.until),)
    size = {"trajectories": options.trajectories, "samples": options.samples, "keep": 3, "repeats": 8}
    sensitivity = run_sensitivity(base, space, outcomes, stages, **size, seed=1)
    print_sensitivity(sensitivity, outcomes, console())
    sensitivity.table().to_csv(options.out / "drivers.csv")


if __name__ == "__main__":  # worker processes import this file but must not run it
    try:
        main()
    except InputError as error:  # one sentence that says what to change
        sys.exit(f"sweep_and_sensitivity.py: {error}")
