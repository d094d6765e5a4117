"""The server of the page: what it tells Solara, where it listens, what stands before it, what it gives back."""

import asyncio
import errno
import gc
import os
import signal
import socket
import subprocess
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from urllib.parse import unquote, urljoin

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette

from scenarios.cli import main
from scenarios.errors import InputError
from viz.app import memory
from viz.app.guard import BelowPath, OwnPagesOnly, send_lost_readers
from viz.app.listening import listening, path_below
from viz.app.server import OFFLINE


def done(coroutine):
    """Run to its end in a thread of its own: where a browser was driven before, this one has a loop already."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_offline_settings_are_read_by_solara():
    """A name that Solara does not know would be passed over in silence."""
    code = """if True:
        from solara.server.settings import assets, telemetry, theme
        print(telemetry.mixpanel_enable, assets.fontawesome_enabled, theme.show_banner)
    """

    def read(settings):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("SOLARA_")}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=plain | settings, capture_output=True, text=True, check=True).stdout.split()

    assert read({}) == ["True"] * len(OFFLINE)
    assert read(OFFLINE) == ["False"] * len(OFFLINE)


# --- where it listens


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "shown", "to_others"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost", "localhost", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("", "127.0.0.1", True),
        pytest.param("::1", "[::1]", False, marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6")),
        pytest.param("::", "[::1]", True, marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6")),
    ],
)
def test_the_address_told_can_be_opened(host, shown, to_others):
    with listening(host, 0) as place:
        port = place.sockets[0].getsockname()[1]
        assert (place.address, place.to_others) == (f"http://{shown}:{port}", to_others)
        socket.create_connection((shown.strip("[]"), port), timeout=5).close()
    # All addresses are those of both kinds.
    if host == "::" and socket.has_dualstack_ipv6():
        with listening(host, 0) as place:
            socket.create_connection(("127.0.0.1", place.sockets[0].getsockname()[1]), timeout=5).close()


@contextmanager
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_refused_before_anything_is_run():
    with taken() as port:
        result = CliRunner().invoke(main, ["ui", "--no-open", "--port", str(port)])
    assert result.exit_code == 2
    assert result.output == f"srdi: port {port} is in use; name another with --port\n"


@pytest.mark.parametrize("host", ["nowhere.invalid", "203.0.113.1", "a..b", "x" * 300, "http://127.0.0.1"])
def test_a_host_that_is_not_here_is_refused(host):
    result = CliRunner().invoke(main, ["ui", "--no-open", "--host", host, "--port", "0"])
    assert result.exit_code == 2
    assert result.output.startswith(f"srdi: --host is {host}, which ")
    assert "an address of this machine" in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.EACCES, "port 80 is not allowed to this user"), (errno.ENOBUFS, "cannot listen on port 80")],
)
def test_a_port_without_rights_is_refused(monkeypatch, number, said):
    def refuse(*arguments, **named):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(InputError, match=said), listening("127.0.0.1", 80):
        pass


def started(*arguments):
    command = [sys.executable, "-m", "scenarios.cli", "ui", "--no-open", "--port", "0", "--scale", "0.001", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*command, "--members", "2"], **pipes, text=True, start_new_session=True)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["baseline", "ready"])
def test_it_ends_without_a_traceback(number, when):
    process = started()
    line = process.stderr.readline() if when == "baseline" else process.stdout.readline()
    assert line.startswith("Running the baseline" if when == "baseline" else "SRDI at http://127.0.0.1:")
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGTERM)
    said = [line for line in said.splitlines() if line and line != "Running the baseline..."]
    assert said == (["srdi: interrupted"] if number == signal.SIGINT else [])


# --- below a path


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("", ""),
        ("/", ""),
        ("/model", "/model"),
        ("model/", "/model"),
        ("/user/a%40b/proxy/8765/", "/user/a%40b/proxy/8765"),
    ],
)
def test_a_path_is_written_in_one_way(given, path):
    assert path_below(given) == path


@pytest.mark.parametrize(
    "given", ["https://example.org/model", "/a?b", "/a//b", "/..", "/a/./b", "/a b", '/"><script>']
)
def test_what_is_no_path_is_refused(given):
    result = CliRunner().invoke(main, ["ui", "--no-open", "--port", "0", "--root-path", given])
    assert (result.exit_code, result.output) == (
        2,
        f"srdi: --root-path is {given}; it must be a path such as /model, without host or query\n",
    )


def seen(path, asked):
    """The path an application below a path is asked for, as it reads and as it was sent."""
    found = []

    async def app(scope, receive, send):
        found.append((scope["path"], scope["raw_path"].decode()))

    done(BelowPath(app, path)({"type": "http", "path": unquote(asked), "raw_path": asked.encode()}, None, None))
    return found[0]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("/model/map", "/map"),  # left on
        ("/map", "/map"),  # taken off
        ("/model/", "/"),
        ("/model", "/"),
        ("/model/model", "/model"),
        ("/models", "/models"),
        ("/", "/"),
    ],
)
def test_a_path_may_be_taken_off_or_left_on(asked, found):
    assert seen("/model", asked) == (found, found)
    assert seen("", asked) == (asked, asked)


def test_a_path_is_compared_as_it_reads():
    for asked in ("/user/a@b/map", "/user/a%40b/map"):
        assert seen("/user/a%40b", asked) == ("/map", "/map")
    assert seen("/model", "/model/a%2Fb") == ("/a/b", "/a%2Fb")


def test_paths_of_the_page_itself_are_refused():
    with pytest.raises(InputError, match="--root-path is static/, which the page uses for its own"):
        path_below("static/")


@pytest.mark.parametrize("asked", ["/nowhere", "/nowhere/", "/a/b", "/a%2Fb", "/a/b/c/?x=1"])
@pytest.mark.parametrize("before", ["", "/model", "/user/somebody/proxy/8765"])
def test_lost_readers_stay_below_the_path(asked, before):
    """Behind a server that takes the path off and hands the answer on as it is."""
    app = Starlette()
    send_lost_readers(app, "/missing")
    path, _, query = asked.partition("?")
    headers = [(b"accept", b"text/html"), (b"host", b"host")]
    scope = {"type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode()}
    scope |= {"query_string": query.encode(), "headers": headers}
    location = dict(sent_by(app, scope)[0]["headers"])[b"location"].decode()
    assert urljoin(f"http://host{before}{asked}", location) == f"http://host{before}/missing{'?' * bool(query)}{query}"


def sent_by(app, scope):
    """What an application sends."""
    sent = []

    async def receive():
        return {"type": f"{scope['type']}.connect"}

    async def send(message):
        sent.append(message)

    done(app(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    ("host", "forwarded", "let_in"),
    [
        ("example.org", None, True),
        ("127.0.0.1:8765", None, False),
        ("127.0.0.1:8765", "example.org", True),
        ("example.org:8080", None, False),
    ],
)
def test_a_session_is_for_pages_of_the_name_passed_on(host, forwarded, let_in, caplog):
    reached = []

    async def app(scope, receive, send):
        reached.append(True)

    headers = {"origin": "https://example.org", "host": host} | ({"x-forwarded-host": forwarded} if forwarded else {})
    scope = {"type": "websocket", "headers": [(key.encode(), value.encode()) for key, value in headers.items()]}
    sent = sent_by(OwnPagesOnly(app), scope)
    assert bool(reached) == let_in
    if not let_in:
        assert sent == [{"type": "websocket.close", "code": 1008}]
        assert f"https://example.org was refused a session on {host}" in caplog.text


# --- memory


class Web:
    """Refers to itself, as what a page holds does."""

    def __init__(self):
        self.self = self


def test_a_closed_session_is_looked_for_until_it_is_gone(monkeypatch):
    monkeypatch.setattr(memory, "REST_S", 0.05)
    monkeypatch.setattr(memory, "_REST_PER_LOOK", 0.0)
    memory.start()
    gone = [False, False]
    webs = [Web(), Web()]
    for place, web in enumerate(webs):
        weakref.finalize(web, gone.__setitem__, place, True)
    held = webs.pop()
    gc.disable()
    try:
        memory.reclaim(held)
        memory.reclaim(webs.pop())
        del web
        wait_until(lambda: gone[0])
        assert gone == [True, False]
        del held
        wait_until(lambda: gone[1])
    finally:
        gc.enable()


def wait_until(true):
    end = time.monotonic() + 20.0
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
