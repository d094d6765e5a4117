"""The state of one user's page: choices, the newest answer, and the worker that computes it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import reacton
import solara
from solara.server import kernel_context
from solara.toestand import Context

from scenarios.errors import ScenarioError
from scenarios.files.schema import Scenario
from viz.app.address import MOST_SAVED, Saved, State, from_query, kept_name, preferred_language, to_query
from viz.app.controls import defaults
from viz.app.faults import fault_text
from viz.app.names import kept_in, title_in, title_text, titles_of
from viz.app.policies import policy_of, preset_of, presets, settings_key, settings_of, title_of_preset
from viz.live.runner import Runner
from viz.live.session import Answer, Status, Worker
from viz.shared.calibrated import Validation
from viz.words.language import Words

if TYPE_CHECKING:
    from reacton.core import UserContext

    from scenarios.search.target_runs import Target

#: Choices on the pages that are part of the address, with their defaults.
VIEWS = {
    "measure": "little_giants",
    "shown": "level",
    "quarter": "2030Q4",
    "province": "",
    "chain": "",
    "firm": "",
    "table": "national",
    "runs": "ensemble",
    "about": "reading",
    "source": "",
    "against": "",
    "over_time": "little_giants",
    "by": "region",
    "charts": "",
    "since": "",
    "horizon": "",
    "gain_by": "region",
    "total": "",
    "title": "",
    "story": "",
    "chart": "",
}
_MOST_HISTORY = 100
#: Longest wait for the first part of a run before its policy is drawn, in seconds.
_FIRST_PART_S = 0.1


@dataclass(frozen=True)
class Served:
    """What all users share.

    Attributes:
        runner: makes runs. results: results directories to look at, by name.
        validation: a ``srdi validate`` result to use instead of the packaged one (`viz.shared.calibrated`).
        targets: answers of ``srdi target``, by name of their directory.
        root_path: path below which the page is published, such as ``/model``.
    """

    runner: Runner
    results: dict
    validation: Validation | None = None
    targets: dict[str, Target] = field(default_factory=dict)
    root_path: str = ""


#: Set before the server starts (see `viz.app.server`).
served: Served | None = None


def serving() -> Served:
    """What all users share.

    Raises:
        RuntimeError: no server has started.
    """
    if served is None:
        raise RuntimeError("no server has started")
    return served


def link_to(path: str, query: str) -> str:
    """Address of a page on this server.

    Args:
        path: as in `viz.app.layout.PAGES`. query: without the question mark; may be empty.
    """
    root = served.root_path if served else ""
    return f"{root}{path}?{query}" if query else f"{root}{path}"


class Session:
    """One user's page. Created once for each browser tab, while its first page is drawn.

    Attributes:
        language, dark: what the page is shown in. chosen_language, chosen_dark: the same if the user or the address
            chose it, else None. system_dark: what the system prefers, None before it is known.
        settings: the policy's changes to the baseline, by dotted key.
        view: the choices of VIEWS. saved: policies kept to compare.
        remembered: the settings, but those from before while a lever is held: what can be undone to, and the address.
        moves: number of changes so far for which the browser's history gets an entry. returns: how often the browser
            went back or forward.
        answer, status: the newest from the worker. latest: the answer, or a part of the next one.
        wanted: number of the newest request; an answer with a smaller one is to other settings.
        message: a sentence about the last error, or empty.
        refused: number of invalid values so far. history: whether there is something to undo, and to redo.
    """

    def __init__(self, runner: Runner, query: str = "", accepted: str = "") -> None:
        """The session of an address.

        Args:
            query: of the address. accepted: languages that the browser prefers, as its header Accept-Language.
        """
        state = from_query(query, tuple(VIEWS))
        self.runner = runner
        self._page = _page()
        self.chosen_language = solara.Reactive(state.language)
        self.language = solara.Reactive(state.language or preferred_language(accepted))
        self.chosen_dark = solara.Reactive(state.dark)
        self.dark = solara.Reactive(bool(state.dark))
        self.system_dark: solara.Reactive[bool | None] = solara.Reactive(None)
        self._fault: tuple[Exception | None, str] = (None, "")
        self.message = solara.Reactive("")
        settings = state.settings
        try:
            settings = settings_of(policy_of(settings))
        except ScenarioError as error:
            settings = {}
            self.tell(error)
        self.settings = solara.Reactive(settings)
        self.view = solara.Reactive(state.view)
        kept = tuple(_in_order(saved) for saved in state.saved)
        self.saved = solara.Reactive(kept_in(self.language.peek(), kept))
        self.answer: solara.Reactive[Answer | None] = solara.Reactive(None)
        self.latest: solara.Reactive[Answer | None] = solara.Reactive(None)
        self.status = solara.Reactive(Status("central"))
        self.refused = solara.Reactive(0)
        self._titles: dict[frozenset, tuple[str, str]] = {}
        self.entitle(settings, titles_of(self.view.value.pop("title", "")))
        self.remembered = solara.Reactive(settings)
        self.moves = self.wanted = 0
        self._returning = False
        self.returns = solara.Reactive(0)
        self._asked: dict | None = None
        self._numbered: tuple[int, dict] = (-1, {})
        self._past: list[dict] = []
        self._future: list[dict] = []
        self.history = solara.Reactive((False, False))
        self.worker = Worker(runner, self._take, self._say)

    def begin(self) -> None:
        """Start the worker with the policy in the address, or with the baseline if that policy is invalid."""
        self.worker.start()
        self._asked = self.settings.value
        self._number(self.worker.ask(policy_of(self._asked)), self._asked)

    def close(self) -> None:
        """Stop the worker."""
        self.worker.close()

    @property
    def words(self) -> Words:
        """Texts in the user's language; a component that reads it is drawn again when it changes."""
        return Words(self.language.value)

    @property
    def query(self) -> str:
        """The state of the page as the query of its address."""
        return self.query_without("")

    def query_without(self, choice: str) -> str:
        """The query without one of the choices."""
        view = {key: text for key, text in self.view.value.items() if text != VIEWS[key] and key != choice}
        if titles := self._own_titles(self.remembered.value):
            view["title"] = title_text(titles)
        language, dark = self.chosen_language.value, self.chosen_dark.value
        return to_query(State(self.remembered.value, language, dark, view, self.saved.value))

    def choose_language(self, language: str) -> None:
        """Show the page in a language, and say so in its address."""
        self.chosen_language.value = self.language.value = language
        self.saved.value = kept_in(language, self.saved.value)
        fault, name = self._fault
        if fault is not None and self.message.value:
            self.tell(fault, name)

    def tell(self, fault: Exception | None, name: str = "") -> None:
        """Say what is wrong in the page's message, now and after a change of the language; None: nothing is.

        Args:
            name: of the file in which it is.
        """
        self._fault = (fault, name)
        self.message.value = fault_text(Words(self.language.peek()), fault, name)

    @property
    def fault(self) -> Exception | None:
        """The error that the page's message tells."""
        return self._fault[0]

    def choose_dark(self, dark: bool) -> None:
        """Show the page dark or light, and say so in its address."""
        self.chosen_dark.value = self.dark.value = dark

    def follow_system(self, dark: bool) -> None:
        """Show the page dark or light as the system prefers, unless the user has chosen."""
        self.system_dark.value = dark
        if self.chosen_dark.value is None:
            self.dark.value = dark

    def chosen(self, name: str) -> str:
        """A choice of VIEWS."""
        return self.view.value.get(name, VIEWS[name])

    def choose(self, name: str, text: str) -> None:
        """Set a choice of VIEWS."""
        self.view.value = {**self.view.value, name: text}

    def leave_out(self, names: Collection[str]) -> None:
        """Set choices of VIEWS to their defaults."""
        self.view.value = {name: text for name, text in self.view.value.items() if name not in names}

    @property
    def title(self) -> str:
        """Title of the policy: that of the matching scenario in the catalogue, or "your policy"."""
        return self._title(self.settings.value)

    def title_of(self, answer: Answer) -> str:
        """Title of the policy of an answer, which may not be that of the settings yet."""
        return self._title(self.settings_behind(answer))

    def settings_behind(self, answer: Answer) -> dict[str, object]:
        """What the policy of an answer changes in the baseline; those of the newest request are known already."""
        number, settings = self._numbered
        return settings if answer.number == number else settings_of(answer.scenario)

    def _title(self, settings: dict[str, object]) -> str:
        preset, words, own = preset_of(settings), self.words, self._own_titles(settings)
        if preset is not None:
            return title_of_preset(words, preset)
        return title_in(words.language, own) if own else words("policy.own")

    def _own_titles(self, settings: dict[str, object]) -> tuple[str, str] | None:
        return self._titles.get(settings_key(settings))

    def entitle(self, settings: dict[str, object], titles: tuple[str, str]) -> None:
        """Give a policy that is none of the catalogue a title of its own, in English and Chinese; empty: none."""
        titles = (kept_name(titles[0]), kept_name(titles[1]))
        if any(titles) and preset_of(settings) is None:
            self._titles[settings_key(settings)] = titles

    @property
    def scenario(self) -> Scenario:
        """The current policy as a scenario with its titles, for files."""
        scenario, own = written_scenario(self.settings.value), self._own_titles(self.remembered.value)
        return scenario.model_copy(update={"title": own[0], "title_zh": own[1]}) if own else scenario

    # --- the policy

    def set(self, key: str, value: object, final: bool) -> None:
        """Change one setting of a lever; `final` once the slider is released: only such states can be undone."""
        settings = {name: each for name, each in self.settings.value.items() if name != key}
        if value != defaults()[key]:
            settings[key] = value
        self.put(settings, remember=final)

    def put(self, settings: dict[str, object], remember: bool = True) -> None:
        """Replace the policy's settings, if the new ones are valid.

        Args:
            remember: whether the change can be undone; not while a lever is held.
        """
        if not self._ask(settings, held=not remember):
            self.refused.value += 1
            return
        if remember and not self.runner.crowded:
            # Drawing and a run's Python would wait for one another, and the first change is what the user waits for.
            self.worker.wait_for_part(_FIRST_PART_S)
        with self._page:
            self.settings.value = settings
            if remember and settings != self.remembered.value:
                self._past = [*self._past[-_MOST_HISTORY:], self.remembered.value]
                self._future = []
                self._remember(settings)

    def take_preset(self, name: str) -> None:
        """Use a scenario of the catalogue as the policy."""
        self.put(settings_of(presets()[name]))

    def undo(self) -> None:
        """Go back to the policy before the last change."""
        if self._past:
            self._future.append(self.remembered.value)
            self._go(self._past.pop())

    def redo(self) -> None:
        """Reverse an undo."""
        if self._future:
            self._past.append(self.remembered.value)
            self._go(self._future.pop())

    def return_to(self, query: str) -> None:
        """Take the policy of an address to which the browser went back or forward; everything else stays as it is."""
        try:
            settings = settings_of(policy_of(from_query(query, ()).settings))
        except ScenarioError:
            settings = self.remembered.value
        # The browser is there already: no new entry.
        self._returning = True
        try:
            if settings == self.settings.value == self.remembered.value:
                pass
            elif self._past and settings == self._past[-1]:
                self.undo()
            elif self._future and settings == self._future[-1]:
                self.redo()
            else:
                self.put(settings)
        finally:
            self._returning = False
        # What else the entry's address says may be old.
        self.returns.value += 1

    def _go(self, settings: dict) -> None:
        self._ask(settings)
        with self._page:
            self.settings.value = settings
            self._remember(settings)

    def _remember(self, settings: dict) -> None:
        self.moves += not self._returning
        self.history.value = (bool(self._past), bool(self._future))
        self.remembered.value = settings

    def _ask(self, settings: dict, held: bool = False) -> bool:
        try:
            scenario = policy_of(settings)
        except ScenarioError as error:
            self.tell(error)
            return False
        self.tell(None)
        if settings != self._asked:
            self._asked = settings
            self._number(self.worker.ask(scenario, held), settings)
        elif not held:
            # On release, a slider sends its last value again.
            self.worker.release()
        return True

    def _number(self, number: int, settings: dict[str, object]) -> None:
        self.wanted, self._numbered = number, (number, settings)

    # --- policies kept to compare

    def keep(self, name: str, settings: dict[str, object] | None = None) -> None:
        """Keep the current policy, or one with other settings, under a name; replaces a kept policy of that name."""
        name = kept_name(name)
        others = [saved for saved in self.saved.value if saved.name != name]
        if len(others) >= MOST_SAVED:
            self._refuse("compare.full", most=MOST_SAVED)
            return
        self.saved.value = (*others, Saved(name, dict(self.settings.value if settings is None else settings)))

    @property
    def name_to_keep(self) -> str:
        """Name under which the current policy is kept: its title, or one with a free number."""
        if preset_of(self.settings.value) is not None or self._own_titles(self.remembered.value):
            return self.title
        taken = {saved.name for saved in self.saved.value}
        names = (self.words("policy.keep_name", number=number) for number in range(1, MOST_SAVED + 2))
        return next(name for name in names if name not in taken)

    def rename(self, name: str, new: str) -> None:
        """Rename a kept policy; an empty or taken name is refused."""
        new = kept_name(new)
        if new == name:
            return
        if not new or new in {saved.name for saved in self.saved.value}:
            self._refuse("compare.name_taken" if new else "compare.name_empty", name=new)
            return
        self.tell(None)
        self.saved.value = tuple(
            replace(saved, name=new) if saved.name == name else saved for saved in self.saved.value
        )

    def _refuse(self, key: str, **values: object) -> None:
        self.tell(None)
        self.message.value = self.words(key, **values)

    def drop(self, name: str) -> None:
        """Remove a kept policy."""
        self.saved.value = tuple(saved for saved in self.saved.value if saved.name != name)

    # --- from the worker's threads

    def _take(self, answer: Answer) -> None:
        with self._page:
            if answer.reached is None:
                self.answer.value = answer
            self.latest.value = answer

    def _say(self, status: Status) -> None:
        self.status.value = status
        if status.stage == "failed":
            self.tell(status.fault)
            # Of a run that failed, no part is left.
            self.latest.value = self.answer.value


def _page() -> AbstractContextManager:
    """The page being drawn, if any: what changes within this context is drawn once, at its end."""
    drawing = reacton.core.get_render_context(required=False)
    if drawing is None:
        return nullcontext()
    return Context(
        drawing, kernel_context.get_current_context() if kernel_context.has_current_context() else nullcontext()
    )


def _in_order(saved: Saved) -> Saved:
    """Normalise the settings of a saved policy from a link; invalid ones stay unchanged."""
    try:
        return replace(saved, settings=settings_of(policy_of(saved.settings)))
    except ScenarioError:
        return saved


session_context: UserContext[Session | None] = solara.create_context(None)


def use_session() -> Session:
    """The user's session, for a component inside the layout.

    Raises:
        RuntimeError: there is no layout above.
    """
    session = solara.use_context(session_context)
    if session is None:
        raise RuntimeError("there is no session outside the layout")
    return session


def is_computing(session: Session) -> bool:
    """Whether the whole answer to the current settings is not there yet: what is shown is of others, or a part."""
    _, latest = session.settings.value, session.latest.value
    return latest is None or latest.number < session.wanted or latest.reached is not None


def stage_of(session: Session) -> str:
    """Stage of what is shown, one of `Status`: that of the worker, unless it is that of a request before or after."""
    status, latest = session.status.value, session.latest.value
    if status.stage == "failed" and status.number == session.wanted:
        return "failed"
    if is_computing(session):
        return "central"
    if latest is not None and latest.runs:
        return "done"
    return status.stage if status.stage in ("ensemble", "cancelled") else "waiting"


def written_scenario(settings: dict[str, object]) -> Scenario:
    """Settings as a scenario with its titles: the matching one in the catalogue, or one named as the user's own."""
    preset = preset_of(settings)
    if preset:
        return presets()[preset]
    titles = {key: Words(language)("policy.own") for key, language in (("title", "en"), ("title_zh", "zh"))}
    return policy_of(settings, "my-policy").model_copy(update=titles)
