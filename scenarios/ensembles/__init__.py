"""Ensembles of runs: planned, done on processes or a cluster, resumed and closed."""
