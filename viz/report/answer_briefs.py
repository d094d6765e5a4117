"""The notes of one page on further answers: which policy is better for the same money, and what reaches a target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pandas as pd

from scenarios.analysis.equal_money import EqualMoney
from scenarios.analysis.reported import CUT_OFF
from scenarios.errors import printable
from scenarios.files.scaling import TIMES
from scenarios.files.schema import Scenario
from scenarios.records.results import Results
from scenarios.records.storage import records
from scenarios.search.target_runs import Target
from viz.report.answers import effects_panel, tried_panel
from viz.report.note import (
    TITLE,
    Beside,
    Card,
    Content,
    Drawing,
    Listed,
    Wide,
    few,
    footer,
    page,
    reproduced,
    resting_on,
    start_of,
)
from viz.shared import equal_money, target
from viz.shared.ranges import estimate_texts, share_span, share_text
from viz.shared.texts import TextTable
from viz.words.language import Words

#: Most policies on a note, and most chances of one to beat another, over all quantities.
_POLICIES, _CHANCES = 3, 3
#: Most settings and levels on a note, and most characters of what is asked for.
_SETTINGS, _LEVELS, _ASKED = 4, 3, 220
#: Most characters of a policy's title in the figure and the tables; of one with Chinese characters, which are wider.
_NAME, _WIDE_NAME = 40, 20


@dataclass(frozen=True)
class EqualMoneyBrief:
    """The note on which policy is better for the same money.

    Attributes:
        found: the answer with what the note shows of it: the policies from the best on, by the mean of the first
            quantity, and the last quarter. others: number of policies it does not show.
        results: of the runs at the same cost.
    """

    found: EqualMoney
    others: int
    results: Results

    @classmethod
    def of(cls, found: EqualMoney, results: Results) -> EqualMoneyBrief:
        """The note on an answer."""
        main, quarter = found.quantities[0], found.quarters[-1]
        means = equal_money.effects(found, main.name, quarter).set_index("scenario")["value"]
        order = means.sort_values(ascending=main.less_is_better, kind="stable").index[:_POLICIES]
        pairs = len(list(combinations(order, 2)))
        policies = found.policies.set_index("scenario", drop=False).loc[order].reset_index(drop=True)
        rows = found.rows[found.rows["scenario"].isin(order)]
        shown = replace(
            found,
            policies=policies,
            rows=rows.sort_values("scenario", key=lambda names: names.map(order.get_loc), kind="stable"),
            quantities=found.quantities[: _CHANCES // pairs],
            quarters=(quarter,),
        )
        return cls(shown, len(found.policies) - len(order), results)

    @property
    def about(self) -> dict[str, Any]:
        """Names of the baseline and of the policies, from the best on."""
        return {"baseline": self.found.baseline, "scenarios": list(self.found.policies["scenario"])}

    def chances(self) -> pd.DataFrame:
        """The rows of `EqualMoney.chances` that the best of the policies beats the next, one for each quantity.

        Column clear: whether the interval of one of the two, to beat the other, lies above a half; a tie is no win.
        """
        best, following = self.found.policies["scenario"].iloc[:2]
        ahead, behind = self._chances(best, following), self._chances(following, best)
        return ahead.assign(clear=(ahead["low"] > 0.5) | (behind["low"] > 0.5))

    def _chances(self, one: str, other: str) -> pd.DataFrame:
        rows = self.found.chances
        rows = rows[(rows["scenario"] == one) & (rows["other"] == other) & (rows["measure"] == "in_all")]
        rows = rows[rows["quarter"] == self.found.quarters[0]].set_index("quantity", drop=False)
        return rows.loc[[metric.name for metric in self.found.quantities]]

    def records(self) -> list[dict]:
        """The chances at the top of the note as plain values for JSON."""
        return records(self.chances())

    def html(self, language: str) -> str:
        """The note as one HTML page that loads nothing."""
        words = Words(language)
        return page(_equal_money(self, words), words)


@dataclass(frozen=True)
class TargetBrief:
    """The note on what reaches a target, at what least cost and with what chance.

    Attributes:
        found: the answer. results: of its final runs.
    """

    found: Target
    results: Results

    @property
    def about(self) -> dict[str, Any]:
        """Names of the base and of the scenario found, and whether it reaches the target."""
        found = self.found
        return {"baseline": found.base.name, "scenario": found.scenario.name, "reachable": found.reachable}

    def records(self) -> list[dict]:
        """The numbers at the top of the note as plain values for JSON: chances with and without, and the cost."""
        found = self.found
        rows = [found.number("chance"), found.number("public_cost_yuan"), found.number("chance", "", found.base.name)]
        return records(pd.DataFrame(rows))

    def html(self, language: str) -> str:
        """The note as one HTML page that loads nothing."""
        words = Words(language)
        return page(_target(self, words), words)


# --- equal money


def _equal_money(brief: EqualMoneyBrief, words: Words) -> Content:
    found, results = _with_short_titles(brief.found), brief.results
    manifest, quarter, single = results.manifest, found.quarters[0], found.pairs == 1
    titles = list(equal_money.titles_of(words, found).values())
    named = next(each for each in manifest["scenarios"] if each["name"] == found.baseline)
    baseline = start_of(words.scenario(named), TITLE)
    panel = effects_panel(words, found, found.quantities[0], quarter)
    chances = brief.chances()
    first, last = (words.quarter(manifest[end]) for end in ("first_quarter", "last_quarter"))
    about = {"one": titles[0], "other": titles[1], "quarter": words.quarter(quarter)}
    vary = "sure_one" if single else "sure_draws" if found.parameters_vary else "sure_luck"
    costs = equal_money.cost_notes(words, found)
    if brief.others:
        costs.append(words("brief.left_out", others=words.number(brief.others)))
    return Content(
        title=words("brief.equal_title", policies=words("brief.or").join(titles)),
        question=words(
            "brief.equal_question",
            baseline=baseline,
            cost=words.number(found.cost_yuan),
            first=first,
            last=last,
        ),
        answer=words(
            f"brief.{_better(chances.iloc[0])}",
            column=words.quarterly(found.quantities[0].name),
            share=share_text(words, chances.iloc[0]["value"]),
            interval=share_span(words, chances.iloc[0]),
            pairs=words.number(found.pairs),
            **about,
        ),
        cards_title=words("brief.chances", **about),
        cards=[_chance_card(words, row) for _, row in chances.iterrows()],
        drawing=Drawing(
            words("brief.equal_drawing", column=panel.title, unit=panel.unit),
            panel.drawing,
            words("brief.one_run" if single else "band.note"),
        ),
        beside=_gains(words, found, baseline, quarter),
        below=[
            Wide(
                "chances",
                words("equal_money.chances", quarter=words.quarter(quarter)),
                equal_money.chances_table(words, found, quarter),
                [equal_money.better_note(words, found)],
            ),
            Wide("costs", words("equal_money.policies"), equal_money.policies_table(words, found), costs),
        ],
        lists=[
            Listed(
                "sure",
                words("brief.sure"),
                [words(f"brief.{vary}", pairs=words.number(found.pairs)), *few(words, found.pairs), reproduced(words)],
            ),
            Listed(
                "assumed",
                words("brief.assumed_title"),
                [
                    resting_on(words, results, words.basis(chances.iloc[0])),
                    words("brief.scaled"),
                    *_of_all(words),
                ],
            ),
        ],
        footer=_footer(words, results),
    )


def _with_short_titles(found: EqualMoney) -> EqualMoney:
    """The answer with titles of its policies that fit in the figure and the tables."""
    titles = ("title", "title_zh")

    def short(scenario: Scenario) -> Scenario:
        cut = {}
        for name in titles:
            title, times, factor = getattr(scenario, name).rpartition(TIMES)
            cut[name] = start_of(title, _NAME if title.isascii() else _WIDE_NAME) + times + factor
        return scenario.model_copy(update=cut)

    return replace(found, scenarios=tuple(map(short, found.scenarios)))


def _better(chance: pd.Series) -> str:
    """What a chance says of the policy with the larger mean: better, not clear, or better in the mean only."""
    if chance["low"] > 0.5:
        return "better"
    return "better_in_mean" if chance["clear"] else "better_open"


def _chance_card(words: Words, chance: pd.Series) -> Card:
    return Card(
        words.quarterly(chance["quantity"]),
        share_text(words, chance["value"]),
        words("brief.interval", interval=share_span(words, chance)),
        "" if chance["clear"] else words("brief.even"),
    )


def _gains(words: Words, found: EqualMoney, baseline: str, quarter: str) -> Beside:
    """What each policy adds to the baseline, for each quantity."""
    rows = []
    for metric in found.quantities:
        about = words.unit(metric.unit)
        cells = [(words("number.bracketed", value=words.quarterly(metric.name), about=about), "")]
        for _, row in equal_money.effects(found, metric.name, quarter).iterrows():
            value, band = estimate_texts(words, row, metric.unit, signed=True)
            cells.append((value, "" if found.pairs == 1 else band))
        rows.append(cells)
    heads = [words("answers.outcome"), *equal_money.titles_of(words, found).values()]
    notes = [] if found.pairs == 1 else [words("brief.table_note")]
    return Beside("gains", words("brief.equal_gains", baseline=baseline), heads, rows, notes, wrap=True)


# --- a target


def _target(brief: TargetBrief, words: Words) -> Content:
    found, results = brief.found, brief.results
    base = start_of(words.scenario(found.base.model_dump()), TITLE)
    chance, cost = found.number("chance"), found.number("public_cost_yuan")
    before = found.number("chance", scenario=found.base.name)
    panel = tried_panel(words, found)
    yuan, band = estimate_texts(words, cost, "yuan", signed=True)
    shown = replace(found, levels=found.levels[:_LEVELS], settings=found.settings.iloc[:_SETTINGS])
    return Content(
        title=words("brief.target_title", baseline=base),
        question=start_of(target.asked_text(words, found), _ASKED),
        answer=target.verdict_text(words, found),
        cards_title=words("brief.target_found" if found.reachable else "brief.target_nearest"),
        cards=[
            Card(
                words("brief.target_chance"),
                share_text(words, chance["value"]),
                words("brief.interval", interval=share_span(words, chance)),
                "" if found.reachable else words("brief.unreached"),
            ),
            Card(
                words("brief.target_cost"),
                words("headline.baseline_value", value=yuan, unit=words.unit("yuan")),
                words("brief.range", range=band),
                "",
            ),
            Card(
                words("brief.target_before"),
                share_text(words, before["value"]),
                words("brief.interval", interval=share_span(words, before)),
                "",
            ),
        ],
        above=[
            Wide(
                "settings",
                words("target.settings"),
                target.settings_table(words, shown),
                _more(words, len(found.settings) - len(shown.settings)),
            ),
            Wide(
                "levels",
                words("target.levels"),
                _without_basis(target.levels_table(words, shown)),
                [
                    words.sentences(
                        [
                            words("label.level", label=words.basis(chance)),
                            *_more(words, len(found.levels) - len(shown.levels)),
                        ]
                    )
                ],
            ),
        ],
        drawing=Drawing(
            panel.title, panel.drawing, words("brief.axes", axes=panel.unit, how=words("target.chart_key"))
        ),
        beside=_cost(words, found),
        lists=[
            Listed(
                "sure",
                words("brief.sure"),
                [
                    words(f"brief.{'runs_draws' if found.parameters_vary else 'runs_luck'}"),
                    *target.notes(words, found),
                    *few(words, found.runs),
                    reproduced(words),
                ],
            ),
            Listed(
                "assumed",
                words("brief.assumed_title"),
                [resting_on(words, results, words.basis(cost)), words("brief.free", baseline=base), *_of_all(words)],
            ),
        ],
        footer=_footer(words, results),
    )


def _without_basis(table: TextTable) -> TextTable:
    """The table of levels without what they rest on, which is the same for all and takes three lines in each row."""
    rows = [[level, *rest] for level, _, *rest in table.rows]
    return TextTable([table.heads[0], *table.heads[2:]], rows, table.words - 1)


def _more(words: Words, number: int) -> list[str]:
    """That so many rows more are in the report, if there are any."""
    return [words("brief.more_rows", number=words.number(number))] if number else []


def _cost(words: Words, found: Target) -> Beside:
    """The full public cost over the base and its parts."""
    table = target.cost_table(words, found)
    rows = [[*((cell, "") for cell in cells), (mean, band)] for *cells, mean, band in table.rows]
    return Beside("costs", words("target.cost"), table.heads[:-1], rows, [words("brief.table_note")], wrap=True)


# --- both


def _of_all(words: Words) -> list[str]:
    """What is assumed of the cost and of the day."""
    return [words("brief.full_cost"), words("brief.calibrated", day=words.date(CUT_OFF))]


def _footer(words: Words, results: Results) -> str:
    """As `note.footer`; the runs lie in a folder of the directory of the answer."""
    directory = printable(results.path.resolve().parent.name)
    return footer(words, results.manifest, f"srdi brief {directory}")
