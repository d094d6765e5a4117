"""Policies side by side: runs are shared, a newer request overtakes, and the numbers are those of srdi compare."""

import threading
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scenarios import load_scenario
from scenarios.analysis.comparison import compare
from scenarios.analysis.metrics import CUMULATIVE_COST
from viz import LANGUAGES
from viz.app.compare_tables import effects_table, prices_notes, prices_table, robustness_tables
from viz.live.comparing import Comparer, RunCache
from viz.live.findings import PRICED, ROBUST, find, lines
from viz.report.costs import costs_per_firm
from viz.report.sections import Sections
from viz.shared.compared import Compared
from viz.shared.estimates import verdict
from viz.shared.prices import Price
from viz.shared.quantities import ENDS
from viz.words.language import Words

SCALE, UNTIL, MEMBERS = 0.002, 2022, 3


def policy(number, *settings):
    names = {"name": f"policy-{number}", "title": f"Policy {number}", "title_zh": f"政策{number}"}
    return load_scenario("baseline", settings).model_copy(update=names)


AWARDS = policy(1, "levers.little_giant_awards.award_yuan=20e6")
CLUSTERS = policy(2, "levers.cluster_recognition.per_year=300")


class Asked:
    """A comparer with everything it says."""

    def __init__(self, kept, at=lambda status: None):
        self.findings, self.stages, self.ended = [], [], threading.Event()
        self._at = at
        self.comparer = Comparer(kept, self.findings.append, self._say)

    def _say(self, status):
        self.stages.append(status)
        self._at(self)
        if status.stage in ("done", "cancelled", "failed"):
            self.ended.set()

    def compare(self, *policies):
        self.comparer.ask(policies)
        assert self.ended.wait(120)
        return self


@pytest.fixture(scope="module")
def asked(runner):
    return Asked(RunCache(runner)).compare(AWARDS, CLUSTERS)


@pytest.fixture(scope="module")
def found(asked):
    return asked.findings[-1]


def test_the_central_runs_come_first_and_then_the_ensemble(asked):
    assert [each.pairs for each in asked.findings] == [1, MEMBERS]
    assert asked.findings[0].compared.others == ["policy-1", "policy-2"]
    assert asked.stages[-1].stage == "done"
    assert [status.done for status in asked.stages if status.stage == "ensemble"] == [0, *range(2 * MEMBERS)]


def test_runs_are_shared_and_the_oldest_policies_are_forgotten(runner):
    kept = RunCache(runner, most=2)
    first = kept.run(AWARDS.policy, 0, lambda: False)
    assert kept.run(AWARDS.policy, 0, lambda: False) is first
    kept.run(CLUSTERS.policy, 0, lambda: False)
    kept.run(AWARDS.policy, 0, lambda: False)
    kept.keep(runner.baseline.policy, (runner.baseline_run(0),))
    assert len(kept) == 2
    assert kept.run(AWARDS.policy, 0, lambda: True) is first
    assert kept.run(CLUSTERS.policy, 0, lambda: True) is None


def test_cancelling_shows_the_members_that_every_policy_has(runner):
    def cancel(asked):
        if asked.stages[-1].stage == "ensemble" and asked.stages[-1].done >= 4:
            asked.comparer.cancel()

    asked = Asked(RunCache(runner), cancel).compare(AWARDS, CLUSTERS)
    assert asked.stages[-1].stage == "cancelled"
    assert asked.stages[-1].done == 2
    assert asked.findings[-1].pairs == 2


def test_a_new_wish_overtakes_and_the_end_of_the_page_stops_everything(runner):
    asked = Asked(RunCache(runner))
    asked.comparer.ask([CLUSTERS])
    asked.comparer.ask([AWARDS])
    assert asked.ended.wait(120)
    assert all(each.compared.others == ["policy-1"] for each in asked.findings)
    silent = Asked(RunCache(runner))
    silent.comparer.ask([CLUSTERS])
    silent.comparer.close()
    said = len(silent.stages)
    assert not silent.ended.wait(1.0)
    assert len(silent.stages) == said
    assert not silent.findings


def test_who_is_told_something_may_ask_for_something_else(runner):
    def ask_again(asked):
        if len(asked.findings) == 1 and not asked.again:
            asked.again = True
            asked.comparer.ask([CLUSTERS])

    asked = Asked(RunCache(runner))
    asked.again, asked._at = False, ask_again
    asked.compare(AWARDS)
    assert asked.findings[-1].compared.results.manifest["scenarios"][1]["name"] == "policy-2"


def test_what_a_run_raises_is_told(runner):
    class Failing(RunCache):
        def run(self, policy, member, stopped):
            raise MemoryError("no room")

    asked = Asked(Failing(runner)).compare(AWARDS)
    assert str(asked.stages[-1].fault) == "no room"


def test_differences_regret_and_worst_cases_are_those_of_srdi_compare(found):
    results = found.compared.results
    table = compare(results, "baseline", metrics=[name for name in ROBUST if name != CUMULATIVE_COST])
    for row in table.rows.itertuples():
        difference = found.ends[row.scenario, row.metric].difference
        assert difference.mean == pytest.approx(row.difference)
        assert (difference.low, difference.high) == pytest.approx((row.effect_low, row.effect_high), nan_ok=True)
        assert (difference.mean_low, difference.mean_high) == pytest.approx((row.low, row.high), nan_ok=True)
    for row in table.regret.itertuples():
        robust = found.robustness[row.scenario, row.metric]
        assert (robust.better, robust.regret, robust.best) == (row.better_share, row.regret_max, row.best_share)
        assert robust.states == MEMBERS
    national = results.national.query("quarter == quarter.max()").set_index(["scenario", "draw"])
    spent = results.national.groupby(["scenario", "draw"], observed=True)["public_spending_yuan"].sum()
    for name in found.compared.others:
        giants = national.loc[name, "little_giants"] - national.loc["baseline", "little_giants"]
        assert found.robustness[name, "little_giants"].worst == giants.min()
        assert found.robustness[name, CUMULATIVE_COST].worst == pytest.approx((spent[name] - spent["baseline"]).max())


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_say_what_the_report_says(found, language):
    words = Words(language)
    sections = Sections(found.compared, words)
    table = effects_table(found, words)
    *effects, labels = table.rows
    assert len(effects) == len(ENDS)
    words_of = (found.compared.results.change_label("baseline", name) for name in found.compared.others)
    assert list(labels[2:]) == [words.label(label) for label in words_of]
    assert list(table.heads[2:]) == [words.scenario(policy.model_dump()) for policy in (AWARDS, CLUSTERS)]
    end = found.compared.end("policy-1", "little_giants").difference
    cell = str(table.rows[ENDS.index("little_giants")][2])
    value, interval = words.estimate(end.mean, end.low, end.high, "firms", signed=True)
    assert cell.startswith(f"{value}<br>")
    assert (interval in cell) == (end.low != end.high)
    assert verdict(words, end, "firms") in cell
    prices = prices_table(found, words)
    report = {(row[0], row[1]): row[2] for row in costs_per_firm(sections).rows}
    for row, quantity in zip(prices.rows[1:], PRICED, strict=True):
        titles = [sections.titles[name] for name in found.compared.others]
        assert list(row[1:]) == [report[title, words.column(quantity)] for title in titles]
    robust = robustness_tables(found, words)
    assert len(robust) == len(ROBUST)
    for _, each in robust:
        assert [row[0] for row in each.rows] == [sections.titles[name] for name in found.compared.names]
        assert {len(row) for row in each.rows} == {len(each.heads)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_beside_a_price_stands_why_it_can_be_many_times_an_award(found, language):
    words, ratio = Words(language), found.ends["policy-1", "little_giants"].difference
    unpriced = replace(found, prices=dict.fromkeys(found.prices, Price("shock")))
    priced = replace(found, prices={**unpriced.prices, ("policy-1", PRICED[0]): Price("ratio", ratio)})
    assert prices_notes(unpriced, words) == [words("cost.note")]
    assert prices_notes(priced, words) == [words("cost.note"), words("cost.why")]


def test_a_name_is_no_markup(found):
    manifest = found.compared.results.manifest
    old = manifest["scenarios"][1]["title"]
    manifest["scenarios"][1]["title"] = "<script>"
    from viz.app.elements import table_html

    table = effects_table(found, Words("en"))
    text = table_html(table.heads, table.rows)
    manifest["scenarios"][1]["title"] = old
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    assert "<small>" in text


def test_lines_are_the_means_of_the_key_figures_with_the_band_of_the_baseline(found):
    course = lines(found, "little_giants")
    assert course.quarters[0] == "2018Q4"
    assert course.quarters[-1] == f"{UNTIL}Q4"
    frame = found.compared.results.national
    levels = frame[frame["scenario"] == "policy-2"].groupby("quarter")["little_giants"].mean()
    np.testing.assert_allclose(course.levels["policy-2"], levels)
    pairs = frame[frame["scenario"] != "policy-1"].pivot(
        index=["quarter", "draw"], columns="scenario", values="little_giants"
    )
    mean = (pairs["policy-2"] - pairs["baseline"]).groupby("quarter").mean()
    change, low, high = course.differences["policy-2"]
    np.testing.assert_allclose(change, mean)
    end = found.ends["policy-2", "little_giants"]
    assert course.levels["policy-2"][-1] == pytest.approx(end.mean)
    assert (change[-1], low[-1], high[-1]) == pytest.approx(
        (end.difference.mean, end.difference.low, end.difference.high)
    )
    before = found.ends["baseline", "little_giants"]
    assert (course.low[-1], course.high[-1]) == pytest.approx((before.low, before.high))
    assert (course.low <= course.levels["baseline"]).all()
    assert (course.levels["baseline"] <= course.high).all()


def test_a_scenario_alone_has_nothing_to_be_compared_with(runner):
    from scenarios.errors import InputError
    from viz.live.gathered import GatheredResults

    alone = GatheredResults(runner, [runner.baseline], {"baseline": [runner.baseline_run(0)]})
    with pytest.raises(InputError, match="contains only 'baseline'"):
        find(alone)


def test_prices_are_numbers_apart_from_their_words(found):
    price = found.prices["policy-1", "little_giants"]
    costs, gains = (
        found.compared.differences("policy-1", name).iloc[-1] for name in (CUMULATIVE_COST, "little_giants")
    )
    assert isinstance(found.compared, Compared)
    assert isinstance(costs, pd.Series)
    from viz.shared.prices import price_of

    factor = found.compared.factor("little_giants")
    assert factor > 0.0
    for language in LANGUAGES:
        assert price.text(Words(language)) == price_of(costs, gains, factor).text(Words(language))
    assert replace(price, key="same", ratio=None).text(Words("en")) == Words("en")("cost.same")
