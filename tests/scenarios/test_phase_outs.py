"""Phase-outs and announcements of the catalogue do what their descriptions say, and nothing before."""

from __future__ import annotations

import pandas as pd
import pytest

from sim.model import SRDIModel

#: Large enough for an award a year; a smaller population has money for less than one firm.
SCALE = 0.02


@pytest.fixture(scope="module")
def series():
    """National series to 2027 by scenario, each run once, on a small population with the same random draws."""
    found: dict[str, pd.DataFrame] = {}

    def of(name):
        if name not in found:
            model = SRDIModel(scenario=name, scale=SCALE, until=2027, rng=2)
            model.run_model()
            found[name] = pd.DataFrame(model.tables()["national"]).set_index("quarter")
            model.close()
        return found[name]

    return of


def at(frame, column, date):
    return frame.loc[pd.Timestamp(date), column]


def test_an_announced_bar_moves_applications_before_it_holds_and_a_surprise_does_not(series):
    today, surprise, announced = map(series, ("baseline", "rd-bar-2026", "rd-bar-2026-announced"))
    before = slice(None, pd.Timestamp("2025-12-31"))
    pd.testing.assert_frame_equal(surprise.loc[before], today.loc[before])
    unknown = slice(None, pd.Timestamp("2024-03-31"))
    pd.testing.assert_frame_equal(announced.loc[unknown], today.loc[unknown])
    # In the year before, those that would fail the new bar apply while they can.
    last_year = slice(pd.Timestamp("2025-01-01"), pd.Timestamp("2025-12-31"))
    assert announced.loc[last_year, "applications"].sum() > surprise.loc[last_year, "applications"].sum()
    assert at(surprise, "srdi_smes", "2027-12-31") < at(today, "srdi_smes", "2027-12-31")


def test_awards_end_and_go_on_when_they_are_said_to(series):
    today, early, longer = map(series, ("baseline", "awards-end-2024", "awards-to-2030"))
    # An award is paid over twelve quarters: at the end of 2027 those of 2024 are, and those that came after, if any.
    awarded = [at(frame, "awarded_firms", "2027-12-31") for frame in (early, today, longer)]
    assert 0.0 < awarded[0] < awarded[1] < awarded[2]


def test_clusters_and_the_digital_programme_stop_growing(series):
    today, clusters, digital = map(series, ("baseline", "clusters-end-2024", "digital-ends-early"))
    assert [at(frame, "clusters", "2027-12-31") for frame in (today, clusters)] == [600.0, 300.0]
    assert at(digital, "digital_supported", "2026-06-30") == at(digital, "digital_supported", "2027-12-31")
    assert at(digital, "digital_supported", "2027-12-31") < at(today, "digital_supported", "2027-12-31")
    assert at(digital, "digital_supported", "2027-12-31") <= 26_667.0
