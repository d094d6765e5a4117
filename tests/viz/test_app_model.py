"""The live model: Mesa's view of it, and what it leaves alone."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
import warnings
from types import SimpleNamespace

import ipyvuetify
import numpy as np
import pytest
import solara
from ipyvue import VueTemplate
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from mesa.visualization import SolaraViz
from solara.components.applayout import sidebar_portal

from sim.calendar import START, Quarter
from sim.model import SRDIModel
from viz import LANGUAGES
from viz.app import live_model
from viz.app.live_controls import SCALE, parameters
from viz.app.live_model import PLOTS, TOTALS, LiveModel, agent_rows, drawn_words, finish_plot, plot_text
from viz.app.policies import presets
from viz.app.state import Session, session_context
from viz.words.language import Words


@pytest.fixture
def model():
    made = LiveModel(scale=0.001, until=2020)
    yield made
    made.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_can_be_chosen_makes_a_model(language):
    words, defaults = Words(language), inspect.signature(LiveModel).parameters
    chosen = parameters(words)
    assert set(chosen) == set(defaults)
    assert defaults["scale"].default == SCALE
    for name, (_, titles) in chosen.items():
        assert defaults[name].default in titles, name
    # Scenarios by their titles, not by the names of their files.
    scenarios = chosen["scenario"][1]
    assert scenarios["no-policy"] == words.scenario(presets()["no-policy"].model_dump())
    assert not set(scenarios) & set(scenarios.values())


def test_a_closed_model_stands_still(model):
    model.step()
    quarter, firms = model.quarter, model.recorder.latest["firms"]
    model.close()
    model.close()
    model.step()
    assert not model.running
    # What the page still draws of it is what it was.
    assert (model.quarter, model.recorder.latest["firms"]) == (quarter, firms)
    assert quarter == START + 1


def test_a_model_may_be_closed_while_it_plays():
    model, faults = LiveModel(scale=0.001, until=2030), []

    def play():
        try:
            while model.running:
                model.step()
        except Exception as fault:
            faults.append(fault)

    playing = threading.Thread(target=play)
    playing.start()
    model.close()
    playing.join(timeout=60)
    assert not playing.is_alive()
    assert faults == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_agents_and_totals_are_those_of_the_model(language, model):
    words = Words(language)
    agents = dict(agent_rows(words, model))
    assert agents[words("model.agent_Province")] == "31"
    assert agents[words("model.agent_Ministry")] == "1"
    assert len(agents) == len(model.agents_by_type) + 1
    totals = live_model.total_rows(words, model)
    assert len(totals) == len(TOTALS)
    assert totals[0][1] == words.number(round(model.recorder.latest["firms"]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_in_place_of_a_plot_has_the_newest_numbers_of_its_lines(language, model):
    words = Words(language)
    model.step()
    for key, unit, _, columns in PLOTS:
        title = words(f"model.plot_{key}")
        text = plot_text(words, model, title, unit, columns)
        assert text.startswith(title)
        assert words.quarter(str(START + 1)) in text
        for column in columns:
            assert words.value(float(model.recorder.latest[column]), unit) in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_plots_speak_the_language_in_glyphs_there_are(language, dark, model):
    while model.running:
        model.step()
    table = model.datacollector.get_model_vars_dataframe()
    words = drawn_words(Words(language))
    for _, unit, log, columns in PLOTS:
        # As Mesa draws it: a line a column, then the page's finish, then its own axis label.
        figure = Figure()
        axis = figure.subplots()
        for column in columns:
            axis.plot(table[column], label=column)
        finish_plot(axis, words=words, unit=unit, log=log, dark=dark)
        axis.set_xlabel("Step")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            FigureCanvasAgg(figure).draw()
        labels = {line.get_label() for line in axis.get_lines()}
        assert not labels & set(columns)
        assert len({line.get_linestyle() for line in axis.get_lines()}) == len(columns)
        ticks = [label.get_text() for label in axis.get_xticklabels() if label.get_text()]
        assert all(Quarter.parse(tick) >= START for tick in ticks)


def test_plots_without_any_firms_begin_at_none(model):
    table = model.datacollector.get_model_vars_dataframe()
    for _, unit, log, columns in PLOTS:
        axis = Figure().subplots()
        for column in columns:
            axis.plot(table[column], label=column)
        finish_plot(axis, words=Words("en"), unit=unit, log=log, dark=False)
        ticks = [label.get_text() for label in axis.get_yticklabels()]
        assert ticks
        assert not any(tick.startswith("−") for tick in ticks), unit


def test_no_line_of_a_logarithmic_plot_comes_up_from_nothing():
    axis = Figure().subplots()
    axis.plot([0.0, 0.0, 100.0, 1000.0], label="little_giants")
    finish_plot(axis, words=Words("en"), unit="firms", log=True, dark=False)
    [line] = axis.get_lines()
    drawn = axis.transScale.transform(line.get_xydata())[:, 1]
    assert np.isfinite(drawn).tolist() == [False, False, True, True]


def test_without_a_chinese_font_plots_are_in_english(monkeypatch):
    monkeypatch.setattr(live_model, "chinese_font", lambda: None)
    assert drawn_words(Words("zh")).language == "en"
    monkeypatch.setattr(live_model, "chinese_font", lambda: "Noto Sans SC")
    assert drawn_words(Words("zh")).language == "zh"


def test_the_model_does_not_outlive_its_page(monkeypatch):
    """Reset replaces the model and closes the one before; leaving the page closes the last."""
    made = []

    class Counted(LiveModel):
        def __init__(self, scenario="baseline", scale=0.001, rng=1, until=2020):
            super().__init__(scenario, scale, rng, until)
            made.append(self)

    monkeypatch.setattr(live_model, "LiveModel", Counted)
    held = []

    @solara.component
    def Page():
        held.append(live_model.use_live_model())

    _, rendered = solara.render(Page(), handle_error=False)
    assert len(made) == 1
    held[-1].value = Counted()
    assert [model.running for model in made] == [False, True]
    rendered.close()
    assert [model.running for model in made] == [False, False]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_steps_and_replaces_the_model(language, monkeypatch):
    made = []
    use = live_model.use_live_model
    monkeypatch.setattr(live_model, "use_live_model", lambda: made.append(use()) or made[-1])
    runner = SimpleNamespace(members=2, until=2030, scale=0.01)
    session, words = Session(runner, f"lang={language}"), Words(language)

    @solara.component
    def Framed():
        session_context.provide(session)
        live_model.LiveView()

    _, rendered = solara.render(Framed(), handle_error=False)

    def button(label):
        return next(widget for widget in rendered.find(ipyvuetify.Btn).widgets if label in widget.children)

    model = made[-1].value
    choices = {each.label: each for each in rendered.find(VueTemplate).widgets if hasattr(each, "options")}
    assert list(choices) == [
        words(f"model.{key}") for key in ("pause", "quarters", "scenario", "scale", "seed", "until")
    ]

    def choose(key, value):
        widget = choices[words(f"model.{key}")]
        assert value in [each[0] for each in widget.options]
        widget.vue_choose(value)

    button(words("model.step_button")).click()
    assert model.quarter == START + 1
    choose("scenario", "no-policy")
    choose("scale", "0.001")
    assert made[-1].value is model
    button(words("model.reset_button")).click()
    assert made[-1].value is not model
    assert made[-1].value.quarter == START
    assert made[-1].value.asked == {"scenario": "no-policy", "scale": 0.001, "rng": 1, "until": 2030}
    assert not model.running
    rendered.close()
    assert not made[-1].value.running


def test_solara_viz_resets_the_model_itself_to_the_scenario_that_was_chosen():
    """Mesa 3.5 would replace an argument called scenario if the model kept a Scenario of Mesa's."""
    model = solara.Reactive(SRDIModel("no-policy", scale=0.001, until=2020))
    assert model.value.scenario is None
    first = model.value

    @solara.component
    def Page():
        solara.Div(children=sidebar_portal.use_portal())
        SolaraViz(model, components=[], model_params={"scenario": "no-policy", "scale": 0.001, "until": 2020})

    _, rendered = solara.render(Page(), handle_error=False)
    next(button for button in rendered.find(ipyvuetify.Btn).widgets if "Reset" in button.children).click()
    assert model.value is not first
    assert model.value.policy == first.policy
    assert model.value.scale == 0.001
    rendered.close()
    for each in (first, model.value):
        each.close()


def test_other_pages_do_not_pay_for_mesas_view():
    code = "import viz.app.main, sys; print(*sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"matplotlib", "altair", "mesa.visualization", "sklearn", "emcee", "pyfixest"} & set(printed)
