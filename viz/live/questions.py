"""Further questions about a policy, answered by more runs in the background: which lever does what, and for whom."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.analysis.additionality import Additionality, Asked, PairCounts, Study, count_pair
from scenarios.analysis.decomposition import QUANTITIES, Decomposition, design, split
from scenarios.analysis.metrics import choose_metrics
from scenarios.files.parts import differing_parts
from scenarios.files.schema import Scenario
from sim.calendar import START, Quarter
from viz.live.background import PairedRuns, Progress, Stopped
from viz.live.gathered import GatheredResults
from viz.live.runner import Run, Runner


def decomposed(runner: Runner, scenario: Scenario, progress: Progress, pairs: int = 0) -> Decomposition:
    """What each part of a policy does, as ``srdi decompose`` splits it.

    Args:
        pairs: of runs; 0 means all members.

    Raises:
        InputError: the policy does not differ from the baseline.
        Stopped: the job is no longer wanted.
    """
    members = pairs or runner.members
    made = design(runner.baseline, scenario, differing_parts(runner.baseline, scenario), members)
    paired = PairedRuns(runner, members, progress)
    of = members * (len(made.scenarios) - 1)
    runs: list[tuple[Scenario, Sequence[Run]]] = []
    for subset, each in made.scenarios.items():
        runs.append((each, paired.of(each, of) if subset else paired.baseline()))
    return split(paired.gathered(runs), made, choose_metrics(QUANTITIES), (Quarter(runner.until, 4),))


def additional(
    runner: Runner, results: GatheredResults, baseline: str, progress: Progress, pairs: int
) -> Additionality:
    """Of the firms that a policy supports, how many changed what, as ``srdi additionality`` counts it.

    The runs are made again from their start, because the copies of the page do not know who was supported before.

    Args:
        results: of the policy and the baseline, with parameter draws. pairs: how many to run again.

    Raises:
        InputError: the policy supports no firm by a lever that differs from the baseline, or starts from other firms.
        Stopped: the job is no longer wanted.
    """
    study = Study.of(results, baseline, Asked(pairs=pairs), draws=runner.draws)
    (group, *_) = study.groups
    quarters = Quarter.parse(study.plan.quarter) - START
    of, done = len(group) * len(study.groups), 0
    counts: list[PairCounts] = []
    with runner.background(lambda: progress.stopped) as give_way:

        def before_step() -> None:
            nonlocal done
            if not give_way():
                raise Stopped
            progress.check()
            if done % quarters == 0:
                progress.at(done // quarters, of)
            done += 1

        counts = [count_pair(jobs, study.plan, before_step) for jobs in study.groups]
    return study.result(counts)
