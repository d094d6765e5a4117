"""The tables of ``docs/performance.md``, all from one run of ``srdi bench``.

srdi bench --out bench.json
python -m benchmarks.performance bench.json
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from benchmarks.command import result_tables
from scenarios.commands.command import Script, echo
from scenarios.display.screen import between, markdown
from scenarios.errors import InputError

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- tables: written by benchmarks/performance.py -->", "<!-- end of tables -->"


def with_tables(page: str, results: dict) -> str:
    """The page with the tables of a run between its marks.

    Args:
        results: as written by ``srdi bench --out``.

    Raises:
        InputError: the run was interrupted.
        ValueError: one of the two marks is missing in the page.
    """
    if results.get("interrupted"):
        raise InputError("the run of srdi bench was interrupted; the page needs a whole one")
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    intro = (
        f"Measured in one run on an {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}; {versions}. The model runs on {results['threads']} threads unless stated otherwise."
    )
    missing = [f"{int(size):,} firms were not measured: {reason}." for size, reason in results["missing"].items()]
    tables = "\n\n".join([intro, *missing, *(markdown(table) for table in result_tables(results))])
    return between(page, BEGIN, END, tables)


@click.command(cls=Script)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(file: Path) -> None:
    """Write the tables of FILE, from srdi bench --out, into docs/performance.md."""
    results = json.loads(file.read_text(encoding="utf-8"))
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    echo(f"Written: {PAGE}")


if __name__ == "__main__":
    main()
