"""Confirm that a changed model still gives the same results as the packaged calibration.

``python -m calibration.confirm`` in a checkout makes a reference run. If its results are bit-identical to those of the
calibrated model, the checksum of the current model is written into the summary. If not, a new fit is needed
(``srdi calibrate``).
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from calibration.fitting.priors import read_priors
from calibration.studies.study import SUMMARY, run_digest
from scenarios.commands.command import Script, echo
from scenarios.ensembles.jobs import model_digest
from scenarios.records.storage import write_json


def confirm(path: Path) -> bool:
    """Write the checksum of the current model into a summary if the reference run still gives the recorded results."""
    summary = json.loads(path.read_text(encoding="utf-8"))
    if run_digest(summary["default"]["values"]) != summary["bits"]:
        return False
    write_json(summary | {"model": model_digest(read_priors().only("free").names)}, path)
    return True


@click.command(cls=Script)
def main() -> None:
    """Make the reference run, and record the current model in the calibration if the results are bit-identical."""
    if not confirm(Path(__file__).with_name(SUMMARY)):
        message = "the results differ from those of the calibrated model: fit again (srdi calibrate)"
        raise RuntimeError(message)
    echo("bit-identical results: the calibration now records the checksum of this model")


if __name__ == "__main__":
    main()
