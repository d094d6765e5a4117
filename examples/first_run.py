"""First run: one scenario as an ensemble, with the results in several tools.

    uv run python examples/first_run.py
    uv run python examples/first_run.py --scenario no-policy --replicates 50 --out results/no-policy

Writes into --out: ensemble/ (the runs), ladder.csv (the ladder at year ends), stata/ and csv/ (every table).
Repeated with the same settings, it reuses existing runs; other settings need another --out.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from scenarios import InputError, load_scenario, run_ensemble
from scenarios.records.export import export

LADDER = ["innovative_smes", "srdi_smes", "little_giants"]  # columns of results.national, lowest tier first


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", default="baseline", help="catalogue name (srdi list) or path of a scenario file")
    parser.add_argument("--out", type=Path, default=Path("results/first-run"), help="output directory")
    parser.add_argument("--scale", type=float, default=0.02, help="simulated firms per real firm; 1 is one for one")
    parser.add_argument("--replicates", type=int, default=20, help="runs with different random draws")
    parser.add_argument("--until", type=int, default=2030, help="last year of the run")
    parser.add_argument("--workers", type=int, help="worker processes (default: one per core)")
    return parser.parse_args()


def ladder_at_year_ends(national: pd.DataFrame) -> pd.DataFrame:
    """Firms on each tier at the end of each year: median and 5-95 % over the runs."""
    year_ends = national[national["quarter"].dt.quarter == 4]
    by_year = year_ends.groupby(year_ends["quarter"].dt.year.rename("year"))[LADDER]
    table = by_year.quantile([0.05, 0.5, 0.95]).unstack()
    return table.rename(columns={0.05: "p05", 0.5: "median", 0.95: "p95"})


def main() -> None:
    options = read_options()

    # A scenario holds levers, rules, shocks and parameters. Settings can be changed here, as with srdi run --set:
    # load_scenario("baseline", ("levers.cluster_recognition.per_year=300",))
    scenario = load_scenario(options.scenario)
    print(f"{scenario.name}: {scenario.title}. {' '.join(scenario.description.split())}\n")

    results = run_ensemble(
        [scenario],
        out=options.out / "ensemble",
        scale=options.scale,
        replicates=options.replicates,
        until=options.until,
        workers=options.workers,
        resume=True,  # reuse runs already made with these settings
    )

    # Every column is documented with its unit.
    columns = results.describe()
    meaning = columns[(columns["table"] == "national") & columns["column"].isin(LADDER)]
    print(meaning[["column", "unit", "description"]].to_string(index=False), "\n")

    # results.national is a pandas frame: one row per run and quarter. Counts are national at any scale.
    ladder = ladder_at_year_ends(results.national)
    ladder.to_csv(options.out / "ladder.csv")
    print(f"The ladder at year ends, firms: 5 %, median and 95 % of {options.replicates} runs")
    print(ladder.map("{:,.0f}".format).to_string(), "\n")
    # The runs differ by simulation noise only. To add parameter uncertainty, give run_ensemble
    # draws=read_parameter_draws("posterior") from scenarios.ensembles.parameter_draws, and more replicates.

    # SQL (DuckDB) over all tables: province, sector, tier, cluster, chain, spending and more.
    spending = results.sql(
        "select year(quarter) as year, lever, sum(spending_yuan) / 1e9 / count(distinct replicate) as billion_yuan "
        "from spending where kind = 'lever' group by all having sum(spending_yuan) > 0 order by all"
    )
    print("Public spending by lever, billion yuan per year, mean of the runs")
    print(spending.pivot(index="year", columns="lever", values="billion_yuan").fillna(0).round(2).to_string(), "\n")

    # xarray: dimensions scenario, run, quarter and here province.
    giants = results.to_xarray("province")["little_giants"]
    leading = giants.sel(scenario=scenario.name).isel(quarter=-1).mean("run").to_series().nlargest(5)
    print(f"Little giants in the five leading provinces, end of {options.until}, mean of the runs")
    print(leading.map("{:,.0f}".format).to_string(), "\n")

    # For Stata, Excel or R; also "xlsx", "parquet" and "nc". In Stata, units are in the variable labels.
    for format, folder in (("dta", options.out / "stata"), ("csv", options.out / "csv")):
        files = export(results, format, folder, force=True)
        print(f"{len(files)} files in {folder}")


if __name__ == "__main__":  # worker processes import this file but must not run it
    try:
        main()
    except InputError as error:  # one sentence that says what to change
        sys.exit(f"first_run.py: {error}")
