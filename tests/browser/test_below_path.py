"""The page below a path: every link, file, session, reload and lost reader stays there."""

import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from urllib.parse import urlsplit

import pytest

from benchmarks.page import page_address, wait_for_answer
from browser.conftest import MEMBERS, SCALE, Watched
from viz.app.layout import PAGES
from viz.words.language import Words

pytestmark = pytest.mark.browser
#: As long as the path of a page, so that the two could be mixed up; and as Jupyter's proxy has it.
ROOTS = ("/model", "/user/somebody/proxy/8765")
_POLICY = "levers.cluster_recognition.per_year=300"

#: A server of its own that passes on what is below a path, the path taken off or left on.
_NGINX = """
daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location {root}/ {{
      proxy_pass {to};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }}
  }}
}}
"""


@contextmanager
def nginx(folder: Path, root: str, behind: str):
    """nginx before the page; gives its address below the path."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(folder=folder, port=port, root=root, to=behind))
    process = subprocess.Popen([which("nginx"), "-e", "stderr", "-c", str(file), "-p", str(folder)])
    try:
        yield f"http://127.0.0.1:{port}{root}/"
    finally:
        process.terminate()
        process.wait(20)


#: The page of comparisons among PAGES.
_COMPARE = [path for path, _ in PAGES].index("/compare")


def look_around(chromium, address):
    """Go everywhere a reader can go; nothing may leave the path."""
    root, words = urlsplit(address).path.rstrip("/"), Words("en")
    context = chromium.new_context(accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    watched = Watched(page)
    asked = []
    for kind in ("request", "websocket"):
        page.on(kind, lambda each: asked.append(each.url))
    try:
        page.goto(f"{address}?{_POLICY}")
        wait_for_answer(page)
        links = page.locator(".srdi-nav a")
        assert [link.get_attribute("href") for link in links.all()] == [f"{root}{path}?{_POLICY}" for path, _ in PAGES]
        for path, name in [*PAGES[1 : _COMPARE + 1], PAGES[0]]:
            page.locator(".srdi-nav").get_by_text(words(f"app.{name}"), exact=True).click()
            page.wait_for_function(
                "(name) => document.querySelector('.srdi-nav [aria-current]').innerText === name",
                arg=words(f"app.{name}"),
            )
            assert urlsplit(page.url).path == root + path
        page.go_back()
        page.wait_for_function("(path) => window.location.pathname === path", arg=f"{root}/compare")
        # An address that changes with the page, and one that is loaded again.
        page.get_by_role("button", name=words("app.language_zh")).click()
        page.wait_for_function("window.location.search.includes('lang=zh')")
        page.reload()
        page.get_by_text(Words("zh")("compare.heading"), exact=True).wait_for()
        assert urlsplit(page.url).path == f"{root}/compare"
        with context.expect_page() as opened:
            page.locator(".srdi-nav a").get_by_text(Words("zh")("app.data")).click(button="middle")
        other = opened.value
        other.wait_for_selector("table", timeout=60_000)
        assert urlsplit(other.url).path == f"{root}/data"
        with other.expect_download() as download:
            other.get_by_role("button", name=Words("zh")("data.csv")).click()
        assert download.value.suggested_filename.endswith(".zip")
        page.goto(f"{address}stories")
        page.locator(".srdi-lines a").first.wait_for()
        for link in page.locator(".srdi-main .srdi-card a").all():
            assert link.get_attribute("href").startswith(f"{root}/")
        for lost in ("nowhere", "nowhere/at/all/"):
            page.goto(f"{address}{lost}?lang=zh")
            page.get_by_role("heading", name=Words("zh")("app.missing"), exact=True).wait_for()
            assert urlsplit(page.url).path == f"{root}/missing"
        # Such as nginx asks for by itself.
        page.goto(address.rstrip("/"))
        wait_for_answer(page)
    finally:
        context.close()
    paths = {urlsplit(each).path for each in asked if not each.startswith(("data:", "blob:"))}
    assert any("/jupyter/api/kernels/" in path for path in paths)
    assert [path for path in paths if not f"{path}/".startswith(f"{root}/")] == []
    assert [path for path in paths if path.count(root) != 1] in ([], [f"{root}{root}"])
    # The good-bye of a page that is left has nobody to take the answer.
    assert [fault for fault in watched.faults if "/_solara/api/close/" not in fault] == []


@pytest.fixture(scope="module", params=ROOTS)
def below(chromium, request):
    with page_address("--scale", SCALE, "--members", MEMBERS, "--root-path", request.param) as address:
        yield request.param, address


@pytest.mark.slow
def test_nothing_leaves_the_path(chromium, below):
    """Asked as by a server that leaves the path on."""
    look_around(chromium, below[1])


@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True], ids=["taken off", "left on"])
def test_nothing_leaves_the_path_behind_nginx(chromium, below, tmp_path, kept):
    if which("nginx") is None:
        pytest.skip("no nginx; on Debian: apt-get install nginx")
    root, address = below
    behind = address.removesuffix(f"{root}/")
    with nginx(tmp_path, root, behind if kept else f"{behind}/") as found:
        look_around(chromium, found)
