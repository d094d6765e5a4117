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
from scenarios.ensembles.parameter_draws import EVIDENCE_SUMMARY
from scenarios.records.storage import write_json


def confirm(folder: Path) -> bool:
    """Write the checksum of the current model into the summaries of a folder if its results are those recorded.

    The draws with published evidence, if there are any, are kept only if they were made with the same model.
    """
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    if run_digest(summary["default"]["values"]) != summary["bits"]:
        return False
    current = {"model": model_digest(read_priors().only("free").names)}
    write_json(summary | current, folder / SUMMARY)
    evidence = folder / EVIDENCE_SUMMARY
    if evidence.exists():
        studies = json.loads(evidence.read_text(encoding="utf-8"))
        if studies["model"] == summary["model"]:
            write_json(studies | current, evidence)
    return True


@click.command(cls=Script)
def main() -> None:
    """Make the reference run, and record the current model in the calibration if the results are bit-identical."""
    if not confirm(Path(__file__).parent):
        message = "the results differ from those of the calibrated model: fit again (srdi calibrate)"
        raise RuntimeError(message)
    echo("bit-identical results: the calibration now records the checksum of this model")


if __name__ == "__main__":
    main()
