"""Made-up evidence files: a row of a user, with changes."""

from __future__ import annotations

from sim.levers import Levers

#: A user's file of one study beside the package's.
ROW = """
[[evidence]]
id = "mine_2020"
study = "mine_2020"
lever = "matchmaking_sales"
parameter = "match_sales"
experiment = "programme_once"
outcome = "log_revenue"
estimand = "ATT"
horizon_years = 1
estimate = 0.05
unit = "log"
se = 0.02
tau = 0.3
dose = "none"
sample = "China"
published = 2020-01-31
source = "Mine 2020"
read = "here"
mark = "B"
basis = "checked"
use = "fit"
note = "made up"
"""
EXTENDS = 'extends = "packaged"\n'


def changed_row(**changes: str | None) -> str:
    """The row with other values, as they stand in TOML; None takes a key out."""
    lines = [line for line in ROW.splitlines() if line.partition(" = ")[0] not in changes]
    lines += [f"{key} = {value}" for key, value in changes.items() if value is not None]
    return "\n".join(lines) + "\n"


def own_file(*rows: str) -> str:
    """A user's file that adds rows to the package's."""
    return EXTENDS + "".join(rows or (ROW,))


def whole_file(*rows: str) -> str:
    """A file of its own: the rows, and gaps for all levers but matchmaking_sales."""
    gaps = [
        f'[[evidence]]\nid = "no_{lever}"\nlever = "{lever}"\nparameter = "match_sales"\nnone_found = true\n'
        'looked_for = "nothing"\n'
        for lever in Levers.model_fields
        if lever != "matchmaking_sales"
    ]
    return "".join((*(rows or (ROW,)), *gaps))
