"""The report of results: one self-contained HTML page."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from scenarios.errors import InputError, printable
from scenarios.records.results import Results
from scenarios.records.storage import atomic_file
from scenarios.search.answers import Answers, load_answers
from viz import LANGUAGES
from viz.report.answers import missing, sections_of
from viz.report.background import descriptions, sentences
from viz.report.caveats import caveats, lever_sources, misses
from viz.report.costs import costs_per_firm, spending
from viz.report.doubt import tornado
from viz.report.gains import gains
from viz.report.maps import COLUMN, maps
from viz.report.payments import payments
from viz.report.sections import Sections
from viz.report.worth import worth
from viz.shared import province_squares
from viz.shared.compared import Compared
from viz.shared.known import province_remark
from viz.shared.units import unit_of
from viz.shared.worth import assumptions, not_counted
from viz.words.language import Words

#: Sections of every page, in order; their titles are in the word tables. Those on answers of further commands, if any
#: are kept beside the results, come after `value`.
SECTIONS = (
    *("headlines", "run", "fans", "effects", "map", "gains", "costs", "cash", "value", "chains", "doubt"),
    "caveats",
)
_ENDINGS = (".html", ".htm")


def write_report(
    results: Results,
    path: str | Path,
    *,
    baseline: str | None = None,
    language: str = LANGUAGES[0],
    answers: Answers | None = None,
) -> Compared:
    """Write results as one HTML page; the same results give the same bytes.

    Args:
        results: from `scenarios.load_results`.
        path: file to write, ending in .html; replaced if it exists.
        baseline: scenario with which the others are compared; None takes that of a kept answer whose command has made
            the runs, or else ``baseline``, or else the first.
        language: one of `viz.LANGUAGES`.
        answers: of further commands on these results; None takes those in their directory.

    Returns:
        The compared results.

    Raises:
        InputError: unknown baseline, another file ending, or a file that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in _ENDINGS:
        raise InputError(f"{path} does not end in {' or '.join(_ENDINGS)}; the report is an HTML page")
    answers = load_answers(results.path) if answers is None else answers
    compared = compared_by(results, baseline, answers)
    page = render(compared, language, answers)
    try:
        with atomic_file(path) as draft:
            draft.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    return compared


def compared_by(results: Results, baseline: str | None, answers: Answers) -> Compared:
    """The scenarios of a report: those of an answer whose command has made the runs, or else all.

    Of a decomposition they are the policy and what it is split against, not every combination of its parts.
    """
    for own, others in answers.compared:
        names = [own, *others]
        known = {scenario["name"] for scenario in results.manifest["scenarios"]}
        if known.issuperset(names):
            chosen = own if baseline is None else baseline
            return Compared(results, chosen, [name for name in names if name != chosen])
    return Compared(results, baseline)


def render(compared: Compared, language: str, answers: Answers | None = None) -> str:
    """The page as text; answers as in `write_report`."""
    words = Words(language)
    answers = load_answers(compared.results.path) if answers is None else answers
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    package = files("viz.report")
    template = environment.from_string(package.joinpath("document.html.jinja").read_text(encoding="utf-8"))
    css = Markup(package.joinpath("document.css").read_text(encoding="utf-8"))
    return template.render(_context(Sections(compared, words), words, answers) | {"css": css}) + "\n"


def _context(sections: Sections, words: Words, answers: Answers) -> dict:
    """All variables of the template."""
    compared, manifest = sections.compared, sections.compared.results.manifest
    titles = [sections.titles[name] for name in compared.names]
    first, last = (words.quarter(manifest[end]) for end in ("first_quarter", "last_quarter"))
    missed_in_words, missed = misses(sections)
    answered = sections_of(sections, answers)
    directory = printable(compared.results.path.resolve().name)
    after = SECTIONS.index("value") + 1
    return {
        "t": words,
        "sections": (*SECTIONS[:after], *answered, *SECTIONS[after:]),
        "answers": answered,
        "missing": missing(sections, list(answered), directory),
        "title": words("page.title", scenarios=words.joined(titles)),
        "intro": words("page.intro", first=first, last=last, baseline=titles[0]),
        "footer": words("page.footer", version=manifest["versions"]["srdi"]),
        "baseline": titles[0],
        "alone": not compared.others,
        "single": sections.single,
        "when": sections.when,
        "key": sections.key(),
        "headlines": sections.headlines(),
        "sentences": sentences(sections),
        "directory": directory,
        "descriptions": descriptions(sections),
        "fans": sections.fans(),
        "effects": sections.effects(),
        "sample": words(
            "effect.draws" if 1 < manifest["draws"] < compared.runs_each else "effect.pairs",
            pairs=words.number(compared.runs_each),
            draws=words.number(manifest["draws"]),
            replicates=words.number(manifest["replicates"]),
        ),
        "maps": maps(sections),
        "places": province_remark(words, COLUMN),
        "map_unit": words.unit(unit_of(COLUMN)),
        "square": {"size": province_squares.SIZE, "width": province_squares.WIDTH, "height": province_squares.HEIGHT},
        "spending": spending(sections),
        "costs": costs_per_firm(sections),
        "chains": sections.chains(),
        "gains": gains(sections),
        "payments": payments(sections),
        "worth": worth(sections),
        "assumptions": assumptions(words, compared.results, sections.titles),
        "not_counted": not_counted(words),
        "tornado": tornado(sections),
        "caveats": caveats(sections),
        "misses": missed_in_words,
        "missed": missed,
        "sources": lever_sources(sections),
    }
