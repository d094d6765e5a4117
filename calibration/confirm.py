"""Confirm that a changed model still gives the packaged calibration's results.

``python -m calibration.confirm`` in a checkout makes a reference run. If its bits are those the calibration was made
with, the summary names the checksum of the model as it is now; if not, a new fit is needed (``srdi calibrate``).
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from calibration.fitting.priors import read_priors
from calibration.fitting.simulator import model_digest
from calibration.studies.study import SUMMARY, run_bits
from scenarios.commands.command import Script, echo
from scenarios.records.storage import write_json


def confirm(path: Path) -> bool:
    """Write the model's present checksum into a summary if the reference run gives the bits it names."""
    summary = json.loads(path.read_text(encoding="utf-8"))
    if run_bits(summary["default"]["values"]) != summary["bits"]:
        return False
    write_json(summary | {"model": model_digest(read_priors().only("free").names)}, path)
    return True


@click.command(cls=Script)
def main() -> None:
    """Make the reference run, and have the calibration name the model as it is now if the bits are the same."""
    if not confirm(Path(__file__).with_name(SUMMARY)):
        message = "the model gives other results than the one the calibration was made with: fit again (srdi calibrate)"
        raise RuntimeError(message)
    echo("the same bits: the calibration names the model as it is now")


if __name__ == "__main__":
    main()
