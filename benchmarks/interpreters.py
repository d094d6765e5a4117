"""The same runs under other versions of Python and Mesa, compared bit by bit.

python -m benchmarks.interpreters                                  Python 3.11 with Mesa 3.3, Python 3.13 with Mesa 3.5
python -m benchmarks.interpreters 3.11,mesa==3.3.* 3.12,mesa==3.3.*  other environments, each compared with the first

Creates each environment with uv (the interpreters must be installed), installs the project with the pinned packages,
runs the scenarios and compares every table. Exits with 1 if a count differs or a value differs by more than rounding.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import pandas as pd

from scenarios.commands.command import Script

if TYPE_CHECKING:
    from scenarios.records.results import Results

ENVIRONMENTS = ("3.11,mesa==3.3.*", "3.13,mesa==3.5.*")
SCENARIOS = ("baseline", "no-policy", "all-levers", "foreign-supply", "strict-audit")
#: Largest relative difference that the order of a sum can cause: a few units in the last place.
ROUNDING = 1e-14


@dataclass(frozen=True)
class Column:
    """Comparison of one column of two tables.

    Attributes:
        table, name: of the column. counts: whether it has counts, texts or dates, which must be equal.
        identical: whether all bits are equal. largest: largest relative difference; infinite if one value is 0 or NaN.
    """

    table: str
    name: str
    counts: bool
    identical: bool
    largest: float

    @property
    def agrees(self) -> bool:
        """Whether all bits are equal, or a column without counts differs only by rounding."""
        return self.identical or (not self.counts and self.largest <= ROUNDING)


def compare_tables(name: str, one: pd.DataFrame, other: pd.DataFrame, counts: frozenset[str]) -> Iterator[Column]:
    """Compare two tables column by column, with rows in their present order.

    Args:
        counts: columns with counts. Columns that are not floats are treated as counts.

    Raises:
        ValueError: the tables have other columns or another number of rows.
    """
    if list(one) != list(other) or len(one) != len(other):
        raise ValueError(f"the tables {name} have other columns or rows")
    for column in one:
        left, right = one[column], other[column]
        if pd.api.types.is_float_dtype(left) and pd.api.types.is_float_dtype(right):
            left, right = left.to_numpy(), right.to_numpy()
            identical = left.dtype == right.dtype and left.tobytes() == right.tobytes()
            yield Column(name, column, column in counts, identical, _largest_difference(left, right))
        else:
            identical = left.astype(object).tolist() == right.astype(object).tolist()
            yield Column(name, column, True, identical, 0.0 if identical else np.inf)


def _largest_difference(left: np.ndarray, right: np.ndarray) -> float:
    """Largest difference over the larger of two values; infinite if only one of them is a number."""
    both_missing = np.isnan(left) & np.isnan(right)
    with np.errstate(invalid="ignore"):
        gap = np.where((left == right) | both_missing, 0.0, np.abs(left - right))
        share = np.divide(gap, np.maximum(np.abs(left), np.abs(right)), out=np.zeros_like(gap), where=gap != 0)
    return float(np.nan_to_num(share, nan=np.inf, posinf=np.inf).max(initial=0.0))


def compare_results(one: Results, other: Results) -> list[Column]:
    """Compare all tables of two `scenarios.records.results.Results`."""
    from scenarios.records.storage import COUNT_UNITS

    compared: list[Column] = []
    for table, columns in one.columns.items():
        counts = frozenset(column.name for column in columns if column.unit in COUNT_UNITS)
        compared += compare_tables(table, one.table(table), other.table(table), counts)
    return compared


def environment(text: str, folder: Path) -> Path:
    """Create the environment ``PYTHON,REQUIREMENT,…`` with the project of this checkout; returns its interpreter."""
    python, *requirements = text.split(",")
    root = Path(__file__).resolve().parents[1]
    uv = shutil.which("uv") or "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", python, folder], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder), "--constraint", str(root / "constraints.txt")]
    # Editable, because a wheel might come from a cache with other sources.
    subprocess.run([*install, "--editable", str(root), *requirements], check=True)
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"


@click.command(cls=Script)
@click.argument("environments", nargs=-1, metavar="[PYTHON,REQUIREMENT...]...")
@click.option("--scale", default=0.01, show_default=True, help="Simulated firms per real firm.")
@click.option("--until", default=2030, show_default=True, help="Last year of the runs.")
@click.option("--replicates", default=2, show_default=True, help="Runs of each scenario.")
def main(environments: tuple[str, ...], scale: float, until: int, replicates: int) -> None:
    """Print how the tables of each environment compare with those of the first."""
    from scenarios import load_results

    settings = ("--scale", scale, "--until", until, "--replicates", replicates, "--firms-panel", 200)
    results = []
    with tempfile.TemporaryDirectory(prefix="srdi-") as folder:
        for number, text in enumerate(environments or ENVIRONMENTS):
            python, out = environment(text, Path(folder) / f"python-{number}"), Path(folder) / f"results-{number}"
            command = [str(python), "-m", "scenarios.cli", "run", *SCENARIOS, *map(str, settings), "--out", str(out)]
            # In another folder, so that only the packages of the environment are imported.
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
            results.append(load_results(out))
        one, *others = results
        agrees = True
        for other in others:
            print(f"{_versions(one)}\n{_versions(other)}")
            columns = compare_results(one, other)
            _print(one, columns)
            agrees &= all(column.agrees for column in columns)
    sys.exit(0 if agrees else 1)


def _versions(results: Results) -> str:
    return ", ".join(f"{name} {version}" for name, version in results.manifest["versions"].items())


def _print(results: Results, columns: list[Column]) -> None:
    print(f"{'table':<12} {'rows':>7} {'columns':>7} {'counts the same':>16} {'floats the same':>16} {'largest':>9}")
    for table in dict.fromkeys(column.table for column in columns):
        rows = [column for column in columns if column.table == table]
        groups = [[column.identical for column in rows if column.counts is counts] for counts in (True, False)]
        cells = [f"{sum(group)} of {len(group)}" for group in groups]
        largest = max(column.largest for column in rows)
        print(
            f"{table:<12} {len(results.table(table)):>7} {len(rows):>7} {cells[0]:>16} {cells[1]:>16} {largest:>9.2g}"
        )
    for column in columns:
        if not column.identical:
            print(f"  {column.table}.{column.name}: relative difference up to {column.largest:.2g}")


if __name__ == "__main__":
    main()
