"""The page under attack: hostile files, links, addresses and neighbours end in a sentence, and the page lives on.

The parts with a browser are in `tests/browser/test_hostile_pages.py`. Accidental bad input is in
`tests/scenarios/test_bad_input.py`; here is input made to do harm.
"""

from __future__ import annotations

import http.client
import threading
import time
from email.message import Message
from urllib.parse import quote, urljoin, urlsplit

import pytest
from hostile import ADDRESSES, BASE, READABLE, SOON, UPLOADS, follow_link, send, session

from benchmarks.page import server
from scenarios.analysis.metrics import CUMULATIVE_COST
from viz.app.pages.compare import kept_policies
from viz.app.policies import MOST_BYTES, policy_of
from viz.app.state import Session
from viz.app.uploads import read_offer
from viz.live.measures import national
from viz.live.runner import Runner

GOOD = BASE + b"[levers.cluster_recognition]\nper_year = 300\n"


# --- files


@pytest.mark.parametrize(("content", "said"), UPLOADS.values(), ids=UPLOADS)
def test_a_hostile_file_ends_in_a_sentence_and_the_page_takes_the_next(content, said):
    page = session("levers.incubation.enabled=true")
    begun = time.monotonic()
    message = send(page, content)
    assert time.monotonic() - begun < SOON
    assert said in message
    assert message.startswith("file.toml")
    assert len(message) < READABLE
    assert page.settings.value == {"levers.incubation.enabled": True}
    assert send(page, GOOD) == ""
    assert page.settings.value == {"levers.cluster_recognition.per_year": 300}


def test_a_file_above_the_limit_is_refused_by_field_and_server():
    page = session()
    assert f"at most {MOST_BYTES:,} are allowed" in send(page, GOOD + b"#" * MOST_BYTES)
    read_offer(page, {"name": "file.toml", "size": MOST_BYTES + 1, "content": None})
    assert f"at most {MOST_BYTES:,} are allowed" in page.message.value
    assert page.settings.value == {}
    assert send(page, GOOD + b"#" * (MOST_BYTES - len(GOOD))) == ""


# --- links


@pytest.mark.parametrize("query", ADDRESSES.values(), ids=ADDRESSES)
def test_a_hostile_link_ends_in_a_message_or_a_default(query):
    follow_link(query)


@pytest.mark.parametrize(
    "table", ["levers={}", "parameters={}", 'levers.sme_fund={"enabled": true}', 'rules={"start": "2024Q1"}']
)
def test_a_link_sets_single_settings_only(table):
    key, _, text = table.partition("=")
    page = session(f"{key}={quote(text)}&policy={quote(f'a~{table}')}")
    assert key in page.message.value
    assert page.settings.value == {}
    assert isinstance(kept_policies(page.saved.value)[0], Exception)


# --- the server's routes

ASSET = "thing@1.0/dist/thing.js"
UPWARDS = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "..\\", "%252e%252e%252f", "....//", "..%c0%af", "..;/")
ROUTES = ("", "static", "static/public", "static/assets", "_solara/cdn", "jupyter/nbextensions", "data", "thing/x")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A server with installed assets and results of its own, and a secret beside them; address, folder, log."""
    pytest.importorskip("solara")
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "assets" / ASSET).parent.mkdir(parents=True)
    (folder / "assets" / ASSET).write_text("asset")
    (folder / "secret.txt").write_text("the secret")
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("w+") as log:
        patch.setenv("SOLARA_ASSETS_PROXY_CACHE_DIR", str(folder / "assets"))
        patch.setenv("SOLARA_ASSETS_CDN", "http://127.0.0.1:9/")  # nobody listens there, should it be asked
        with server("--scale", "0.001", "--members", "2", log=log) as (_, address):
            yield address, folder, log


def answer_of(address: str, path: str, headers: dict | None = None) -> tuple[int, Message, bytes]:
    """Status, headers and body of a path, sent as it is written: browsers and most clients would tidy it first."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        connection.request("GET", f"/{path}", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def ask(address: str, path: str, headers: dict | None = None) -> tuple[int, bytes]:
    """Status and body of a path."""
    status, _, body = answer_of(address, path, headers)
    return status, body


# First in this file to ask the server anything: its first reader once decided what holds for all.
def test_no_reader_decides_from_where_others_load_scripts(attacked):
    address, _, _ = attacked
    headers = {name: "//elsewhere.example" for name in ("X-Script-Name", "Script-Name", "X-Forwarded-Host")}
    for each in (headers, {}):
        status, body = ask(address, "", each)
        assert status == 200
        assert b"elsewhere.example" not in body


def test_no_path_leads_out_of_what_is_served(attacked):
    address, folder, _ = attacked
    served = set()
    for route in ROUTES:
        for upwards in UPWARDS:
            for steps in (1, 2, 12):
                for target in ("secret.txt", f"{folder}/secret.txt".lstrip("/"), "etc/passwd", "pyproject.toml"):
                    status, body = ask(address, f"{route}/{upwards * steps}{target}".lstrip("/"))
                    assert b"the secret" not in body
                    assert b"root:" not in body
                    assert b"[build-system]" not in body
                    served.add((status, body[:15]))
        for absolute in (f"/{folder}/secret.txt", f"%2f{folder}/secret.txt", f"file://{folder}/secret.txt"):
            assert b"the secret" not in ask(address, f"{route}/{absolute}")[1]
    # Not found, or the page itself, which shows what stands behind its name as a page that there is not.
    assert {status for status, _ in served} <= {200, 404, 405}
    assert {body for status, body in served if status == 200} <= {b"<!doctype html>", b'{"name":"lala",'}


def test_a_browser_that_is_lost_is_sent_to_the_page_that_says_so(attacked):
    address, _, _ = attacked
    query = "lang=zh&levers.cluster_recognition.per_year=300"
    for path in ("nowhere", "no/where/at.all", "static/none.js"):
        status, headers, _ = answer_of(address, f"{path}?{query}", {"Accept": "text/html,*/*"})
        assert (status, urljoin(f"/{path}", headers["Location"])) == (307, f"/missing?{query}")
        assert ask(address, path, {"Accept": "*/*"})[0] == 404
    assert ask(address, f"missing?{query}", {"Accept": "text/html"})[0] == 200


def test_assets_are_served_as_they_lie(attacked):
    address, folder, _ = attacked
    assert ask(address, f"_solara/cdn/{ASSET}") == (200, b"asset")
    for path in ("thing@1.0/dist", "thing@1.0", "thing@1.0/dist/", "other@1/index.js", ".", ""):
        assert ask(address, f"_solara/cdn/{path}")[0] == 404
    assert (folder / "assets" / ASSET).read_text() == "asset"
    assert not (folder / "assets" / "other@1").exists()


def test_other_sites_open_no_session(attacked):
    websockets = pytest.importorskip("websockets.sync.client")
    exceptions = pytest.importorskip("websockets.exceptions")
    address, _, _ = attacked
    host = urlsplit(address).netloc

    def answer(origin, **headers):
        path = f"ws://{host}/jupyter/api/kernels/{time.monotonic_ns()}/channels?session_id=a"
        try:
            with websockets.connect(path, origin=origin, additional_headers=headers):
                return "opened"
        except exceptions.InvalidStatus as refusal:
            return refusal.response.status_code

    assert answer(f"http://{host}") == "opened"
    assert answer(None) == "opened"
    assert answer("https://model.example", **{"X-Forwarded-Host": "model.example"}) == "opened"
    for origin in ("http://elsewhere.example", "null", f"http://{host}.elsewhere.example", f"http://elsewhere@{host}"):
        assert answer(origin) == 403, origin


def test_the_server_lives_on_and_says_nothing_of_it(attacked):
    address, _, log = attacked
    assert ask(address, f"?measure={'a' * 100_000}")[0] < 500
    assert ask(address, "")[0] == 200
    log.seek(0)
    assert "Traceback" not in log.read()


# --- neighbours


def test_readers_at_the_same_moment_have_their_own_numbers_and_faults():
    runner = Runner(scale=0.002, members=2, until=2024, cores=2)
    clusters = {reader: 150 + 50 * reader for reader in range(4)}
    direct = {
        reader: runner.run(policy_of({"levers.cluster_recognition.per_year": count}).policy, 0)
        for reader, count in clusters.items()
    }
    pages = {reader: Session(runner, "levers.cluster_recognition.per_year=200") for reader in clusters}
    together = threading.Barrier(len(pages))

    def act(reader: int) -> None:
        page = pages[reader]
        page.begin()
        together.wait()
        send(page, BASE + f"[levers.cluster_recognition]\nper_year = {clusters[reader]}\n".encode())
        page.keep(f"of {reader}")
        if reader == 0:
            send(page, b"\xff\xfe", "mine alone.toml")

    threads = [threading.Thread(target=act, args=(reader,)) for reader in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        end = time.monotonic() + 120.0
        for reader, page in pages.items():
            while page.status.value.stage != "done":
                assert page.status.value.stage != "failed", page.status.value
                assert time.monotonic() < end
                time.sleep(0.05)
            answer = page.answer.value
            assert answer.scenario.levers.cluster_recognition.per_year == clusters[reader]
            assert (national(answer.central, CUMULATIVE_COST) == national(direct[reader], CUMULATIVE_COST)).all()
            assert [saved.name for saved in page.saved.value] == [f"of {reader}"]
            refused = "mine alone.toml: this is not UTF-8 text but perhaps UTF-16; save it as UTF-8"
            assert page.message.value == (refused if reader == 0 else "")
    finally:
        for page in pages.values():
            page.close()
    spent = {float(national(page.answer.value.central, CUMULATIVE_COST)[-1]) for page in pages.values()}
    assert len(spent) == len(pages)
