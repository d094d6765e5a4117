"""The yearly contest in which the ministry recognises national SME clusters."""

from __future__ import annotations

import numpy as np

from sim.firms.columns import NEVER
from sim.institutions.cluster import recognise
from sim.institutions.targeting import rank_among_equals
from sim.numerics.arrays import log
from sim.numerics.draws import Purpose
from sim.reference import read_data
from sim.tally import PARTS, ClusterSum, by_name

#: Merit of a unit of log concentration (assumed).
_CONCENTRATION_WEIGHT = 0.1
#: Merit of the share of SRDI SMEs, at most 1: in full from a tenth of the firms on (assumed).
_QUALITY_WEIGHT = 10.0
#: Real firms with which the national share of SRDI SMEs weighs beside a candidate's own (assumed).
_PRIOR_FIRMS = 50.0


class ClusterContest:
    """The lever cluster_recognition at work, with the county preference's bonus."""

    def __init__(self, model) -> None:
        self.model = model
        self.lever = model.policy.levers.cluster_recognition
        self._quarter = read_data("calendar")["quarters"]["cluster_recognition"]
        self._concentration = _CONCENTRATION_WEIGHT * log(model.candidates.concentration)
        self._rural = ~model.geography.county_is_urban[model.candidates.county]

    def merit(self) -> np.ndarray:
        """Score of every cluster candidate, float64 (clusters,).

        Share of SRDI SMEs (shrunk towards the national share where few firms are seen) weighs
        most; then digital maturity and concentration. Size beyond a candidate's minimum does not
        count: the recognised clusters are small ones (about 310 SMEs each in the first hundred).
        """
        model = self.model
        sums = by_name(model.totals.clusters, ClusterSum)
        seen = sums["firms"].astype(np.float64)
        weight = _PRIOR_FIRMS * model.scale
        national = sums["srdi_smes"].sum() / max(seen.sum(), 1.0)
        quality = (sums["srdi_smes"] + weight * national) / (seen + weight)
        digital = sums["digital"] / PARTS / np.maximum(seen, 1.0)
        merit = np.minimum(_QUALITY_WEIGHT * quality, 1.0) + digital + self._concentration
        preference = model.policy.levers.county_preference
        if preference.acts_in(model.quarter):
            merit += preference.contest_bonus * preference.intensity * self._rural
        return merit

    def step(self) -> None:
        """In its quarter: recognise the best candidates, no province with more than its share."""
        model, lever, p = self.model, self.lever, self.model.parameters
        if model.quarter.number != self._quarter or not lever.acts_in(model.quarter):
            return
        candidates = model.candidates
        counties, sectors = model.reach_of(lever)
        draws = model.draws(Purpose.CLUSTER_CONTEST, len(candidates))
        merit = self.merit() + p.cluster_contest_noise * draws
        most = max(1, round(p.cluster_province_share * lever.per_year))
        stands = (candidates.recognised == NEVER) & counties[candidates.county] & sectors[candidates.sector]
        order = np.argsort(-merit, kind="stable")
        order = order[stands[order]]
        chosen = order[rank_among_equals(candidates.province[order]) < most][: lever.per_year]
        recognise(model, chosen)
        model.ledger["cluster_recognition"].recipients += len(chosen)
