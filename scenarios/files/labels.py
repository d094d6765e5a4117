"""What a number rests on: a reported figure, the fit to such figures, published evidence, or an assumption.

A parameter has a label, a lever has the weakest of those of its strengths, and the effect of a policy the weakest of
those of the levers in which it differs from another policy (`change_label`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scenarios.files.strengths import lever_strengths
from sim.parameters import Parameter, parameter_table

#: The words, from the strongest to the weakest. A number made of several takes the weakest.
WORDS = ("measured", "fitted", "evidence", "assumed")
#: Metadata of a column of parameter draws: its label and, separated by spaces, the studies behind it.
_LABEL, _STUDIES = "label", "studies"
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
        names = ", ".join(self.names)
        return f"{self.word} ({names})" if names else self.word

    @property
    def names(self) -> list[str]:
        """Names of the studies, each once."""
        return list(dict.fromkeys(map(study_name, self.studies)))

    def short(self, most: int = 2) -> str:
        """The word with the first studies, and how many there are besides."""
        named, more = self.names[:most], len(self.names) - most
        names = ", ".join(named) + (f" and {more} more" if more > 0 else "")
        return f"{self.word} ({names})" if names else self.word

    @property
    def columns(self) -> dict[str, str]:
        """The columns `label` and `studies` of a table."""
        return {"label": self.word, "studies": ", ".join(self.names)}

    @property
    def metadata(self) -> dict[str, str]:
        """The label as metadata of a column of parameter draws."""
        return {_LABEL: self.word, _STUDIES: " ".join(self.studies)}

    @classmethod
    def of_metadata(cls, metadata: Mapping[bytes, bytes] | None, unsaid: Label) -> Label:
        """The label in the metadata of a column; `unsaid` if it has none that is known."""
        word, studies = ((metadata or {}).get(key.encode(), b"").decode(errors="replace") for key in (_LABEL, _STUDIES))
        return cls(word, tuple(studies.split())) if word in WORDS else unsaid


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


def labels_in_run(scenarios: Iterable[Mapping], drawn: Mapping[str, Label]) -> Mapping[str, Label]:
    """Labels of the parameters that runs do not take from the defaults, by name.

    A value that a scenario sets is the user's, and so assumed.

    Args:
        scenarios: as in a manifest. drawn: as in `parameter_labels`.
    """
    names = {name for scenario in scenarios for name in scenario.get("parameters", ())}
    return {**drawn, **{name: Label("assumed") for name in names}}


def change_label(before: Mapping, after: Mapping, levers: Mapping[str, Label]) -> Label:
    """What the difference between two scenarios rests on: the weakest label of what differs between them.

    Of levers it is the label of their strength. Rules act on certificates, to whose reported numbers the model is
    fitted. Shocks, feedbacks and parameters are set by the user.

    Args:
        before, after: scenarios as in a manifest. levers: label of each lever in the runs.
    """
    return weakest(_of_differences(before, after, levers))


def level_label(reported: Mapping, scenario: Mapping, levers: Mapping[str, Label]) -> Label:
    """What the numbers of a run themselves rest on: the fit, and whatever differs from the policy it was made with.

    Args:
        reported: the policy of the fit. scenario: the one of the run. levers: as in `change_label`.
    """
    return weakest([Label("fitted"), *_of_differences(reported, scenario, levers)])


def _of_differences(before: Mapping, after: Mapping, levers: Mapping[str, Label]) -> list[Label]:
    """Labels of what differs between two scenarios."""
    labels = [levers[name] for name in levers if _lever_differs(name, before, after)]
    if before.get("rules") != after.get("rules"):
        labels.append(Label("fitted"))
    if any(before.get(key) != after.get(key) for key in ("shocks", "model", "parameters")):
        labels.append(Label("assumed"))
    return labels


def _lever_differs(name: str, before: Mapping, after: Mapping) -> bool:
    """Whether a lever that is on in one of two scenarios differs between them."""
    one, other = (scenario.get("levers", {}).get(name, {}) for scenario in (before, after))
    return one != other and bool(one.get("enabled") or other.get("enabled"))
