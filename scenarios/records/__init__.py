"""Results of an ensemble: storage, reading, queries and exports."""
