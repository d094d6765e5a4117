"""Reliability of the numbers: meaning of intervals, assumptions, figures the calibrated model does not reproduce."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenarios.analysis.intervals import MIN_PAIRS
from scenarios.analysis.reported import CUT_OFF, ReportedFigure, reported_figures
from scenarios.ensembles.default_draws import default_draws
from scenarios.ensembles.jobs import model_checksum, model_digest
from scenarios.files.strengths import lever_strengths
from sim.parameters import parameter_table
from viz.shared.calibrated import packaged_summary, packaged_validation
from viz.shared.texts import TextTable
from viz.shared.units import unit_of_figure

if TYPE_CHECKING:
    from viz.report.sections import Sections

#: First words of a parameter's source, and its kind; with any other source, the parameter is known.
_SOURCES = {"assumed": "assumed", "hand-set": "hand_set", "fitted": "fitted"}


def caveats(sections: Sections) -> list[str]:
    """Limits of the numbers, one or two sentences each."""
    words, compared = sections.words, sections.compared
    manifest, runs = compared.results.manifest, words.number(compared.runs_each)
    parameter_draws, weight = manifest["parameter_draws"], words.number(1.0 / manifest["scale"])
    if parameter_draws and manifest["draws"] > 1:
        texts = [_doubt(sections)]
    elif compared.runs_each == 1:
        texts = [words("caveat.one_run")]
    else:
        texts = [words("caveat.simulation_noise", runs=runs, params=default_draws().name)]
    if 1 < compared.units < MIN_PAIRS:
        texts.append(words("caveat.few", units=words.number(compared.units), enough=MIN_PAIRS))
    if manifest["scale"] < 1.0:
        texts.append(words("caveat.scale", weight=weight))
    if manifest["model"] != model_checksum():
        texts.append(words("caveat.other_model"))
    texts.append(words("caveat.calibrated", day=words.date(CUT_OFF)))
    if not fit_is_of_this_model():
        texts.append(words("caveat.changed"))
    texts.append(words("caveat.assumed", **{key: words.number(count) for key, count in source_counts().items()}))
    texts.append(words.strengths(compared.results.lever_labels))
    texts.append(words("caveat.places"))
    if compared.last.date() < CUT_OFF:
        texts.append(words("caveat.ends_early", day=words.date(compared.last.date())))
    return texts


def _doubt(sections: Sections) -> str:
    """Which doubt is in the intervals of runs with parameter draws."""
    words, results = sections.words, sections.compared.results
    draws, labels = words.number(results.manifest["draws"]), list(results.drawn_labels.values())
    fitted = sum(label.word == "fitted" for label in labels)
    if not any(label.word == "evidence" for label in labels):
        return words("caveat.doubt", parameters=len(results.manifest["parameter_draws"]["names"]), draws=draws)
    return words("caveat.doubt_evidence", fitted=fitted, strengths=len(labels) - fitted, draws=draws)


def fit_is_of_this_model() -> bool:
    """Whether the packaged posterior was fitted to the current model."""
    summary = packaged_summary()
    return summary["model"] == model_digest(tuple(row["parameter"] for row in summary["parameters"]))


def misses(sections: Sections) -> tuple[str, TextTable]:
    """Figures that the calibrated model does not reproduce, from the packaged validation: a sentence and a table."""
    words = sections.words
    validation = packaged_validation().results
    outside = [row for row in validation["targets"] if not row["inside"]]
    text = words(
        "caveat.misses" if outside else "caveat.misses_all",
        outside=len(outside),
        all=len(validation["targets"]),
        draws=validation["draws"],
        scale=f"{validation['scale']:g}",
    )
    known = {figure.id: figure for figure in reported_figures()}
    rows = [_miss(sections, known[row["id"]], row) for row in outside if row["id"] in known]
    return text, TextTable([words(f"caveat.{head}") for head in ("figure", "reported", "simulated", "band")], rows)


def _miss(sections: Sections, figure: ReportedFigure, row: dict) -> list[str]:
    words, unit = sections.words, unit_of_figure(figure)
    about = words.month(figure.date)
    if figure.province:
        about = words.joined([words.province(figure.province), about])
    return [
        words("number.bracketed", value=words.column(figure.quantity), about=about),
        words.reported(figure, unit),
        words.value(row["median"], unit),
        words.interval(row["p05"], row["p95"], unit),
    ]


def lever_sources(sections: Sections) -> TextTable:
    """What the strength of the levers that are active in any scenario rests on, and the parameters that set it."""
    words, results = sections.words, sections.compared.results
    rows = [
        [
            words.lever(lever),
            words.label(label),
            words.joined(list(lever_strengths()[lever])) or words("number.nothing"),
        ]
        for lever, label in results.lever_labels.items()
        if any(scenario["levers"][lever]["enabled"] for scenario in results.manifest["scenarios"])
    ]
    return TextTable([words(f"caveat.{head}") for head in ("lever", "rests_on", "strengths")], rows, words=3)


def source_kind(source: str) -> str:
    """Whether a parameter is assumed, hand_set, fitted or known, judged by the words of its source."""
    return next((kind for start, kind in _SOURCES.items() if source.startswith(start)), "known")


def source_counts() -> dict[str, int]:
    """Number of parameters of each kind, and in total."""
    kinds = [source_kind(parameter.source) for parameter in parameter_table().values()]
    return {"all": len(kinds)} | {kind: kinds.count(kind) for kind in (*_SOURCES.values(), "known")}
