"""Policies run while somebody waits: one at once, an ensemble when there is time; no web library."""
