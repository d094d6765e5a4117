"""What a number rests on: a reported figure, the fit to such figures, published evidence, or an assumption."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scenarios.files.strengths import lever_strengths
from sim.parameters import Parameter, parameter_table

#: The words, from the strongest to the weakest. A number made of several takes the weakest.
WORDS = ("measured", "fitted", "evidence", "assumed")
#: Parameters whose value is a reported figure, or follows from some by arithmetic (see their sources).
MEASURED = (
    "demand_trend",
    "leverage_mean",
    "rd_size",
    "rd_staff_cost",
    "research_staff_trend",
    "research_wage_trend",
    "tax_relief",
    "title_award_srdi",
    "title_award_giant",
)


@dataclass(frozen=True)
class Label:
    """A word of WORDS, and with evidence the studies by their names in ``calibration/evidence.toml``."""

    word: str
    studies: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = ", ".join(map(study_name, self.studies))
        return f"{self.word} ({names})" if names else self.word


#: The part of a study's id that is its name: up to the year, if it has one.
_NAME = re.compile(r".*?\d{4}|.*")


def study_name(study: str) -> str:
    """The name of a study as readers know it: ``cai_szeidl_2018`` is Cai Szeidl 2018."""
    found = _NAME.match(study)
    assert found
    return " ".join(part.capitalize() for part in found[0].split("_"))


def weakest(labels: Iterable[Label]) -> Label:
    """The label of a number made of several: the weakest word, with the studies of those that have it.

    Without any it is assumed.
    """
    labels = tuple(labels)
    word = max((label.word for label in labels), key=WORDS.index, default="assumed")
    studies = dict.fromkeys(study for label in labels if label.word == word for study in label.studies)
    return Label(word, tuple(studies))


def default_label(parameter: Parameter) -> Label:
    """What the default value of a parameter rests on."""
    if parameter.source.startswith("fitted"):
        return Label("fitted")
    return Label("measured" if parameter.name in MEASURED else "assumed")


def parameter_labels(drawn: Mapping[str, Label]) -> dict[str, Label]:
    """Label of every parameter of a run, by name.

    Args:
        drawn: labels of the parameters that the run takes from draws (`ParameterDraws.labels`).
    """
    return {name: drawn.get(name) or default_label(entry) for name, entry in parameter_table().items()}


def lever_labels(drawn: Mapping[str, Label]) -> dict[str, Label]:
    """Label of how strongly each lever acts, by lever: the weakest of the parameters that set its strength."""
    labels = parameter_labels(drawn)
    return {lever: weakest(labels[name] for name in names) for lever, names in lever_strengths().items()}
