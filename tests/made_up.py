"""Made-up results and search files, for tests of what is computed from them and printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.suite import TARGETS
from scenarios import Results, load_scenario
from scenarios.analysis.equal_money import EqualMoney, compare_at_equal_cost
from scenarios.analysis.metrics import choose_metrics
from scenarios.analysis.outcomes import read_outcome
from scenarios.search.design import Factor, apply_point
from scenarios.search.evaluation import ParetoSet
from scenarios.search.optimize import Evaluation, Problem, Trials
from scenarios.search.target import Level, read_levels
from scenarios.search.target_runs import Target
from sim.calendar import Quarter
from sim.records.outputs import NATIONAL, TABLES

# --- ensembles

DATES = pd.to_datetime(["2018-12-31", "2019-03-31"])


def ensemble(giants: dict, spending: dict | None = None, *, draws=None, path="made-up", **manifest) -> Results:
    """Results of two quarters made by hand: values per scenario and replicate of the last quarter.

    Args:
        giants: little giants; every other figure is 1. spending: yuan in each of the two quarters.
        draws: draw of each replicate.
    """
    rows = []
    for scenario, values in giants.items():
        for replicate, value in enumerate(values):
            for date in DATES:
                row = dict.fromkeys((column.name for column in NATIONAL), 1.0)
                row |= {"scenario": scenario, "draw": draws[replicate] if draws else 0, "replicate": replicate}
                row |= {"quarter": date, "little_giants": float(value) if date == DATES[-1] else 0.0}
                row["public_spending_yuan"] = float(spending[scenario][replicate]) if spending else 0.0
                row |= {"tax_relief_yuan": 0.0, "title_awards_yuan": 0.0}
                row["public_cost_yuan"] = row["public_spending_yuan"]
                row["genuine_little_giant_share"] = 0.5
                rows.append(row)
    results = Results(
        Path(path),
        {
            "scenarios": [{"name": name, "title": ""} for name in giants],
            "scale": 1.0,
            "model": "a",
            "first_quarter": "2018Q4",
            "last_quarter": "2019Q1",
            **manifest,
        },
    )
    results.national = pd.DataFrame(rows)
    return results


#: For `ensemble`: little giants, and yuan in each quarter.
GIANTS = {"baseline": [100, 200, 300, 400], "more": [110, 212, 314, 416], "fewer": [90, 199, 290, 390]}
SPENDING = {"baseline": [0] * 4, "more": [13, 13, 13, 13], "fewer": [-1, -1, -1, -2]}


def add_places(results: Results, table: str, values: dict) -> Results:
    """Give made-up results a table by place.

    Args:
        values: by scenario, place and column, the figures of the replicates in the last quarter; others are 1.
    """
    rows = [
        dict.fromkeys((column.name for column in TABLES[table]), 1.0)
        | {"scenario": scenario, "draw": 0, "replicate": replicate, "quarter": DATES[-1], table: place}
        | {name: float(figures[replicate]) for name, figures in columns.items()}
        for scenario, places in values.items()
        for place, columns in places.items()
        for replicate in range(len(next(iter(columns.values()))))
    ]
    setattr(results, table, pd.DataFrame(rows))
    return results


def add_spending(results: Results, accounts: dict, dates: pd.DatetimeIndex = DATES) -> Results:
    """Give made-up results a table of public money.

    Args:
        accounts: by scenario, then by kind and lever, the figures of each column, a list over replicates of lists over
            quarters; others are 0.
    """
    rows = [
        dict.fromkeys((column.name for column in TABLES["spending"]), 0.0)
        | {"scenario": scenario, "draw": 0, "replicate": replicate, "quarter": date, "kind": kind, "lever": lever}
        | {name: float(figures[replicate][number]) for name, figures in columns.items()}
        for scenario, levers in accounts.items()
        for (kind, lever), columns in levers.items()
        for replicate in range(len(next(iter(columns.values()))))
        for number, date in enumerate(dates)
    ]
    results.spending = pd.DataFrame(rows)
    return results


# --- sweeps and searches

FUND = "levers.sme_fund.budget_yuan"
SEARCH = """base = "baseline"
budget_yuan = 60e9
trials = 6
[goals]
little_giants = "max"
public_spending_yuan = "min"
[factors."levers.sme_fund.budget_yuan"]
from = 0.0
to = 40e9
"""
GOALS = """
base = "./early.toml"
budget_yuan = 6e9
trials = 6
batch = 3
[goals]
rd_true_yuan = "max"
public_spending_yuan = "min"
[factors."levers.incubation.budget_yuan"]
from = 0.0
to = 10e9
"""

PROBLEM = Problem(
    factors=(Factor(FUND, 0.0, 9e9),), goals=("srdi_smes", "births"), signs=np.array([1.0, -1.0]), budget=5e9
)
OUTCOMES = tuple(read_outcome(goal, 2030) for goal in PROBLEM.goals)


def evaluated(goals, spending) -> Evaluation:
    """Goals (points, goals), spending (points,) and a public cost of twice as much, in each of two replicates."""
    pair = np.array([-1.0, 1.0])
    yuan = np.array(spending, float)[:, None] + 0.0 * pair
    return Evaluation(np.array(goals, float)[:, None, :] + pair[None, :, None], yuan, 2.0 * yuan)


#: Three points: the last is dominated on new seeds, the first over the budget there.
PARETO = ParetoSet(
    problem=PROBLEM,
    trial_indices=np.array([0, 2, 3]),
    names=("fund-0001", "fund-0003", "fund-0004"),
    points=[{FUND: 1e9}, {FUND: 2e9}, {FUND: 3e9}],
    in_search=evaluated([[900.0, 9.0], [600.0, 6.0], [300.0, 3.0]], [4e9, 3e9, 2e9]),
    on_new_seeds=evaluated([[800.0, 9.0], [500.0, 5.0], [200.0, 6.0]], [6e9, 3e9, 2e9]),
)
TRIALS = Trials(
    [{FUND: value} for value in (1e9, 9e9, 2e9, 3e9)],
    evaluated([[900.0, 9.0], [950.0, 9.0], [600.0, 6.0], [300.0, 3.0]], [4e9, 7e9, 3e9, 2e9]),
)

TARGET = """base = "baseline"
levels = ["little_giants@2027Q4 >= 18000", "relabelled_rd_share <= 0.2"]
chance = 0.8
trials = 6
final = 10
[factors."levers.sme_fund.budget_yuan"]
from = 0.0
to = 40e9
"""


def made_equal_money(
    giants: dict, yuan: dict | None = None, title: str = "", metrics: tuple[str, ...] = ()
) -> EqualMoney:
    """Policies at a cost of 2e9 yuan, over a baseline of 100 little giants and no cost.

    Args:
        giants: of each policy in each run, by name. yuan: in each of two quarters; None means half the cost.
        title: of every policy, before its name. metrics: none means little giants.
    """
    runs = len(next(iter(giants.values())))
    yuan = yuan or {name: [1e9] * runs for name in giants}
    results = ensemble(
        {"baseline": [100] * runs, **{f"{name}-scaled": giants[name] for name in giants}},
        {"baseline": [0] * runs, **{f"{name}-scaled": yuan[name] for name in giants}},
    )
    lever = {"levers": {"sme_fund": {"enabled": True}}}
    results.manifest["scenarios"] = [{"name": "baseline"}, *({"name": f"{name}-scaled", **lever} for name in giants)]
    about = [
        {
            **{"scenario": name, "scaled": f"{name}-scaled", "factor": 0.5, "settings": "a → b", "unscaled": ""},
            **{"cost_given_yuan": 4e9, "tried": 3},
        }
        for name in giants
    ]
    scenarios = tuple(
        load_scenario("sme-fund").model_copy(
            update={"name": f"{name}-scaled", **dict.fromkeys(("title", "title_zh"), f"{title or name} × 0.5")}
        )
        for name in giants
    )
    what = (choose_metrics(metrics or ("little_giants",)), [Quarter(2019, 1)])
    return compare_at_equal_cost(results, about, 2e9, 0.02, what, scenarios)


def target_rows(found: str, base: str, levels: tuple[Level, ...]) -> pd.DataFrame:
    """Numbers of a target, all different."""
    rows = []
    for name in (found, base):
        quantities = [("chance", "", "share"), ("public_cost_total_yuan", "", "yuan")]
        quantities += [
            (each, level.text, level.outcome.unit) for level in levels for each in ("level", "level_reached")
        ]
        quantities += [("level_met", level.text, "share") for level in levels]
        if name == found:
            parts = ("public_cost_yuan", "cost_lever_yuan", "cost_tax_yuan", "cost_title_yuan")
            quantities += [("chance_in_search", "", "share"), *((part, "", "yuan") for part in parts)]
        for quantity, text, unit in quantities:
            scale = {"share": 0.01, "yuan": 1e9}.get(unit, 1e3)
            ends = dict(zip(("value", "low", "high"), (scale * (len(rows) + step) for step in (1, 0, 2)), strict=True))
            if quantity in ("level_reached", "chance_in_search"):
                ends |= {"low": np.nan, "high": np.nan}
            about = {"scenario": name, "quantity": quantity, "level": text, "unit": unit}
            rows.append({**about, **ends, "label": "evidence", "studies": "Cai Szeidl 2018"})
    return pd.DataFrame(rows)


def made_target(reachable: bool, repeated: int = 0, **numbers: float) -> Target:
    """A target of two levels, with some of the numbers of its chance."""
    base, levels = (
        load_scenario("baseline"),
        read_levels(("little_giants >= 18000", "relabelled_rd_share <= 0.2"), 2030),
    )
    scenario = apply_point(base, {FUND: 2e9}, "answer" if reachable else "nearest")
    rows = target_rows(scenario.name, base.name, levels)
    chosen = (rows["quantity"] == "chance") & (rows["scenario"] == scenario.name)
    for name, number in numbers.items():
        rows.loc[chosen, name] = number
    ranges = [(FUND, "yuan", None, 2e9, 0.0, 9e9), ("levers.sme_fund.lowest_tier", "", "none", "srdi", None, None)]
    settings = pd.DataFrame(ranges, columns=["setting", "unit", "base", "value", "low", "high"], dtype=object)
    return Target(
        levels=levels,
        chance=0.8,
        reachable=reachable,
        base=base,
        scenario=scenario,
        point={FUND: 2e9},
        rows=rows,
        settings=settings.assign(label="assumed", studies=""),
        runs=100,
        folder="final",
        until=2030,
        tried=pd.DataFrame({"public_cost_yuan": [4e9], "met": [0.8]}),
        repeated_draws=repeated,
        parameters_vary=True,
    )


def sweep_table(points: int) -> pd.DataFrame:
    columns = {("factor", FUND): np.arange(points, dtype=float), ("factor", "levers.sme_fund.enabled"): True}
    columns |= {("srdi_smes", part): 1000.0 + number for number, part in enumerate(("median", "p05", "p95"))}
    return pd.DataFrame(columns, index=[f"fund-{number:04d}" for number in range(1, points + 1)])


# --- sensitivities

KEYS = ("x1", "x2", "x3", "inert")
SMALLEST = {"trajectories": 2, "samples": 4, "keep": 2, "seed": 1}


def ishigami(cube, stage=""):
    """Ishigami and Homma 1990 with a = 7 and b = 0.1, its shifted copy times 1000, and a constant."""
    x = np.pi * (2.0 * cube - 1.0)
    y = np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    return np.stack([y, 1000.0 * y + 5e6, np.full(len(y), 3.0)], axis=1)


# --- measurements

MACHINE = {"processor": "a", "cores": 2, "memory_gib": 23.5, "system": "Linux x86_64"}


def suite_results(**figures: float | None) -> dict:
    """What a suite gives, with the figures of some targets; the others are 10."""
    parts = {"advance_firms": 2.0, "record": 1.0}
    return {
        "machine": {**MACHINE, "versions": {"python": "3.11.7", "numba": "0.68.1"}},
        "threads": 2,
        "firm_quarter_ns": {"100000": 80.0, "national": 33.0},
        "build_seconds": {"100000": 0.1, "national": 2.0},
        "core_step_ns": {"engine": 10.0, "mesa": 6400.0},
        "bandwidth": {
            **{"bytes_read_per_slot": 1.0, "bytes_written_per_slot": 1.0, "triad_gb_per_s": 1.0},
            **{"limit_ns_per_slot": 1.0, "pass_ns_per_slot": 1.0},
        },
        "arithmetic": {"per_slot": {"draw": 6.0}, "ns": {"draw": 0.5}, "limit_ns_per_slot": 3.0},
        "profile": {"step": {"100000": parts}, "kernels": parts, "pass": parts},
        "missing": {},
        "targets": [target.row(figures.get(target.id, 10.0)) for target in TARGETS],
    }
