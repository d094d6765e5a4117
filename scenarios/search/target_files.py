"""Output of ``srdi target``: the answer as tables, as a scenario file and as a chart."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from scenarios.display.drawing import BLUE, GREY, ORANGE, write_charts
from scenarios.files.describe import scenario_toml
from scenarios.records.kept import keep
from scenarios.records.storage import atomic_file, write_csv
from scenarios.search.target_runs import Target


def write_target(out: Path, found: Target) -> Path:
    """Write target.json, target.csv, settings.csv, the chart and the scenario; returns the file of the scenario."""
    keep(found, out)
    for name, table in (("target", found.rows), ("settings", found.settings)):
        write_csv(table, out / f"{name}.csv")
    folder = out / "scenarios"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.toml"):  # from a search with fewer trials
        old.unlink()
    file = folder / f"{found.scenario.name}.toml"
    with atomic_file(file) as draft:
        draft.write_text(scenario_toml(found.scenario), encoding="utf-8")
    write_charts({"target": target_chart(found)}, out)
    return file


def target_chart(found: Target) -> Figure:
    """Chance over public cost: the points tried, the chance asked for, and the answer on new luck with its ranges."""
    chart = Figure(figsize=(6.4, 4.2), dpi=150, layout="constrained")
    FigureCanvasAgg(chart)
    axis = chart.subplots()
    costs, shares = found.tried["public_cost_yuan"] / 1e9, 100.0 * found.tried["met"]
    axis.plot(costs, shares, "o", ms=3, color=GREY, label="tried, in the search")
    axis.axhline(100.0 * found.chance, lw=0.8, ls="--", color=BLUE, label="chance asked for")
    chance, cost = found.number("chance"), found.number("public_cost_yuan")
    x, y = cost["value"] / 1e9, 100.0 * chance["value"]
    axis.errorbar(
        [x],
        [y],
        xerr=[[x - cost["low"] / 1e9], [cost["high"] / 1e9 - x]],
        yerr=[[y - 100.0 * chance["low"]], [100.0 * chance["high"] - y]],
        fmt="*",
        ms=12,
        color=ORANGE,
        capsize=3,
        label=f"{found.scenario.name}, on new luck (95 % of chance, 10–90 % of cost)",
    )
    axis.set(xlabel="Public cost over the base, bn yuan", ylabel="Runs that meet all levels, %", ylim=(-3.0, 103.0))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=7)
    return chart
