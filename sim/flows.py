"""Flows that the quarter's pass counts, by place (province and county type) and sector."""

from __future__ import annotations

from sim.numerics.positions import positions

#: An expected application for a listing counts as this many parts, so that sums are whole numbers.
APPLICATION_PARTS = 1 << 20

Flow = positions(
    "Flow",
    [
        "births",
        "deaths",
        "closed_innovative",  # the certificates of the tiers stand side by side, from the lowest up
        "closed_srdi",
        "closed_little_giant",
        "firsts",
        "listings",
        "listing_applications",  # parts, expected
        "moves",
        "spilled",  # yuan of knowledge
        "passed_on",  # yuan of knowledge
        "lost",  # thousand yuan of output
        "credit_eased",  # thousand yuan of revenue whose wanted credit is eased
        "credit_responsive",  # thousand yuan of revenue whose credit would respond to ease
    ],
)
