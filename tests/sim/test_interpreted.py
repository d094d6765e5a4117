"""The compiled model against the same source read by Python, in a process whose compiler is off."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numba
import numpy as np
import pandas as pd
import pytest
from conftest import ALL_LEVERS, frame

from sim.levers import Levers
from sim.levers.base import FirmLever, PlacedLever
from sim.model import SRDIModel
from sim.policy import Policy
from sim.records.outputs import TABLES
from sim.rules import Rules
from sim.shocks import Shocks
from sim.tiers import TIERS

SCALE = 0.001

#: Runs a policy in the other kind of process; tables as JSON, exact for float64.
_RUN = """
import json, sys
from sim.model import SRDIModel
from sim.policy import Policy
settings = json.loads(sys.argv[1])
model = SRDIModel(Policy.model_validate(settings.pop("policy")), **settings)
model.run_model()
print(json.dumps({
    table: {name: values.astype(str if values.dtype.kind == "M" else values.dtype).tolist()
            for name, values in columns.items()}
    for table, columns in model.tables().items()
}))
"""

SHOCKS = Shocks.model_validate(
    {name: {"start": "2019Q2", "quarters": 3, "severity": 0.5} for name in Shocks.model_fields}
)
#: What is rare among a few thousand firms, made common.
OFTEN = {
    "listing_rate": 0.2,
    "listing_revenue": 1e7,
    "listing_margin": 0.0,
    "move_rate": 1.0,
    "first_rate": 0.5,
    "newcomer_rate": 1.0,
}
#: Every lever from the first quarter, all shocks, and every kind of certificate reviewed within the run.
EVERYTHING = Policy(
    levers=Levers.model_validate(
        {name: lever.model_dump() | {"start": "2019Q1"} for name, lever in ALL_LEVERS}
        | {"sme_fund": {"enabled": True, "start": "2019Q1", "budget_yuan": 1e12}}
    ),
    shocks=SHOCKS,
    rules=Rules.model_validate({tier: {"validity_years": 1} for tier in TIERS} | {"audit_strictness": 0.9}),
    parameters=OFTEN,
)
#: Levers kept to few firms, batches that a capacity binds, strict reviews.
NARROW = Policy(
    levers=Levers.model_validate(
        {
            name: lever.model_dump()
            | {"start": "2019Q1", "provinces": ["Jiangsu", "Zhejiang", "Guangdong"]}
            | ({"lowest_tier": "innovative"} if isinstance(lever, FirmLever) else {})
            | ({"counties_only": name != "county_relocation"} if isinstance(lever, PlacedLever) else {})
            for name, lever in ALL_LEVERS
        }
    ),
    rules=Rules.model_validate(
        {tier: {"validity_years": 1, "capacity": 20_000, "review_strictness": 1.0} for tier in TIERS}
    ),
    parameters=OFTEN,
)


def _other(policy: Policy, **settings) -> dict[str, pd.DataFrame]:
    """Tables of a process that compiles if this one does not, and the other way round."""
    order = json.dumps({"policy": policy.model_dump(mode="json"), **settings})
    environment = os.environ | {"NUMBA_DISABLE_JIT": str(int(not numba.config.DISABLE_JIT))}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _RUN, order], env=environment, check=True, capture_output=True, text=True
    )
    return {name: pd.DataFrame(table) for name, table in json.loads(done.stdout).items()}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("policy", "until"), [(EVERYTHING, 2021), (NARROW, 2021)], ids=["everything at once", "narrow, capped and strict"]
)
def test_the_compiler_changes_nothing_but_the_last_digits(policy, until):
    """Counts are the same; sums differ by the rounding of float32."""
    settings = {"scale": SCALE, "rng": 4, "until": until}
    model = SRDIModel(policy, **settings)
    model.run_model()
    other = _other(policy, **settings)
    assert set(other) == set(TABLES)
    for name in TABLES:
        ours, theirs = frame(model, name), other[name]
        assert len(ours) == len(theirs), name
        for column in ours.select_dtypes("number"):
            np.testing.assert_allclose(
                theirs[column].to_numpy(float), ours[column].to_numpy(float), rtol=1e-3, err_msg=f"{name}.{column}"
            )
