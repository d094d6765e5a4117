"""Starts the web server with everything it serves on this machine."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uvicorn import Server

    from viz.live.runner import Runner

#: Settings of Solara by which nothing is loaded from or told to another host.
OFFLINE = {
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_ASSETS_FONTAWESOME_ENABLED": "False",
    "SOLARA_THEME_SHOW_BANNER": "False",
}
#: Read from the environment when Solara is first imported.
_SETTINGS = {
    **OFFLINE,
    "SOLARA_APP": "viz.app.main",
    "SOLARA_MODE": "production",
    "SOLARA_THEME_TITLE": "SRDI",
    "SOLARA_KERNEL_CULL_TIMEOUT": "30m",
    # Else the first reader's header X-Script-Name says from where everybody's page loads its scripts.
    "SOLARA_ROOT_PATH": "",
}


def serve(
    host: str,
    port: int,
    *,
    scale: float,
    members: int,
    results: Sequence[Path] = (),
    validation: Path | None = None,
    on_ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve the page until interrupted.

    The baseline is run before the first page is served, its other members in the background afterwards.

    Args:
        scale: simulated firms per real firm. members: runs that intervals rest on.
        results: directories to offer on the page of comparisons.
        validation: directory of ``srdi validate`` to show instead of the packaged validation.
        on_ready: called with the address once pages can be read.

    Raises:
        InputError: a directory cannot be read.
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)

    import uvicorn

    from scenarios.results import load_results
    from viz.app import state
    from viz.live.calibrated import read_validation
    from viz.live.runner import Runner

    loaded = {path.resolve().name: load_results(path) for path in results}
    checked = read_validation(validation) if validation else None
    runner = Runner(scale=scale, members=members)
    runner.baseline_run(0)
    state.served = state.Served(runner, loaded, checked)
    # What is loaded now stays: looking through it for garbage would stop every reader for half a second.
    gc.collect()
    gc.freeze()

    from solara.server import cdn_helper, settings, starlette

    from viz.app.guard import OwnPagesOnly, send_lost_readers, serve_assets_as_they_lie
    from viz.app.layout import MISSING

    serve_assets_as_they_lie(starlette.app, f"/{cdn_helper.cdn_url_path}", settings.assets.proxy_cache_dir)
    send_lost_readers(starlette.app, f"{settings.main.root_path or ''}{MISSING}")
    server = uvicorn.Server(
        uvicorn.Config(OwnPagesOnly(starlette.app), host=host, port=port, log_level="warning", ws_max_size=2**24)
    )
    threading.Thread(target=_announce, args=(server, runner, on_ready), daemon=True).start()
    server.run()


def _announce(server: Server, runner: Runner, on_ready: Callable[[str], None]) -> None:
    """Say the address once the server listens, then run the other members' baselines while nobody asks."""
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    on_ready(f"http://{host}:{port}/")
    for member in range(1, runner.members + 1):
        if server.should_exit:
            return
        runner.baseline_run(member, patient=True)
