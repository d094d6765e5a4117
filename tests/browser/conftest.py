"""A server of the page and a browser, once for all tests of a file; skipped where there is no Chromium."""

import shutil

import pytest

from benchmarks.page import browser, page_address

#: Small and quick: the page does the same at every scale.
SCALE, MEMBERS = "0.002", "3"


@pytest.fixture(scope="session")
def chromium():
    pytest.importorskip("solara")
    if shutil.which("chromium") is None:
        pytest.skip("no chromium; on Debian: apt-get install chromium")
    with browser() as started:
        yield started


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A small results directory to look at."""
    from scenarios import load_scenario, run_ensemble

    out = tmp_path_factory.mktemp("page") / "looked-at"
    scenarios = [load_scenario("baseline"), load_scenario("clusters-300")]
    run_ensemble(scenarios, out=out, replicates=2, scale=0.001, until=2025, workers=1)
    return out


@pytest.fixture(scope="session")
def address(chromium, results):
    with page_address(str(results), "--scale", SCALE, "--members", MEMBERS) as found:
        yield found


def wait_for_chart(page, timeout=None):
    """Wait until the first chart of the page's body is drawn, which it is once it comes into the window."""
    page.wait_for_function(
        """() => {
          const chart = document.querySelector('.srdi-main .srdi-chart');
          if (chart) chart.scrollIntoView();
          return chart && chart.dataset.version;
        }""",
        timeout=timeout,
    )


class Watched:
    """A page that notes what must not happen: requests to other hosts, failed requests, errors of scripts."""

    def __init__(self, page):
        self.page = page
        self.faults = []
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("pageerror", lambda error: self.faults.append(f"error {error}"))
        page.on("console", lambda message: message.type == "error" and self.faults.append(f"console {message.text}"))
        page.on("response", lambda answer: answer.status >= 400 and self.faults.append(f"{answer.status} {answer.url}"))

    def _failed(self, request):
        # What a page no longer waits for when it is left, such as its icon, is no fault.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed {request.url}")

    def _request(self, request):
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
            self.faults.append(f"other host {request.url}")


@pytest.fixture
def open_page(chromium, address):
    """Opens a path of the page in a context of its own; afterwards nothing may have gone wrong."""
    opened = []

    def open_(path="", width=1280):
        context = chromium.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
        page = context.new_page()
        page.set_default_timeout(60_000)
        opened.append((context, Watched(page)))
        page.goto(address + path)
        return page

    yield open_
    faults = [fault for _, watched in opened for fault in watched.faults]
    for context, _ in opened:
        context.close()
    assert not faults
