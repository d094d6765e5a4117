"""What an address asks for and there is not is said: the key, the value found, and what is allowed."""

import re
from types import SimpleNamespace
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from hostile import ADDRESSES, READABLE, check_chinese

from viz import LANGUAGES
from viz.app import state
from viz.app.choices import faults_of, tell_choices, unknown_firm
from viz.app.faults import fault_text, names_text
from viz.app.state import VIEWS, Served, Session
from viz.words.language import Words

#: A wrong choice, and what the English and the Chinese sentence say is allowed.
WRONG = [
    ("horizon", "2077", "it must be a year from 2020 to 2030", "须为2020年至2030年之间的年份"),
    ("since", "2030", "from 2019 to 2029, before the last year", "须为2019年至2029年之间的年份，且早于图表截止年份"),
    ("quarter", "2031Q1", "from 2018 Q4 to 2030 Q4", "2018年第4季度至2030年第4季度"),
    ("measure", "x", "and 19 more", "项）之一"),
    ("shown", "x", "level under the policy (level)", "政策下的水平（level）"),
    ("province", "Taiwan", "Zhejiang", "浙江（Zhejiang）"),
    ("chain", "0", "it must be a whole number from 1 to 62", "须为整数，从1到62"),
    ("table", "x", "National, by quarter (national)", "（national）"),
    ("runs", "x", "(central)", "（central）"),
    ("about", "x", "(parameters)", "参数（parameters）"),
    ("over_time", "x", "(srdi_smes)", "（srdi_smes）"),
    ("by", "tier", "Region (region)", "地区（region）"),
    ("gain_by", "x", "tier of the ladder (tier)", "梯度层级（tier）"),
    ("charts", "x", "Difference (difference)", "差值（difference）"),
    ("total", "-4", "above 0", "大于0"),
    ("source", "x", "it must be one of seen", "只能为seen之一"),
    ("story", "x", "?", "？"),
    ("chart", "x", "(spending)", "（spending）"),
    ("dark", "2", "Dark (1)", "深色（1）"),
    ("lang", "fr", "简体中文 (zh)", "简体中文（zh）"),
]


@pytest.fixture
def opened(monkeypatch):
    """Opens an address on a server with one results directory and without a model."""
    scenario = {"name": "clusters-300", "title": "300 clusters", "title_zh": "300个集群"}
    directory = SimpleNamespace(manifest={"scenarios": [scenario]})
    chains = SimpleNamespace(tables={"chain": {"chain": np.tile(np.arange(62), 3)}})
    runner = SimpleNamespace(until=2030, members=12, ready=lambda member: True, baseline_run=lambda member: chains)
    monkeypatch.setattr(state, "served", Served(runner, {"seen": directory}))

    def open_(query, language="en"):
        session = Session(runner, query, accepted=language)
        tell_choices(session, query)
        return session

    return open_


@pytest.mark.parametrize(("key", "value", "english", "chinese"), WRONG)
def test_a_wrong_choice_is_said_and_left_at_its_default(opened, key, value, english, chinese):
    for language, allowed in (("en", english), ("zh", chinese)):
        session = opened(f"{key}={quote(value)}", language)
        message = session.message.value
        assert f"({key}) is “{value}”: " in message or f"（{key}）为“{value}”，不能使用：" in message
        assert allowed in message
        assert len(message) < READABLE
        if language == "zh" and key not in ("lang", "source"):  # languages and directories have names of their own
            check_chinese(message)
        assert key not in VIEWS or session.chosen(key) == VIEWS[key]
        assert f"{key}=" not in session.query


def test_every_choice_of_the_address_is_checked(opened):
    wrong = "&".join(f"{key}=%01" for key in VIEWS)
    # A title may be any text, firms depend on the policy, and scenarios on the results that are looked at.
    unchecked = {"title", "firm", "against"}
    assert {fault.key for fault in faults_of(opened(""), wrong)} == set(VIEWS) - unchecked
    seen = opened("source=seen&against=other", "zh")
    assert "（against）为“other”，不能使用：只能为300个集群（clusters-300）之一" in seen.message.value
    assert seen.chosen("source") == "seen"


def test_what_the_page_writes_is_allowed(opened):
    right = {key: value for key, value in VIEWS.items() if value} | {
        **{"since": "2020", "horizon": "2025", "charts": "level", "chain": "62", "total": "5e+09", "province": "Tibet"},
        **{"source": "seen", "against": "clusters-300", "firm": "1-2", "title": "a", "story": "", "chart": "spending"},
    }
    session = opened(urlencode(right) + "&lang=zh&dark=1&utm_source=x")
    assert session.message.value == ""
    assert session.chosen("horizon") == "2025"


def test_several_faults_of_an_address_are_one_message(opened):
    session = opened("lang=zh&levers.sme_fund.enabled=7&horizon=x&by=y")
    message = session.message.value
    assert "（levers.sme_fund.enabled）为7" in message
    assert message.endswith("地址中的“horizon”、“by”同样不能使用。")
    check_chinese(message)
    session.choose_language("en")
    assert session.message.value.endswith("it must be true or false; also not allowed: “horizon”, “by”")
    kept = opened("&".join(f"policy=p{number}" for number in range(5)))
    assert "(policy) is “5”: at most 4 can be compared" in kept.message.value
    assert len(kept.saved.value) == 4


@pytest.mark.parametrize(("since", "horizon"), [("2028", "2025"), ("2025", "2025")])
def test_charts_that_would_begin_after_their_end_are_said(opened, since, horizon):
    for language, allowed in (
        (
            "en",
            f"first year of charts” (since) is “{since}”: it must be a year from 2019 to 2024, before the last year",
        ),
        ("zh", f"图表起始年份”（since）为“{since}”，不能使用：须为2019年至2024年之间的年份，且早于图表截止年份。"),
    ):
        session = opened(f"since={since}&horizon={horizon}", language)
        assert allowed in session.message.value
        assert (session.chosen("since"), session.chosen("horizon")) == ("", horizon)
    # Of a wrong last year only that is said.
    assert [fault.key for fault in faults_of(opened(""), f"since={since}&horizon=2077")] == ["horizon"]


def test_of_a_long_list_the_first_names_are_said():
    names = [(f"name-{number}", f"name-{number}") for number in range(200)]
    whole = names_text(Words("en"), names[:50])
    assert "name-49" in whole
    assert "more" not in whole
    assert re.fullmatch(r"(name-\d+, )+name-\d+ and 1\d\d more", names_text(Words("en"), names))
    assert re.search(r"name-\d+等（另有1\d\d项）$", names_text(Words("zh"), names))
    assert names_text(Words("zh"), [("a" * 800, "a" * 800), names[0]]).endswith("a等（另有1项）")


@pytest.mark.parametrize("language", LANGUAGES)
def test_choices_made_to_do_harm_end_in_a_message(opened, language):
    message = opened(ADDRESSES["choices that there are not"], language).message.value
    assert 0 < len(message) < READABLE


def test_a_firm_that_is_not_listed_is_said():
    check_chinese(fault_text(Words("zh"), unknown_firm("1-2")))
    assert "(firm) is “1-2”: it must be one of the firms listed here" in fault_text(Words("en"), unknown_firm("1-2"))
