"""What is wrong with an input is said in the page's words: what it is, the value found, and what is allowed."""

import json
import re
from urllib.parse import quote

import pytest
from hostile import ADDRESSES, BASE, READABLE, UPLOADS, check_chinese, send, session

from scenarios.analysis.decomposition import design
from scenarios.errors import InputError, ResultsError
from scenarios.files.loading import load_scenario
from viz.app.faults import fault_text
from viz.app.least_cost import missing_text
from viz.app.pages.compare import kept_policies
from viz.app.policies import MOST_BYTES
from viz.app.uploads import read_offer
from viz.words.language import Words

AWARDS = "levers.little_giant_awards"
#: Bad settings as key and text of an address, and what the Chinese sentence holds: title, value, what is allowed.
SETTINGS = [
    ("levers.incubation.yuan_per_firm", "abc", ["“孵化平台”", "“abc”", "大于0元/家·年", "不大于10亿元/家·年"]),
    ("levers.incubation.yuan_per_firm", "2e10", ["“孵化平台”", "为200亿元/家·年", "不大于10亿元/家·年"]),
    (f"{AWARDS}.yuan_per_firm", "2e10", ["“重点‘小巨人’奖补”没有这项设置", "可用的设置：", "预算总额（budget_yuan）"]),
    (f"{AWARDS}.budget_yan", "1", ["没有这项设置", "名称最接近的是“重点‘小巨人’奖补”的“预算总额”"]),
    ("levers.little_giant_award.enabled", "true", ["政策工具没有这项设置", "“重点‘小巨人’奖补”"]),
    (f"{AWARDS}.budget_yuan", "1e400", ["“inf”", "从0到10万亿元"]),
    (f"{AWARDS}.intensity", "true", ["“true”", "须为数字，从0到5"]),
    (f"{AWARDS}.enabled", "7", ["“启用”", "为7", "只能为“true”（是）或“false”（否）"]),
    (AWARDS, "3", ["“重点‘小巨人’奖补”", "“3”", "须逐项填写"]),
    ("levers", "{}", ["政策工具", "“{}”", "须逐项填写"]),
    ("levers.incubation.start", "2017Q1", ["“起始季度”", "2017年第1季度", "2019年第1季度至2048年第4季度"]),
    ("levers.incubation.start", "soon", ["“起始季度”", "“soon”", "2019年第1季度至2048年第4季度"]),
    ("levers.incubation.end", "2060Q1", ["“截止季度”", "2060年第1季度", "2048年第4季度"]),
    ("levers.incubation.end", "2020Q1", ["结束时间为2020年第1季度", "早于开始时间2024年第1季度"]),
    ("levers.incubation.announced", "2026Q1", ["公布时间为2026年第1季度", "晚于开始时间2024年第1季度"]),
    ("levers.incubation.provinces", '["Zhejian", "Jiangsu"]', ["“Zhejian”", "浙江（Zhejiang）"]),
    ("levers.incubation.lowest_tier", "giant", ["“giant”", "“小巨人”企业（little_giant）"]),
    ("rules.little_giant.review_strictness", "1.5", ["“复核严格程度”", "为150%", "从0%到100%"]),
    ("rules.little_giant.capacity", "2.5", ["“年度认定上限”", "为2.5家/年", "须为整数，从0到1,000万家/年"]),
    ("shocks.demand_slump.severity", "3", ["“需求下滑”的“需求降幅”", "为300%", "从0%到95%"]),
    ("shocks.demand_slump.start", "2018Q4", ["“需求下滑”", "2018年第4季度", "2019年第1季度至"]),
    ("parameters.rd_smoothing", "7", ["模型参数的“研发不随需求波动的部分”", "为7", "从0到1"]),
    ("parameters.rd_smoothin", "0.5", ["模型参数没有这项设置", "“研发不随需求波动的部分”"]),
    ("model.dose", "3", ["反馈机制", "只能为“true”（是）或“false”（否）"]),
    ("model.doze", "true", ["反馈机制没有这项设置", "（model.dose）"]),
]
#: Bad files, without what they begin with.
FILES = [
    (b"a = ", ["文件在末尾处不完整"]),
    (b"a = ?", ["第4行第5列无法识别"]),
    (b'title = "', ["文件在末尾处不完整", "第4行"]),
    (b"name = 'other'", ["出现两次", "第4行"]),
    (b"[run]\nuntil = 1999", ["运行的最后年份", "1999", "大于2018，不大于2048"]),
    (b"[run]\nscale = 20", ["模拟比例", "为2,000%", "从"]),
    (b"title_zh = '" + b"a" * 300 + b"'", ["中文标题", "不超过200个字符"]),
    (b"[levers.cluster_recognition]\nper_year = 1979-05-27", ["“每年认定集群数”", "“1979-05-27”", "须为整数"]),
    ("title = '中文'".encode("gbk"), ["可能是“GBK”", "“UTF-8”"]),
    (b"[levers.commons]\n", ["政策工具没有这项设置"]),
    (b"[levers.sme_fund]\nprovinces = 'Zhejiang'", ["“适用省份”", "“Zhejiang”", "须为列表"]),
]


@pytest.mark.parametrize(("key", "value", "said"), SETTINGS)
def test_a_bad_setting_in_an_address_is_said_in_chinese(key, value, said):
    page = session(f"lang=zh&{quote(key)}={quote(value)}&policy={quote(f'a~{key}={value}')}")
    message = page.message.value
    check_chinese(message)
    for each in said:
        assert each in message, message
    assert page.settings.value == {}
    (fault,) = kept_policies(page.saved.value)
    assert isinstance(fault, InputError)
    assert fault_text(page.words, fault) == message
    # On the command line the same error is English.
    assert not re.search(r"[\u4e00-\u9fff]", str(fault))


@pytest.mark.parametrize(("content", "said"), FILES)
def test_a_bad_file_is_said_in_chinese(content, said):
    page = session("lang=zh")
    message = send(page, BASE + content)
    assert message.startswith("文件“file.toml”：")
    check_chinese(message)
    assert any(each in message for each in said) if b'"' in content else all(each in message for each in said), message


@pytest.mark.parametrize("content", [content for content, _ in UPLOADS.values()], ids=UPLOADS)
def test_a_hostile_file_is_said_in_chinese(content):
    message = send(session("lang=zh"), content)
    assert re.match("文件“file.toml”：.*[\u4e00-\u9fff]", message)
    assert len(message) < READABLE


@pytest.mark.parametrize("query", ADDRESSES.values(), ids=ADDRESSES)
def test_no_address_has_a_fault_that_cannot_be_worded(query):
    page = session(f"lang=zh&{query}")
    assert re.match("[^a-z]*[\u4e00-\u9fff]|$", page.message.value)


def test_a_file_above_the_limit_is_said_in_chinese():
    page = session("lang=zh")
    read_offer(page, {"name": "file.toml", "size": MOST_BYTES + 1, "content": None})
    assert "最多允许20万字节" in page.message.value
    check_chinese(page.message.value)


def test_a_message_follows_the_language():
    page = session(f"lang=zh&{AWARDS}.enabled=7")
    chinese = page.message.value
    page.choose_language("en")
    assert page.message.value == (
        "“Awards to key little giants”, “In use” (levers.little_giant_awards.enabled) is 7: it must be true or false"
    )
    page.choose_language("zh")
    assert page.message.value == chinese
    page.message.value = ""  # dismissed
    page.choose_language("en")
    assert page.message.value == ""


def test_the_weights_of_the_commons_must_not_all_be_zero():
    prefix, page = "levers.cluster_recognition", session("lang=zh")
    lever = load_scenario("baseline").levers.cluster_recognition
    names = [key for key in lever.model_dump() if key.endswith("_weight")]
    page.put({f"{prefix}.{name}": 0.0 for name in names})
    check_chinese(page.message.value)
    assert "权重均为0" in page.message.value


def test_what_a_question_cannot_answer_is_said_in_chinese():
    words, baseline = Words("zh"), load_scenario("baseline")
    with pytest.raises(InputError) as raised:
        design(baseline, baseline.model_copy(update={"name": "same"}), [], 2)
    check_chinese(fault_text(words, raised.value))


@pytest.mark.parametrize("error", [MemoryError("no room"), InputError("not this"), ResultsError("damaged")])
def test_an_error_that_nothing_words_is_cited_in_brackets(error):
    text = fault_text(Words("zh"), error)
    assert str(error) in text
    check_chinese(text)
    assert str(error) in fault_text(Words("en"), error)


@pytest.mark.parametrize("text", ["0", "-5", "many", "nan", "1e13"])
def test_a_level_that_cannot_be_aimed_at_is_quoted_with_what_can(text):
    words = Words("zh")
    said = missing_text(words, text, ("sme_fund",))
    assert f"“{text}”" in said
    assert "小于1万亿" in said
    assert missing_text(words, "", ()) == words("funds.target_value_missing")
    assert missing_text(words, "18000", ()) == words("funds.target_free_missing")


def test_faults_of_settings_are_plain_values():
    """A fault travels between processes with its error."""
    page = session("lang=zh")
    page.put({f"{AWARDS}.intensity": "x"})
    json.dumps(page._fault[0].fault.about)
