"""Turns a quarter's totals into rows of the output tables (counts at 1:1)."""

from __future__ import annotations

import numpy as np

from sim.calendar import START
from sim.concentration import counties_with, expected_shares, gini, theil
from sim.flows import CLOSED, FLOWS
from sim.ladder.recognition import ASSESSED, REVIEWED
from sim.levers.clusters import COMMONS
from sim.outputs import TABLES
from sim.reference import province_names, sector_names
from sim.rules import TIERS
from sim.tally import BY_TIER, CELL, CHAIN, CLUSTER, PARTS, by_name

_STOCKS = ("firms", "innovative_smes", "srdi_smes", "little_giants")
_COUNTY_TYPES = ("county", "urban")


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
        self._so_far = dict.fromkeys(("little_giants_granted", "firsts", "moves"), 0.0)
        self._start_productivity: float | None = None
        self.latest: dict = {}

    def record(self) -> None:
        """Add the model's current quarter to all tables."""
        date = np.datetime64(self.model.quarter.end_date, "D")
        cells = by_name(self.model.totals.cells, CELL)
        self._national(date, cells)
        self._by(date, "province", province_names(), cells)
        self._by(date, "sector", sector_names(), cells)
        self._by(date, "county_type", _COUNTY_TYPES, cells)
        self._tiers(date)
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
        """Little giants granted, renewed and lapsed (failed review, revoked or closed): int64 (places, sectors)."""
        flows = self.model.rounds.flows["little_giant"]
        closed = self.model.flows[..., CLOSED + 2]
        return {
            "little_giants_granted": flows.count("granted"),
            "little_giants_renewed": flows.count("renewed"),
            "little_giants_lapsed": flows.count("lapsed") + flows.count("revoked") + closed,
        }

    def _economy(self, cells: dict, group=np.sum) -> dict:
        """Columns that every place and sector table has; `group` sums (places, sectors) as wanted."""
        scale = self.model.scale

        def total(name):
            return group(cells[name]) / scale

        return {
            **{name: total(name) for name in _STOCKS},
            **{name: group(count) / scale for name, count in self._little_giant_flows().items()},
            "employment": total("employment") / 1024.0,
            "revenue_yuan": total("revenue") * 1e3 / 4.0,
            "rd_true_yuan": total("rd_true") / 4.0,
            "rd_reported_yuan": total("rd_reported") / 4.0,
            "rd_firms": total("rd_firms"),
        }

    def _national(self, date, cells: dict) -> None:
        model, scale = self.model, self.model.scale
        flows = {name: counts.sum() / scale for name, counts in by_name(model.flows, FLOWS).items()}
        row = {"quarter": date, **self._economy(cells)}
        for name in self._so_far:
            self._so_far[name] += row.get(name, flows.get(name, 0.0))
        totals = {name: cells[name].sum() for name in CELL}
        productivity = _ratio(totals["productivity"], totals["employment"])
        if self._start_productivity is None:
            self._start_productivity = productivity
        rounds = model.rounds.flows
        row |= {
            "little_giants_granted_cumulative": self._so_far["little_giants_granted"],
            "little_giants_reviewed": rounds["little_giant"].count("reviewed").sum() / scale,
            "applications": sum(rounds[tier].count("applied").sum() for tier in TIERS) / scale,
            "single_champions": model.rounds.champions.sum() / scale,
            "awarded_firms": totals["awarded"] / scale,
            "genuine_srdi_share": _ratio(totals["genuine_srdi"], totals["srdi_smes"]),
            "genuine_little_giant_share": _ratio(totals["genuine_giants"], totals["little_giants"]),
            "clusters": float(len(model.recognised_clusters)),
            "digital_supported": model.digital_supported.sum() / scale,
            "rd_staff": totals["rd_staff"] / 1024.0 / scale,
            "relabelled_rd_share": _ratio(totals["rd_reported"] - totals["rd_true"], totals["rd_reported"]),
            "exports_yuan": totals["exports"] * 1e3 / 4.0 / scale,
            "new_equity_yuan": totals["equity"] * 1e3 / scale,
            "output_lost_yuan": flows["lost"] * 1e3,
            "knowledge_spillover_yuan": flows["spilled"],
            "knowledge_transfer_yuan": flows["passed_on"],
            "productivity_index": 100.0 * productivity / self._start_productivity,
            "public_spending_yuan": model.ledger.spent,
            "births": flows["births"],
            "deaths": flows["deaths"],
            "domestic_firsts": self._so_far["firsts"],
            "moved_to_counties": self._so_far["moves"],
            **{f"{name}_firms": totals[name] / scale for name in ("listed", "fund_backed", "young", "linked")},
            **self._means(totals),
            **self._places(cells["little_giants"], row["little_giants"]),
            **self._chain_totals(totals),
        }
        self.latest = row
        self._rows["national"].append(row)

    def _means(self, totals: dict) -> dict:
        """Means over firms with 20 or more employees, and over chain leaders' suppliers."""
        counted, scale = totals["counted"], self.model.scale
        return {
            "digital_level_mean": _ratio(totals["digital_levels"], counted),
            **{f"digital_level_{level}": totals[f"level_{level}"] / scale for level in (1, 2, 3, 4)},
            **{
                f"{name}_mean": _ratio(totals[name] / PARTS, counted)
                for name in ("governance", "refinement", "green", "constraint")
            },
            **{
                f"{name}_mean": _ratio(totals[name] / PARTS, totals["suppliers"])
                for name in ("supplier_digital", "supplier_refinement")
            },
        }

    def _places(self, giants: np.ndarray, total: float) -> dict:
        """Where little giants stand; `giants` is int64 (places, sectors), `total` at 1:1."""
        model = self.model
        county_giants = model.totals.county_giants
        rural = ~model.geography.county_is_urban
        expected = total * expected_shares(model.county_giant_weight, model.geography.county_place, giants.sum(axis=1))
        return {
            "counties_with_little_giant": counties_with(county_giants[rural], expected[rural], model.scale),
            "county_share_of_little_giants": _ratio(county_giants[rural].sum(), county_giants.sum()),
            "manufacturing_share_of_little_giants": _ratio(
                giants[:, model.industry.sector_manufacturing].sum(), giants.sum()
            ),
            "theil_little_giants_by_county": theil(county_giants, expected, model.scale),
            "gini_little_giants_by_county": gini(county_giants, expected, model.scale),
        }

    def _chain_totals(self, totals: dict) -> dict:
        health, scale = self.model.chain_health, self.model.scale
        strength = by_name(self.model.totals.chains, CHAIN)["strength"].sum()
        return {
            "chain_gaps_filled_share": health.gaps_filled,
            "chain_extension_share": health.served,
            "chain_resilience": health.withstood,
            "chain_strength_yuan": strength * 1e3 / 4.0 / scale,
            "chain_suppliers": totals["suppliers"] / scale,
            "newcomer_suppliers": totals["newcomers"] / scale,
        }

    def _by(self, date, table: str, names: tuple[str, ...], cells: dict) -> None:
        """Rows by province, sector or county type."""

        def group(counts: np.ndarray) -> np.ndarray:
            by_type = counts.reshape(len(_COUNTY_TYPES), len(province_names()), -1)
            summed_over = {"province": (0, 2), "sector": (0, 1), "county_type": (1, 2)}
            return by_type.sum(axis=summed_over[table])

        columns = self._economy(cells, group)
        if table != "sector":
            recognised = np.zeros(self.model.places_and_sectors, dtype=np.int64)
            for cluster in self.model.recognised_clusters:
                recognised[self.model.geography.county_place[cluster.county], cluster.sector] += 1
            columns["clusters"] = group(recognised).astype(np.float64)
            columns["digital_supported"] = group(self.model.digital_supported) / self.model.scale
        for index, name in enumerate(names):
            values = {column: float(array[index]) for column, array in columns.items()}
            self._rows[table].append({"quarter": date, table: name, **values})

    def _tiers(self, date) -> None:
        scale = self.model.scale
        for code, tier in enumerate(("none", *TIERS)):
            sums = dict(zip(BY_TIER, self.model.totals.tiers[code].tolist(), strict=True))
            flows = self.model.rounds.flows.get(tier)
            self._rows["tier"].append(
                {
                    "quarter": date,
                    "tier": tier,
                    "stock": sums["firms"] / scale,
                    **{name: flows.count(name).sum() / scale if flows else 0.0 for name in (*ASSESSED, *REVIEWED)},
                    "closed": self.model.flows[..., CLOSED + code - 1].sum() / scale if flows else 0.0,
                    "bound": flows.bound if flows else "",
                    "employment": sums["employment"] / 1024.0 / scale,
                    "revenue_yuan": sums["revenue"] * 1e3 / 4.0 / scale,
                    "rd_true_yuan": sums["rd_true"] / 4.0 / scale,
                    "rd_reported_yuan": sums["rd_reported"] / 4.0 / scale,
                    "digital_level_mean": _ratio(sums["digital_levels"], sums["counted"]),
                    "productivity": _ratio(sums["productivity"], sums["employment"]),
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
                    **{f"commons_{part}": float(value) for part, value in zip(COMMONS, cluster.parts, strict=True)},
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
                    "newcomer_suppliers": sums["newcomers"] / model.scale,
                    "strength": sums["strength"] * 1e3 / 4.0 / model.scale,
                    "gaps_filled_share": float(model.chain_health.filled[leader.index]),
                    "extension_share": float(model.chain_health.extension[leader.index]),
                    "resilience": float(model.chain_health.resilience[leader.index]),
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
