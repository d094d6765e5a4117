"""What is printed: no width cuts or folds a figure, a pipe has any width, texts of users stand as they are."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import made_up
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from rich.console import Console

from benchmarks.command import result_tables as bench_tables
from calibration.reporting.printing import print_calibration, print_screening, print_validation
from calibration.sensitivity.analysis import analyse
from calibration.sensitivity.printing import print_sensitivity
from calibration.studies.study import SUMMARY
from calibration.studies.validation import VALIDATION
from scenarios.analysis.comparison import compare
from scenarios.analysis.outcomes import Outcome
from scenarios.cli import main
from scenarios.commands import effects_tables
from scenarios.commands import run_tables as run_tables
from scenarios.commands.compare_tables import print_comparison
from scenarios.commands.search_tables import print_pareto, print_sweep, print_trials
from scenarios.commands.target_tables import print_target
from scenarios.display.screen import Cells, console, print_path, print_table, progress
from scenarios.errors import printable
from viz.words.language import Words

WIDTHS = (40, 60, 80, 100, 120)
FIGURE = re.compile(r"[+−-]?\d[\d,.]*")


def packaged(name: str) -> dict:
    return json.loads(files("calibration").joinpath(name).read_text(encoding="utf-8"))


def run_printed(screen, monkeypatch):
    rows = [("little giants named in 2021", 4762, 4762, 4700.0, 123_456_789, 987_654_321, 0.0125, "fit")]
    columns = ["label", "low", "high", "median", "p05", "p95", "deviation", "role"]
    monkeypatch.setattr(run_tables, "compare_with_reported", lambda tables: pd.DataFrame(rows, columns=columns))
    quarters = pd.to_datetime(["2019-09-30", "2019-12-31"])
    national = pd.DataFrame({"scenario": "one", "draw": 0, "replicate": 0, "quarter": quarters})
    for place, name in enumerate(run_tables._LADDER):
        national[name] = 123_456.0 * (place + 1)
    national["public_spending_yuan"], national["public_cost_yuan"] = 12e9, 398.5e9
    manifest = {"scenarios": [{"name": "one", "title": "One"}], "runs": 1, "parameter_draws": None, "scale": 0.02}
    manifest |= {"firms_at_start": 11_234, "seed": 1, "seconds": 12.3}
    results = SimpleNamespace(national=national, table=lambda name: national, manifest=manifest)
    run_tables.print_run(results, screen)


def effects_printed(screen, monkeypatch):
    numbers = ("baseline", "effect", "low", "high", "little_giants", "little_giants_low", "little_giants_high")
    row = dict.fromkeys((*numbers, "srdi_smes", "srdi_smes_low", "srdi_smes_high"), 174_900.0)
    row |= {"lever": "digital_empowerment", "outcome": "digital_supported", "unit": "firms", "expected": "+"}
    row |= {
        "label": "evidence",
        "moved": False,
        "note": "nothing in reach",
        "cost_yuan": 12.5e9,
        "cost_per_srdi_sme_yuan": 1.5e6,
    }
    row |= {"cost_low_yuan": 11.5e9, "cost_high_yuan": 13.5e9}
    row |= {"cost_lever_yuan": 6.25e9, "cost_tax_yuan": 5.25e9, "cost_title_yuan": 1e9}
    effects_tables.print_effects(pd.DataFrame([row, row | {"lever": "sme_fund", "moved": True, "low": 1.0}]), screen)


def sensitivity_printed(screen, monkeypatch):
    noise = np.random.default_rng(1).normal(0.0, [1.0, 1000.0, 1.0], (4, 3))
    found = analyse(made_up.KEYS, ("a", "b", "c"), made_up.ishigami, noise, **made_up.SMALLEST)
    print_sensitivity(found, (Outcome("a", "firms"), Outcome("b", "revenue_yuan")), screen)


def screening_printed(screen, monkeypatch):
    names = [f"little_giants.province-{number}" for number in range(30)]
    print_screening(pd.DataFrame([[1.25] * 30, [0.5] * 30], columns=names, index=["exit_base", "audit"]), screen)


def bench_printed(screen, monkeypatch):
    for table in bench_tables(made_up.suite_results()):
        print_table(table, screen)


SCORE = {
    part: {"coverage_50": 0.5, "coverage_90": 0.9, "relative_crps": 0.1234, "absolute_error": 0.05}
    for part in ("model", "last_value", "linear_trend")
}
REALISED = {"quantity": "srdi_smes", "date": "2024-12-31", "low": 141_000, "high": 149_999, "q50": 145_123.0}
REALISED |= {"q05": 130_000.0, "q95": 160_000.0, "inside_90": True}
REALISED |= {f"crps_{name}": 1234.5 for name in ("model", "last_value", "linear_trend")}


def validation_printed(screen, monkeypatch):
    score = SCORE | {"figures": 1, "compared": 1, "coverage_50": 1.0, "coverage_90": 1.0, "rows": [REALISED]}
    print_validation(packaged(VALIDATION) | {"model_unchanged": False, "score": score}, screen)


def compare_printed(screen, monkeypatch):
    found = compare([made_up.ensemble(made_up.GIANTS, made_up.SPENDING, draws=[1, 2, 3, 4])])
    print_comparison(found, {"more": "More of it"}, found.metrics[:1], screen)


PRINTED = {
    "run": run_printed,
    "compare": compare_printed,
    "effects": effects_printed,
    "sweep": lambda screen, monkeypatch: print_sweep(made_up.sweep_table(3), made_up.OUTCOMES[:1], 4, screen),
    "optimize": lambda screen, monkeypatch: print_pareto(made_up.PARETO, made_up.OUTCOMES, screen),
    "optimize, interrupted": lambda screen, monkeypatch: print_trials(
        made_up.TRIALS, made_up.PROBLEM, made_up.OUTCOMES, "fund", screen
    ),
    "target": lambda screen, monkeypatch: print_target(made_up.made_target(True, repeated=3), screen),
    "target, not reachable": lambda screen, monkeypatch: print_target(made_up.made_target(False), screen),
    "sensitivity": sensitivity_printed,
    "calibrate": lambda screen, monkeypatch: print_calibration(packaged(SUMMARY), screen),
    "calibrate --screen": screening_printed,
    "validate": validation_printed,  # facts too
    "bench": bench_printed,
}


def printed(name: str, width: int, monkeypatch) -> list[str]:
    screen = Console(file=io.StringIO(), width=width)
    PRINTED[name](screen, monkeypatch)
    return screen.file.getvalue().splitlines()


def figures(lines: list[str]) -> Counter:
    return Counter(figure for line in lines for figure in FIGURE.findall(line))


@pytest.mark.parametrize("name", PRINTED)
def test_no_figure_is_cut_folded_or_left_out_at_any_width(name, monkeypatch):
    wide = printed(name, 1000, monkeypatch)
    all_words = {word for line in wide for word in line.split()}
    for width in WIDTHS:
        lines = printed(name, width, monkeypatch)
        assert max(map(cell_len, lines)) <= width
        # Names, and figures among them, are repeated where a table falls into sections.
        assert not figures(wide) - figures(lines), width
        if name != "calibrate":  # its longest parameter has more than 40 letters
            words = {word.rstrip(":") for line in lines for word in line.split()}
            assert {word.rstrip(":") for word in all_words} <= words, width


def test_columns_that_do_not_fit_follow_below_with_the_names_of_their_rows():
    rows = [("a", "2019", "400 million", "2"), ("a", "2020", "3", "4")]
    cells = Cells("T", ("Figure", "Date", ">Reported", ">Median"), rows)
    screen = Console(file=io.StringIO(), width=26)
    print_table(cells, screen)
    assert [line.split() for line in screen.file.getvalue().splitlines()] == [
        ["T"],
        ["Figure", "Date", "Reported"],
        ["a", "2019", "400", "million"],
        ["a", "2020", "3"],
        [],
        ["Figure", "Date", "Median"],
        ["a", "2019", "2"],
        ["a", "2020", "4"],
    ]
    screen = Console(file=io.StringIO(), width=23)
    print_table(cells, screen)
    assert screen.file.getvalue().splitlines() == [
        *("T", "Figure: a", "Date: 2019", "  Reported: 400 million", "  Median: 2"),
        *("Figure: a", "Date: 2020", "  Reported: 3", "  Median: 4"),
    ]


def test_a_table_without_rows_has_its_heads():
    screen = Console(file=io.StringIO(), width=40)
    print_table(Cells("T", ("Figure", ">Median"), []), screen)
    assert screen.file.getvalue().split() == ["T", "Figure", "Median"]


@pytest.mark.parametrize("forced", [{}, {"FORCE_COLOR": "1"}, {"TERM": "dumb", "NO_COLOR": "1"}])
def test_what_is_no_terminal_has_any_width(forced, monkeypatch, capsys):
    for name, value in forced.items():
        monkeypatch.setenv(name, value)
    row = tuple(f"{number:,}" for number in range(10**9, 10**9 + 60))
    print_table(Cells("", ("Name", *[">n"] * 60), [("x", *row)]), console())
    (line,) = (line for line in capsys.readouterr().out.splitlines() if row[0] in line)
    assert line.split()[1:] == list(row)


def test_a_narrow_terminal_shortens_the_bar_and_not_the_numbers(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for width in (24, 40, 200):
        screen = Terminal()
        monkeypatch.setattr("sys.stderr", screen)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TERM", "xterm")
        with progress(keep=True) as bars:
            bars.add_task("runs", total=12_345, completed=1234)
        last = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue()).splitlines()[-1]
        assert " 1234/12345" in last
        assert last.startswith("runs ")
        assert len(last.rstrip()) <= width


MARKUP = "[bold]x[/] [/] {0} %s \\ :smile: 🎉 שלום <b>& $a$"
CONTROL = "a\x1b[31mb\x00c\nd\u202ee\udcff"


def test_texts_of_users_stand_as_they_are_and_control_nothing():
    screen = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    print_table(Cells(f"{MARKUP} {CONTROL}", (MARKUP,), [(CONTROL.replace("\n", ""),)]), screen)
    text = screen.file.getvalue()
    assert text.count(MARKUP) == 2
    assert "a\\x1b[31mb\\x00c\\nd\\u202ee\\udcff" in text
    assert not set(text) & set("\x1b\x00\u202e\udcff")
    scenario = {"name": "x", "title": CONTROL, "title_zh": ""}
    assert Words("en").scenario(scenario) == printable(CONTROL)


def test_a_path_is_printed_in_one_piece():
    path = Path("results") / ("long " * 40)
    screen = Console(file=io.StringIO(), width=40)
    print_path(screen, "Results in", path)
    assert screen.file.getvalue() == f"\nResults in {path}\n"


def test_messages_are_one_line_whatever_they_quote(tmp_path):
    done = CliRunner().invoke(main, ["check", str(tmp_path / "a\nb\x1b[31m[red].toml")])
    assert done.exit_code == 2
    assert done.stderr.endswith("a\\nb\\x1b[31m[red].toml does not exist\n")
    assert done.stderr.count("\n") == 1


# --- a terminal of its own


def on_terminal(*arguments: str, columns: int, **environment: str) -> str:
    """What a command prints on a terminal of so many columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "scenarios.cli", *arguments]
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=plain | environment, close_fds=True)
    os.close(its)
    text = b""
    try:
        while piece := os.read(ours, 65536):
            text += piece
    except OSError:  # so the end is told on Linux
        pass
    os.close(ours)
    assert process.wait() == 0
    return re.sub(r"\x1b\[[\d;]*m", "", text.decode(environment.get("PYTHONIOENCODING", "utf-8")))


@pytest.mark.skipif(os.name == "nt", reason="Windows has other terminals")
def test_a_real_terminal_is_as_wide_as_it_is_a_dumb_one_too():
    lines = on_terminal("show", "rules", columns=50, TERM="dumb").splitlines()
    assert 40 < max(map(cell_len, lines)) <= 50
    assert sum("rules.little_giant.rd_intensity_min" in line for line in lines) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has other terminals")
def test_a_terminal_without_a_sign_gets_a_plain_one():
    text = on_terminal("list", columns=80, TERM="xterm", PYTHONIOENCODING="cp1252")
    assert re.search(r"baseline +Reported policy +\?+", text)
