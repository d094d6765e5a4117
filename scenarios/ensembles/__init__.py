"""Ensembles: planning, running on processes or a cluster, resuming, and writing the results."""
