"""The answers of commands that are kept in a directory, and the runs they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scenarios.analysis.additionality import Additionality
from scenarios.analysis.decomposition import Decomposition
from scenarios.analysis.equal_money import EQUAL, EqualMoney
from scenarios.records.kept import kept
from scenarios.records.layout import MANIFEST
from scenarios.search.target_runs import Target


@dataclass(frozen=True)
class Answers:
    """Answers kept in a directory; None for those that are not.

    Attributes:
        runs: results directory with the runs that the answers are about, which may be the directory itself.
        additionality: of ``srdi additionality --keep``. decomposition: of ``srdi decompose``.
        equal_money: of ``srdi equal-money``. target: of ``srdi target``.
    """

    runs: Path
    additionality: Additionality | None = None
    decomposition: Decomposition | None = None
    equal_money: EqualMoney | None = None
    target: Target | None = None

    @property
    def compared(self) -> Iterator[tuple[str, list[str]]]:
        """Of each command that has made the runs itself: its baseline, and the scenarios it compares with it."""
        if self.decomposition:
            yield self.decomposition.baseline, [self.decomposition.scenario]
        if self.equal_money:
            yield self.equal_money.baseline, [scenario.name for scenario in self.equal_money.scenarios]
        if self.target:
            yield self.target.base.name, [self.target.scenario.name]


def load_answers(directory: str | Path) -> Answers:
    """The answers kept in a directory of results, or in that of ``srdi equal-money`` or ``srdi target``.

    A directory without any, or that does not exist, has none; `load_results` refuses what has no results either.

    Raises:
        ResultsError: a file is damaged, or another version wrote it.

    Example:
        >>> load_answers("results/parts").decomposition.rows  # doctest: +SKIP
    """
    folder = Path(directory)
    equal, target = kept(folder, EqualMoney), kept(folder, Target)
    runs = folder
    if not (folder / MANIFEST).is_file():
        runs = folder / target.folder if target else folder / EQUAL if equal else folder
    return Answers(runs, kept(folder, Additionality), kept(folder, Decomposition), equal, target)
