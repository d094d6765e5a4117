"""A calibration in tables and figures: on the terminal, as a report, and in the documentation."""
