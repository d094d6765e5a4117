"""Designs over settings, sweeps, and the search for good settings under several goals."""
