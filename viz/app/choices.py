"""What the choices in an address may be, and what is said of others; settings of the policy are checked elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

import numpy as np

from scenarios.errors import Fault, InputError
from scenarios.records.layout import PARAMETER_DRAWS
from sim.calendar import START, Quarter
from sim.records.outputs import OPTIONAL_TABLES, TABLES
from viz import LANGUAGES
from viz.app import charts, share, state
from viz.app.about import ABOUT
from viz.app.address import MOST_SAVED
from viz.app.downloads import CENTRAL, ENSEMBLE
from viz.app.faults import names_text, range_text
from viz.app.pages.map import SHOWN, measure_title
from viz.app.state import Session
from viz.app.stories import stories
from viz.app.total import MOST, is_total
from viz.live.regions import MEASURES
from viz.live.why import DIMENSIONS
from viz.shared.gains import QUANTITIES_BY
from viz.shared.province_squares import LAYOUT
from viz.shared.quantities import ENDS
from viz.words.language import Words


@dataclass(frozen=True)
class Rule:
    """What a choice may be.

    Attributes:
        allows: whether a text of the address is allowed. text: what is allowed, as part of a sentence.
    """

    allows: Callable[[str], bool]
    text: Callable[[Words], str]


def tell_choices(session: Session, query: str) -> None:
    """Say which choices of an address are not allowed, in the page's message, and leave them at their defaults.

    The first is told in full, of others there are only the names: lists of what is allowed are long.
    """
    faults = faults_of(session, query)
    if not faults:
        return
    session.leave_out([fault.key for fault in faults])
    # The policy of the address may be at fault as well.
    first, further = (session.fault, faults) if session.fault else (_refused(faults[0]), faults[1:])
    about = {"first": first, "keys": [fault.key for fault in further]}
    session.tell(_refused(Fault("further", about=about)) if further else first)


def faults_of(session: Session, query: str) -> list[Fault]:
    """What is wrong with the choices of an address, in its order."""
    pairs, rules = parse_qsl(query), _rules(session)
    faults = [
        Fault("choice", key, text, {"allowed": rules[key].text})
        for key, text in dict(pairs).items()
        if key in rules and not rules[key].allows(text)
    ]
    kept = sum(key == "policy" for key, _ in pairs)
    if kept > MOST_SAVED:
        faults.append(Fault("choice", "policy", kept, {"allowed": _most_kept}))
    return faults


def unknown_firm(text: str) -> InputError:
    """The error of a firm that is none of those listed, which depend on the policy."""
    return _refused(Fault("choice", "firm", text, {"allowed": _listed}))


def _refused(fault: Fault) -> InputError:
    return InputError(f"{fault.key} in the address is not allowed", fault)


def _rules(session: Session) -> dict[str, Rule]:
    """The rules by key; a choice about which nothing is known yet has none."""
    years = charts.years_of(session)
    horizon = _years(years[1:] or years)
    chosen = session.chosen("horizon")
    last = int(chosen) if horizon.allows(chosen) else years[-1]
    rules = {
        "lang": _one_of(LANGUAGES, lambda words, name: words(f"app.language_{name}")),
        "dark": _one_of("01", lambda words, name: words("app.dark" if name == "1" else "app.light")),
        "measure": _one_of(MEASURES, measure_title),
        "shown": _one_of(SHOWN, lambda words, name: words(f"provinces.shown_{name}")),
        "quarter": _quarters(session.runner.until),
        "province": _one_of(LAYOUT, lambda words, name: words.province(name)),
        "table": _one_of((*TABLES, *OPTIONAL_TABLES, PARAMETER_DRAWS), lambda words, name: words(f"data.table_{name}")),
        "runs": _one_of((ENSEMBLE, CENTRAL), lambda words, name: words(f"data.{name}", runs=session.runner.members)),
        "about": _one_of(ABOUT, lambda words, name: words(f"data.about_{name}")),
        "over_time": _one_of(ENDS, lambda words, name: words.column(name)),
        "by": _one_of(DIMENSIONS, lambda words, name: words(f"policy.by_{name}")),
        "gain_by": _one_of(QUANTITIES_BY, lambda words, name: words(f"money.by_{name}")),
        "charts": _one_of(charts.CHARTS, lambda words, name: words(f"policy.charts_{name}")),
        # No chart is shorter than two years.
        "since": _years(years[: last - years[0]] or years, "since"),
        "horizon": horizon,
        "total": Rule(is_total, lambda words: _number(words, "number", {"gt": 0.0, "le": MOST}, "yuan")),
        "story": _one_of(stories(), lambda words, name: stories()[name].text(words, "question")),
        "chart": _one_of(share.CHARTS, share.chart_title),
    }
    if session.runner.ready(0):
        rules["chain"] = _chains(len(np.unique(session.runner.baseline_run(0).tables["chain"]["chain"])))
    directories = state.served.results if state.served else {}
    rules["source"] = _one_of(directories, lambda words, name: name)
    if source := directories.get(session.chosen("source")):
        titles = {each["name"]: each for each in source.manifest["scenarios"]}
        rules["against"] = _one_of(titles, lambda words, name: words.scenario(titles[name]))
    return rules


def _one_of(names: Iterable[str], title: Callable[[Words, str], str]) -> Rule:
    known = list(names)

    def text(words: Words) -> str:
        if not known:
            return words("fault.allowed_none")
        return words("fault.allowed_choice", names=names_text(words, [(name, title(words, name)) for name in known]))

    return Rule(known.__contains__, text)


def _years(years: range, kind: str = "year") -> Rule:
    return Rule(
        lambda text: text in map(str, years),
        lambda words: words(f"fault.allowed_{kind}", first=years[0], last=years[-1]),
    )


def _quarters(until: int) -> Rule:
    first, last = str(START), f"{until}Q4"
    known = {str(START + number) for number in range(Quarter.parse(last) - START + 1)}
    return Rule(
        known.__contains__,
        lambda words: words("fault.allowed_quarter", first=words.quarter(first), last=words.quarter(last)),
    )


def _chains(number: int) -> Rule:
    known = {str(each) for each in range(1, number + 1)}
    return Rule(known.__contains__, lambda words: _number(words, "count", {"ge": 1, "le": number}))


def _number(words: Words, kind: str, bounds: dict[str, float], unit: str = "") -> str:
    return words(f"fault.allowed_{kind}", range=range_text(words, bounds, unit))


def _listed(words: Words) -> str:
    return words("fault.allowed_firm")


def _most_kept(words: Words) -> str:
    return words("fault.allowed_kept", most=MOST_SAVED)
