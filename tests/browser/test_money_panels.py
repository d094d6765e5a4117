"""Money in a real browser: what levers spend, a total to hold, a target's file, and work in the background."""

import pytest

from benchmarks.page import wait_for_answer

pytestmark = pytest.mark.browser

FUND = "levers.sme_fund.enabled=true&levers.governance_training.enabled=true"


def test_levers_say_what_they_spend_and_the_total_rescales_them(open_page):
    page = open_page(f"?{FUND}&total=5e9")
    wait_for_answer(page, ensemble=True)
    spent = page.locator('[data-item="levers.little_giant_awards"] .srdi-spent')
    assert "of 10 billion yuan" in spent.inner_text()
    total = page.locator(".srdi-total")
    assert "over the total of 5 billion" in total.inner_text()
    total.get_by_role("button", name="Rescale the levers to the total").click()
    total.get_by_text("Rescaled to").wait_for()
    page.wait_for_url(lambda url: "levers.sme_fund.budget_yuan" in url)
    page.get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_url(lambda url: "levers.sme_fund.budget_yuan" not in url)


@pytest.mark.slow
def test_a_policy_is_split_in_the_background_and_can_be_cancelled(open_page):
    page = open_page(f"money?{FUND}")
    panel = page.locator("#split")
    panel.get_by_role("button", name="Split the policy among its parts").click()
    panel.get_by_role("button", name="Cancel").click()
    panel.get_by_text("Cancelled.").wait_for()
    panel.get_by_role("button", name="Split the policy among its parts").click()
    panel.locator(".srdi-chart").wait_for(timeout=120_000)
    assert "Training in modern governance" in panel.inner_text()


@pytest.mark.slow
def test_the_file_of_a_target_stands_on_the_compare_page(open_page):
    page = open_page("compare")
    panel = page.locator("#least-cost")
    panel.get_by_label("At least").fill("18000")
    panel.get_by_label("At least").press("Enter")
    panel.get_by_text("little_giants@2030Q4 >= 18000").wait_for()
    assert "srdi target target.toml" in panel.inner_text()
