"""Turns a quarter's totals into rows of the output tables (counts at 1:1)."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np

from sim.calendar import START
from sim.flows import Flow
from sim.ladder.recognition import Assessed, Reviewed
from sim.levers.clusters import COMMONS
from sim.mechanisms.public_cost import tax_relief, title_awards
from sim.records.concentration import Spread, expected_shares
from sim.records.outputs import TABLES, Output
from sim.reference import province_names, sector_names
from sim.tally import PARTS, PERSON_PARTS, Cell, ChainSum, ClusterSum, TierSum, by_name, total
from sim.tiers import TIERS, Tier
from sim.world.geography import COUNTY_TYPES

_STOCKS = ("firms", "innovative_smes", "srdi_smes", "little_giants")
_GIANT_FLOWS = ("little_giants_granted", "little_giants_renewed", "little_giants_lapsed")
#: Public cost beside that of levers: its name and kind in the table `spending`.
OUTSIDE_LEVERS = {"tax_relief": "tax", "title_awards": "title"}


@cache
def _last_day(index: int) -> np.datetime64:
    """Last day of the quarter so many after the start."""
    return np.datetime64((START + index).end_date, "D")


@cache
def _objects(names: tuple[str, ...]) -> np.ndarray:
    """Names as an array of objects, as tables hold text; not to be written to."""
    return np.array(names, dtype=object)


def _named(codes: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Names of codes, as an array of objects."""
    return _objects(names)[codes]


class _Sums:
    """Sums of counts by place and sector: each axis is summed once, and further sums are made of those.

    Attributes:
        sector, place: int64 (sectors, …) and (places, …).
        county_type, province: int64 (county types, …) and (provinces, …).
    """

    def __init__(self, counts: np.ndarray) -> None:
        self.sector, self.place = counts.sum(axis=0), counts.sum(axis=1)
        by_place = self.place.reshape(len(COUNTY_TYPES), len(province_names()), *counts.shape[2:])
        self.county_type, self.province = by_place.sum(axis=1), by_place.sum(axis=0)

    @property
    def nation(self) -> np.ndarray:
        """The sum of all."""
        return self.sector.sum(axis=0)


def _yuan(thousands):
    """Yuan of thousand yuan."""
    return thousands * 1e3


def _a_quarter(yearly):
    """Of one quarter, at a yearly rate."""
    return yearly / 4.0


def _ratio(numerator: float, whole: float) -> float:
    return numerator / whole if whole else 0.0


def _ratios(numerator: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(numerator, whole, out=np.zeros(len(numerator)), where=whole != 0)


class Recorder:
    """Collects the rows of every table quarter by quarter.

    Attributes:
        latest: the newest national row, by column name.
    """

    def __init__(self, model) -> None:
        self.model = model
        # By table, the number of rows and the columns of every quarter.
        self._quarters: dict[str, list[tuple[int, dict]]] = {name: [] for name in TABLES}
        self._so_far = dict.fromkeys(("little_giants_granted", "firsts", "moves"), 0.0)
        self._start_productivity: float | None = None
        self.latest: dict = {}

    def __deepcopy__(self, memo: dict) -> Recorder:
        """A copy that shares the rows so far, which nobody changes."""
        copied = memo[id(self)] = type(self).__new__(type(self))
        rows = {name: list(quarters) for name, quarters in self._quarters.items()}
        others = {name: value for name, value in vars(self).items() if name != "_quarters"}
        vars(copied).update(copy.deepcopy(others, memo), _quarters=rows)
        return copied

    def restate_budgets(self) -> None:
        """Let past rows name the budgets of the policy that is followed now: a budget is one of a whole window."""
        budgets = [account.budget for account in self.model.ledger.accounts.values()] + [0.0] * len(OUTSIDE_LEVERS)
        spending = self._quarters["spending"]
        spending[:] = [(rows, columns | {"budget_yuan": budgets}) for rows, columns in spending]

    def record(self) -> None:
        """Add the model's current quarter to all tables."""
        model = self.model
        date = np.datetime64(model.quarter.end_date, "D")
        cells, giants = _Sums(model.totals.cells), _Sums(self._little_giant_flows())
        clusters = _Sums(model.candidates.count(model.candidates.clusters, model))
        supported, paid = _Sums(model.digital_supported), _Sums(model.ledger.paid_at)
        srdi_smes = _Sums(model.rounds.flows["srdi"].count("granted"))
        rounds = {
            tier: by_name(total(flows.assessed), Assessed) | by_name(total(flows.reviewed), Reviewed)
            for tier, flows in model.rounds.flows.items()
        }
        self._national(date, cells, giants.nation, rounds)
        for table, names in (("province", province_names()), ("sector", sector_names()), ("county_type", COUNTY_TYPES)):
            columns = self._economy(by_name(getattr(cells, table), Cell), getattr(giants, table))
            columns |= self._public_cost(getattr(paid, table), columns, getattr(srdi_smes, table) / model.scale)
            if table != "sector":
                columns["clusters"] = getattr(clusters, table)
                columns["digital_supported"] = getattr(supported, table) / model.scale
            self._add(table, date, len(names), **{table: _objects(names)}, **columns)
        self._tiers(date, rounds)
        self._clusters(date)
        self._chains(date)
        self._spending(date)

    def tables(self) -> dict[str, dict[str, np.ndarray]]:
        """All rows so far, as arrays by table and column, in declared order."""
        return {
            table: {column.name: self._column(table, column) for column in columns} for table, columns in TABLES.items()
        }

    def national_rows(self) -> list[dict]:
        """The national row of every quarter so far, by column name; not to be written to."""
        return [row for _, row in self._quarters["national"]]

    def _column(self, table: str, column: Output) -> np.ndarray:
        dtype = {"float64": np.float64, "int32": np.int32, "timestamp": "datetime64[D]", "string": object}[column.dtype]
        quarters = [(rows, columns[column.name]) for rows, columns in self._quarters[table]]
        if table == "national":  # one row a quarter
            return np.array([value for _, value in quarters], dtype=dtype)
        arrays = [value if isinstance(value, np.ndarray) else np.full(rows, value, dtype) for rows, value in quarters]
        return np.concatenate([np.empty(0, dtype), *arrays], dtype=dtype, casting="unsafe")

    def _add(self, table: str, date, rows: int, **columns) -> None:
        """Add a quarter's rows to a table; a column is an array (rows,) or one value for all."""
        self._quarters[table].append((rows, {"quarter": date, **columns}))

    # --- one method a table

    def _little_giant_flows(self) -> np.ndarray:
        """Little giants granted, renewed and lapsed (failed review, revoked or closed): int64 (places, sectors, 3)."""
        flows = self.model.rounds.flows["little_giant"]
        lapsed = flows.count("lapsed") + flows.count("revoked") + self.model.flows[..., Flow.closed_little_giant]
        return np.stack([flows.count("granted"), flows.count("renewed"), lapsed], axis=-1)

    def _economy(self, totals: dict, giants: np.ndarray) -> dict:
        """Columns that every place and sector table has.

        totals: sums of the cells by name. giants: int64 (..., 3), such sums of the little giants' flows.
        """
        scale = self.model.scale
        return {
            **{name: totals[name] / scale for name in _STOCKS},
            **{name: giants[..., index] / scale for index, name in enumerate(_GIANT_FLOWS)},
            "employment": totals["employment"] / scale / PERSON_PARTS,
            "revenue_yuan": _a_quarter(_yuan(totals["revenue"] / scale)),
            "rd_true_yuan": _a_quarter(totals["rd_true"] / scale),
            "rd_reported_yuan": _a_quarter(totals["rd_reported"] / scale),
            "rd_firms": totals["rd_firms"] / scale,
        }

    def _national(self, date, cells: _Sums, giants: np.ndarray, rounds: dict) -> None:
        model, scale = self.model, self.model.scale
        flows = by_name(total(model.flows) / scale, Flow)
        totals, makers = by_name(cells.nation, Cell), model.industry.sector_manufacturing
        row = self._economy(totals, giants)
        for name in self._so_far:
            self._so_far[name] += row.get(name, flows.get(name, 0.0))
        productivity = _ratio(totals["effective_employment"], totals["employment"])
        if self._start_productivity is None:
            self._start_productivity = productivity
        row |= {
            "little_giants_granted_cumulative": self._so_far["little_giants_granted"],
            "little_giants_reviewed": rounds["little_giant"]["reviewed"] / scale,
            "applications": sum(counts["applied"] for counts in rounds.values()) / scale,
            "single_champions": model.rounds.champions.sum() / scale,
            "awarded_firms": totals["awarded"] / scale,
            "genuine_srdi_share": _ratio(totals["genuine_srdi"], totals["srdi_smes"]),
            "genuine_little_giant_share": _ratio(totals["genuine_giants"], totals["little_giants"]),
            "clusters": float(len(model.candidates.clusters)),
            "digital_supported": model.digital_supported.sum() / scale,
            "rd_firms_manufacturing": cells.sector[makers, Cell.rd_firms_designated].sum() / scale,
            "rd_staff": totals["rd_staff"] / PERSON_PARTS / scale,
            "relabelled_rd_share": _ratio(totals["rd_reported"] - totals["rd_true"], totals["rd_reported"]),
            "exports_yuan": _a_quarter(_yuan(totals["exports"])) / scale,
            "new_equity_yuan": _yuan(totals["equity"]) / scale,
            "output_lost_yuan": _yuan(flows["lost"]),
            "knowledge_spillover_yuan": flows["spilled"],
            "knowledge_transfer_yuan": flows["passed_on"],
            "productivity_index": 100.0 * productivity / self._start_productivity,
            **self._public_cost(model.ledger.spent, row, rounds["srdi"]["granted"] / scale),
            "births": flows["births"],
            "deaths": flows["deaths"],
            "domestic_firsts": self._so_far["firsts"],
            "moved_to_counties": self._so_far["moves"],
            **{f"{name}_firms": totals[name] / scale for name in ("listed", "fund_backed", "young", "linked")},
            **self._means(totals),
            **self._concentration(row["little_giants"], cells),
            **self._chain_totals(totals),
        }
        self.latest = {"quarter": date, **row}
        self._add("national", date, 1, **row)

    def _public_cost(self, levers, economy: dict, srdi_smes) -> dict:
        """What levers spend and what else the public pays, yuan of the quarter; one number or an array of places each.

        levers: yuan spent. economy: columns of `_economy`. srdi_smes: newly certified.
        """
        p = self.model.parameters
        relief = tax_relief(economy["rd_reported_yuan"], p)
        awards = title_awards(srdi_smes, economy["little_giants_granted"], p)
        return {
            "public_spending_yuan": levers,
            "tax_relief_yuan": relief,
            "title_awards_yuan": awards,
            "public_cost_yuan": levers + relief + awards,
        }

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

    def _concentration(self, number: float, cells: _Sums) -> dict:
        """Where little giants stand; `number` is theirs at 1:1."""
        model = self.model
        giants, here = cells.sector[:, Cell.little_giants], cells.place[:, Cell.little_giants]
        county_giants = model.totals.county_giants
        rural = ~model.geography.county_is_urban
        expected = number * expected_shares(model.county_giant_weight, model.geography.county_place, here)
        spread = Spread(county_giants, expected, model.scale)
        return {
            "counties_with_little_giant": spread.counties_with(rural),
            "county_share_of_little_giants": _ratio(county_giants[rural].sum(), county_giants.sum()),
            "manufacturing_share_of_little_giants": _ratio(
                giants[model.industry.sector_manufacturing].sum(), giants.sum()
            ),
            "theil_little_giants_by_county": spread.theil(),
            "gini_little_giants_by_county": spread.gini(),
        }

    def _chain_totals(self, totals: dict) -> dict:
        health, scale = self.model.chain_health, self.model.scale
        strength = by_name(self.model.totals.chains, ChainSum)["strength"].sum()
        return {
            "chain_gaps_filled_share": health.gaps_filled,
            "chain_extension_share": health.served,
            "chain_resilience": health.withstood,
            "chain_strength_yuan": _a_quarter(_yuan(strength)) / scale,
            "chain_suppliers": totals["suppliers"] / scale,
            "newcomer_suppliers": totals["newcomers"] / scale,
        }

    def _tiers(self, date, rounds: dict) -> None:
        model, scale = self.model, self.model.scale
        sums = by_name(model.totals.tiers, TierSum)
        closed = total(model.flows)[Flow.closed_innovative : Flow.closed_little_giant + 1] / scale
        self._add(
            "tier",
            date,
            len(Tier),
            tier=list(Tier._fields),
            stock=sums["firms"] / scale,
            # Firms without a certificate have no round.
            **{
                name: [0.0, *(rounds[tier][name] / scale for tier in TIERS)]
                for name in (*Assessed._fields, *Reviewed._fields)
            },
            closed=[0.0, *closed],
            bound=["", *(model.rounds.flows[tier].bound for tier in TIERS)],
            employment=sums["employment"] / PERSON_PARTS / scale,
            revenue_yuan=_a_quarter(_yuan(sums["revenue"])) / scale,
            rd_true_yuan=_a_quarter(sums["rd_true"]) / scale,
            rd_reported_yuan=_a_quarter(sums["rd_reported"]) / scale,
            digital_level_mean=_ratios(sums["digital_levels"], sums["counted"]),
            productivity=_ratios(sums["effective_employment"], sums["employment"]),
        )

    def _clusters(self, date) -> None:
        """Recognised clusters, once a year in the last quarter."""
        model, candidates = self.model, self.model.candidates
        if model.quarter.number != 4:
            return
        chosen = candidates.clusters
        sums = by_name(model.totals.clusters[chosen], ClusterSum)
        commons = model.commons[chosen]
        self._add(
            "cluster",
            date,
            len(chosen),
            cluster=chosen,
            province=_named(candidates.province[chosen], province_names()),
            sector=_named(candidates.sector[chosen], sector_names()),
            county=candidates.county[chosen],
            recognised=[_last_day(quarter) for quarter in candidates.recognised[chosen].tolist()],
            **{name: sums[name] / model.scale for name in ("firms", "srdi_smes", "little_giants")},
            revenue_yuan=_a_quarter(_yuan(sums["revenue"])) / model.scale,
            digital_mean=_ratios(sums["digital"] / PARTS, sums["firms"]),
            commons=commons.mean(axis=1),
            **{f"commons_{component}": commons[:, index] for index, component in enumerate(COMMONS)},
        )

    def _chains(self, date) -> None:
        model = self.model
        leaders, health = model.chain_leaders, model.chain_health
        sums = by_name(model.totals.chains, ChainSum)
        self._add(
            "chain",
            date,
            len(leaders),
            chain=np.arange(len(leaders)),
            sector=_named(model.industry.chain_sector, sector_names()),
            province=_named(model.industry.chain_home, province_names()),
            openness=model.environment.chain_openness.copy(),
            suppliers=sums["suppliers"] / model.scale,
            little_giant_suppliers=sums["little_giants"] / model.scale,
            newcomer_suppliers=sums["newcomers"] / model.scale,
            strength=_a_quarter(_yuan(sums["strength"])) / model.scale,
            gaps_filled_share=health.filled.copy(),
            extension_share=health.extension.copy(),
            resilience=health.resilience.copy(),
        )

    def _spending(self, date) -> None:
        accounts = self.model.ledger.accounts
        money = {
            "spending_yuan": "spent",
            "committed_yuan": "committed",
            "budget_yuan": "budget",
            "refused_yuan": "refused",
            "recipients": "recipients",
        }
        columns = {column: [getattr(account, name) for account in accounts.values()] for column, name in money.items()}
        columns |= {"lever": list(accounts), "kind": ["lever"] * len(accounts)}
        for name, kind in OUTSIDE_LEVERS.items():
            paid = self.latest[f"{name}_yuan"]
            row = dict.fromkeys(money, 0.0) | {"lever": name, "kind": kind, "spending_yuan": paid}
            for column, values in columns.items():
                values.append(row[column])
        self._add("spending", date, len(columns["lever"]), **columns)
