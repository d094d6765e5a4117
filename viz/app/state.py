"""What one reader's page holds: choices, the newest answer, and the worker that answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import solara

from scenarios.errors import ScenarioError
from scenarios.files.schema import Scenario
from viz.app.address import MOST_SAVED, Saved, State, from_query, kept_name, to_query
from viz.app.controls import defaults
from viz.app.policies import policy_of, preset_of, presets, settings_of
from viz.live.runner import Runner
from viz.live.session import Answer, Status, Worker
from viz.shared.calibrated import Validation
from viz.words.language import Words

if TYPE_CHECKING:
    from reacton.core import UserContext

#: Choices of pages that stand in the address, with their defaults.
VIEWS = {
    "measure": "little_giants",
    "shown": "level",
    "quarter": "2030Q4",
    "province": "",
    "chain": "0",
    "firm": "",
    "table": "national",
    "runs": "ensemble",
    "about": "reading",
    "source": "",
    "against": "",
    "over_time": "little_giants",
}
_MOST_HISTORY = 100


@dataclass(frozen=True)
class Served:
    """What all readers share.

    Attributes:
        runner: makes runs. results: directories of results to look at, by name.
        validation: of another ``srdi validate`` than the packaged one, if such was named (`viz.shared.calibrated`).
    """

    runner: Runner
    results: dict
    validation: Validation | None = None


#: Set before the server starts (see `viz.app.server`).
served: Served | None = None


def serving() -> Served:
    """What all readers share.

    Raises:
        RuntimeError: no server has begun.
    """
    if served is None:
        raise RuntimeError("no server has begun")
    return served


class Session:
    """One reader's page. Made once a browser tab, while its first page is drawn.

    Attributes:
        language, dark: reactive choices of look. settings: what the policy changes in the baseline, by dotted key.
        view: the choices of VIEWS. saved: policies kept to compare.
        answer, status: newest from the worker. message: sentence about the last fault, or empty.
        refused: counts values that were not valid. history: whether there is something to undo, and to redo.
    """

    def __init__(self, runner: Runner, query: str = "") -> None:
        state = from_query(query, tuple(VIEWS))
        self.runner = runner
        self.language = solara.Reactive(state.language)
        self.dark = solara.Reactive(state.dark)
        message, settings = "", state.settings
        try:
            settings = settings_of(policy_of(settings))
        except ScenarioError as error:
            message, settings = str(error), {}
        self.settings = solara.Reactive(settings)
        self.view = solara.Reactive(state.view)
        self.saved = solara.Reactive(tuple(_in_order(saved) for saved in state.saved))
        self.answer: solara.Reactive[Answer | None] = solara.Reactive(None)
        self.status = solara.Reactive(Status("central"))
        self.message = solara.Reactive(message)
        self.refused = solara.Reactive(0)
        self._remembered = settings
        self._asked: dict | None = None
        self._past: list[dict] = []
        self._future: list[dict] = []
        self.history = solara.Reactive((False, False))
        self.worker = Worker(runner, self._take, self._say)

    def begin(self) -> None:
        """Start the worker with the policy of the address; one that is not valid has given way to the baseline."""
        self.worker.start()
        self._asked = self.settings.value
        self.worker.ask(policy_of(self._asked))

    def close(self) -> None:
        """End the worker with the page."""
        self.worker.close()

    @property
    def words(self) -> Words:
        """Texts in the reader's language; whoever asks while drawing is drawn again when it changes."""
        return Words(self.language.value)

    @property
    def query(self) -> str:
        """The state of the page as the query of its address."""
        view = {key: text for key, text in self.view.value.items() if text != VIEWS[key]}
        return to_query(State(self.settings.value, self.language.value, self.dark.value, view, self.saved.value))

    def chosen(self, name: str) -> str:
        """A choice of VIEWS."""
        return self.view.value.get(name, VIEWS[name])

    def choose(self, name: str, text: str) -> None:
        """Set a choice of VIEWS."""
        self.view.value = {**self.view.value, name: text}

    @property
    def title(self) -> str:
        """Title of the policy: that of the catalogue's scenario it is, or "your policy"."""
        preset = preset_of(self.settings.value)
        words = self.words
        return words("policy.own") if preset is None else words.scenario(presets()[preset].model_dump())

    # --- the policy

    def set(self, key: str, value: object, final: bool) -> None:
        """Set one lever's setting; `final` when the hand has let go, which is what undo goes back to."""
        settings = {name: each for name, each in self.settings.value.items() if name != key}
        if value != defaults()[key]:
            settings[key] = value
        self.put(settings, remember=final)

    def put(self, settings: dict[str, object], remember: bool = True) -> None:
        """Make these the policy's settings, if they are valid."""
        if not self._ask(settings):
            self.refused.value += 1
            return
        if remember:
            self._past = [*self._past[-_MOST_HISTORY:], self._remembered]
            self._future = []
            self._remembered = settings
        self.settings.value = settings
        self._note_history()

    def take_preset(self, name: str) -> None:
        """Make a scenario of the catalogue the policy."""
        self.put(settings_of(presets()[name]))

    def undo(self) -> None:
        """Go back to the policy before the last change."""
        if self._past:
            self._future.append(self._remembered)
            self._go(self._past.pop())

    def redo(self) -> None:
        """Take back an undo."""
        if self._future:
            self._past.append(self._remembered)
            self._go(self._future.pop())

    def _go(self, settings: dict) -> None:
        self._ask(settings)
        self._remembered = self.settings.value = settings
        self._note_history()

    def _note_history(self) -> None:
        self.history.value = (bool(self._past), bool(self._future))

    def _ask(self, settings: dict) -> bool:
        try:
            scenario = policy_of(settings)
        except ScenarioError as error:
            self.message.value = str(error)
            return False
        self.message.value = ""
        # A lever that is let go says again what it said while it was held.
        if settings != self._asked:
            self._asked = settings
            self.worker.ask(scenario)
        return True

    # --- policies kept to compare

    def keep(self, name: str, settings: dict[str, object] | None = None) -> None:
        """Keep the present policy, or one with other settings, under a name; one of the same name is replaced."""
        name = kept_name(name)
        others = [saved for saved in self.saved.value if saved.name != name]
        if len(others) >= MOST_SAVED:
            self.message.value = self.words("compare.full", most=MOST_SAVED)
            return
        self.saved.value = (*others, Saved(name, dict(self.settings.value if settings is None else settings)))

    @property
    def name_to_keep(self) -> str:
        """Name under which the present policy is kept: its title in the catalogue, or the first number that is free."""
        if preset_of(self.settings.value) is not None:
            return self.title
        taken = {saved.name for saved in self.saved.value}
        names = (self.words("policy.keep_name", number=number) for number in range(1, MOST_SAVED + 2))
        return next(name for name in names if name not in taken)

    def rename(self, name: str, new: str) -> None:
        """Call a kept policy something else; a name that is empty or taken is refused."""
        new = kept_name(new)
        if new == name:
            return
        if not new or new in {saved.name for saved in self.saved.value}:
            self.message.value = self.words("compare.name_taken" if new else "compare.name_empty", name=new)
            return
        self.message.value = ""
        self.saved.value = tuple(
            replace(saved, name=new) if saved.name == name else saved for saved in self.saved.value
        )

    def drop(self, name: str) -> None:
        """Keep a policy no longer."""
        self.saved.value = tuple(saved for saved in self.saved.value if saved.name != name)

    # --- from the worker's thread

    def _take(self, answer: Answer) -> None:
        self.answer.value = answer

    def _say(self, status: Status) -> None:
        self.status.value = status
        if status.stage == "failed":
            self.message.value = status.message


def _in_order(saved: Saved) -> Saved:
    """A kept policy of a link with its settings as the page writes them itself; one that is not valid as it is."""
    try:
        return replace(saved, settings=settings_of(policy_of(saved.settings)))
    except ScenarioError:
        return saved


session_context: UserContext[Session | None] = solara.create_context(None)


def use_session() -> Session:
    """The reader's session, in a component below the layout.

    Raises:
        RuntimeError: there is no layout above.
    """
    session = solara.use_context(session_context)
    if session is None:
        raise RuntimeError("there is no session outside the layout")
    return session


def shown_scenario(session: Session) -> Scenario:
    """The policy as a scenario with its title, to write down."""
    return written_scenario(session.settings.value)


def written_scenario(settings: dict[str, object]) -> Scenario:
    """A policy as a scenario with its titles: that of the catalogue which has just these settings, or its own."""
    preset = preset_of(settings)
    if preset:
        return presets()[preset]
    titles = {key: Words(language)("policy.own") for key, language in (("title", "en"), ("title_zh", "zh"))}
    return policy_of(settings, "my-policy").model_copy(update=titles)
