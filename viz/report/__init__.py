"""The report of a results directory: one self-contained HTML page."""
