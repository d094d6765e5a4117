"""What is paid, who gains and what it is worth under the policy of an answer: the analyses of results, on its runs."""

from __future__ import annotations

import threading
from functools import cached_property

from scenarios.analysis.cash import Cash, cash
from scenarios.analysis.incidence import Incidence, incidence
from scenarios.analysis.value import Value, value
from viz.live.gathered import GatheredResults
from viz.shared.gains import QUANTITIES_BY


class Accounts:
    """The analyses of one policy against the baseline, each made once, on first use; thread-safe.

    Attributes:
        results: runs of the policy and, unless it is the policy, the baseline. policy, baseline: their names.
    """

    def __init__(self, results: GatheredResults, policy: str, baseline: str) -> None:
        self.results, self.policy, self.baseline = results, policy, baseline
        self._lock = threading.Lock()  # tables are joined once, not by two threads at a time
        self._incidences: dict[str, Incidence] = {}

    @property
    def is_baseline(self) -> bool:
        """Whether there is nothing to compare."""
        return self.policy == self.baseline

    def paid(self) -> Cash:
        """Payments and budgets of the policy and the baseline."""
        with self._lock:
            return self._cash

    def worth(self) -> Value:
        """Benefit and cost of the policy; InputError if it is the baseline."""
        with self._lock:
            return self._value

    def gains(self, by: str) -> Incidence:
        """Gains and losses by a dimension of `QUANTITIES_BY`; InputError if the policy is the baseline."""
        with self._lock:
            if by not in self._incidences:
                quantities = QUANTITIES_BY[by]
                self._incidences[by] = incidence(self.results, by, self.baseline, quantities=quantities)
            return self._incidences[by]

    @cached_property
    def _cash(self) -> Cash:
        return cash(self.results, dict.fromkeys((self.policy, self.baseline)))

    @cached_property
    def _value(self) -> Value:
        return value(self.results, self.baseline)
