"""Output of a search: the Pareto set as a table, as scenario files and as a chart."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from scenarios.analysis.outcomes import Outcome
from scenarios.display.drawing import BLUE, ORANGE, write_charts
from scenarios.files.describe import scenario_toml
from scenarios.files.schema import Scenario
from scenarios.records.storage import atomic_file, records, write_csv, write_json
from scenarios.search.design import apply_point
from scenarios.search.evaluation import ParetoSet
from scenarios.search.optimize import Trials

_PALE = "#999999"
#: File and name of the scenario at the knee point.
BEST = "best"


def write_pareto(
    out: Path, pareto: ParetoSet, trials: Trials, base: Scenario, goals: tuple[Outcome, ...]
) -> list[Path]:
    """Write pareto.json, pareto.csv, the folder scenarios and, for two or more goals, the chart; returns the files.

    Each point is written as a self-contained scenario file; the knee point is also written as ``best``.
    """
    table = pareto.table()
    write_json(
        {"goals": [{"goal": goal.text, "unit": goal.unit} for goal in goals], "points": records(table)},
        out / "pareto.json",
    )
    write_csv(table, out / "pareto.csv")
    written = [out / "pareto.json", out / "pareto.csv"]
    folder = out / "scenarios"
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"{pareto.names[0].rpartition('-')[0]}-*.toml"):  # from a search with fewer trials
        old.unlink()
    for index, name in [*enumerate(pareto.names), (pareto.best, BEST)]:
        written.append(folder / f"{name}.toml")
        with atomic_file(written[-1]) as draft:
            draft.write_text(scenario_toml(_scenario(pareto, base, index, name)), encoding="utf-8")
    if len(goals) > 1:
        written += write_charts({"pareto": pareto_chart(pareto, trials, goals)}, out)
    return written


def _scenario(pareto: ParetoSet, base: Scenario, index: int, name: str) -> Scenario:
    settings = ", ".join(f"{key} = {value}" for key, value in pareto.points[index].items())
    scenario = apply_point(base, pareto.points[index], name, f"{pareto.names[index]} over {base.name}")
    return scenario.model_copy(update={"description": f"Found by srdi optimize: {settings}."[:5000]})


def pareto_chart(pareto: ParetoSet, trials: Trials, goals: tuple[Outcome, ...]) -> Figure:
    """A panel per pair of goals: all trials, and the Pareto set in the search and on new seeds, joined by lines."""
    pairs = list(combinations(range(len(goals)), 2))
    columns = min(len(pairs), 3)
    chart = Figure(figsize=(4.2 * columns, 3.8 * -(-len(pairs) // columns)), dpi=150, layout="constrained")
    FigureCanvasAgg(chart)
    axes = chart.subplots(-(-len(pairs) // columns), columns, squeeze=False).flat
    within = trials.evaluation.within(pareto.problem.budget)
    tried, before, after = (
        evaluation.goals.mean(axis=1) for evaluation in (trials.evaluation, pareto.in_search, pareto.on_new_seeds)
    )
    for axis, (x, y) in zip(axes, pairs, strict=False):
        axis.plot(*tried[within][:, [x, y]].T, "o", ms=3, color=_PALE, label="tried, within the budget")
        axis.plot(*tried[~within][:, [x, y]].T, "x", ms=3, color=_PALE, label="tried, over the budget")
        for one, other in zip(before, after, strict=True):
            axis.plot([one[x], other[x]], [one[y], other[y]], "-", lw=0.6, color=BLUE)
        axis.plot(*before[:, [x, y]].T, "o", ms=5, color=BLUE, label="Pareto set in the search")
        axis.plot(*after[:, [x, y]].T, "o", ms=5, mfc="white", color=BLUE, label="the same on new seeds")
        axis.plot(*after[pareto.best, [x, y]], "*", ms=12, color=ORANGE, label="best (knee), new seeds")
        axis.axhline(0.0, lw=0.5, color=_PALE)
        axis.axvline(0.0, lw=0.5, color=_PALE)
        axis.set(**{f"{letter}label": _label(goals[index]) for letter, index in (("x", x), ("y", y))})
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=7)
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter(EngFormatter(sep=""))
    for axis in axes:
        axis.set_visible(False)
    chart.axes[0].legend(frameon=False, fontsize=6)
    return chart


def _label(goal: Outcome) -> str:
    return f"{goal.text}\n({goal.unit}, difference from the base)"
