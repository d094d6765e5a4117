"""Evidence files: what stands in the package's, and what is refused in a user's."""

from __future__ import annotations

import time
import tomllib
from collections import Counter
from importlib.resources import files

import pytest
from evidence_files import EXTENDS, ROW, changed_row, own_file, whole_file
from hostile import READABLE, SOON

from calibration.evidence.rows import Gap, parse_evidence, read_evidence
from scenarios.analysis.reported import CUT_OFF
from scenarios.errors import InputError
from sim.levers import Levers


def test_the_packaged_file_keeps_every_row_and_names_every_lever():
    evidence = read_evidence()
    text = files("calibration").joinpath("evidence.toml").read_text(encoding="utf-8")
    assert [row["id"] for row in tomllib.loads(text)["evidence"] if "none_found" not in row] == [
        row.id for row in evidence.estimates
    ]
    assert {row.lever for row in evidence.rows} >= set(Levers.model_fields)
    assert {gap.lever for gap in evidence.gaps} >= {"joint_branding", "first_equipment", "county_preference"}


def test_no_row_of_the_package_is_later_than_the_cut_off_or_rests_on_memory_alone():
    for row in read_evidence().estimates:
        assert row.published <= CUT_OFF, row.id
        assert row.basis != "known", row.id
        if row.date_from_memory:
            assert row.use != "fit" or row.id == "mizuno_2014_survival", row.id


def test_assumed_errors_follow_the_rule_that_the_file_states():
    """Half of the estimate, all of it where it is not significant; a null has its error from another row."""
    for row in read_evidence().estimates:
        if not row.se_assumed or row.se_from:
            continue
        whole = row.not_significant or row.id == "ryan_india_revenue"
        assert row.se == pytest.approx(abs(row.estimate) * (1.0 if whole else 0.5), rel=0.02), row.id
    nulls = [row for row in read_evidence().estimates if row.null and row.estimate is not None]
    assert all(row.se_from for row in nulls)


def test_transport_follows_its_rule():
    for row in read_evidence().estimates:
        assert row.tau in (0.3, 0.5, 0.8), row.id
        if row.use == "fit" and row.tau == 0.3:
            assert "China" in row.sample, row.id


def test_a_dose_between_two_amounts_is_their_geometric_mean_in_yuan():
    evidence = read_evidence()
    rows = {row.id: row for row in evidence.estimates}
    assert evidence.currency["USD"] == 7.05
    assert evidence.dose_in_yuan(rows["bloom_2013_practices"]) == pytest.approx(7.05 * (75e3 * 250e3) ** 0.5)
    assert evidence.dose_in_yuan(rows["cornet_2006_additional"]) == pytest.approx(7.66 * 7500)
    assert evidence.dose_in_yuan(rows["cai_szeidl_2018"]) is None


# ---------------------------------------------------------------- a user's file


def test_own_rows_are_added_and_replace_those_of_the_same_id(tmp_path):
    again = changed_row(id='"cai_szeidl_2018"', estimate="0.04")
    (tmp_path / "mine.toml").write_text(own_file(ROW, again))
    evidence, packaged = read_evidence(tmp_path / "mine.toml"), read_evidence()
    assert len(evidence.estimates) == len(packaged.estimates) + 1
    found = [row.estimate for row in evidence.estimates if row.id == "cai_szeidl_2018"]
    assert found == [0.04]
    assert Counter(row.id for row in evidence.rows).most_common(1)[0][1] == 1


def test_a_file_of_its_own_needs_every_lever():
    evidence = parse_evidence(whole_file(), "mine.toml")
    assert len(evidence.estimates) == 1
    assert len(evidence.gaps) == len(Levers.model_fields) - 1
    assert all(isinstance(row, Gap) for row in evidence.gaps)
    with pytest.raises(InputError, match=r"lever sme_fund has no row; .* extends = .packaged. at the top"):
        parse_evidence(whole_file().replace('lever = "sme_fund"', 'lever = "network"'), "mine.toml")


#: What is wrong in a file, and a part of the sentence that is wanted.
FAULTS = {
    "a lever that there is not": (changed_row(lever='"matchmaking_sale"'), "did you mean 'matchmaking_sales'?"),
    "a parameter that there is not": (changed_row(parameter='"match_sale"'), "did you mean 'match_sales'?"),
    "another parameter that there is not": (changed_row(also='["growth_order"]'), "unknown parameter 'growth_order'"),
    "a setting that there is not": (
        changed_row(parameter='"levers.sme_fund.co_investmnt"'),
        "did you mean 'levers.sme_fund.co_investment'?",
    ),
    "an outcome that there is not": (changed_row(outcome='"log_revenu"'), "did you mean 'log_revenue'?"),
    "an experiment that there is not": (changed_row(experiment='"programme"'), "did you mean 'programme_once'?"),
    "a key that there is not": (changed_row(estimte="1"), "unknown key estimte; did you mean 'estimate'?"),
    "a day after the cut-off": (
        changed_row(published="2024-03-09"),
        "published is 2024-03-09; allowed are dates up to 2024-03-08",
    ),
    "a day as text": (changed_row(published='"2020"'), "published is '2020'"),
    "a time of day": (changed_row(published="10:00:00"), "published is datetime.time"),
    "no error": (changed_row(se=None), "se is missing; a row of use 'fit' needs a standard error"),
    "an error of nothing": (changed_row(se="0"), "se is 0: input should be greater than 0"),
    "no number": (changed_row(se="nan"), "se is nan"),
    "a number beyond floats": (changed_row(estimate="1e400"), "estimate is inf"),
    "a number as text": (changed_row(estimate='"0.05"'), "estimate is '0.05': it must be a number"),
    "a switch for a number": (changed_row(estimate="true"), "estimate is True: it must be a number"),
    "a number for a switch": (changed_row(null="1"), "null is 1"),
    "a sign with an estimate": (changed_row(sign="1"), "sign is 1; a row of use 'fit' has none"),
    "no sign": (changed_row(use='"sign"'), "sign is missing"),
    "a range upside down": (changed_row(range_low="2", range_high="1"), "range_low is 2, above range_high, 1"),
    "a horizon of centuries": (changed_row(horizon_years="400"), "horizon_years is 400"),
    "an amount without currency": (changed_row(dose_amount="100"), "are given together or not at all"),
    "a currency that is not known": (
        changed_row(dose_amount="100", dose_currency='"USB"'),
        "did you mean 'USD'? (allowed: USD, EUR, GBP)",
    ),
    "a currency of nothing": (ROW + "[currency]\nUSD = 0\n", "currency.USD is 0"),
    "a currency as a list": ("currency = []\n" + ROW, "currency is []"),
    "a path as id": (changed_row(id='"../../etc/passwd"'), "id is '../../etc/passwd'"),
    "a list as id": (changed_row(id="[1]"), "evidence number 1: id: input should be a valid string"),
    "an id twice": (ROW + ROW, "id 'mine_2020' is given twice"),
    "no rows": ("", "there is no [[evidence]]"),
    "rows that are numbers": ("evidence = [1, 2]\n", "there is no [[evidence]]"),
    "a setting of a lever that there is not": (
        changed_row(settings='{ "levers.matchmaking_sales.intensty" = 1 }'),
        "did you mean 'intensity'?",
    ),
    "a setting beyond its range": (
        changed_row(settings='{ "levers.matchmaking_sales.intensity" = 99 }'),
        "levers.matchmaking_sales.intensity is 99",
    ),
    "a setting of the run": (changed_row(settings='{ "run.until" = 2020 }'), "unknown key run.until (allowed: keys of"),
    "a table for a setting": (changed_row(settings="{ levers = { sme_fund = 1 } }"), "is a table"),
    "a gap without words": (
        '[[evidence]]\nid = "g"\nlever = "sme_fund"\nparameter = "match_sales"\nnone_found = true\n',
        "looked_for is missing",
    ),
    "a lever without single firms": (
        changed_row(lever='"cluster_recognition"', parameter='"commons_sales"'),
        "needs a lever that supports single firms",
    ),
    "a parameter that is a list": (
        changed_row(experiment='"direct"', outcome='"parameter"', parameter='"levers.sme_fund.provinces"'),
        "parameter is levers.sme_fund.provinces, which is not a number",
    ),
    "a long note": (changed_row(note=f'"{"n" * 500_000}"'), "at most 2000 characters"),
    "a long id": (changed_row(id=f'"{"a" * 100_000}"'), "id: string should match pattern"),
    "a NUL": (changed_row(note='"a\0b"'), "is not valid TOML"),
    "brackets that open": (ROW + "x = " + "[" * 100_000, "nested too deeply"),
    "a key of thousands of parts": (ROW + "a." * 90_000 + "a = 1", "has more than 16 parts"),
    "markup": (changed_row(lever='"<script>"'), "lever is '<script>'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_in_one_sentence(fault):
    text, words = FAULTS[fault]
    begun = time.monotonic()
    with pytest.raises(InputError) as refused:
        parse_evidence(EXTENDS + text, "mine.toml")
    message = str(refused.value)
    assert time.monotonic() - begun < SOON
    assert words in message
    assert message.startswith("mine.toml")
    assert "\n" not in message
    assert len(message) < READABLE


def test_another_file_cannot_be_extended():
    for value in ('"baseline"', '["packaged"]', "true"):
        with pytest.raises(InputError, match=r"extends is .* \(allowed: packaged\)"):
            parse_evidence(f"extends = {value}\n{ROW}", "mine.toml")


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    with pytest.raises(InputError, match=r"none\.toml does not exist"):
        read_evidence(tmp_path / "none.toml")
    (tmp_path / "letters.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8 text"):
        read_evidence(tmp_path / "letters.toml")
