"""What the page and the report share: comparisons, estimates, units, tables of texts."""
