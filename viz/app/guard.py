"""What stands between the network and Solara's server: local assets, the root path, sessions, unknown addresses."""

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

    Solara's own route fetches missing files from another host, and *deletes* a directory when that is requested.

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
    """Redirect browsers from unknown addresses to the "not found" page; other clients get 404.

    Args:
        path: of that page, such as ``/missing``. The query is kept: it holds the user's language and policy.
    """

    async def answer(request: Request, fault: Exception) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            # A relative path: proxies differ in whether they rewrite absolute ones.
            up = "../" * (request.scope["raw_path"].count(b"/") - 1) or "./"
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{up}{path.lstrip('/')}{query}")
        return PlainTextResponse("Not Found", status_code=404)

    app.add_exception_handler(404, answer)


class BelowPath:
    """Serves an ASGI application below a path, whether the proxy strips that path or leaves it.

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
    """Lets only the application's own pages open a websocket, not another site in the user's browser.

    Browsers send the page's host in the header Origin; clients that send none are let in. A proxy must forward the
    original host and port, as Host or X-Forwarded-Host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and _foreign(headers := dict(scope["headers"])):
            _log.warning(
                "a page on %s was refused a session on %s: the proxy must forward the original host and port "
                "as Host or X-Forwarded-Host",
                *(headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host")),
            )
            await receive()
            await send({"type": "websocket.close", "code": _FORBIDDEN})
            return
        await self._app(scope, receive, send)


def _foreign(headers: dict[bytes, bytes]) -> bool:
    """Whether a request comes from a page on another host."""
    origin = headers.get(b"origin")
    own = {headers.get(b"host"), headers.get(b"x-forwarded-host")}
    return origin is not None and urlsplit(origin).netloc not in own
