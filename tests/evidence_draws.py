"""A package whose draws from published evidence are made up, for tests of what uses them by default."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from scenarios.ensembles import parameter_draws
from scenarios.ensembles.default_draws import default_draws
from scenarios.ensembles.jobs import model_digest
from scenarios.ensembles.parameter_draws import (
    EVIDENCE,
    EVIDENCE_SUMMARY,
    PACKAGED,
    POSTERIOR,
    read_parameter_draws,
    values_table,
)
from scenarios.files.labels import Label
from scenarios.records.storage import checksum, write_json, write_parquet

STUDY = Label("evidence", ("cai_szeidl_2018",))
#: Strengths with draws, and what they rest on.
STRENGTHS = {"match_sales": STUDY, "match_linking": STUDY, "branding_sales": Label("assumed")}


def evidence_folder(folder: Path, spread: float = 1.0) -> Path:
    """A folder with draws from evidence that belong to the packaged fit and the model, and their summary.

    Args:
        spread: standard deviation of the log of the strengths.
    """
    folder.mkdir(exist_ok=True)
    fitted = read_parameter_draws(POSTERIOR)
    rng = np.random.default_rng(1)
    middles = np.array([0.03, 1.0, 0.02])
    strengths = middles * np.exp(spread * rng.normal(size=(len(fitted), 3)).clip(-2.0, 2.0))
    labels = dict.fromkeys(fitted.names, Label("fitted")) | STRENGTHS
    table = values_table((*fitted.names, *STRENGTHS), np.column_stack([fitted.values, strengths]), labels)
    path = folder / PACKAGED[EVIDENCE]
    write_parquet(table, path)
    write_json({"draws": {"checksum": checksum(path)}, "model": model_digest(fitted.names)}, folder / EVIDENCE_SUMMARY)
    return folder


def change_summary(folder: Path, **changes: object) -> None:
    """Change the summary of the draws."""
    path = folder / EVIDENCE_SUMMARY
    write_json(json.loads(path.read_text(encoding="utf-8")) | changes, path)


class Package:
    """Stands in for the files of the package `calibration`: its evidence is that of a folder, there or not."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.real = folder, parameter_draws.packaged_file

    def file(self, name: str):
        """A file of the folder, or of the package."""
        return self.folder / name if name in (PACKAGED[EVIDENCE], EVIDENCE_SUMMARY) else self.real(name)


def use_package(folder: Path, monkeypatch) -> None:
    """Let the package have the evidence draws of a folder, or none if the folder has none."""
    package = Package(folder)
    for module in ("parameter_draws", "default_draws"):
        monkeypatch.setattr(f"scenarios.ensembles.{module}.packaged_file", package.file)


def central_params() -> str:
    """The option of a command by which a run has the page's central parameters; empty for the model's defaults."""
    central = default_draws().central
    return "" if central == "default" else f"--params {central} "
