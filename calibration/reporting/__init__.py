"""Calibration results as tables and charts: on the terminal, in a report, and in the documentation."""
