"""The columns of the firm population: each is declared here once.

A firm lives in a slot; ``employment`` is zero where the slot is vacant. Columns are
separate arrays in a named tuple, the form in which kernels receive them.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from sim.numerics.elementary import floor
from sim.numerics.jit import equation


@dataclass(frozen=True)
class Column:
    """Name, storage type, unit and meaning of one firm variable."""

    name: str
    dtype: str
    unit: str
    description: str


#: Value of a certificate or support date that a firm does not have, and of a missing customer.
NEVER = -1
#: Award date of a firm that lost its title when no award was being paid: not to be awarded again.
#: An award that was being paid then has a date above it that tells the quarter (see `sim.firms.terms.ended_in`).
ENDED = -128

#: Bits of the column `flags`.
LISTED, FUND_BACKED, NEWCOMER, MOVED = 1, 2, 4, 8

#: Logs in the columns `slack`, `orders`, `permanent` and `demand` are stored in this many parts.
LOG_PARTS = 4096.0

COLUMNS = (
    Column("employment", "f4", "persons", "employees; 0 marks a vacant slot"),
    Column("productivity", "f4", "log", "revenue per worker relative to the sector's frontier index"),
    Column("revenue", "f4", "yuan per year", "annualised revenue of the quarter"),
    Column("growth", "f4", "per year", "mean revenue growth of about two years"),
    Column("rd_intensity", "f4", "share of revenue", "true R&D; 0 for firms without R&D"),
    Column(
        "relabelled",
        "f4",
        "share of reported R&D",
        "part of last year's reported R&D that is relabelled other spending",
    ),
    Column("rd_last_year", "f4", "share of revenue", "reported R&D intensity of last year, as of its fourth quarter"),
    Column("rd_before", "f4", "share of revenue", "the same of the year before that"),
    Column("knowledge", "f4", "yuan", "knowledge stock from R&D and spillovers"),
    Column("main_share", "f4", "share of revenue", "revenue from the main product (专, specialised)"),
    Column("refinement", "f4", "0-1", "quality and management process (精, refined)"),
    Column("digital", "f4", "0-1", "digital maturity"),
    Column("governance", "f4", "0-1", "modern governance: ownership structure, formal management"),
    Column("green", "f4", "0-1", "green maturity"),
    Column("leverage", "f4", "share of assets", "debt ratio"),
    Column("constraint", "f4", "0-1", "credit constraint; 1 means no access to loans"),
    Column("equity", "f4", "yuan", "new outside equity of about the last two years"),
    Column("age", "i2", "quarters", "time since the firm was founded"),
    Column("county", "i2", "id", "county-level unit"),
    Column("niche", "i2", "id", "product niche of the main business"),
    Column("cluster", "i2", "id", "cluster candidate of its county and sector, or -1"),
    Column("customer", "i4", "id", "main customer: slot of a firm, -2 - (chain) for a chain leader, or -1"),
    Column("support", "u4", "bits", "firm programmes that support it now; bit numbers: sim.levers.PROGRAMMES"),
    Column("slack", "i2", "log/4096", "log output relative to an undisturbed quarter (shocks, lost orders)"),
    Column(
        "orders",
        "i2",
        "log/4096",
        "the main customer's slack: a firm's of the last quarter, a chain leader's of this one",
    ),
    Column("permanent", "i2", "log/4096", "the part of productivity that the firm keeps for life"),
    Column("demand", "i2", "log/4096", "last demand at given productivity: channels, main customer, competition"),
    Column("flags", "u1", "bits", "1 listed, 2 fund-backed, 4 newcomer to its leader's chain, 8 moved to a county"),
    Column("sector", "i1", "id", "sector"),
    Column("tier", "i1", "0-3", "highest valid certificate: none, innovative, SRDI, little giant"),
    Column("innovative_since", "i1", "quarter", "when the innovative-SME certificate was granted or renewed"),
    Column("srdi_since", "i1", "quarter", "when the SRDI certificate was granted or renewed"),
    Column("giant_since", "i1", "quarter", "when the little-giant certificate was granted or renewed"),
    Column("awarded_in", "i1", "quarter", "when the little-giant award was granted"),
    Column("digitised_in", "i1", "quarter", "when support of the digital programme began"),
)

#: Columns as kernels receive them.
Columns = namedtuple("Columns", [column.name for column in COLUMNS])

#: Bytes a slot takes in all columns.
BYTES_PER_SLOT = sum(np.dtype(column.dtype).itemsize for column in COLUMNS)


@equation
def log_parts(value):
    """A log in the fixed-point parts of the columns (see LOG_PARTS)."""
    return floor(value * LOG_PARTS + 0.5)


def allocate(slots: int) -> Columns:
    """Columns of `slots` vacant slots, all values zero."""
    return Columns(*(np.zeros(slots, dtype=column.dtype) for column in COLUMNS))
