"""Scenario files: schema, loading, merging, validation and writing."""
