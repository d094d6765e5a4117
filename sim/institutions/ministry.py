"""The ministry (工业和信息化部): national batches and reviews, and the programmes it runs."""

from __future__ import annotations

from collections.abc import Collection

from sim.agents import Agent
from sim.institutions.awards import Awards
from sim.institutions.cluster_contest import ClusterContest
from sim.institutions.pilot_cities import PilotCities
from sim.institutions.programmes import Programme
from sim.levers import PROGRAMMES
from sim.reference import read_data
from sim.tally import Cell

#: Levers with recipients of their own, by the ministry's attribute that runs them.
_OWN_RECIPIENTS = {
    "awards": ("little_giant_awards", Awards),
    "pilot_cities": ("digital_empowerment", PilotCities),
    "contest": ("cluster_recognition", ClusterContest),
}


class Ministry(Agent):
    """The national ministry; acts in the fixed quarters of ``sim/data/calendar.toml``.

    Attributes:
        programmes: the firm programmes the scenario switches on.
        awards, pilot_cities, contest: the other levers with recipients of their own.
    """

    def __init__(self, model) -> None:
        super().__init__(model)
        calendar = read_data("calendar")
        self._quarters, self._measures = calendar["quarters"], calendar["measures"]
        self._goal_met = calendar["goal_met"]
        self.programmes: list[Programme] = []
        self.take_up({*PROGRAMMES, *(name for name, _ in _OWN_RECIPIENTS.values())})

    def take_up(self, changed: Collection[str]) -> None:
        """Restart the levers of these names as the model's policy has them now."""
        levers = self.model.policy.levers
        kept = {programme.name: programme for programme in self.programmes if programme.name not in changed}
        self.programmes = [
            kept.get(name) or Programme(self.model, name) for name in PROGRAMMES if getattr(levers, name).enabled
        ]
        for attribute, (name, institution) in _OWN_RECIPIENTS.items():
            if name in changed:
                setattr(self, attribute, institution(self.model))

    def open_quarter(self) -> None:
        """Before the firms act: grant yearly support."""
        self.awards.open_quarter()
        for programme in self.programmes:
            programme.open_quarter()

    def step(self) -> None:
        """After the firms have acted: audit, recognise, review, pick recipients."""
        number = self.model.quarter.number
        rounds, p = self.model.rounds, self.model.parameters
        if number == self._quarters["audit"]:
            rounds.audit()
        provincial = (("innovative", 0.0), ("srdi", [province.bar for province in self.model.provinces]))
        if number == self._quarters["provincial_recognition"]:
            for tier, bar in provincial:
                rounds.review(tier)
                rounds.recognise(tier, bar, called=(p.second_call, 1.0))
        if number == self._quarters["national_batch"]:
            rounds.review("little_giant")
            rounds.recognise("little_giant", self._national_bar())
            rounds.count_champions()
        # After the national batch: a certificate of this quarter does not carry a firm into it.
        if number == self._quarters["provincial_second_call"]:
            for tier, bar in provincial:
                rounds.recognise(tier, bar, called=(0.0, p.second_call))
        self.pilot_cities.step()
        self.awards.step()
        self.contest.step()

    def _national_bar(self) -> float:
        """Points under the SRDI table below which little-giant applicants are turned away this year.

        A pilot batch took the best up to its size; the notice after the pilots was narrower than the measures; with the
        goal of 10,000 little giants met, the ministry was free to ask for more or less.
        """
        p = self.model.parameters
        if self.model.rounds.is_pilot("little_giant"):
            return 0.0
        year = self.model.quarter.year
        early = p.early_notice if year < self._measures else 0.0
        return p.giant_bar + early + (p.bar_after_goal if year >= self._goal_met else 0.0)

    def pay(self) -> None:
        """Pay what runs, once the firms of the quarter are counted."""
        self.awards.pay(self.model.totals.cells[..., Cell.awarded])
        for programme in self.programmes:
            programme.pay()
