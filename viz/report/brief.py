"""The note of one page: what a policy changes, for whom, at what cost, how sure that is and what is assumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from scenarios.analysis.comparison import COST_OF_FUNDS
from scenarios.analysis.equal_money import EqualMoney
from scenarios.analysis.incidence import NATION, incidence
from scenarios.analysis.intervals import BAND
from scenarios.analysis.metrics import COST_PARTS, CUMULATIVE_COST
from scenarios.analysis.reported import CUT_OFF
from scenarios.analysis.value import Assumptions, value
from scenarios.display.drawing import svg
from scenarios.errors import InputError, ResultsError, nearest, printable
from scenarios.files.labels import Label
from scenarios.records.layout import MANIFEST, RUNS
from scenarios.records.results import Results, load_results
from scenarios.records.storage import atomic_file, records
from scenarios.search.answers import Answers, load_answers
from scenarios.search.target_runs import Target
from viz import LANGUAGES
from viz.report.answer_briefs import EqualMoneyBrief, TargetBrief
from viz.report.note import (
    TITLE,
    Beside,
    Card,
    Content,
    Drawing,
    Listed,
    Note,
    few,
    footer,
    page,
    reproduced,
    resting_on,
    start_of,
)
from viz.report.panels import difference_chart
from viz.report.printing import one_page
from viz.report.sections import Sections
from viz.shared.compared import Compared
from viz.shared.gains import place_name
from viz.shared.ranges import Ranged, ranged
from viz.shared.units import unit_of
from viz.shared.worth import against_baseline, not_counted, reasons
from viz.words.language import Words

#: Forms of the note: name, and ending of its file.
FORMATS = ("pdf", "html")
#: The four numbers, and the one that is drawn and told by region.
NUMBERS = ("srdi_smes", "little_giants", "employment", CUMULATIVE_COST)
MAIN = NUMBERS[0]
_BY_REGION = (MAIN, "employment")
#: Marginal cost of public funds at which the note says whether the policy is worth it.
FUNDS = COST_OF_FUNDS[1]
#: Most characters of a scenario's description: the note has one page.
_DESCRIPTION = 220
#: Most files named of a directory that is refused.
_NAMED = 5


class Brief:
    """The note on a scenario of some results.

    Attributes:
        compared: the results. scenario: the one the note is about.
        numbers: rounded difference of each of NUMBERS at the end of the run, by its name.
    """

    def __init__(self, results: Results, *, baseline: str | None = None, scenario: str | None = None) -> None:
        self.compared = Compared(results, baseline)
        self.scenario = _choose(self.compared, scenario)
        self.numbers = {name: self._last(name) for name in NUMBERS}

    @property
    def label(self) -> Label:
        """What the differences rest on."""
        return self.compared.results.change_label(self.compared.baseline, self.scenario)

    @property
    def about(self) -> dict[str, Any]:
        """Names of the baseline and the scenario."""
        return {"baseline": self.compared.baseline, "scenario": self.scenario}

    def records(self) -> list[dict]:
        """The four numbers as plain values for JSON; None for the ends of a single run."""
        rows = [
            {"quantity": name, **{key: getattr(found, key) for key in ("unit", "value", "low", "high", "clear")}}
            for name, found in self.numbers.items()
        ]
        return records(pd.DataFrame(rows).assign(**self.label.columns))

    def _last(self, quantity: str) -> Ranged:
        return ranged(self.compared.differences(self.scenario, quantity).iloc[-1], unit_of(quantity))

    def html(self, language: str) -> str:
        """The note as one HTML page that loads nothing."""
        words = Words(language)
        return page(_Text(self, words).content(), words)


def write_brief(
    results: Results,
    path: str | Path,
    *,
    baseline: str | None = None,
    scenario: str | None = None,
    language: str = LANGUAGES[0],
    answers: Answers | None = None,
) -> Note:
    """Write a note of one page, as PDF or as HTML; the same results give the same bytes.

    Args:
        results: from `scenarios.load_results`, with the baseline and at least one other scenario; with `answers`, from
            its `runs`.
        path: file to write, ending in .pdf or .html; replaced if it exists. PDF needs the extra ``pdf``.
        baseline: scenario compared with; None takes ``baseline``, or else the first.
        scenario: the one the note is about; None takes the other one if there is only one.
        language: one of `viz.LANGUAGES`.
        answers: of a directory of ``srdi equal-money`` or ``srdi target``; the note is about that answer, and chooses
            no scenario. None writes a note on a scenario.

    Returns:
        The note.

    Raises:
        InputError: an unknown scenario, none or several to choose from, one named beside an answer, another file
            ending, a file that cannot be written, or nothing that prints PDF.
        ResultsError: a table lacks rows.
    """
    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise InputError(f"{path} does not end in {' or '.join(f'.{each}' for each in FORMATS)}")
    brief = _note(results, baseline, scenario, answers)
    text = brief.html(language)
    content = one_page(text) if form == "pdf" else text.encode()
    try:
        with atomic_file(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    return brief


def load_for_brief(directory: Path) -> tuple[Results, Answers | None]:
    """The results that a note on a directory is made of, and the answers if it is about one, for `write_brief`.

    Raises:
        ResultsError: the directory has neither results nor an answer that a note can be about, or they are unfinished
            or damaged.
    """
    answers = load_answers(directory)
    if answers.runs != directory:
        return load_results(answers.runs), answers
    if directory.is_dir() and not any((directory / name).exists() for name in (MANIFEST, RUNS)):
        names = sorted(entry.name for entry in directory.iterdir())
        found = ", ".join(map(printable, names[:_NAMED])) + (", …" if len(names) > _NAMED else "")
        raise ResultsError(
            f"{directory} is nothing a note can be about: it has {found or 'no files'} (allowed: results, with "
            f"{MANIFEST}; the answer of srdi equal-money, with {EqualMoney.FILE}; that of srdi target, with "
            f"{Target.FILE})"
        )
    return load_results(directory), None


def _note(results: Results, baseline: str | None, scenario: str | None, answers: Answers | None) -> Note:
    """The note on an answer, or on a scenario; raises InputError if an answer has nothing to choose from."""
    found = answers and (answers.target or answers.equal_money)
    if not found:
        return Brief(results, baseline=baseline, scenario=scenario)
    for name, given in (("scenario", scenario), ("baseline", baseline)):
        if given is not None:
            raise InputError(
                f"{name} (--{name}) is {given!r}, but this note is about the answer of "
                f"{' '.join(found.COMMAND.split()[:2])} (allowed: none; {results.path} has its scenarios)"
            )
    return TargetBrief(found, results) if isinstance(found, Target) else EqualMoneyBrief.of(found, results)


def _choose(compared: Compared, scenario: str | None) -> str:
    """The scenario the note is about; raises InputError if there is none, or several and none is named."""
    known = ", ".join(compared.others)
    if not compared.others:
        raise InputError(f"{compared.results.path} has the scenario {compared.baseline} alone; a note compares two")
    if scenario is None and len(compared.others) > 1:
        raise InputError(f"scenario (--scenario) is missing: a note is about one scenario (allowed: {known})")
    chosen = scenario or compared.others[0]
    if chosen not in compared.others:
        hint = nearest(chosen, compared.others)
        raise InputError(f"scenario (--scenario) is {chosen!r}{hint} (allowed beside the baseline: {known})")
    return chosen


class _Text:
    """The note in one language."""

    def __init__(self, brief: Brief, words: Words) -> None:
        self.brief, self.compared, self.words = brief, brief.compared, words
        self.sections = Sections(brief.compared, words)
        titles = self.sections.titles
        self.title, self.baseline = (
            start_of(titles[name], TITLE) for name in (brief.scenario, brief.compared.baseline)
        )
        self.runs = brief.compared.runs_each

    def content(self) -> Content:
        """All of it."""
        words, manifest = self.words, self.compared.results.manifest
        first, last = (words.quarter(manifest[end]) for end in ("first_quarter", "last_quarter"))
        about = next(each for each in manifest["scenarios"] if each["name"] == self.brief.scenario)
        return Content(
            title=self.title,
            question=words("brief.question", scenario=self.title, baseline=self.baseline, first=first, last=last),
            description=start_of(words.description(about), _DESCRIPTION),
            cards_title=words("brief.numbers", baseline=self.baseline, when=self.sections.when),
            cards=[self._card(name) for name in NUMBERS],
            drawing=Drawing(
                words("brief.drawing", column=words.column(MAIN), unit=words.unit(unit_of(MAIN))),
                self._drawing(),
                words("brief.drawing_note_one" if self.sections.single else "brief.drawing_note"),
            ),
            beside=self._gains(),
            lists=[
                Listed("costs", words("brief.costs"), self._costs()),
                Listed("sure", words("brief.sure"), self._sure()),
                Listed("assumed", words("brief.assumed_title"), self._assumed()),
            ],
            footer=footer(
                words,
                manifest,
                f"srdi brief {printable(self.compared.results.path.resolve().name)} "
                f"--baseline {self.compared.baseline} --scenario {self.brief.scenario}",
            ),
        )

    def _card(self, quantity: str) -> Card:
        words, found = self.words, self.brief.numbers[quantity]
        text = words("headline.baseline_value", value=found.text(words), unit=words.unit(found.unit))
        return Card(words(f"brief.{quantity}"), text, self._range(found), self._verdict(found))

    def _range(self, found: Ranged) -> str:
        return "" if self.sections.single else self.words("brief.range", range=found.range(self.words))

    def _verdict(self, found: Ranged) -> str:
        if self.sections.single:
            return self.words("brief.one_run")
        return "" if found.clear else self.words("brief.open")

    def _drawing(self) -> Markup:
        words, unit, year = self.words, unit_of(MAIN), self.compared.last.year
        differences = self.compared.differences(self.brief.scenario, MAIN)
        ends = {name: differences.quantile(end, axis=1) for name, end in zip(("low", "high"), BAND, strict=True)}
        effects = pd.DataFrame({"mean": differences.mean(axis=1), **ends})
        look = self.sections.looks[self.brief.scenario]
        drawing = difference_chart(effects, look, lambda number: words.value(number, unit, signed=True))
        last = self.brief.numbers[MAIN].text(words)
        alt = words("effect.alt", column=words.column(MAIN), scenario=self.title, last=last, last_year=year)
        return Markup(svg(drawing, alt))

    def _gains(self) -> Beside:
        """The table by region, and who clearly gains or loses."""
        words, compared = self.words, self.compared
        found = incidence(compared.results, "region", compared.baseline, quantities=_BY_REGION)
        now = found.by_place(self.brief.scenario)
        changes = {
            quantity: {place: row["change"] for place, row in places.items()} for quantity, places in now.items()
        }
        rows = [
            [
                (place_name(words, "region", place), ""),
                *(self._cell(_of_row(changes[quantity][place])) for quantity in _BY_REGION),
            ]
            for place in changes[MAIN]
        ]
        heads = [
            words("number.bracketed", value=words(f"brief.{quantity}"), about=words.unit(unit_of(quantity)))
            for quantity in _BY_REGION
        ]
        places = {place: change for place, change in changes[MAIN].items() if place != NATION}
        gain, lose = (
            words.joined([place_name(words, "region", place) for place, change in places.items() if sure(change)])
            for sure in (lambda change: change["low"] > 0.0, lambda change: change["high"] < 0.0)
        )
        key = "who_both" if gain and lose else "who_gain" if gain else "who_lose" if lose else "who_none"
        return Beside(
            "gains",
            words("section.gains"),
            [words("gain.place_region"), *heads],
            rows,
            [] if self.sections.single else [words("brief.table_note")],
            words(f"brief.{key}", gain=gain, lose=lose, column=words.column(MAIN)),
        )

    def _cell(self, found: Ranged) -> tuple[str, str]:
        """A change and its range, which is empty for a single run."""
        return found.text(self.words), "" if self.sections.single else found.range(self.words)

    def _costs(self) -> list[str]:
        words, compared, name = self.words, self.compared, self.brief.scenario
        total = self.brief.numbers[CUMULATIVE_COST]
        parts = {
            part: ranged(compared.differences(name, quantity).iloc[-1], "yuan") for part, quantity in COST_PARTS.items()
        }
        texts = [
            words(
                "brief.cost_one" if self.sections.single else "brief.cost",
                total=total.text(words),
                range=total.range(words),
                year=compared.last.year,
                **{part: found.text(words) for part, found in parts.items()},
            )
        ]
        by_year = compared.differences(name, "public_cost_yuan")
        if len(by_year) and total.value:
            most = by_year.mean(axis=1).abs().idxmax()
            found = ranged(by_year.loc[most], "yuan")
            texts.append(words("brief.peak", year=most.year, amount=found.text(words)))
        return [*texts, *self._worth()]

    def _worth(self) -> list[str]:
        """Whether the policy is worth it, or why that cannot be told."""
        words, name = self.words, self.brief.scenario
        found = value(self.compared.results, self.compared.baseline)
        rows = against_baseline(found, name)
        ratio = _at(rows, "benefit_cost", FUNDS)
        if pd.isna(ratio["value"]):
            net = _of_row(_at(rows, "net_benefit_yuan", FUNDS))
            text = words("brief.net", net=net.text(words), funds=words.number(FUNDS))
            said = reasons(words, found, name)[:1]
            return [words.sentences([text, *said])]
        ends = _of_row(ratio)
        free, dear = (_of_row(_at(rows, "benefit_cost", each)) for each in (COST_OF_FUNDS[0], COST_OF_FUNDS[2]))
        key = "ratio" if not pd.isna(ratio["low"]) else "ratio_one"
        return [
            words(
                f"brief.{key}",
                ratio=ends.text(words, False),
                range=ends.range(words, False),
                funds=words.number(FUNDS),
                free=free.text(words, False),
                dear=dear.text(words, False),
                dear_funds=words.number(COST_OF_FUNDS[2]),
            )
        ]

    def _sure(self) -> list[str]:
        words, compared = self.words, self.compared
        pairs = words.number(self.runs)
        if self.sections.single:
            texts = [words("brief.sure_one")]
        else:
            vary = compared.results.manifest["draws"] > 1
            texts = [words("brief.sure_draws" if vary else "brief.sure_luck", pairs=pairs)]
            texts.append(words("brief.agree", pairs=pairs, counts=words.joined(self._agreement())))
            texts += few(words, compared.units)
        return [*texts, reproduced(words)]

    def _agreement(self) -> list[str]:
        """In how many pairs each number has the sign of its mean."""
        words, texts = self.words, []
        for quantity in NUMBERS:
            runs = self.compared.differences(self.brief.scenario, quantity).iloc[-1]
            more = runs.mean() > 0.0
            count = int(((runs > 0.0) if more else (runs < 0.0)).sum())
            key = "same" if not runs.any() else "more" if more else "less"
            texts.append(words(f"brief.{key}", quantity=words(f"brief.{quantity}"), count=words.number(count)))
        return texts

    def _assumed(self) -> list[str]:
        words, results, given = self.words, self.compared.results, Assumptions()
        return [
            resting_on(words, results, words.label(self.brief.label)),
            words(
                "brief.assumed",
                share=words.percent(given.value_added_share),
                rate=words.percent(given.discount_rate),
                funds=words.number(FUNDS),
            ),
            words("brief.not_counted", items=words("brief.semicolon").join(not_counted(words))),
            words("brief.calibrated", day=words.date(CUT_OFF)),
        ]


def _of_row(row: pd.Series) -> Ranged:
    """A number of an analysis."""
    return Ranged(value=row["value"], low=row["low"], high=row["high"], unit=row["unit"])


def _at(rows: pd.DataFrame, quantity: str, funds: float) -> pd.Series:
    """The row of a quantity at a marginal cost of public funds."""
    return rows[(rows["quantity"] == quantity) & (rows["cost_of_funds"] == funds)].iloc[0]
