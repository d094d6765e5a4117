"""Controls of the live model in the user's language: step, play, reset, and the parameters of a new model."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import solara
import solara.lab
from mesa.visualization.utils import force_update

from sim.calendar import LATEST_UNTIL, START
from sim.model import SRDIModel
from viz.app.elements import choice, heading, html_button
from viz.app.policies import presets, title_of_preset
from viz.app.state import use_session
from viz.words.language import Words

#: Default and offered scales (simulated firms per real firm): a step at the default scale takes a blink.
SCALE, SCALES = 0.005, (0.001, 0.002, 0.005, 0.01, 0.02)
#: Highest seed offered; the lowest is 1.
SEEDS = 20
#: Pauses between two drawings while the model plays, in milliseconds, and quarters from one to the next; the first of
#: each is the default.
PAUSES, QUARTERS = (100, 300, 1000, 3000), (1, 2, 4)


def parameters(words: Words) -> dict[str, tuple[str, dict[Any, str]]]:
    """The parameters of a model by name: label, and titles by value."""
    return {
        "scenario": (
            words("model.scenario"),
            {name: title_of_preset(words, name) for name in presets()},
        ),
        "scale": (words("model.scale"), {scale: f"{scale:g}" for scale in SCALES}),
        "rng": (words("model.seed"), {seed: str(seed) for seed in range(1, SEEDS + 1)}),
        "until": (words("model.until"), {year: str(year) for year in range(START.year + 1, LATEST_UNTIL + 1)}),
    }


@solara.component
def Controls(model: solara.Reactive, make: Callable[..., SRDIModel]) -> None:
    """Steps, plays and replaces a model.

    Args:
        model: the current one; it has `asked`, the parameters it was made with. make: makes a model from such
            parameters.
    """
    words = use_session().words
    playing, ended = solara.use_reactive(False), solara.use_reactive(False)
    pause, quarters = solara.use_reactive(PAUSES[0]), solara.use_reactive(QUARTERS[0])
    asked = solara.use_reactive(dict(model.value.asked))

    def step() -> None:
        for _ in range(quarters.value):
            model.value.step()
        ended.value = not model.value.running
        force_update()

    def play() -> None:
        while playing.value and model.value.running:
            time.sleep(pause.value / 1000)
            if playing.value:
                step()
        playing.value = False

    def reset() -> None:
        playing.value = ended.value = False
        model.value = make(**asked.value)
        force_update()

    def ask(name: str, value: Any) -> None:
        asked.value = {**asked.value, name: value}

    def one_of(label: str, titles: dict[Any, str], value: Any, take: Callable[[Any], None]) -> None:
        by_text = {str(each): each for each in titles}
        texts = {str(each): title for each, title in titles.items()}
        choice(label, str(value), texts, lambda text: take(by_text[text]))

    solara.lab.use_task(play, dependencies=[playing.value], prefer_threaded=True)
    heading(words("model.controls"))
    with solara.Div(classes=["srdi-row"]):
        html_button(words("model.step_button"), step, disabled=playing.value or ended.value)
        label = words("model.pause_button" if playing.value else "model.play_button")
        html_button(label, lambda: playing.set(not playing.value), disabled=ended.value)
    seconds = {each: words("model.pause_of", seconds=f"{each / 1000:g}") for each in PAUSES}
    one_of(words("model.pause"), seconds, pause.value, pause.set)
    counts = {each: words("model.quarters_of", number=each) for each in QUARTERS}
    one_of(words("model.quarters"), counts, quarters.value, quarters.set)
    heading(words("model.new"), "h3")
    for name, (label, titles) in parameters(words).items():
        one_of(label, titles, asked.value[name], partial(ask, name))
    with solara.Div(classes=["srdi-row"]):
        html_button(words("model.reset_button"), reset)
