"""Small parts that several pages use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import solara

from viz.app.state import use_session
from viz.parts import Table


def html_button(text: str, on_click: Callable[[], None], *, disabled: bool = False) -> None:
    """A plain button."""
    solara.Button(text, on_click=on_click, disabled=disabled, small=True, outlined=True, classes=["srdi-plain"])


def html_table(table: Table, caption: str = "") -> None:
    """A table of texts that scrolls by itself where the page is narrow."""
    solara.HTML(
        tag="div",
        classes=["srdi-scroll"],
        attributes={"tabindex": "0"},
        unsafe_innerHTML=table_html(table.heads, table.rows, table.words, caption),
    )


def table_html(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1, caption: str = "") -> str:
    """A table as HTML; its first `words` columns are text, the others numbers."""

    def cells(tag: str, texts: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=srdi-words' if column < words else ''}>{escape(str(text))}</{tag}>"
            for column, text in enumerate(texts)
        )

    head = f"<thead><tr>{cells('th', heads)}</tr></thead>"
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    title = f"<caption class=srdi-sr>{escape(caption)}</caption>" if caption else ""
    return f'<table class="srdi-table">{title}{head}<tbody>{body}</tbody></table>'


@solara.component
def Busy():
    """What the worker does, with a bar and a way to cancel."""
    session = use_session()
    words, status = session.words, session.status.value
    running = status.stage == "ensemble"
    with solara.Div(classes=["srdi-row"], attributes={"role": "status", "data-stage": status.stage}):
        solara.HTML(
            tag="span",
            classes=["srdi-note"],
            unsafe_innerHTML=escape(words(f"policy.status_{status.stage}", done=status.done + 1, of=status.of)),
        )
        if running:
            share = 100.0 * status.done / max(status.of, 1)
            solara.HTML(
                tag="div",
                classes=["srdi-bar"],
                attributes={"role": "progressbar", "aria-valuenow": f"{share:.0f}", "aria-label": words("app.loading")},
                unsafe_innerHTML=f'<span style="width:{share:.0f}%"></span>',
            )
            html_button(words("policy.cancel"), session.worker.cancel)


def heading(text: str, tag: str = "h2") -> None:
    """A heading of plain words."""
    solara.HTML(tag=tag, unsafe_innerHTML=escape(text))


def note(text: str) -> None:
    """A paragraph of plain words."""
    solara.HTML(tag="p", classes=["srdi-note"], unsafe_innerHTML=escape(text))
