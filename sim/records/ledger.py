"""Public money by lever: what was committed, spent and refused, never above the budget, and where it was paid."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from sim.levers import Levers


@dataclass
class Account:
    """One lever's money, in yuan at 1:1.

    Attributes:
        budget: of the whole window. ledger: the one it is of, which books what is paid where the recipients are.
        committed: of the budget, since the lever's start, paid or not.
        spent, refused: in the quarter; refused is the cost of the eligible left out.
        recipients: firms, clusters or leaders granted support in the quarter.
        spent_so_far: since the lever's start.
    """

    budget: float
    ledger: Ledger = field(repr=False)
    committed: float = 0.0
    spent: float = 0.0
    refused: float = 0.0
    recipients: float = 0.0
    spent_so_far: float = 0.0

    def open_quarter(self) -> None:
        """Zero what is counted by quarter; commitments run on."""
        self.spent = self.refused = self.recipients = 0.0

    @property
    def available(self) -> float:
        """What may still be committed."""
        return max(self.budget - self.committed, 0.0)

    def commit(self, yuan: float) -> float:
        """Commit up to `yuan`, as far as the budget lasts; the rest is recorded as refused."""
        granted = min(yuan, self.available)
        self.committed += granted
        self.refused += yuan - granted
        return granted

    def pay(self, yuan: float, recipients: np.ndarray) -> None:
        """Spend money that was committed before.

        recipients: (places, sectors), their number or what they are due: the money is booked in proportion.
        """
        self.spent += yuan
        self.spent_so_far += yuan
        if yuan > 0.0:
            self.ledger.paid_at += recipients * (yuan / recipients.sum())

    def spend(self, yuan: float, recipients: np.ndarray) -> float:
        """Commit and pay at once, as far as the budget lasts; returns what was paid. recipients: see `pay`."""
        paid = self.commit(yuan)
        self.pay(paid, recipients)
        return paid

    def grant(self, recipients: float, left_out: float, unit: float) -> None:
        """Book a round of grants of `unit` yuan: commit those given, record as refused those left out."""
        self.commit(recipients * unit)
        self.refused += left_out * unit
        self.recipients += recipients

    def release(self, owed: float = 0.0) -> None:
        """Free what was committed to firms that closed before they were paid; `owed` is still due to others."""
        self.committed = min(self.committed, self.spent_so_far + owed)


class Ledger:
    """The accounts of all levers, by lever name.

    Attributes:
        paid_at: float64 (places, sectors), yuan paid through all levers in the quarter.
    """

    def __init__(self, levers: Levers, places_and_sectors: tuple[int, int]) -> None:
        self.paid_at = np.zeros(places_and_sectors)
        self.accounts: dict[str, Account] = {}
        self.take_up(levers, Levers.model_fields)

    def __getitem__(self, lever: str) -> Account:
        return self.accounts[lever]

    def take_up(self, levers: Levers, names: Iterable[str]) -> None:
        """Open new accounts for levers by name."""
        for name in names:
            lever = getattr(levers, name)
            self.accounts[name] = Account(lever.budget_yuan if lever.enabled else 0.0, self)

    def open_quarter(self) -> None:
        """Start a new quarter in every account."""
        self.paid_at[:] = 0.0
        for account in self.accounts.values():
            account.open_quarter()

    @property
    def spent(self) -> float:
        """Yuan spent through all levers in the quarter."""
        return math.fsum(account.spent for account in self.accounts.values())
