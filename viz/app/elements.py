"""Small parts that several pages use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import reacton.ipyvuetify as rv
import solara
from markupsafe import Markup, escape

from scenarios.errors import InputError
from viz.app.state import stage_of, use_session
from viz.app.widgets.files import FileButton
from viz.app.widgets.panels import Choice, Copy
from viz.shared.texts import TextTable

#: Most letters of a heading of numbers that is not broken, in a language without spaces.
_SHORT_HEAD = 6


def html_button(text: str, on_click: Callable[[], None], *, disabled: bool = False) -> None:
    """A plain button."""
    solara.Button(text, on_click=on_click, disabled=disabled, small=True, outlined=True, classes=["srdi-plain"])


def toggle(text: str, pressed: bool, on_click: Callable[..., None]) -> None:
    """One of several buttons; exactly one of them is pressed."""
    solara.Button(
        text,
        on_click=on_click,
        small=True,
        outlined=True,
        classes=["srdi-plain", *(["srdi-pressed"] if pressed else [])],
        attributes={"aria-pressed": str(pressed).lower()},
    )


def html_table(table: TextTable, caption: str = "", *, cards: bool = True) -> None:
    """A table of texts.

    Args:
        cards: on a telephone each row is a card, with headings beside the cells; without, the table scrolls there.
    """
    solara.HTML(
        tag="div",
        classes=["srdi-scroll", *(["srdi-stacked"] if cards else [])],
        attributes={"tabindex": "0", "role": "region", "aria-label": caption} if caption else {"tabindex": "0"},
        unsafe_innerHTML=table_html(table.heads, table.rows, table.words, caption, cards=cards),
    )


def table_html(
    heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1, caption: str = "", *, cards: bool = False
) -> str:
    """A table as HTML; its first `words` columns are text, the others numbers. Cells may be `markupsafe.Markup`.

    Args:
        cards: cells carry the headings of their columns, for the style to show.
    """

    def cell(tag: str, column: int, text: str) -> str:
        long = tag == "th" and len(text) > _SHORT_HEAD
        kind = " class=srdi-words" if column < words else " class=srdi-long" if long else ""
        named = Markup(' data-head="{}"').format(heads[column]) if cards and tag == "td" else ""
        return f"<{tag}{kind}{named}>{escape(text)}</{tag}>"

    def cells(tag: str, texts: Sequence[str]) -> str:
        return "".join(cell(tag, column, text) for column, text in enumerate(texts))

    head = f"<thead><tr>{cells('th', heads)}</tr></thead>"
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    title = f"<caption class=srdi-sr>{escape(caption)}</caption>" if caption else ""
    return f'<table class="srdi-table">{title}{head}<tbody>{body}</tbody></table>'


def heading(text: str, tag: str = "h2") -> None:
    """A heading of plain text."""
    solara.HTML(tag=tag, unsafe_innerHTML=escape(text))


def note(text: str) -> None:
    """A paragraph of plain text."""
    solara.HTML(tag="p", classes=["srdi-note"], unsafe_innerHTML=escape(text))


def items(texts: Sequence[str]) -> None:
    """A list of plain texts."""
    listed = Markup("").join(Markup("<li>{}</li>").format(text) for text in texts)
    solara.HTML(tag="ul", classes=["srdi-note"], unsafe_innerHTML=listed)


def folded(title: str, children: Sequence[solara.Element], *, unfolded: bool = False) -> None:
    """Parts of a page below a title that folds and unfolds them.

    Args:
        unfolded: at first.
    """
    summary = rv.Html(tag="summary", children=[title])
    attributes = {"open": "open"} if unfolded else {}
    rv.Html(tag="details", class_="srdi-folded", attributes=attributes, children=[summary, *children])


def code(text: str, label: str = "") -> None:
    """Text to copy: one click selects all of it."""
    attributes = {"tabindex": "0"} | ({"aria-label": label} if label else {})
    solara.HTML(tag="pre", classes=["srdi-code"], attributes=attributes, unsafe_innerHTML=escape(text))


def remark_on(text: str) -> None:
    """A remark on the numbers above it, such as that they are known badly; nothing if the text is empty."""
    if text:
        note(text)


def entered_number(text: str) -> float | None:
    """A number as it was entered, with commas of either kind; None if it is none."""
    try:
        return float(text.replace(",", "").replace("，", ""))
    except ValueError:
        return None


def choice(label: str, value: str, titles: Mapping[str, str], on_value: Callable[[str], None]) -> None:
    """A labelled drop-down list.

    Args:
        titles: text of each option, by value.
    """
    Choice(label=label, value=value, options=[list(pair) for pair in titles.items()], event_choose=on_value)


def progress(
    text: str, stage: str, share: float | None = None, cancel: Callable[[], None] | None = None, passing: bool = False
) -> None:
    """The current status, with a progress bar if the finished share is known, and a button to cancel.

    Args:
        passing: whether it holds for a moment only, so that screen readers wait for what follows.
    """
    words = use_session().words
    # Text and state are of one widget: of two, screen readers would be told one without the other.
    attributes = {"role": "status", "data-stage": stage, "aria-busy": str(passing).lower()}
    with solara.Div(classes=["srdi-row", "srdi-progress"]):
        solara.HTML(tag="span", classes=["srdi-note"], attributes=attributes, unsafe_innerHTML=escape(text))
        if share is not None:
            solara.HTML(
                tag="div",
                classes=["srdi-bar"],
                attributes={
                    "role": "progressbar",
                    "aria-valuenow": f"{100.0 * share:.0f}",
                    "aria-label": words("app.loading"),
                },
                unsafe_innerHTML=f'<span style="width:{100.0 * share:.0f}%"></span>',
            )
        if cancel is not None:
            html_button(words("policy.cancel"), cancel)


@solara.component
def Busy():
    """The status of what is shown, with a progress bar and a button to cancel."""
    session = use_session()
    words, status, stage = session.words, session.status.value, stage_of(session)
    running = stage == "ensemble"
    progress(
        words(f"policy.status_{stage}", done=status.done + 1, of=session.runner.members),
        stage,
        status.done / max(status.of, 1) if running else None,
        session.worker.cancel if running else None,
        # Screen readers wait for the whole answer.
        passing=stage == "central",
    )


@solara.component
def MadeFile(
    label: str,
    name: str,
    make: Callable[..., bytes],
    mime: str = "application/zip",
    link: str = "",
) -> None:
    """A button that makes a file in the background when pressed, and passes it to the browser.

    Args:
        make: returns the file; an InputError or OSError it raises is shown as the page's message.
        link: text of a link that opens the file in a new tab; if empty, the file is saved at once.
    """
    session = use_session()
    words = session.words
    made, busy = solara.use_reactive((0, b"")), solara.use_reactive(False)

    def work():
        try:
            made.value = (made.value[0] + 1, make())
        except (InputError, OSError) as error:
            session.tell(error)
        finally:
            busy.value = False

    def start(_):
        if not busy.value:
            busy.value = True
            threading.Thread(target=work, daemon=True, name="file maker").start()

    def forget(_):
        made.value = (made.value[0], b"")

    FileButton(
        label=label,
        name=name,
        mime=mime,
        link=link,
        busy=words("data.making") if busy.value else "",
        version=made.value[0],
        content=made.value[1],
        event_make=start,
        event_taken=forget,
    )


@solara.component
def CopyLink() -> None:
    """A button that copies the address of the page."""
    Copied(use_session().words("app.copy_link"))


@solara.component
def Copied(label: str, text: str = "") -> None:
    """A button that copies a text, or else the address of the page."""
    words = use_session().words
    Copy(label=label, text=text, copied=words("app.copied"), failed=words("app.not_copied"))
