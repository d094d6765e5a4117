"""Designs over settings, and the search for good ones under several goals."""
