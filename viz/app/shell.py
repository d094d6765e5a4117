"""The HTML document around the page, which Solara writes in English: language, title, zoom, messages."""

from __future__ import annotations

import json
from html import escape

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from viz.app.address import from_query, preferred_language
from viz.app.layout import TITLES, window_title
from viz.words.language import Words

#: Time after which a page that is not there is said to be missing, in milliseconds.
_LATE_MS = 30_000
#: A frame may deny storage and cookies; their first use would then end the script that draws the page.
_SCRIPT = """<script>
      for (const name of ["localStorage", "sessionStorage"]) {
        try {
          window[name].getItem("");
        } catch {
          const kept = new Map();
          const value = {
            getItem: (key) => (kept.has(key) ? kept.get(key) : null),
            setItem: (key, text) => kept.set(key, String(text)),
            removeItem: (key) => kept.delete(key),
          };
          Object.defineProperty(window, name, { value });
        }
      }
      try {
        document.cookie;
      } catch {
        Object.defineProperty(document, "cookie", { get: () => "", set: () => {} });
      }
      setTimeout(() => {
        if (document.querySelector(".srdi-page")) return;
        const said = document.createElement("p");
        said.setAttribute("role", "alert");
        const look = "position: relative; z-index: 200000; margin: 0; padding: 12px;";
        said.style.cssText = `${look} background: #fff4d6; color: #1d2733`;
        said.textContent = LATE;
        document.body.prepend(said);
        const waiting = setInterval(() => {
          if (!document.querySelector(".srdi-page")) return;
          clearInterval(waiting);
          said.remove();
        }, 500);
      }, LATE_MS);
    </script>"""


def replacements(words: Words, title: str) -> dict[str, str]:
    """What Solara's document has, and what stands there instead; each of them occurs in the document.

    Args:
        title: of the window until the page is drawn.
    """
    keys = ("lost", "expired", "expired_title", "refresh", "later", "restoring", "loading", "no_script")
    texts = {key: escape(words(f"shell.{key}")) for key in keys}
    script = _SCRIPT.replace("LATE_MS", str(_LATE_MS)).replace("LATE", json.dumps(words("shell.late")))
    return {
        "<html>": f'<html lang="{words("page.lang")}">',
        "<title>SRDI</title>": f"<title>{escape(title)}</title>",
        # Without a limit on the scale, the page can be enlarged with two fingers.
        'content="width=device-width, initial-scale=1, maximum-scale=1, user-scalable=no, minimal-ui">': (
            f'content="width=device-width, initial-scale=1">\n    {script}'
        ),
        # A decoration: the page says in words what is going on.
        "absolute></v-progress-linear>": 'absolute aria-hidden="true"></v-progress-linear>',
        "App is disconnected, and may not function properly. Please refresh the page.": texts["lost"],
        "Please refresh the page</v-card-title>": f"{texts['expired_title']}</v-card-title>",
        "Could not restore session. Please refresh.": texts["expired"],
        "Refresh now": texts["refresh"],
        "Cancel\n                    </v-btn>": f"{texts['later']}\n                    </v-btn>",
        "Restoring session…": texts["restoring"],
        "<h1>{{ loading_text }}</h1>": f"<h1>{texts['loading']}</h1>",
        '<b>Made with <a href="https://solara.dev">Solara</a></b>': "",
        # As the system prefers from the first paint; with this variant as a setting, Solara would leave out the page.
        '"variant": "light"': '"variant": "auto"',
        # Later the page follows the system itself, unless the user has chosen.
        "window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', ": "((listener) => {})(",
        "<script>\n        var theme =": f"<noscript>{texts['no_script']}</noscript><script>\n        var theme =",
    }


class OwnShell:
    """Puts the user's language, the page's title and zoom into the documents of an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self._app(scope, receive, send)
            return
        # Uncompressed, so that it can be changed.
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        shell = _Shell(_words(scope), scope["path"], send)
        await self._app({**scope, "headers": headers}, receive, shell.send)


class _Shell:
    """One answer: kept back if it is a document, then sent with its replacements."""

    def __init__(self, words: Words, path: str, send: Send) -> None:
        self._words, self._path, self._send = words, path, send
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_changed()
            return
        await self._send(message)

    async def _send_changed(self) -> None:
        assert self._start is not None
        text = self._body.decode("utf-8")
        for old, new in replacements(self._words, window_title(self._words, page_of(self._path))).items():
            text = text.replace(old, new, 1)
        body = text.encode("utf-8")
        headers = MutableHeaders(raw=list(self._start["headers"]))
        headers["content-length"] = str(len(body))
        headers.add_vary_header("Accept-Language")
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def page_of(path: str) -> str:
    """Name of the page at a path, as in TITLES; empty if there is none."""
    last = "/" + path.rstrip("/").rpartition("/")[2]
    return TITLES.get(last, "")


def _words(scope: Scope) -> Words:
    query = scope.get("query_string", b"").decode("latin-1")
    accepted = Headers(scope=scope).get("accept-language", "")
    return Words(from_query(query, ()).language or preferred_language(accepted))
