"""Flows that the quarter's pass counts, by place (province and county type) and sector."""

from __future__ import annotations

FLOWS = (
    "births",
    "deaths",
    "closed_innovative",
    "closed_srdi",
    "closed_little_giant",
    "firsts",
    "listings",
    "moves",
    "spilled",  # yuan of knowledge
    "passed_on",  # yuan of knowledge
    "lost",  # thousand yuan of output
)
BIRTHS, DEATHS, CLOSED = 0, 1, 2  # CLOSED + tier - 1 is the column of a closed certificate
FIRST_PRODUCTS, LISTINGS, MOVES, SPILLED, PASSED_ON, LOST = 5, 6, 7, 8, 9, 10
