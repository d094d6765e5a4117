"""Description of the runs in plain sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from scenarios.files import describe
from scenarios.files.loading import flatten
from scenarios.files.schema import NAMING_KEYS
from sim.calendar import Quarter
from viz.report.sections import Sections
from viz.shared.texts import TextTable

#: Keys of a scenario that are not settings of its policy.
_ABOUT = ("schema", *NAMING_KEYS, "run")


@dataclass(frozen=True)
class Description:
    """One scenario in words: title, name, description, active levers, and differences from the baseline."""

    title: str
    name: str
    description: str
    levers: TextTable
    changes: TextTable | None


def sentences(sections: Sections) -> list[str]:
    """Description of the runs, one fact per sentence."""
    words, manifest = sections.words, sections.compared.results.manifest
    scenarios, runs = len(manifest["scenarios"]), sections.compared.runs_each
    kind = "sentence_single" if runs == 1 else "sentence_one" if scenarios == 1 else "sentence"
    first, last = (words.quarter(manifest[end]) for end in ("first_quarter", "last_quarter"))
    texts = [words(f"run.{kind}", scenarios=scenarios, first=first, last=last, runs=words.number(runs))]
    parameter_draws = manifest["parameter_draws"]
    if parameter_draws:
        texts.append(
            words(
                "run.draws_crossed" if manifest["crossed_draws"] else "run.draws",
                draws=words.number(manifest["draws"]),
                parameters=len(parameter_draws["names"]),
                source=_file_name(parameter_draws["source"]),
                replicates=words.number(manifest["replicates"]),
            )
        )
    else:
        texts.append(words("run.defaults"))
    texts.append(
        words(
            "run.scale",
            firms=words.number(manifest["firms_at_start"]),
            scale=f"{manifest['scale']:g}",
            weight=words.number(1.0 / manifest["scale"]),
        )
    )
    seeds = manifest["seeds"]
    texts.append(words("run.seeds" if len(seeds) > 1 else "run.seed_one", first=seeds[0], last=seeds[-1]))
    if manifest["firms_panel"]:
        texts.append(words("run.panel", firms=words.number(manifest["firms_panel"])))
    day = datetime.fromisoformat(manifest["started"]).date()
    texts.append(words("run.version", version=manifest["versions"]["srdi"], date=words.date(day)))
    return texts


def descriptions(sections: Sections) -> list[Description]:
    """Every scenario in words, the baseline first."""
    scenarios = {scenario["name"]: scenario for scenario in sections.compared.results.manifest["scenarios"]}
    baseline = scenarios[sections.compared.baseline]
    return [
        Description(
            title=sections.titles[name],
            name=name,
            description=sections.words.description(scenarios[name], lines=True),
            levers=_levers(sections, scenarios[name]),
            changes=None if name == baseline["name"] else _changes(sections, baseline, scenarios[name]),
        )
        for name in sections.compared.names
    ]


def _levers(sections: Sections, scenario: dict) -> TextTable:
    """Active levers with window, budget and spending."""
    words, compared = sections.words, sections.compared
    spent = compared.spending(scenario["name"])
    rows = []
    for name, lever in scenario["levers"].items():
        if not lever["enabled"]:
            continue
        window = words.span(words.quarter(lever["start"]), words.quarter(lever["end"]))
        late = Quarter.parse(lever["start"]) > Quarter.parse(compared.results.manifest["last_quarter"])
        paid = words("run.later") if late else words.number(float(spent.get(name, 0.0)))
        rows.append([words.lever(name), window, words.number(lever["budget_yuan"]), paid])
    return TextTable([words(f"run.{head}") for head in ("lever", "window", "budget", "spent")], rows, words=2)


def _changes(sections: Sections, baseline: dict, scenario: dict) -> TextTable:
    """Settings that differ from the baseline, in the notation of a scenario file."""
    words = sections.words
    before, now = (flatten({key: each[key] for key in each if key not in _ABOUT}) for each in (baseline, scenario))
    units = {row["key"]: row["unit"] for row in _setting_rows()}
    rows = [
        [key, words.setting(before.get(key)), words.setting(now.get(key)), words.unit(units.get(key, ""))]
        for key in dict.fromkeys((*before, *now))
        if before.get(key) != now.get(key)
    ]
    return TextTable([words(f"run.{head}") for head in ("setting", "baseline", "here", "unit")], rows)


def _setting_rows() -> list[dict]:
    nested = [row["settings"] for row in (*describe.lever_rows(), *describe.shock_rows())]
    return [
        row
        for rows in (*nested, describe.rule_rows(), describe.feedback_rows(), describe.parameter_rows())
        for row in rows
    ]


def _file_name(path: str) -> str:
    """The file name of a path from any operating system."""
    return re.split(r"[/\\]", path)[-1]
