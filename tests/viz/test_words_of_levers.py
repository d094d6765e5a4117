"""The words of levers, rules and shocks: complete in both languages, none left over, short, Chinese in Chinese."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import get_args

import pytest

from scenarios.files import describe
from sim.levers import Levers
from sim.levers.base import FirmLever
from sim.levers.services import PRODUCER_SERVICES
from sim.reference import sector_names
from sim.shocks import Shocks
from sim.tiers import TIERS
from viz import LANGUAGES
from viz.words.language import Words, catalogue

#: Most characters of a setting's label and of a lever's title.
LABEL = {"en": 26, "zh": 12}
TITLE = {"en": 34, "zh": 16}
LEVERS, SHOCKS = tuple(Levers.model_fields), tuple(Shocks.model_fields)
SETTINGS = [
    *(row for part in (*describe.lever_rows(), *describe.shock_rows()) for row in part["settings"]),
    *describe.rule_rows(),
]
KEYS = [row["key"] for row in SETTINGS]
UNITS = {row["unit"] for row in SETTINGS} - {""}
#: Tables of the catalogue that have one word for each of these, and no other.
NAMES = {
    "group": (*dict.fromkeys(row["group"] for row in describe.lever_rows()), "rules", "shocks"),
    "lever": LEVERS,
    "lever_help": LEVERS,
    "lever_cost": LEVERS,
    "tier": get_args(FirmLever.model_fields["lowest_tier"].annotation),
    "shock": SHOCKS,
    "shock_help": SHOCKS,
    "rule_group": ("general", *TIERS),
    "sector": sector_names(),
    "choice": tuple(PRODUCER_SERVICES),
}


def own_words(language):
    return tomllib.loads(files("viz").joinpath("words", f"levers.{language}.toml").read_text(encoding="utf-8"))


def has_chinese(text):
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def whole(key):
    return key.replace(".", "_")


def field_of(key):
    return key.rpartition(".")[2]


def sentences(language):
    """Every text that is a sentence, by its dotted key."""
    texts = own_words(language)
    tables = [table for table in texts if table.endswith(("_help", "_cost"))]
    return {f"{table}.{key}": text for table in tables for key, text in texts[table].items()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("table", NAMES)
def test_a_table_has_a_word_for_every_name_and_no_other(language, table):
    assert set(catalogue(language)[table]) == set(NAMES[table])
    assert all(Words(language)(f"{table}.{name}").strip() for name in NAMES[table])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_has_a_label_and_no_label_is_left_over(language):
    words, table = Words(language), catalogue(language)["setting"]
    assert all(words.setting_label(key) for key in KEYS)
    assert set(table) == {whole(key) if whole(key) in table else field_of(key) for key in KEYS}


def test_no_two_settings_of_a_lever_rule_or_shock_have_the_same_label():
    for language in LANGUAGES:
        labels = [(key.rpartition(".")[0], Words(language).setting_label(key)) for key in KEYS]
        assert len(labels) == len(set(labels))


def test_a_setting_is_helped_by_its_description_in_english_and_by_the_catalogue_in_chinese():
    english, chinese, table = Words("en"), Words("zh"), catalogue("zh")["setting_help"]
    for row in SETTINGS:
        assert row["description"]
        assert english.setting_help(row["key"], row["description"]) == row["description"]
        assert has_chinese(chinese.setting_help(row["key"], row["description"]))
    common = {f"levers.{lever}.{name}" for lever in LEVERS for name in FirmLever.model_fields}
    assert set(table) == {field_of(key) if key in common else whole(key) for key in KEYS}
    assert "setting_help" not in catalogue("en")


def test_the_whole_key_goes_before_the_name_of_the_field():
    words = Words("en")
    assert words.setting_label("levers.governance_training.start") == words("setting.start")
    assert words.setting_label("rules.start") == words("setting.rules_start") != words("setting.start")


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Public credit guarantees"), ("zh", "融资担保")], ids=["en", "zh"]
)
def test_what_the_catalogue_does_not_know_is_named_as_it_is_declared(language, title, monkeypatch):
    words = Words(language)
    assert words.lever("credit_guarantees")
    unknown = {table: {} for table in ("lever", "lever_help", "lever_cost", "setting", "setting_help")}
    monkeypatch.setattr(words, "_texts", {**catalogue(language), **unknown})
    assert words.lever("credit_guarantees") == title
    assert words.lever_help("credit_guarantees").startswith("Public credit guarantees (融资担保)")
    assert words.lever_cost("credit_guarantees").startswith("firms supported")
    assert words.setting_label("levers.credit_guarantees.yuan_per_firm") == "Yuan per firm"
    assert words.setting_help("levers.credit_guarantees.yuan_per_firm", "public cost") == "public cost"


def test_every_unit_has_words_in_both_languages_and_each_stands_in_one_file():
    for language in LANGUAGES:
        own = own_words(language).get("unit", {})
        assert set(catalogue(language)["unit"]) >= UNITS
        assert set(own) <= UNITS
        base = tomllib.loads(files("viz").joinpath("words", f"{language}.toml").read_text(encoding="utf-8"))
        assert not set(own) & set(base["unit"])
        assert not (set(own_words(language)) - {"unit"}) & set(base)


def test_titles_and_labels_are_short():
    for language in LANGUAGES:
        words = Words(language)
        assert {key: words.setting_label(key) for key in KEYS if len(words.setting_label(key)) > LABEL[language]} == {}
        assert {name: words.lever(name) for name in LEVERS if len(words.lever(name)) > TITLE[language]} == {}


def test_chinese_texts_are_chinese_and_english_ones_are_not():
    for table, texts in own_words("zh").items():
        assert [key for key, text in texts.items() if not has_chinese(text)] == [], table
    for table, texts in own_words("en").items():
        assert [key for key, text in texts.items() if has_chinese(text)] == [], table


def test_sentences_end_as_sentences_do_and_name_no_file():
    for language, stop in (("en", "."), ("zh", "。")):
        for key, text in sentences(language).items():
            assert text.endswith(stop), key
            assert not re.search(r"\w_\w|\w/\w|\.py", text), key


def test_a_lever_is_named_in_chinese_by_the_policy_term_of_its_declaration():
    for name, field in Levers.model_fields.items():
        title = Words("zh").lever(name)
        terms = field.annotation.__doc__.strip().splitlines()[0]
        pieces = (title[at : at + 3] for at in range(max(len(title) - 2, 1)))
        assert any(has_chinese(piece) and piece in terms for piece in pieces), name
