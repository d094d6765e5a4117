"""Turns a quarter's totals into rows of the output tables (counts at 1:1)."""

from __future__ import annotations

import numpy as np

from sim.calendar import START
from sim.concentration import counties_with, theil
from sim.engine import CLOSED, FLOWS
from sim.outputs import TABLES
from sim.reference import province_names, sector_names
from sim.rules import TIERS
from sim.tally import CELL, CHAIN, CLUSTER, PARTS

_STOCKS = ("firms", "innovative_smes", "srdi_smes", "little_giants")


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


class Recorder:
    """Collects the rows of every table quarter by quarter.

    Attributes:
        latest: the newest national row, by column name.
    """

    def __init__(self, model) -> None:
        self.model = model
        self._rows: dict[str, list[dict]] = {name: [] for name in TABLES}
        self._granted_so_far = 0.0
        self._start_productivity: float | None = None
        self.latest: dict = {}

    def record(self) -> None:
        """Add the model's current quarter to all tables."""
        date = np.datetime64(self.model.quarter.end_date, "D")
        cells = {name: self.model.totals.cells[..., index] for index, name in enumerate(CELL)}
        self._national(date, cells)
        self._by(date, "province", province_names(), cells, axis=1)
        self._by(date, "sector", sector_names(), cells, axis=0)
        self._tiers(date, cells)
        self._clusters(date)
        self._chains(date)
        self._spending(date)

    def tables(self) -> dict[str, dict[str, np.ndarray]]:
        """All rows so far, as arrays by table and column, in declared order."""
        kinds = {"float64": np.float64, "int32": np.int32, "timestamp": "datetime64[D]", "string": object}
        return {
            name: {
                column.name: np.array([row[column.name] for row in self._rows[name]], dtype=kinds[column.dtype])
                for column in columns
            }
            for name, columns in TABLES.items()
        }

    # --- one method a table

    def _little_giant_flows(self) -> dict[str, np.ndarray]:
        """Little giants granted, renewed and lapsed (failed review or closed): int64 (provinces, sectors)."""
        flows = self.model.rounds.flows["little_giant"]
        closed = self.model.flows[..., CLOSED + 2]
        return {
            "little_giants_granted": flows.count("granted"),
            "little_giants_renewed": flows.count("renewed"),
            "little_giants_lapsed": flows.count("lapsed") + closed,
        }

    def _economy(self, cells: dict, axis=None) -> dict:
        scale = self.model.scale

        def total(name):
            return cells[name].sum(axis=axis) / scale

        return {
            **{name: total(name) for name in _STOCKS},
            **{name: count.sum(axis=axis) / scale for name, count in self._little_giant_flows().items()},
            "employment": total("employment") / 1024.0,
            "revenue_yuan": total("revenue") * 1e3 / 4.0,
            "rd_true_yuan": total("rd_true") / 4.0,
            "rd_reported_yuan": total("rd_reported") / 4.0,
            "rd_firms": total("rd_firms"),
        }

    def _national(self, date, cells: dict) -> None:
        model = self.model
        row = {"quarter": date, **self._economy(cells)}
        self._granted_so_far += row["little_giants_granted"]
        giants = cells["little_giants"]
        counted = cells["counted"].sum()
        productivity = _ratio(cells["productivity"].sum(), cells["employment"].sum())
        if self._start_productivity is None:
            self._start_productivity = productivity
        county_giants = model.totals.county_giants
        rural = ~model.geography.county_is_urban
        expected = model.county_giant_weight * row["little_giants"]
        row |= {
            "little_giants_granted_cumulative": self._granted_so_far,
            "clusters": float(len(model.recognised_clusters)),
            "digital_supported": model.digital_supported.sum() / model.scale,
            "productivity_index": 100.0 * productivity / self._start_productivity,
            "public_spending_yuan": model.ledger.spent,
            "digital_level_mean": _ratio(cells["digital_levels"].sum(), counted),
            "governance_mean": _ratio(cells["governance"].sum() / PARTS, counted),
            "counties_with_little_giant": counties_with(county_giants[rural], expected[rural], model.scale),
            "county_share_of_little_giants": _ratio(county_giants[rural].sum(), county_giants.sum()),
            "manufacturing_share_of_little_giants": _ratio(
                giants[:, model.industry.sector_manufacturing].sum(), giants.sum()
            ),
            "chain_gaps_filled_share": model.gaps_filled,
            "chain_suppliers": cells["suppliers"].sum() / model.scale,
            "theil_little_giants_by_county": theil(county_giants, expected, model.scale),
            "births": model.flows[..., FLOWS.index("births")].sum() / model.scale,
            "deaths": model.flows[..., FLOWS.index("deaths")].sum() / model.scale,
        }
        self.latest = row
        self._rows["national"].append(row)

    def _by(self, date, table: str, names: tuple[str, ...], cells: dict, axis: int) -> None:
        """Rows by province (summed over sectors, axis 1) or sector (over provinces, axis 0)."""
        columns = self._economy(cells, axis=axis)
        if table == "province":
            columns["clusters"] = np.zeros(len(names))
            for cluster in self.model.recognised_clusters:
                columns["clusters"][cluster.province] += 1
            columns["digital_supported"] = self.model.digital_supported.sum(axis=1) / self.model.scale
        for index, name in enumerate(names):
            values = {column: float(array[index]) for column, array in columns.items()}
            self._rows[table].append({"quarter": date, table: name, **values})

    def _tiers(self, date, cells: dict) -> None:
        scale = self.model.scale
        at_least = [cells[name].sum() for name in ("innovative_smes", "srdi_smes", "little_giants")] + [0]
        for code, tier in enumerate(TIERS):
            flows = self.model.rounds.flows[tier]
            counted = ("eligible", "applied", "passed", "granted", "reviewed", "renewed", "lapsed")
            self._rows["tier"].append(
                {
                    "quarter": date,
                    "tier": tier,
                    "stock": (at_least[code] - at_least[code + 1]) / scale,
                    **{name: flows.count(name).sum() / scale for name in counted},
                    "closed": self.model.flows[..., CLOSED + code].sum() / scale,
                    "bound": flows.bound,
                }
            )

    def _clusters(self, date) -> None:
        """Recognised clusters, once a year in the last quarter."""
        model = self.model
        if model.quarter.number != 4:
            return
        for cluster in model.recognised_clusters:
            sums = dict(zip(CLUSTER, model.totals.clusters[cluster.index].tolist(), strict=True))
            self._rows["cluster"].append(
                {
                    "quarter": date,
                    "cluster": cluster.index,
                    "province": province_names()[cluster.province],
                    "sector": sector_names()[cluster.sector],
                    "county": cluster.county,
                    "recognised": np.datetime64((START + cluster.recognised).end_date, "D"),
                    "firms": sums["firms"] / model.scale,
                    "srdi_smes": sums["srdi_smes"] / model.scale,
                    "little_giants": sums["little_giants"] / model.scale,
                    "revenue_yuan": sums["revenue"] * 1e3 / 4.0 / model.scale,
                    "digital_mean": _ratio(sums["digital"] / PARTS, sums["firms"]),
                    "commons": cluster.commons,
                }
            )

    def _chains(self, date) -> None:
        model = self.model
        for leader in model.chain_leaders:
            sums = dict(zip(CHAIN, model.totals.chains[leader.index].tolist(), strict=True))
            self._rows["chain"].append(
                {
                    "quarter": date,
                    "chain": leader.index,
                    "sector": sector_names()[leader.sector],
                    "province": province_names()[leader.province],
                    "openness": leader.openness,
                    "suppliers": sums["suppliers"] / model.scale,
                    "little_giant_suppliers": sums["little_giants"] / model.scale,
                    "strength": sums["strength"] * 1e3 / 4.0 / model.scale,
                    "gaps_filled_share": float(model.chain_filled[leader.index]),
                }
            )

    def _spending(self, date) -> None:
        for lever, account in self.model.ledger.accounts.items():
            self._rows["spending"].append(
                {
                    "quarter": date,
                    "lever": lever,
                    "spending_yuan": account.spent,
                    "committed_yuan": account.committed,
                    "budget_yuan": account.budget,
                    "refused_yuan": account.refused,
                    "recipients": account.recipients,
                }
            )
