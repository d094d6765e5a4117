"""The note of one page: what a policy changes, for whom, at what cost, how sure that is and what is assumed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from scenarios.analysis.comparison import COST_OF_FUNDS
from scenarios.analysis.incidence import NATION, incidence
from scenarios.analysis.intervals import BAND, MIN_PAIRS
from scenarios.analysis.metrics import COST_PARTS, CUMULATIVE_COST
from scenarios.analysis.reported import CUT_OFF
from scenarios.analysis.value import Assumptions, value
from scenarios.display.drawing import svg
from scenarios.errors import InputError, nearest, printable
from scenarios.files.labels import Label
from scenarios.records.results import Results
from scenarios.records.storage import atomic_file, records
from viz import LANGUAGES
from viz.report.panels import difference_chart
from viz.report.printing import one_page
from viz.report.sections import Sections
from viz.shared.calibrated import packaged_validation
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
#: Most characters of a title and of a scenario's description: the note has one page.
_TITLE, _DESCRIPTION = 70, 220


@dataclass(frozen=True)
class Number:
    """One of the four numbers: title, value with unit, range, and whether it is clear, in words."""

    title: str
    value: str
    range: str
    verdict: str


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
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        package = files("viz.report")
        template = environment.from_string(package.joinpath("brief.html.jinja").read_text(encoding="utf-8"))
        css = Markup(package.joinpath("brief.css").read_text(encoding="utf-8"))
        return template.render(_Text(self, Words(language)).context() | {"css": css}) + "\n"


def write_brief(
    results: Results,
    path: str | Path,
    *,
    baseline: str | None = None,
    scenario: str | None = None,
    language: str = LANGUAGES[0],
) -> Brief:
    """Write a note of one page, as PDF or as HTML; the same results give the same bytes.

    Args:
        results: from `scenarios.load_results`, with the baseline and at least one other scenario.
        path: file to write, ending in .pdf or .html; replaced if it exists. PDF needs the extra ``pdf``.
        baseline: scenario compared with; None takes ``baseline``, or else the first.
        scenario: the one the note is about; None takes the other one if there is only one.
        language: one of `viz.LANGUAGES`.

    Returns:
        The note.

    Raises:
        InputError: an unknown scenario, none or several to choose from, another file ending, a file that cannot be
            written, or nothing that prints PDF.
        ResultsError: a table lacks rows.
    """
    path = Path(path)
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMATS:
        raise InputError(f"{path} does not end in {' or '.join(f'.{each}' for each in FORMATS)}")
    brief = Brief(results, baseline=baseline, scenario=scenario)
    page = brief.html(language)
    content = one_page(page) if form == "pdf" else page.encode()
    try:
        with atomic_file(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    return brief


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
        self.title, self.baseline = (_start(titles[name], _TITLE) for name in (brief.scenario, brief.compared.baseline))
        self.runs = brief.compared.runs_each

    def context(self) -> dict:
        """All variables of the template."""
        words, manifest = self.words, self.compared.results.manifest
        first, last = (words.quarter(manifest[end]) for end in ("first_quarter", "last_quarter"))
        about = next(each for each in manifest["scenarios"] if each["name"] == self.brief.scenario)
        return {
            "t": words,
            "title": self.title,
            "single": self.sections.single,
            "question": words("brief.question", scenario=self.title, baseline=self.baseline, first=first, last=last),
            "description": _start(words.description(about), _DESCRIPTION),
            "numbers_title": words("brief.numbers", baseline=self.baseline, when=self.sections.when),
            "numbers": [self._number(name) for name in NUMBERS],
            "drawing": self._drawing(),
            "drawing_title": words("brief.drawing", column=words.column(MAIN), unit=words.unit(unit_of(MAIN))),
            "drawing_note": words("brief.drawing_note_one" if self.sections.single else "brief.drawing_note"),
            **self._gains(),
            "costs": self._costs(),
            "sure": self._sure(),
            "assumed": self._assumed(),
            "footer": words(
                "brief.footer",
                version=manifest["versions"]["srdi"],
                date=words.date(datetime.fromisoformat(manifest["started"]).date()),
                weight=words.number(1.0 / manifest["scale"]),
                command=f"srdi brief {printable(self.compared.results.path.resolve().name)} "
                f"--baseline {self.compared.baseline} --scenario {self.brief.scenario}",
            ),
        }

    def _number(self, quantity: str) -> Number:
        words, found = self.words, self.brief.numbers[quantity]
        text = words("headline.baseline_value", value=found.text(words), unit=words.unit(found.unit))
        return Number(words(f"brief.{quantity}"), text, self._range(found), self._verdict(found))

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

    def _gains(self) -> dict:
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
        return {
            "heads": [words("gain.place_region"), *heads],
            "rows": rows,
            "gains_text": words(f"brief.{key}", gain=gain, lose=lose, column=words.column(MAIN)),
        }

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
            if compared.units < MIN_PAIRS:
                texts.append(words("brief.few", pairs=words.number(compared.units), enough=MIN_PAIRS))
        targets = packaged_validation().results["targets"]
        inside = sum(bool(row["inside"]) for row in targets)
        texts.append(words("brief.reproduced", inside=words.number(inside), all=words.number(len(targets))))
        return texts

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
            words.sentences(
                [
                    words("brief.basis", label=words.label(self.brief.label)),
                    words.strengths(results.lever_labels),
                ]
            ),
            words(
                "brief.assumed",
                share=words.percent(given.value_added_share),
                rate=words.percent(given.discount_rate),
                funds=words.number(FUNDS),
            ),
            words("brief.not_counted", items=words("brief.semicolon").join(not_counted(words))),
            words("brief.calibrated", day=words.date(CUT_OFF)),
        ]


def _start(text: str, most: int) -> str:
    """The start of a text that is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _of_row(row: pd.Series) -> Ranged:
    """A number of an analysis."""
    return Ranged(value=row["value"], low=row["low"], high=row["high"], unit=row["unit"])


def _at(rows: pd.DataFrame, quantity: str, funds: float) -> pd.Series:
    """The row of a quantity at a marginal cost of public funds."""
    return rows[(rows["quantity"] == quantity) & (rows["cost_of_funds"] == funds)].iloc[0]
