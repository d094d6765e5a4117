"""Scenario files: their schema, how they are found, merged and checked, and how they are written."""
