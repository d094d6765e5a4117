"""Which part of a policy does what: tables and sentences of `scenarios.analysis.decomposition`."""

from __future__ import annotations

from scenarios.analysis.decomposition import TOGETHER, WHOLE, Decomposition
from scenarios.analysis.metrics import Metric
from scenarios.analysis.waterfall import bars_of
from viz.shared.answers import error_text, pairs_note, part_name
from viz.shared.ranges import estimate_texts
from viz.shared.texts import TextTable
from viz.words.language import NOTHING, Words


def about(words: Words, found: Decomposition, scenario: str, baseline: str) -> list[str]:
    """What was split, and how.

    Args:
        scenario, baseline: their titles.
    """
    parts = range(len(found.parts))
    whole = 2 ** len(parts) - 1
    some = {0, whole, *(1 << i for i in parts), *(whole - (1 << i) for i in parts)}
    combinations = whole + 1 if found.exact else len(some)
    return [
        words(
            "decomposition.about",
            scenario=scenario,
            baseline=baseline,
            runs=words.number(combinations),
        ),
        words("decomposition.about_exact" if found.exact else "decomposition.about_some"),
        pairs_note(words, found.pairs, found.parameters_vary),
    ]


def bar_names(words: Words, found: Decomposition, metric: Metric, quarter: str) -> list[str]:
    """Names of the bars of a waterfall (`scenarios.analysis.waterfall.bars_of`)."""
    bars = bars_of(found, metric, quarter)
    return [
        words("decomposition.whole") if whole else part_name(words, part)
        for part, whole in zip(bars["part"], bars["whole"], strict=True)
    ]


def parts_table(words: Words, found: Decomposition, metric: Metric, quarter: str) -> TextTable:
    """What each part does alone, what is lost without it, its Shapley value if known, and the whole."""
    unit, measures = metric.unit, found.measures(metric.name, quarter)
    heads = [words("decomposition.part"), words("answers.basis"), words("decomposition.alone"), words("answers.band")]
    heads += [words("answers.error"), words("decomposition.last"), words("answers.band")]
    heads += [words("decomposition.shapley"), words("answers.band")] if found.exact else []
    texts = []
    for part in found.parts:
        alone = measures["alone"].loc[part]
        row = [
            part_name(words, part),
            words.basis(alone),
            *estimate_texts(words, alone, unit, signed=True),
            error_text(words, alone, unit),
        ]
        for measure in ("last", "shapley") if found.exact else ("last",):
            row += estimate_texts(words, measures[measure].loc[part], unit, signed=True)
        texts.append(row)
    for name, measure in ((TOGETHER, "together"), (WHOLE, "whole")):
        own = measures[measure].loc[name]
        row = [
            part_name(words, name),
            words.basis(own),
            *estimate_texts(words, own, unit, signed=True),
            error_text(words, own, unit),
        ]
        row += [NOTHING] * (len(heads) - len(row))
        if measure == "whole" and found.exact:  # the Shapley values add up to it
            row[-2:] = estimate_texts(words, own, unit, signed=True)
        texts.append(row)
    return TextTable(heads, texts, words=2)


def pairs_table(words: Words, found: Decomposition, metric: Metric, quarter: str) -> TextTable | None:
    """What two parts do together, and three or more; None with fewer than three parts, or if it is not known."""
    if not found.exact or len(found.parts) < 3:
        return None
    measures = found.measures(metric.name, quarter)
    heads = [words("decomposition.pairs"), words("answers.basis"), words("decomposition.together")]
    return TextTable(
        [*heads, words("answers.band"), words("answers.error")],
        [
            [
                part_name(words, str(part)),
                words.basis(row),
                *estimate_texts(words, row, metric.unit, signed=True),
                error_text(words, row, metric.unit),
            ]
            for measure in ("pair", "rest")
            for part, row in measures[measure].iterrows()
        ],
        words=2,
    )
