"""Which firms a lever supports, and which firm it is that a slot holds.

A firm is known by its slot and the quarter in which it was founded. Runs with the same seed share all draws, so the
same slot and quarter are the same founder in both; a slot that another firm has taken since holds another firm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from sim.firms.columns import NEVER
from sim.institutions.chain_leader import LEADER_LEVERS
from sim.levers import PROGRAMMES
from sim.mechanisms.chain_links import FIRST_LEADER
from sim.model import SRDIModel

#: Levers whose money reaches members of recognised clusters through their commons or shared laboratories.
CLUSTER_LEVERS = ("cluster_recognition", "open_innovation")
#: Levers that grant support at the end of a quarter, for the quarters after it.
GRANTED_AT_THE_END = ("little_giant_awards", "digital_empowerment")
#: All levers that support firms; the others change a rule.
SUPPORTING = (*PROGRAMMES, *GRANTED_AT_THE_END, *CLUSTER_LEVERS, *LEADER_LEVERS)
#: Columns of the events of `Recipients`.
EVENTS = ("slot", "founded", "lever", "quarter", "tier", "employment", "county")


def founded(model: SRDIModel) -> np.ndarray:
    """Quarter in which each slot's firm was founded, counted from the start: int64 (slots,)."""
    return model.moment.index - model.firms.columns.age.astype(np.int64)


def supported(model: SRDIModel, lever: str) -> np.ndarray:
    """Firms that a lever supports as the model stands: bool (slots,); none for levers that only change a rule.

    Suppliers of chain leaders and members of recognised clusters count as supported by the levers on these.
    """
    columns, env = model.firms.columns, model.environment
    if lever in PROGRAMMES:
        return (columns.support >> np.uint32(PROGRAMMES.index(lever)) & np.uint32(1)) != 0
    if lever == "little_giant_awards":
        return columns.awarded_in != NEVER
    if lever == "digital_empowerment":
        return columns.digitised_in != NEVER
    if lever in CLUSTER_LEVERS:
        member = (columns.cluster >= 0) & env.cluster_active[np.maximum(columns.cluster, 0)]
        return member & (columns.employment > 0)
    if lever in LEADER_LEVERS:
        return columns.customer <= FIRST_LEADER
    return np.zeros(len(columns.employment), dtype=bool)


class Recipients:
    """Follows a run quarter by quarter and notes when each firm is first reached by each of some levers.

    Reached is a firm

    - that a programme supports in the quarter: it is then paid for;
    - to which an award or a conversion is granted;
    - that is a member of a cluster recognised before, in a quarter in which the lever pays for clusters there;
    - that was a supplier of a chain leader before a quarter in which `innovation_release` pays that leader;
    - that wins a chain leader as its customer in a quarter in which `chain_leader_openness` pays that leader.

    What spills over to the other firms of a county or chain does not count as support.
    """

    def __init__(self, model: SRDIModel, levers: Iterable[str]) -> None:
        self.model = model
        self.levers = tuple(levers)
        self._bits = np.zeros(len(model.firms.columns.employment), dtype=np.uint64)
        self._founded = founded(model)
        self._births: list[np.ndarray] = [np.zeros(0, dtype=np.int32)]
        self._parts: list[dict[str, np.ndarray]] = []

    def before_step(self) -> None:
        """Keep what is asked of firms before support acts."""
        columns = self.model.firms.columns
        self._before = {name: getattr(columns, name).copy() for name in ("tier", "employment", "county", "customer")}

    def after_step(self) -> None:
        """Note the firms that were founded and those that a lever has reached for the first time."""
        model, columns, now = self.model, self.model.firms.columns, founded(self.model)
        self._bits[now != self._founded] = 0
        self._founded = now
        alive = columns.employment > 0
        self._births.append(np.flatnonzero(alive & (now == model.moment.index)).astype(np.int32))
        for number, lever in enumerate(self.levers):
            bit = np.uint64(1 << number)
            new = np.flatnonzero(self._reached(lever) & alive & (self._bits & bit == 0))
            self._bits[new] |= bit
            self._note(number, lever, new)

    def _note(self, number: int, lever: str, slots: np.ndarray) -> None:
        """Note firms with their state before the support acts; that of the quarter itself for those founded in it."""
        columns = self.model.firms.columns
        late = np.full(len(slots), lever in GRANTED_AT_THE_END) | (self._founded[slots] == self.model.moment.index)
        part: dict[str, np.ndarray] = {"slot": slots, "founded": self._founded[slots]}
        part["lever"] = np.full(len(slots), number, dtype=np.int8)
        part["quarter"] = np.full(len(slots), self.model.moment.index, dtype=np.int16)
        for name in ("tier", "employment", "county"):
            part[name] = np.where(late, getattr(columns, name)[slots], self._before[name][slots])
        self._parts.append(part)

    def _reached(self, lever: str) -> np.ndarray:
        """Firms reached in the quarter that has just ended: bool (slots,)."""
        model, columns = self.model, self.model.firms.columns
        if lever in CLUSTER_LEVERS:
            return supported(model, lever) & self._paid_clusters(lever)[np.maximum(columns.cluster, 0)]
        if lever not in LEADER_LEVERS:
            return supported(model, lever)
        before = self._before["customer"]
        customer = before if lever == "innovation_release" else columns.customer
        chain = np.where(customer <= FIRST_LEADER, FIRST_LEADER - customer, 0)
        paid = (customer <= FIRST_LEADER) & (model.engagement[lever][chain] > 0.0)
        return paid if lever == "innovation_release" else paid & (before != columns.customer)

    def _paid_clusters(self, lever: str) -> np.ndarray:
        """Cluster candidates that a lever has paid for in the quarter: bool (candidates,)."""
        model, candidates = self.model, self.model.candidates
        paid = (candidates.recognised != NEVER) & (candidates.recognised < model.moment.index)
        if model.ledger[lever].spent <= 0.0:
            return np.zeros_like(paid)
        if lever == "open_innovation":
            counties, sectors = model.reach_of(model.policy.levers.open_innovation)
            paid &= counties[candidates.county] & sectors[candidates.sector]
        return paid

    @property
    def events(self) -> pd.DataFrame:
        """The first time of each firm and lever: one row each.

        Columns EVENTS: slot; founded (quarter index, 0 or less for firms of the start); lever (name); quarter (index);
        tier (code), employment (persons) and county (id) before the support acts.
        """
        names = np.array(self.levers, dtype=object)
        if not self._parts:
            return pd.DataFrame({name: np.zeros(0, dtype=np.int64) for name in EVENTS})
        whole = {name: np.concatenate([part[name] for part in self._parts]) for name in EVENTS}
        return pd.DataFrame(whole | {"lever": names[whole["lever"]]})

    @property
    def births(self) -> Sequence[np.ndarray]:
        """Slots in which a firm was founded, by quarter index; none at the start: int32 (firms,) each."""
        return self._births
