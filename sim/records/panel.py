"""An optional panel of individual firms, for econometrics on the model's own data."""

from __future__ import annotations

import copy

import numpy as np

from sim.firms.columns import COLUMNS
from sim.numerics.draws import TIMELESS, Purpose, stream_key, uniform_array
from sim.records.outputs import FIRMS, PANEL_EMPLOYMENT
from sim.reference import province_names, sector_names
from sim.world.geography import county_type_names


class Panel:
    """The firms of a fixed sample of slots at every year end; a firm that closes is followed by its successor.

    Half of the slots are drawn among firms with R&D, half among all; both of PANEL_EMPLOYMENT or more at the
    start. The draw does not depend on the scenario, so panels of two scenarios hold the same firms.
    """

    def __init__(self, model, size: int) -> None:
        self.model = model
        firms = model.firms.columns
        lot = uniform_array(stream_key(model.seed, TIMELESS, Purpose.PANEL), len(firms.employment))
        large = firms.employment >= PANEL_EMPLOYMENT
        research = _lowest(lot, np.flatnonzero(large & (firms.rd_intensity > 0)), size // 2)
        others = _lowest(lot, np.setdiff1d(np.flatnonzero(large), research), size - len(research))
        self.slots = np.sort(np.concatenate([research, others]))
        self._quarters: list[dict[str, np.ndarray]] = []

    def __deepcopy__(self, memo: dict) -> Panel:
        """A copy that shares the slots and the rows so far, which nobody changes."""
        copied = memo[id(self)] = type(self).__new__(type(self))
        vars(copied).update(model=copy.deepcopy(self.model, memo), slots=self.slots, _quarters=list(self._quarters))
        return copied

    def record(self) -> None:
        """Add the firms alive at a year end."""
        model = self.model
        if model.quarter.number != 4:
            return
        firms, geography = model.firms.columns, model.geography
        slots = self.slots[firms.employment[self.slots] > 0]
        rows = {column.name: getattr(firms, column.name)[slots] for column in COLUMNS}
        founded = model.moment.index - rows["age"].astype(int)
        rows |= {
            "quarter": np.full(len(slots), np.datetime64(model.quarter.end_date, "D")),
            "firm": np.array([f"{slot}-{date}" for slot, date in zip(slots, founded, strict=True)], dtype=object),
            "province": np.array(province_names(), dtype=object)[geography.county_province[rows["county"]]],
            "county_type": county_type_names(geography.county_is_urban[rows["county"]]),
            "sector": np.array(sector_names(), dtype=object)[rows["sector"]],
        }
        self._quarters.append(rows)

    def table(self) -> dict[str, np.ndarray]:
        """The rows so far by column, as declared in `sim.records.outputs.FIRMS`."""
        kinds = {"float64": np.float64, "int64": np.int64, "timestamp": "datetime64[D]", "string": object}
        return {
            column.name: np.concatenate([rows[column.name] for rows in self._quarters]).astype(kinds[column.dtype])
            for column in FIRMS
        }


def _lowest(lot: np.ndarray, slots: np.ndarray, count: int) -> np.ndarray:
    """The `count` slots with the lowest lots, or all if there are fewer."""
    return slots[np.argsort(lot[slots], kind="stable")[:count]]
