"""Names of the files in a results directory, and in one whose ensemble is not finished."""

from __future__ import annotations

MANIFEST = "manifest.json"
#: Marker in every manifest; a directory without it was not written by srdi.
FORMAT = "srdi-results"
FORMAT_VERSION = 3
#: File of the parameter draws of an ensemble, if it used any.
PARAMETER_DRAWS_FILE = "parameter_draws.parquet"
PARAMETER_DRAWS = PARAMETER_DRAWS_FILE.removesuffix(".parquet")
#: Folder of the finished runs of an unfinished ensemble, and the file in it with the plan.
RUNS, PLAN = "runs", "plan.json"
