"""Files and links made to do harm, what is said of each, and how they are sent to the page without a browser."""

from __future__ import annotations

import base64
import re
import time
from types import SimpleNamespace
from urllib.parse import quote

from viz.app.address import MOST_SAVED, from_query
from viz.app.changes import changes_sentence, changes_table
from viz.app.pages.compare import kept_policies
from viz.app.policies import policy_of
from viz.app.state import VIEWS, Session
from viz.app.uploads import read_offer, take_offer

#: Seconds in which whatever is sent has been refused, on a machine that is busy with other things.
SOON = 10.0
#: Letters of a message that a reader may be expected to read.
READABLE = 1500
#: What a harmless upload begins with.
BASE = b'schema = 1\nname = "mine"\nextends = "baseline"\n'
#: HTML that runs if it is shown as HTML.
MARKUP = '<img src=x onerror="window.__pwned=1"><script>window.__pwned=1</script>'
_FUND = BASE + b"[levers.sme_fund]\nenabled = true\n"
_ROOM = 199_000 - len(BASE)

#: Content, and a part of the sentence that is wanted: the key, the line or the limit.
UPLOADS: dict[str, tuple[bytes, str]] = {
    "brackets that open": (BASE + b"title = " + b"[" * 100_000, "nested too deeply"),
    "brackets in pairs": (BASE + b"title = " + b"[" * 200 + b"]" * 200, "title"),
    "tables in tables": (BASE + b"parameters = " + b"{a = " * 90 + b"1" + b"}" * 90, "parameters.a"),
    "a header of thousands of parts": (BASE + b"[" + b"a." * 90_000 + b"a]", "in line 4 has more than 16 parts"),
    "a key of thousands of parts": (BASE + b"a." * 90_000 + b"a = 1", "in line 4 has more than 16 parts"),
    "an inner key of thousands of parts": (BASE + b"x = {" + b'"a" . ' * 30_000 + b"a = 1}", "more than 16 parts"),
    "a number beyond floats": (_FUND + b"budget_yuan = 1e400", "(levers.sme_fund.budget_yuan) is “inf”"),
    "no number": (_FUND + b"budget_yuan = nan", "(levers.sme_fund.budget_yuan) is “nan”"),
    "a number of thousands of digits": (_FUND + b"budget_yuan = 1" + b"0" * 5000, "more than 4300 digits"),
    "a hexadecimal number of thousands of digits": (
        _FUND + b"budget_yuan = 0x1" + b"0" * 5000,
        "(levers.sme_fund.budget_yuan) is a whole number of more than 64 bits",
    ),
    "a long number as a name": (b"schema = 1\nname = 0x" + b"f" * 5000, "(name) is a whole number"),
    "a key twice": (_FUND + b"intensity = 1\nintensity = 2\n", "line 7"),
    "a table twice": (_FUND + b"[levers.sme_fund]", "twice: line 6"),
    "a path as parent": (b'schema = 1\nname = "a"\nextends = "/etc/passwd"', "(extends) is “/etc/passwd”"),
    "a path upwards as parent": (b'schema = 1\nname = "a"\nextends = "../../etc/passwd"', "catalogue only"),
    "a path as name": (b'schema = 1\nname = "../../etc/passwd"', "(name) is “../../etc/passwd”"),
    "a list as parent": (b'schema = 1\nname = "a"\nextends = ["baseline"]', """(extends) is “["baseline"]”"""),
    "a long parent": (b'schema = 1\nname = "a"\nextends = "' + b"a" * 150_000 + b'"', "(extends) is “aaa"),
    "a path as value": (_FUND + b'start = "../../etc/passwd"', "levers.sme_fund.start"),
    "a path as place": (_FUND + b'provinces = ["/etc/passwd"]', "(levers.sme_fund.provinces) is “/etc/passwd”"),
    "a NUL": (BASE + b'title = "a\0b"', "line 4"),
    "no UTF-8": (BASE + b'title = "\xff\xfe"', "not UTF-8 text"),
    "half a letter": (BASE + b'title = "\\ud800"', "line 4"),
    "thousands of keys": (BASE + b"\n".join(b"k%d=1" % each for each in range(_ROOM // 9)), "unknown key k0"),
    "thousands of parameters": (
        BASE + b"[parameters]\n" + b"\n".join(b"k%d=1" % each for each in range(_ROOM // 9)),
        "unknown key parameters.k0",
    ),
    "thousands of keys of a lever": (
        BASE + b"\n".join(b"levers.sme_fund.k%d=1" % each for each in range(_ROOM // 25)),
        "unknown key levers.sme_fund.k0",
    ),
    "thousands of tables": (BASE + b"\n".join(b"[t%d]" % each for each in range(_ROOM // 9)), "unknown key t0"),
    "thousands of rows": (BASE + b"[[a]]\n[[a.b]]\n" * (_ROOM // 14), "unknown key a"),
    "thousands of places": (_FUND + b"provinces = [" + b'"a",' * 40_000 + b"]", "(levers.sme_fund.provinces) is “a”"),
    "one long key": (BASE + b"a" * 190_000 + b" = 1", "unknown key aaa"),
    "one long parameter": (BASE + b"parameters." + b"a" * 190_000 + b" = 1", "unknown key parameters.aaa"),
    "one long key twice": (BASE + b"[" + b"a" * 90_000 + b"]\n[" + b"a" * 90_000 + b"]", "twice"),
    "quotation marks": (BASE + b'"' * 190_000, "line 4"),
    "a class as key": (BASE + b"__class__ = 1", "unknown key __class__"),
    "a class as lever": (BASE + b"[levers.__class__]\nx = 1", "unknown key levers.__class__"),
    "a method as setting": (_FUND + b"__init__ = 1", "unknown key levers.sme_fund.__init__"),
    "a class as parameter": (BASE + b"parameters.__class__ = 1", "unknown key parameters.__class__"),
    "markup as key": (BASE + f"'{MARKUP}' = 1".encode(), "unknown key <img src=x"),
    "markup as value": (_FUND + f"start = '{MARKUP}'".encode(), "levers.sme_fund.start"),
    "markup as place": (_FUND + f"provinces = ['{MARKUP}']".encode(), "(levers.sme_fund.provinces) is “<img src=x"),
}

_DEEP = "[" * 5_000
_CLUSTERS = "levers.cluster_recognition.per_year"
#: Queries of addresses; each also hides in a kept policy, see below.
_SETTINGS: dict[str, tuple[str, str]] = {
    "brackets that open": ("levers.sme_fund.provinces", _DEEP),
    "brackets in pairs": ("levers.sme_fund.provinces", "[" * 900 + "]" * 900),
    "tables in tables": ("levers.sme_fund", '{"a":' * 300 + "1" + "}" * 300),
    "a whole table": ("levers.sme_fund", '{"enabled": true}'),
    "an empty table": ("levers", "{}"),
    "no table": ("levers", "null"),
    "a key of thousands of parts": ("levers." + "a." * 15_000 + "a", "1"),
    "a parameter of thousands of parts": ("parameters." + "a." * 15_000 + "a", "1"),
    "dots": ("parameters...", "1"),
    "half a letter": ("levers.sme_fund.start", '"\\ud800"'),
    "a number of thousands of digits": (_CLUSTERS, "9" * 5000),
    "a long number": (_CLUSTERS, "9" * 4000),
    "a number beyond floats": ("levers.sme_fund.budget_yuan", "1e400"),
    "no number": ("levers.sme_fund.budget_yuan", "NaN"),
    "a class": ("levers.__class__", "1"),
    "a method": ("levers.sme_fund.__init__.__globals__", "1"),
    "a path": ("levers.sme_fund.start", "../../etc/passwd"),
    "a NUL": ("levers.sme_fund.start", "a\0b"),
    "a switch as text": ("levers.sme_fund.enabled", '"false"'),
    "markup as key": (f"levers.{MARKUP}", "1"),
    "markup as value": ("levers.sme_fund.start", MARKUP),
}
ADDRESSES: dict[str, str] = {
    **{name: f"{quote(key)}={quote(value)}" for name, (key, value) in _SETTINGS.items()},
    **{f"{name}, kept": f"policy={quote(f'a~{key}={value}')}" for name, (key, value) in _SETTINGS.items()},
    "no UTF-8": "levers.%ff%fe=%ff&policy=%ff~%fe=%ff&measure=%ff",
    "a table and its text": "levers=x&levers.sme_fund.enabled=true&policy=a~levers=x~levers.sme_fund.enabled=true",
    "thousands of settings": "&".join(f"levers.k{each}=1" for each in range(4000)),
    "thousands of policies": "&".join(f"policy=p{each}" for each in range(4000)),
    "the same name": f"policy=a~{_CLUSTERS}%3D200&policy=a~{_CLUSTERS}%3D300",
    "a long name": "policy=" + "a" * 30_000 + f"~{_CLUSTERS}%3D300",
    "markup as name": f"policy={quote(MARKUP)}~{_CLUSTERS}%3D300",
    "choices that there are not": "&".join(
        f"{key}={quote(value)}"
        for key, value in {
            **{"measure": MARKUP, "shown": "__class__", "quarter": "9" * 3000, "province": "../../etc/passwd"},
            **{"chain": "9" * 3000, "firm": "1-99999999999999999999", "table": "../national", "runs": "\0"},
            **{"about": MARKUP, "source": "/etc/passwd", "against": "../..", "over_time": "__dict__", "lang": "../en"},
        }.items()
    ),
}


def outside_brackets(text: str) -> str:
    """A text without what stands in brackets or in the innermost quotation marks."""
    text = re.sub(r"（[^（）]*）", "", text)
    return re.sub(r"“[^“”]*”", "", text)


def check_chinese(text: str) -> None:
    """The sentence is Chinese: Latin words are keys in brackets, or what the user wrote, in quotation marks."""
    assert re.search(r"[\u4e00-\u9fff]", text), text
    assert not re.findall(r"[A-Za-z]{2,}|_", outside_brackets(text)), text
    assert len(text) < READABLE


def session(query: str = "") -> Session:
    """A reader's page without a model behind it."""
    return Session(SimpleNamespace(crowded=False), query)


def send(page: Session, content: bytes, name: str = "file.toml") -> str:
    """Upload a file as the field of the page does, and use it; gives the message that is shown then."""
    # The field itself sends no file that is too large, a hostile reader does.
    text = base64.b64encode(content).decode()
    offered = read_offer(page, {"name": name, "size": len(content), "content": text})
    if offered is not None:
        take_offer(page, offered)
    return page.message.value


def follow_link(query: str) -> str:
    """Open a page with a link, which has to end in a message or a default; gives all that is said of it."""
    begun = time.monotonic()
    page = session(query)
    words = page.words
    said = [page.message.value]
    assert len(page.message.value) < READABLE
    assert len(page.saved.value) <= MOST_SAVED
    policy_of(page.settings.value)  # whatever was asked for, what holds is a policy
    changes_table(page.settings.value, words)
    for saved, policy in zip(page.saved.value, kept_policies(page.saved.value), strict=True):
        if isinstance(policy, Exception):
            assert 0 < len(str(policy)) < READABLE
            said.append(str(policy))
        else:
            changes_sentence(saved.settings, words)
    # The address that the page writes then is the state it has.
    again = from_query(page.query, tuple(VIEWS))
    assert policy_of(again.settings) == policy_of(page.settings.value)
    assert [saved.name for saved in again.saved] == [saved.name for saved in page.saved.value]
    assert time.monotonic() - begun < SOON
    page.set("levers.cluster_recognition.per_year", 300, True)
    assert page.settings.value["levers.cluster_recognition.per_year"] == 300
    assert page.message.value == ""
    return "\n".join(said)
