"""Common code of the page and the report: comparisons, estimates, units, tables of texts."""
