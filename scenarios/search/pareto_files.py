"""What a search leaves behind: its Pareto set as a table, as scenario files and as a figure."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from scenarios.analysis.outcomes import Outcome
from scenarios.display.drawing import BLUE, ORANGE, write_pictures
from scenarios.files.describe import scenario_toml
from scenarios.files.schema import Scenario
from scenarios.records.storage import records, whole_file, write_json
from scenarios.search.design import lay_over
from scenarios.search.optimize import Trials
from scenarios.search.paired import ParetoSet

_PALE = "#999999"
#: Scenario file and name of the knee.
BEST = "best"


def write_pareto(out: Path, found: ParetoSet, trials: Trials, base: Scenario, goals: tuple[Outcome, ...]) -> list[Path]:
    """Write pareto.json, pareto.csv, the folder scenarios and, for two goals or more, the figure; returns the files.

    Each point is a scenario file by its name, which runs by itself; the knee is there once more as ``best``.
    """
    table = found.table()
    write_json(
        {"goals": [{"goal": goal.text, "unit": goal.unit} for goal in goals], "points": records(table)},
        out / "pareto.json",
    )
    with whole_file(out / "pareto.csv") as draft:
        table.to_csv(draft, index=False, encoding="utf-8-sig")
    written = [out / "pareto.json", out / "pareto.csv"]
    folder = out / "scenarios"
    folder.mkdir(exist_ok=True)
    for old in folder.glob(f"{found.names[0].rpartition('-')[0]}-*.toml"):  # of a search with fewer trials
        old.unlink()
    for place, name in [*enumerate(found.names), (found.best, BEST)]:
        written.append(folder / f"{name}.toml")
        with whole_file(written[-1]) as draft:
            draft.write_text(scenario_toml(_scenario(found, base, place, name)), encoding="utf-8")
    if len(goals) > 1:
        written += write_pictures({"pareto": pareto_figure(found, trials, goals)}, out)
    return written


def _scenario(found: ParetoSet, base: Scenario, place: int, name: str) -> Scenario:
    settings = ", ".join(f"{key} = {value}" for key, value in found.points[place].items())
    scenario = lay_over(base, found.points[place], name, f"{found.names[place]} over {base.name}")
    return scenario.model_copy(update={"description": f"Found by srdi optimize: {settings}."[:5000]})


def pareto_figure(found: ParetoSet, trials: Trials, goals: tuple[Outcome, ...]) -> Figure:
    """Every pair of goals: all trials, the Pareto set in the search and, joined to it, on new seeds."""
    pairs = list(combinations(range(len(goals)), 2))
    columns = min(len(pairs), 3)
    figure = Figure(figsize=(4.2 * columns, 3.8 * -(-len(pairs) // columns)), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(-(-len(pairs) // columns), columns, squeeze=False).flat
    within = trials.found.within(found.problem.budget)
    tried, before, after = (part.goals.mean(axis=1) for part in (trials.found, found.found, found.again))
    for axis, (x, y) in zip(axes, pairs, strict=False):
        axis.plot(*tried[within][:, [x, y]].T, "o", ms=3, color=_PALE, label="tried, within the budget")
        axis.plot(*tried[~within][:, [x, y]].T, "x", ms=3, color=_PALE, label="tried, over the budget")
        for one, other in zip(before, after, strict=True):
            axis.plot([one[x], other[x]], [one[y], other[y]], "-", lw=0.6, color=BLUE)
        axis.plot(*before[:, [x, y]].T, "o", ms=5, color=BLUE, label="Pareto set in the search")
        axis.plot(*after[:, [x, y]].T, "o", ms=5, mfc="white", color=BLUE, label="the same on new seeds")
        axis.plot(*after[found.best, [x, y]], "*", ms=12, color=ORANGE, label="best (knee), new seeds")
        axis.axhline(0.0, lw=0.5, color=_PALE)
        axis.axvline(0.0, lw=0.5, color=_PALE)
        axis.set(**{f"{letter}label": _label(goals[place]) for letter, place in (("x", x), ("y", y))})
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=7)
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter(EngFormatter(sep=""))
    for axis in axes:
        axis.set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=6)
    return figure


def _label(goal: Outcome) -> str:
    return f"{goal.text}\n({goal.unit}, difference to the base)"
