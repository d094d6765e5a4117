"""The calibration page: model fit, learned parameters and forecasts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from html import escape

import solara

from scenarios.ensembles.parameter_draws import POSTERIOR, read_parameter_draws
from viz.app import fit_charts, fit_tables, state
from viz.app.elements import heading, html_table, note
from viz.app.sources import fit_source
from viz.app.state import Session, use_session
from viz.app.widgets.chart import Chart
from viz.live.fitted import (
    by_role,
    by_series,
    directions_of,
    figures_of,
    forecasts_of,
    national_series,
    parameters_of,
    roles_of_facts,
)
from viz.shared.calibrated import Validation, packaged_summary, packaged_validation
from viz.shared.texts import TextTable
from viz.words.declared import declared

#: Quantities whose forecasts are drawn, in order.
DRAWN = ("srdi_smes", "little_giants")
_SCORING = ("srdi validate --actuals realised.toml --out results/validation", "srdi ui --validation results/validation")


def shown_validation() -> Validation:
    """The validation the server was started with, or the packaged one."""
    served = state.served
    return packaged_validation() if served is None or served.validation is None else served.validation


@solara.component
def CalibrationPage():
    """All evidence on how far the model can be trusted."""
    with solara.Div(classes=["srdi-stack"]):
        InShort()
        Figures()
        Forecasts()
        Score()
        Hindcast()
        Parameters()
        Directions()
        Facts()


@solara.component
def InShort():
    """Summary of the page in sentences."""
    session = use_session()
    words, shown, summary = session.words, shown_validation(), packaged_summary()
    rows = by_role(figures_of(shown.results))
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
        heading(words("fit.title"))
        note(
            words(
                "fit.intro",
                written=words.date(datetime.fromisoformat(summary["written"]).date()),
                cut_off=words.date(date.fromisoformat(summary["cut_off"])),
                runs=words.number(summary["runs"]),
                fit_scale=f"{summary['settings']['scale']:g}",
                draws=words.number(shown.results["draws"]),
                scale=f"{shown.results['scale']:g}",
            )
        )
        if not shown.results.get("model_unchanged", True):
            _paragraph(words("fit.changed"))
        sentences = fit_tables.short(words, rows, summary, forecasts_of(shown.forecasts["forecasts"]))
        solara.HTML(
            tag="ul",
            classes=["srdi-list"],
            unsafe_innerHTML="".join(f"<li>{escape(sentence)}</li>" for sentence in sentences),
        )


@solara.component
def Figures():
    """Reported and simulated figures by role."""
    session = use_session()
    words, figures = session.words, figures_of(shown_validation().results)
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
        heading(words("fit.figures"))
        note(words("fit.figures_note" if figures else "fit.no_figures"))
        for role, of_role in by_role(figures).items():
            national = [figure for figure in of_role if not figure.province]
            if national:
                Chart(
                    spec=fit_charts.deviation_chart(session, role, national),
                    version=_version(session),
                    source=fit_source(session),
                )
                Details(words("fit.more"), fit_tables.figure_table(words, national), fit_tables.role_title(words, role))
            for series in by_series(of_role).values():
                ProvinceFigures(role, series[0].series)


@solara.component
def ProvinceFigures(role: str, series: str) -> None:
    """One series of provincial figures, drawn when opened."""
    session = use_session()
    words = session.words
    opened, set_opened = solara.use_state(False)
    known = figures_of(shown_validation().results)
    figures = [f for f in known if f.role == role and f.province and f.series == series]
    title = words(
        "fit.provinces_more",
        title=fit_tables.quantity_title(words, figures[0].quantity),
        when=words.month(figures[0].date),
        of=len(figures),
        inside=sum(figure.inside for figure in figures),
    )
    _toggle(title, opened, set_opened)
    if opened:
        Chart(spec=fit_charts.province_chart(session, figures), version=_version(session), source=fit_source(session))
        html_table(fit_tables.place_table(words, figures), title)
        note(declared(figures[0].source, words))


@solara.component
def Forecasts():
    """National forecasts as charts and a table; provincial ones as a table."""
    session = use_session()
    words, shown, summary = session.words, shown_validation(), packaged_summary()
    forecasts = forecasts_of(shown.forecasts["forecasts"])
    national = national_series(forecasts)
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
        heading(words("fit.forecasts"))
        if not forecasts:
            note(words("fit.no_forecasts"))
            return
        cut_off = words.date(date.fromisoformat(shown.forecasts.get("cut_off", summary["cut_off"])))
        note(
            words(
                "fit.forecasts_note",
                cut_off=cut_off,
                draws=words.number(shown.results["draws"]),
                scale=f"{shown.results['scale']:g}",
            )
        )
        with solara.Div(classes=["srdi-cards"]):
            for quantity in DRAWN:
                if quantity in national:
                    with solara.Div():
                        Chart(
                            spec=fit_charts.forecast_chart(session, national[quantity]),
                            version=_version(session),
                            source=fit_source(session),
                        )
        heading(words("fit.national_table"), "h3")
        note(words("fit.forecast_cells"))
        html_table(fit_tables.forecast_table(words, forecasts), words("fit.national_table"))
        for quantity in dict.fromkeys(forecast.quantity for forecast in forecasts if forecast.province):
            title = words("fit.province_table", title=fit_tables.quantity_title(words, quantity))
            Details(title, fit_tables.province_table(words, forecasts, quantity), title)


@solara.component
def Score():
    """Forecasts scored against realised figures, or how to score them."""
    session = use_session()
    words, score = session.words, shown_validation().results.get("score")
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
        heading(words("fit.score"))
        if score is None:
            for text, command in zip(("fit.score_how", "fit.score_then"), _SCORING, strict=True):
                _paragraph(words(text))
                solara.HTML(tag="pre", classes=["srdi-code"], unsafe_innerHTML=escape(command))
            note(words("fit.score_file"))
            return
        _paragraph(fit_tables.score_text(words, score))
        html_table(fit_tables.score_table(words, score), words("fit.score"))
        heading(words("fit.realised_rows"), "h3")
        html_table(fit_tables.realised_table(words, score), words("fit.realised_rows"))


@solara.component
def Hindcast():
    """Forecasts from the figures until an earlier year end."""
    session = use_session()
    words, rows = session.words, packaged_summary()["hindcast"]
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
        heading(words("fit.hindcast"))
        if not rows:
            note(words("fit.no_hindcast"))
            return
        note(words("fit.hindcast_note"))
        _paragraph(fit_tables.hindcast_text(words, rows))
        html_table(fit_tables.hindcast_table(words, rows), words("fit.hindcast"))


@solara.component
def Parameters():
    """Prior and posterior of the fitted parameters, and those that are held."""
    session = use_session()
    words, summary = session.words, packaged_summary()
    draws = solara.use_memo(lambda: read_parameter_draws(POSTERIOR), [])
    parameters = solara.use_memo(lambda: parameters_of(summary, draws), [])
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
        heading(words("fit.parameters"))
        note(words("fit.parameters_note"))
        Chart(
            spec=fit_charts.parameter_chart(session, parameters), version=_version(session), source=fit_source(session)
        )
        html_table(fit_tables.parameter_table_of(words, parameters), words("fit.parameters"))
        if summary["held"]:
            held = words("fit.held_title", of=len(summary["held"]))
            Details(held, fit_tables.held_table(words, summary), held)


@solara.component
def Directions():
    """Combinations of parameters that the figures do not identify."""
    session = use_session()
    words, directions = session.words, directions_of(packaged_summary())
    with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
        heading(words("fit.directions"))
        _paragraph(fit_tables.directions_text(words, directions))
        Chart(
            spec=fit_charts.directions_chart(session, directions), version=_version(session), source=fit_source(session)
        )


@solara.component
def Facts():
    """Stylised facts, and estimates on simulated firms."""
    session = use_session()
    words, results = session.words, shown_validation().results
    facts, estimates = (results.get(key, []) for key in ("facts", "estimates"))
    seen = roles_of_facts(figures_of(results))
    if facts:
        with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
            heading(words("fit.facts"))
            _paragraph(fit_tables.facts_text(words, facts, seen))
            html_table(fit_tables.fact_table(words, facts, seen), words("fit.facts"))
    if estimates:
        with solara.Div(classes=["srdi-card", "srdi-stack", "srdi-fit"]):
            heading(words("fit.estimates"))
            _paragraph(fit_tables.estimates_text(words, estimates))
            html_table(fit_tables.estimate_table(words, estimates), words("fit.estimates"))


def _version(session: Session) -> str:
    """Version of the charts, which change only with the language."""
    return f"fit-{session.words.language}"


def _paragraph(text: str) -> None:
    solara.HTML(tag="p", unsafe_innerHTML=escape(text))


@solara.component
def Details(title: str, table: TextTable, caption: str) -> None:
    """A table that is built when opened."""
    opened, set_opened = solara.use_state(False)
    _toggle(title, opened, set_opened)
    if opened:
        html_table(table, caption)


def _toggle(title: str, opened: bool, on_value: Callable[[bool], None]) -> None:
    solara.Button(
        ("▾ " if opened else "▸ ") + title,
        on_click=lambda: on_value(not opened),
        text=True,
        small=True,
        classes=["srdi-plain", "srdi-toggle"],
        attributes={"aria-expanded": str(opened).lower()},
    )
