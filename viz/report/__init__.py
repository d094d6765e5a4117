"""The report of a results directory: one HTML page that needs nothing else."""
