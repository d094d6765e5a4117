"""Mesa's own view of the model. Imported only by its page: it loads Matplotlib, Altair and Mesa's visualization."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import cache, partial
from html import escape
from typing import Any

import numpy as np
import solara
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findSystemFonts, fontManager
from matplotlib.ticker import FuncFormatter, NullLocator
from mesa.visualization import make_plot_component
from mesa.visualization.utils import update_counter

from scenarios.display.drawing import OKABE_ITO
from scenarios.files.loading import load_scenario
from sim.calendar import DEFAULT_UNTIL, START
from sim.model import SRDIModel
from viz.app.elements import table_html
from viz.app.live_controls import SCALE, Controls
from viz.app.state import use_session
from viz.app.widgets.panels import Described
from viz.words.language import Words

#: Quarters the plots initially have room for.
_FIRST_QUARTERS = 8
#: Plots: key of the title, unit of the vertical axis, whether it is logarithmic, and columns of the national table.
PLOTS = (
    ("ladder", "firms", True, ("innovative_smes", "srdi_smes", "little_giants")),
    ("certificates", "firms", False, ("little_giants_granted", "little_giants_lapsed")),
    ("productivity", "start = 100", False, ("productivity_index",)),
    ("research", "yuan per quarter", False, ("rd_reported_yuan", "rd_true_yuan")),
)
#: Totals of the national table that are listed.
TOTALS = (
    "firms",
    "employment",
    "innovative_smes",
    "srdi_smes",
    "little_giants",
    "clusters",
    "counties_with_little_giant",
)
#: Columns with a one-word name in legends.
_SHORT = ("little_giants_granted", "little_giants_lapsed", "rd_reported_yuan", "rd_true_yuan")
_UNITS = {"employment": "persons", "clusters": "clusters", "counties_with_little_giant": "counties"}
#: Fonts with simplified Chinese; the first one installed is used.
_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "STHeiti",
    "Heiti SC",
    "Noto Sans CJK JP",
    "Arial Unicode MS",
)
_DASHES = ("-", "--", ":")
#: Colours of lines, light and dark.
_LINES = {False: OKABE_ITO[:3], True: (OKABE_ITO[4], OKABE_ITO[5], OKABE_ITO[3])}
#: Colours of text, grid and background, light and dark: those of the page.
_LOOKS = {False: ("#1d2733", "#d9dfe6", "#ffffff"), True: ("#e8edf2", "#36414d", "#1b232c")}


class LiveModel(SRDIModel):
    """The model shown to one user; after `close` it never advances again.

    Mesa steps it in a separate thread while it plays, and the user may leave the page at any moment.
    """

    def __init__(
        self, scenario: str = "baseline", scale: float = SCALE, rng: int = 1, until: int = DEFAULT_UNTIL
    ) -> None:
        self._using, self._closed = threading.RLock(), False
        self.asked: dict[str, Any] = {"scenario": scenario, "scale": scale, "rng": rng, "until": until}
        super().__init__(**self.asked)

    def step(self) -> None:
        """Advance by one quarter; nothing at the end and after `close`."""
        with self._using:
            if not self._closed:
                super().step()

    def close(self) -> None:
        """Free the memory, after the current quarter."""
        with self._using:
            if not self._closed:
                self._closed, self.running = True, False
                super().close()


def use_live_model() -> solara.Reactive[LiveModel]:
    """The model of this page; Mesa replaces it on reset. A model is closed when it is replaced or the user leaves."""
    model: solara.Reactive[LiveModel] = solara.use_memo(lambda: solara.Reactive(LiveModel()), [])
    solara.use_effect(lambda: model.value.close, [model.value])
    return model


@solara.component
def LiveView():
    """Controls on the left, the model on the right."""
    session = use_session()
    words = session.words
    dark = session.dark.value
    model = use_live_model()
    plots = solara.use_memo(lambda: _plots(words, dark), [words.language, dark])
    with solara.Div(classes=["srdi-split"]):
        with solara.Div(classes=["srdi-card", "srdi-side", "srdi-stack", "srdi-mesa"]):
            Controls(model, LiveModel)
        with solara.Div(classes=["srdi-stack"]):
            Guide()
            Now(model.value)
            with solara.Div(classes=["srdi-cards"]):
                for (title, plot), (_, unit, _, columns) in zip(plots, PLOTS, strict=True):
                    with solara.Div(classes=["srdi-card"]):
                        solara.HTML(tag="h3", unsafe_innerHTML=escape(title))
                        with solara.Div(classes=["srdi-drawing"]):
                            plot(model.value)
                            Alternative(model.value, title, unit, columns)


@solara.component
def Guide():
    """What Mesa's controls do."""
    words = use_session().words
    with solara.Div(classes=["srdi-card", "srdi-stack"]):
        solara.HTML(tag="h2", unsafe_innerHTML=escape(words("model.title")))
        solara.HTML(tag="p", unsafe_innerHTML=escape(words("model.intro")))
        items = (words(f"model.{key}") for key in ("step", "play", "reset", "intervals"))
        solara.HTML(
            tag="ul", classes=["srdi-list"], unsafe_innerHTML="".join(f"<li>{escape(item)}</li>" for item in items)
        )


@solara.component
def Now(model: LiveModel) -> None:
    """The quarter, the agents by type, and the national totals."""
    update_counter.get()
    words = use_session().words
    with solara.Div(classes=["srdi-card", "srdi-stack"], attributes={"data-quarter": str(model.quarter)}):
        quarter = words.quarter(str(model.quarter))
        heading = words("model.now" if model.running else "model.ended", quarter=quarter)
        with solara.Div(attributes={"role": "status"}):
            solara.HTML(tag="h2", unsafe_innerHTML=escape(heading))
        title = words.scenario(load_scenario(model.asked["scenario"]).model_dump())
        solara.HTML(tag="p", classes=["srdi-note"], unsafe_innerHTML=escape(words("model.of", title=title)))
        arguments = ", ".join(f"{name}={value!r}" for name, value in model.asked.items())
        solara.HTML(tag="pre", classes=["srdi-code"], unsafe_innerHTML=escape(f"SRDIModel({arguments})"))
        with solara.Div(classes=["srdi-cards"]):
            for caption, rows in (
                ("model.agents", agent_rows(words, model)),
                ("model.totals", total_rows(words, model)),
            ):
                heads = [words(caption), words("model.number")]
                solara.HTML(tag="div", unsafe_innerHTML=table_html(heads, rows, caption=words(caption)))


@solara.component
def Alternative(model: SRDIModel, title: str, unit: str, columns: Sequence[str]) -> None:
    """The text in place of a plot, of the current quarter."""
    update_counter.get()
    Described(text=plot_text(use_session().words, model, title, unit, columns))


def plot_text(words: Words, model: SRDIModel, title: str, unit: str, columns: Sequence[str]) -> str:
    """A plot as text: its title, the quarter and the newest value of every line.

    Args:
        title, unit, columns: of the plot, as in PLOTS, the title in words.
    """
    values = model.datacollector.get_model_vars_dataframe()[list(columns)].iloc[-1]
    texts = (words.labelled(_plot_label(words, name), words.value(float(values[name]), unit)) for name in columns)
    text = words("model.plot_text", title=title, quarter=words.quarter(str(model.quarter)))
    return words.labelled(text, words.joined(list(texts)))


def agent_rows(words: Words, model: SRDIModel) -> list[list[str]]:
    """Agents of the model by type, and the firms, which are rows of arrays, not agents."""
    by_type = model.agents_by_type.items()
    rows = [[words(f"model.agent_{kind.__name__}"), words.number(len(agents))] for kind, agents in by_type]
    return [*rows, [words("model.simulated_firms"), words.number(model.recorder.latest["firms"] * model.scale)]]


def total_rows(words: Words, model: SRDIModel) -> list[list[str]]:
    """National totals in this quarter, at full scale."""
    latest = model.recorder.latest
    rows = []
    for name in TOTALS:
        unit = _UNITS.get(name, "firms")
        title = words("model.firms") if name == "firms" else words.column(name)
        # Rounded even if small: at the start, a rounding error of sums is not a county.
        rows.append([title, words.value(float(round(latest[name])), unit)])
    return rows


# --- plots


@cache
def chinese_font() -> str | None:
    """An installed font with simplified Chinese, if there is one."""
    font = _first_chinese()
    if font is None:
        # Matplotlib caches its list of fonts; fonts installed later are missing from it.
        listed = {font.fname for font in fontManager.ttflist}
        for path in set(findSystemFonts()) - listed:
            with contextlib.suppress(OSError, RuntimeError, UnicodeDecodeError):
                fontManager.addfont(path)
        font = _first_chinese()
    return font


def _first_chinese() -> str | None:
    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in _CHINESE if name in installed), None)


def drawn_words(words: Words) -> Words:
    """Words that can be drawn: English if no Chinese font is installed."""
    return words if words.language == "en" or chinese_font() else Words("en")


def _plots(words: Words, dark: bool) -> list[tuple[str, Callable]]:
    """Titles and Mesa's plot components."""
    plots = []
    for key, unit, log, columns in PLOTS:
        measure = dict(zip(columns, _LINES[dark], strict=False))
        finish = partial(finish_plot, words=drawn_words(words), unit=unit, log=log, dark=dark)
        component, _ = make_plot_component(measure, post_process=finish, backend="matplotlib")
        plots.append((words(f"model.plot_{key}"), component))
    return plots


def finish_plot(axis: Axes, *, words: Words, unit: str, log: bool, dark: bool) -> None:
    """Give Mesa's plot the words, number format and colours of the page.

    Args:
        axis: has a line over steps for each column of the national table, labelled with its name.
        words: those that can be drawn. unit: of the vertical axis. log: whether that axis is logarithmic.
    """
    text, grid, ground = _LOOKS[dark]
    family = [chinese_font(), "DejaVu Sans"] if words.language == "zh" else ["DejaVu Sans"]
    figure = axis.figure
    assert isinstance(figure, Figure), "Mesa gives every plot a figure of its own"
    figure.set_size_inches(4.8, 3.0)
    figure.set_facecolor(ground)
    axis.set_facecolor(ground)
    for line, dashes in zip(axis.get_lines(), _DASHES, strict=False):
        label = _plot_label(words, str(line.get_label()))
        line.set(linestyle=dashes, linewidth=1.8, marker="o", markersize=2.5, label=label)
    if len(axis.get_lines()) > 1:
        axis.legend(frameon=False, labelcolor=text, prop={"family": family, "size": 9})
    elif legend := axis.get_legend():
        legend.remove()
    if not any(np.max(line.get_ydata(), initial=0.0) > 0.0 for line in axis.get_lines()):
        # At the start there are no values for a log axis; the axis never goes below zero.
        axis.set_ylim(0.0, 10.0)
    elif log:
        axis.set_yscale("log", nonpositive="mask")  # no line where there are no firms
        axis.yaxis.set_minor_locator(NullLocator())  # minor ticks take half of the drawing time
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.value(value, unit)))
    axis.set_xlim(-0.5, max(axis.get_xlim()[1], _FIRST_QUARTERS))
    # Steps are quarters since the start; Mesa labels the axis "Step" in every language.
    axis.xaxis.set_major_formatter(FuncFormatter(_step_label))
    axis.xaxis.label.set_visible(False)
    axis.tick_params(colors=text, labelsize=9, labelfontfamily=family[0])
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(grid)
    axis.grid(axis="y", color=grid, linewidth=0.6)
    axis.set_axisbelow(True)


def _plot_label(words: Words, column: str) -> str:
    """Name of a column in the legend: one word if the title of the plot says the rest."""
    return words(f"model.line_{column}") if column in _SHORT else words.column(column)


def _step_label(step: float, position: int = 0) -> str:
    """The quarter of a step, at every second tick."""
    return str(START + int(step)) if step >= 0 and step == int(step) and position % 2 == 0 else ""
