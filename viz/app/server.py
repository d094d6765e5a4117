"""Starts the web server; everything it serves is on this machine."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from scenarios.errors import InputError
from viz.app.listening import Listening, listening, path_below

if TYPE_CHECKING:
    from uvicorn import Server

    from viz.live.runner import Runner

#: Settings of Solara so that nothing is loaded from, or sent to, another host.
OFFLINE = {
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
    "SOLARA_THEME_SHOW_BANNER": "False",
}
#: Read from the environment when Solara is first imported.
SETTINGS = {
    **OFFLINE,
    "SOLARA_APP": "viz.app.main",
    "SOLARA_MODE": "production",
    "SOLARA_THEME_TITLE": "SRDI",
    # How long a session outlives its connection. Closing the tab ends the session at once.
    "SOLARA_KERNEL_CULL_TIMEOUT": "20s",
}


def places_of_files() -> dict[str, str]:
    """Settings with the places of the page's scripts and fonts, if they are not in this environment.

    Solara looks for them below `sys.prefix`. In an environment laid over another one (``uv run --with``, a virtual
    environment that sees the packages of the system), they are below the other one's prefix, and the page stays blank.

    Raises:
        InputError: they are not installed.
    """
    part = ("share", "solara", "cdn")
    try:
        listed = distribution("solara-assets").files or []
    except PackageNotFoundError:
        listed = []
    file = next((file for file in listed if "/".join(part) in file.as_posix()), None)
    if file is None:
        raise InputError("the page's scripts and fonts are not installed; install them with: pip install solara-assets")
    text = os.path.normpath(str(file.locate()))
    prefix = Path(text[: text.index(os.sep + os.sep.join(part))])
    if prefix == Path(sys.prefix):
        return {}

    def with_own(name: str, *parts: str) -> str:
        return os.pathsep.join(filter(None, (os.environ.get(name), str(prefix.joinpath(*parts)))))

    return {
        "SOLARA_ASSETS_PROXY_CACHE_DIR": str(prefix.joinpath(*part)),
        "JUPYTER_PATH": with_own("JUPYTER_PATH", "share", "jupyter"),
        "JUPYTER_CONFIG_PATH": with_own("JUPYTER_CONFIG_PATH", "etc", "jupyter"),
    }


def serve(
    host: str,
    port: int,
    *,
    scale: float,
    members: int,
    results: Sequence[Path] = (),
    validation: Path | None = None,
    root_path: str = "",
    tell: Callable[[str], None] = lambda sentence: None,
    on_ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the page until interrupted.

    The baseline is run before the first page is served, and its other members afterwards in the background.

    Args:
        host, port: where to listen; port 0 takes any free one.
        scale: simulated firms per real firm. members: runs that intervals are based on.
        results: directories to offer on the comparison page.
        validation: directory of ``srdi validate`` to show instead of the packaged validation.
        root_path: path below which a proxy publishes the page, such as ``/model``.
        tell: called with messages to the user at the terminal. on_ready: called with the address once pages are served.

    Raises:
        InputError: it cannot listen there, the path is invalid, or a directory cannot be read.
    """
    root_path = path_below(root_path)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    os.environ |= places_of_files()
    # Always set: otherwise Solara takes the root path from the first request's X-Script-Name.
    os.environ["SOLARA_ROOT_PATH"] = root_path
    with listening(host, port) as place:
        if place.to_others:
            tell("Everybody on the network who reaches this machine can open the page and run the model.")
        tell("Running the baseline...")
        _serve(
            place,
            root_path=root_path,
            scale=scale,
            members=members,
            results=results,
            validation=validation,
            tell=tell,
            on_ready=on_ready,
        )


def _serve(
    place: Listening,
    *,
    root_path: str,
    scale: float,
    members: int,
    results: Sequence[Path],
    validation: Path | None,
    tell: Callable[[str], None],
    on_ready: Callable[[str], None],
) -> None:
    import uvicorn

    from scenarios.imports import many_imports

    with many_imports():
        from scenarios.records.results import load_results
        from scenarios.search.answers import load_answers
        from viz.app import memory, state
        from viz.live.runner import Runner
        from viz.shared.calibrated import read_validation

    answers = {path.resolve().name: load_answers(path) for path in results}
    loaded = {name: load_results(found.runs) for name, found in answers.items()}
    targets = {name: found.target for name, found in answers.items() if found.target}
    checked = read_validation(validation) if validation else None
    runner = Runner(scale=scale, members=members)
    if runner.note:
        tell(f"Note: {runner.note}")
    runner.baseline_run(0)
    state.served = state.Served(runner, loaded, checked, targets, root_path)
    # Everything loaded so far stays: searching it for garbage would stop every user for half a second.
    gc.collect()
    gc.freeze()

    with many_imports():
        from solara.server import cdn_helper, settings, starlette

        from viz.app.guard import BelowPath, OwnPagesOnly, send_lost_readers, serve_assets_as_they_lie
        from viz.app.layout import MISSING
        from viz.app.shell import OwnShell

    # Warnings about iframe cookies and proxy headers, neither of which is used here.
    warnings.filterwarnings("ignore", module=r"solara\.server\.starlette")
    serve_assets_as_they_lie(starlette.app, f"/{cdn_helper.cdn_url_path}", settings.assets.proxy_cache_dir)
    send_lost_readers(starlette.app, MISSING)
    app = BelowPath(OwnPagesOnly(OwnShell(starlette.app)), root_path)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws_max_size=2**24))
    ready = partial(on_ready, f"{place.address}{root_path}/")
    memory.forget_tasks_of_pages()
    memory.start()
    threading.Thread(target=_announce, args=(server, runner, ready), daemon=True).start()
    server.run(sockets=place.sockets)


def _announce(server: Server, runner: Runner, ready: Callable[[], None]) -> None:
    """Announce that the server is up, then run the baseline's other members while there are no requests."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    ready()
    for member in range(1, runner.members + 1):
        if server.should_exit:
            return
        runner.baseline_run(member, patient=True)
