"""Runs in a Python process of its own, with other settings than this one, and policies that use all of the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
from conftest import ALL_LEVERS

from sim.levers import Levers
from sim.levers.base import FirmLever, PlacedLever
from sim.policy import Policy
from sim.rules import Rules
from sim.shocks import Shocks
from sim.tiers import TIERS

#: Runs a policy; tables as JSON, exact for float64.
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
    "listing_places": 1e5,
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


def run_elsewhere(policy: Policy, environment: dict[str, str], **settings) -> dict[str, pd.DataFrame]:
    """Tables of a run by a process with these environment variables besides its own."""
    order = json.dumps({"policy": policy.model_dump(mode="json"), **settings})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _RUN, order],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return {name: pd.DataFrame(table) for name, table in json.loads(done.stdout).items()}
