"""What stands in a results directory, by name; and in one whose ensemble is not closed yet."""

from __future__ import annotations

MANIFEST = "manifest.json"
#: Written into every manifest; a directory without it is not ours.
FORMAT = "srdi-results"
FORMAT_VERSION = 3
#: File of the parameter draws an ensemble took, if it took any.
DRAWS = "parameter_draws.parquet"
DRAWS_TABLE = DRAWS.removesuffix(".parquet")
#: Folder of the finished runs of an ensemble that is not closed, and the file in it that says what was asked.
RUNS, PLAN = "runs", "plan.json"
