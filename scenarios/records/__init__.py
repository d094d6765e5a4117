"""Results of an ensemble on file: how they are stored, read back, queried and exported."""
