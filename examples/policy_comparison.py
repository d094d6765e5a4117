"""Policies against the baseline: paired differences by year, costs, and a chart and a table for publication.

    uv run python examples/policy_comparison.py
    uv run python examples/policy_comparison.py --posterior --replicates 50 --out results/policies-posterior

Writes into --out: ensemble/ (the runs), differences.pdf and .png (the chart), effects.csv and effects.tex (the table).
Repeated with the same settings, it reuses existing runs; other settings need another --out.
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from scenarios import InputError, compare, load_scenario, run_ensemble
from scenarios.analysis.comparison import Comparison
from scenarios.commands.compare_tables import print_comparison
from scenarios.display.formatting import format_estimate, format_number, unit_name
from scenarios.display.screen import console
from scenarios.ensembles.parameter_draws import read_parameter_draws

# Scenarios of the catalogue (srdi list), in colours that colour-blind readers can tell apart (Okabe and Ito 2008).
POLICIES = {"no-policy": "#000000", "clusters-300": "#0072B2", "public-services": "#009E73", "higher-rd-bar": "#D55E00"}
# Columns of results.national, or derived quantities of scenarios.analysis.metrics.
OUTCOMES = {"little_giants": "Little giants", "srdi_smes": "SRDI SMEs, little giants included"}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/policies"), help="output directory")
    parser.add_argument("--scale", type=float, default=0.02, help="simulated firms per real firm; 1 is one for one")
    parser.add_argument("--replicates", type=int, default=12, help="pairs of runs with different random draws")
    parser.add_argument("--until", type=int, default=2030, help="last year of the run")
    parser.add_argument("--posterior", action="store_true", help="a posterior parameter draw per replicate")
    parser.add_argument("--workers", type=int, help="worker processes (default: one per core)")
    return parser.parse_args()


def draw_differences(comparison: Comparison, titles: dict[str, str]) -> plt.Figure:
    """One panel per outcome, one line per policy: the mean of the pairs with a band."""
    everything = comparison.rows.assign(year=comparison.rows["quarter"].str[:4].astype(int))
    figure, panels = plt.subplots(1, len(OUTCOMES), figsize=(10, 4), layout="constrained")
    figure.get_layout_engine().set(wspace=0.05)
    for axes, metric in zip(panels, comparison.metrics, strict=True):
        rows = everything[everything["metric"] == metric.name]
        for policy, line in rows.groupby("scenario"):
            axes.plot(line["year"], line["difference"], color=POLICIES[policy], linewidth=1.6)
            axes.fill_between(
                line["year"], line["effect_low"], line["effect_high"], color=POLICIES[policy], alpha=0.18, linewidth=0
            )
        # Titles next to the ends of the lines, from the bottom up, without overlap.
        height, top = axes.get_ylim()
        step = 0.06 * (top - height)
        for end in rows[rows["year"] == rows["year"].max()].sort_values("difference").itertuples():
            height = max(end.difference, height)
            axes.text(end.year + 0.15, height, titles[end.scenario], color=POLICIES[end.scenario], va="center")
            height += step
        axes.axhline(0, color="#777777", linewidth=0.8)
        axes.set(title=OUTCOMES[metric.name], ylabel=f"Difference to the baseline ({metric.unit})")
        axes.locator_params(axis="x", integer=True, nbins=6)
        axes.yaxis.set_major_formatter(lambda value, place: f"{value:+,.0f}" if value else "0")
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(f"End of year. {comparison.rows['pairs'].iloc[0]} pairs; 90 % intervals.", fontsize=9)
    return figure


def effects_table(rows: pd.DataFrame, titles: dict[str, str]) -> pd.DataFrame:
    """Differences with readable names and units; a count without a price has a dash."""
    table = {}
    for row in rows.itertuples():
        mean, interval = format_estimate(row.difference, row.effect_low, row.effect_high, row.unit, signed=True)
        each = row.cost_per_unit_yuan, row.cost_per_unit_low_yuan, row.cost_per_unit_high_yuan
        price, its_interval = format_estimate(*(yuan / 1e6 for yuan in each))
        table[titles[row.scenario], f"{OUTCOMES[row.metric]} ({unit_name(row.unit)})"] = {
            f"Difference, {row.quarter} (90 %)": f"{mean} ({interval})",
            f"Cost, {unit_name('yuan')}": format_number(row.cost_yuan, "yuan", signed=True),
            "Million yuan for one more": price if row.cost_note else f"{price} ({its_interval})",
        }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis(["Policy", "Outcome"]).reset_index()


def main() -> None:
    options = read_options()
    scenarios = [load_scenario(name) for name in ("baseline", *POLICIES)]
    titles = {scenario.name: scenario.title for scenario in scenarios}
    results = run_ensemble(
        scenarios,
        out=options.out / "ensemble",
        scale=options.scale,
        replicates=options.replicates,
        until=options.until,
        workers=options.workers,
        draws=read_parameter_draws("posterior") if options.posterior else None,
        resume=True,  # reuse runs already made with these settings
    )

    # A pair is one replicate under the baseline and under a policy, with the same random draws and parameters: only
    # the policy differs. The printed table explains its numbers, and why some counts have no price.
    last = compare(results, metrics=OUTCOMES)
    print_comparison(last, titles, (), console())
    last.rows.to_csv(options.out / "effects.csv", index=False)
    table = effects_table(last.rows, titles).to_latex(index=False, escape=True, column_format="llrrr")
    for sign, latex in (("−", "$-$"), ("–", "--"), (" … ", " to ")):  # pdflatex does not accept these signs
        table = table.replace(sign, latex)
    (options.out / "effects.tex").write_text(table, encoding="utf-8")

    year_ends = [f"{year}Q4" for year in range(2020, options.until + 1)]  # no lever acts before
    figure = draw_differences(compare(results, metrics=OUTCOMES, quarters=year_ends), titles)
    for name in ("differences.pdf", "differences.png"):
        figure.savefig(options.out / name, dpi=200)
    print(f"\nChart and table in {options.out}")


if __name__ == "__main__":  # worker processes import this file but must not run it
    try:
        main()
    except InputError as error:  # one sentence that says what to change
        sys.exit(f"policy_comparison.py: {error}")
