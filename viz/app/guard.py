"""What stands between the network and Solara's server: assets as they lie, a path, its own pages, one for the lost."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import unquote, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

#: Code of a websocket that a rule forbids.
_FORBIDDEN = 1008
_log = logging.getLogger(__name__)


def serve_assets_as_they_lie(app: Starlette, path: str, directory: Path) -> None:
    """Serve the installed scripts and fonts from their directory, and nothing else.

    Solara's own route asks another host for a file that is not there, and *removes* a directory that is asked for.

    Args:
        path: of Solara's route. directory: of the files.

    Raises:
        LookupError: the application has no such route.
    """
    for route in app.routes:
        if isinstance(route, Mount) and route.path == path:
            route.app = StaticFiles(directory=directory)
            return
    raise LookupError(f"Solara has no route {path}")


def send_lost_readers(app: Starlette, path: str) -> None:
    """Send a browser that asks for a page there is not to the one that says so; programs are told 404, as before.

    Args:
        path: of that page, such as ``/missing``. The query is kept: it holds the reader's language and policy.
    """

    async def answer(request: Request, fault: Exception) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            # From where the reader is: servers between here and there differ in whether they mend whole paths.
            up = "../" * (request.scope["raw_path"].count(b"/") - 1) or "./"
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{up}{path.lstrip('/')}{query}")
        return PlainTextResponse("Not Found", status_code=404)

    app.add_exception_handler(404, answer)


class BelowPath:
    """An ASGI application that stands below a path, whether the server before it takes the path off or leaves it on.

    Args:
        path: as ``/model``; empty for none.
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self._app, self._path = app, unquote(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._path and f"{scope.get('path', '')}/".startswith(f"{self._path}/"):
            raw = b"/".join(scope["raw_path"].split(b"/")[self._path.count("/") + 1 :])
            scope = {**scope, "path": scope["path"].removeprefix(self._path) or "/", "raw_path": b"/" + raw}
        await self._app(scope, receive, send)


class OwnPagesOnly:
    """An ASGI application whose websockets are opened by its own pages, not by another site in a reader's browser.

    Browsers name the page's host in the header Origin; a program that sends none is let in. Behind another server,
    that one has to pass on the name it is called by, as Host or as X-Forwarded-Host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and _foreign(headers := dict(scope["headers"])):
            _log.warning(
                "a page of %s was refused a session with %s: a server between them has to pass on the name it is "
                "called by, with its port, as Host or X-Forwarded-Host",
                *(headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host")),
            )
            await receive()
            await send({"type": "websocket.close", "code": _FORBIDDEN})
            return
        await self._app(scope, receive, send)


def _foreign(headers: dict[bytes, bytes]) -> bool:
    """Whether a request comes from a page of another host."""
    origin = headers.get(b"origin")
    own = {headers.get(b"host"), headers.get(b"x-forwarded-host")}
    return origin is not None and urlsplit(origin).netloc not in own
