"""What is taken away from the policy page: its link, a note of one page, a chart for another page, and print."""

from __future__ import annotations

from datetime import date
from functools import partial
from html import escape
from importlib.util import find_spec

import solara

from viz.app import charts
from viz.app.changes import changes_table
from viz.app.downloads import brief_file
from viz.app.elements import Copied, CopyLink, MadeFile, choice, code, heading, html_table, note, remark_on
from viz.app.sources import source
from viz.app.state import Session, is_computing, link_to, use_session
from viz.live.session import Answer
from viz.report.brief import FORMATS
from viz.shared.known import remark
from viz.words.language import Words

#: Path of the page that shows one chart, in a frame of another page.
EMBED = "/embed"
#: National quantities with a chart, in order.
FANS = ("little_giants", "srdi_smes", "innovative_smes", "rd_true_yuan", "employment", "productivity_index")
#: The charts of the policy page by their names in addresses: function of `viz.app.charts`, and the quantity, if any.
CHARTS: dict[str, tuple] = {
    **{quantity: (charts.fan, quantity) for quantity in FANS},
    "spending": (charts.spending,),
    "chains": (charts.chain_health,),
}
_TYPES = {"pdf": "application/pdf", "html": "text/html"}


def chart_title(words: Words, name: str) -> str:
    """Title of one of CHARTS."""
    return words.column(name) if name in FANS else words(f"policy.{name}")


def made_text(session: Session, answer: Answer) -> str:
    """What the charts of an answer are of, and today."""
    words = session.words
    return words("chart.made", source=source(session, answer), day=words.date(date.today()))


@solara.component
def OfAnswer(name: str) -> None:
    """A card with one of CHARTS of the latest answer."""
    session = use_session()
    answer = session.latest.value
    make_spec, *about = CHARTS[name]
    with solara.Div(classes=["srdi-card", "srdi-chart-card"]):
        if answer is not None:
            view = charts.View.of(session, answer)
            charts.show_latest(session, answer, make_spec(session, answer, *about, view))
            for quantity in about:
                remark_on(remark(session.words, quantity))


@solara.component
def Share():
    """The link, the note of one page, and a chart for another page."""
    session = use_session()
    words = session.words
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-share"]):
        heading(words("share.heading"))
        with solara.Div(classes=["srdi-row"]):
            CopyLink()
            note(words("share.link"))
        Notes()
        EmbedCode()


@solara.component
def Notes():
    """Buttons for the note of one page, once there is something to note."""
    session = use_session()
    words, answer = session.words, session.answer.value
    if answer is None or answer.is_baseline or is_computing(session):
        note(words("share.note_wait"))
        return
    scenario = session.scenario
    with solara.Div(classes=["srdi-row"]):
        for form in FORMATS:
            # What prints PDF is in an extra of its own.
            if form == "pdf" and find_spec("weasyprint") is None:
                continue
            MadeFile(
                label=words(f"share.note_{form}"),
                name=f"{scenario.name}-{words.language}.{form}",
                make=partial(brief_file, session.runner, answer, scenario, words.language, form),
                mime=_TYPES[form],
            ).key(f"{form} {scenario.name}")
        note(words("share.note_about"))


@solara.component
def EmbedCode():
    """A choice of charts, and the line of HTML that shows the chosen one in another page."""
    session = use_session()
    words, chosen = session.words, solara.use_reactive("")
    titles = {"": words("share.embed_choose"), **{name: chart_title(words, name) for name in CHARTS}}
    with solara.Div(classes=["srdi-row"]):
        choice(words("share.embed"), chosen.value, titles, chosen.set)
    if chosen.value:
        line = embed_line(session, chosen.value)
        note(words("share.embed_about"))
        code(line)
        Copied(words("share.embed_copy"), line)


def embed_line(session: Session, name: str) -> str:
    """An element of HTML that shows one of CHARTS; ORIGIN stands for the address of the server."""
    query = "&".join(filter(None, (f"chart={name}", session.query)))
    address, title = escape(link_to(EMBED, query)), escape(chart_title(session.words, name))
    style = "border: 0; width: 100%; height: 460px"
    return f'<iframe src="ORIGIN{address}" title="{title}" loading="lazy" style="{style}"></iframe>'


@solara.component
def EmbedPage():
    """One chart with what it is of and a link to the whole page."""
    session = use_session()
    words, answer = session.words, session.latest.value
    name = session.chosen("chart")
    if name not in CHARTS:
        note(words("share.no_chart", charts=", ".join(CHARTS)))
        return
    OfAnswer(name)
    with solara.Div(classes=["srdi-row", "srdi-embedded"]):
        if answer is not None:
            note(made_text(session, answer))
        solara.HTML(
            tag="a",
            attributes={"href": link_to("/", session.query_without("chart")), "target": "_blank", "rel": "noopener"},
            unsafe_innerHTML=escape(words("share.full")),
        )


@solara.component
def Printed():
    """On paper, in place of the levers: what the policy changes, and what the numbers are of."""
    session = use_session()
    words, answer, settings = session.words, session.answer.value, session.settings.value
    with solara.Div(classes=["srdi-printed"]):
        if settings:
            heading(words("share.settings"))
            html_table(changes_table(settings, words), words("share.settings"), cards=False)
        if answer is not None:
            note(made_text(session, answer))
