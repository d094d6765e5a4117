"""What stands between the network and Solara's server: assets as they lie, its own pages, one for the lost."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

#: Code of a websocket that a rule forbids.
_FORBIDDEN = 1008


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


def send_lost_readers(app: Starlette, address: str) -> None:
    """Send a browser that asks for a page there is not to the one that says so; programs are told 404, as before.

    Args:
        address: of that page. The query is kept: it holds the reader's language and policy.
    """

    async def answer(request: Request, fault: Exception) -> Response:
        if "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"{address}?{request.url.query}")
        return PlainTextResponse("Not Found", status_code=404)

    app.add_exception_handler(404, answer)


class OwnPagesOnly:
    """An ASGI application whose websockets are opened by its own pages, not by another site in a reader's browser.

    Browsers name the page's host in the header Origin; a program that sends none is let in. Behind another server,
    that one has to pass on the name it is called by, as Host or as X-Forwarded-Host.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and _foreign(dict(scope["headers"])):
            await receive()
            await send({"type": "websocket.close", "code": _FORBIDDEN})
            return
        await self._app(scope, receive, send)


def _foreign(headers: dict[bytes, bytes]) -> bool:
    """Whether a request comes from a page of another host."""
    origin = headers.get(b"origin")
    own = {headers.get(b"host"), headers.get(b"x-forwarded-host")}
    return origin is not None and urlsplit(origin).netloc not in own
