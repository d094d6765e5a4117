"""Pages made while the site is built: the repository's own documents, and the reference from what the code declares.

MkDocs calls ``on_files`` and ``on_nav``. The plugin of languages in between makes new files, by name, in the folder of
documents: what a page holds is put in after it.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation

from calibration.fitting.priors import read_priors
from calibration.reporting.evidence_page import PAGES as EVIDENCE_PAGES
from calibration.reporting.evidence_page import evidence_page
from scenarios.analysis.reported import reported_figures
from scenarios.cli import main as srdi
from scenarios.ensembles.default_draws import default_labels
from scenarios.files.describe import feedback_rows, lever_rows, lever_title, number, rule_rows, shock_rows
from scenarios.files.labels import lever_labels
from sim.parameters import parameter_table
from sim.records.outputs import TABLES
from sim.reference import read_data
from viz.app.fit_tables import figure_table, role_title, short
from viz.live.fitted import by_role, figures_of, forecasts_of
from viz.report.caveats import source_counts
from viz.shared.calibrated import packaged_summary, packaged_validation
from viz.words.language import Words, catalogue

ROOT = Path(__file__).parent.parent
#: Documents outside the folder of the site, and the page each becomes.
PAGES = {
    "README.md": "index.md",
    "README.zh-CN.md": "index.zh.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "viz/words/odd.en.md": "odd.md",
    "viz/words/odd.zh.md": "odd.zh.md",
}
_TITLES = {
    "viz/words/odd.en.md": "# Description of the model (ODD)\n\n",
    "viz/words/odd.zh.md": "# 模型说明（ODD）\n\n",
}


#: How the page on reading begins.
_READING = {
    "en": "# How to read the results\n\nThe same text is on the web page, under *Data and about*.\n\n",
    "zh": "# 如何阅读结果\n\n以下内容与网页“数据与说明”页的“如何阅读”相同。\n\n",
}
#: Where the Chinese page on calibration has its results.
_RESULTS = "<!-- results -->"
#: Text of each page made, by its path.
_MADE: dict[str, str] = {}


def page(path: str, text: str) -> None:
    """Write a page of the site."""
    _MADE[path] = text


def table(heads: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines) + "\n"


def _cell(cell: object) -> str:
    return " ".join(str(cell).split()).replace("|", "\\|")


def _moved(match: re.Match) -> str:
    """A link of a document of the repository, as the site has it; what the site does not have stays as plain text."""
    text, target = match["text"], match["target"]
    if target.startswith(("http", "#")):
        return match[0]
    path, hash_, anchor = target.partition("#")
    if path in PAGES:
        return f"[{text}]({PAGES[path]}{hash_}{anchor})"
    if path.startswith("docs/"):
        return f"[{text}]({path.removeprefix('docs/')}{hash_}{anchor})"
    return text


def documents() -> None:
    """The repository's own documents with their links as the site has them, without those between languages."""
    for source, target in PAGES.items():
        text = re.sub(
            r"^.*English.* · .*简体中文.*\n\n", "", (ROOT / source).read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        page(target, _TITLES.get(source, "") + re.sub(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)", _moved, text))


def settings(rows: list[dict]) -> str:
    """Table of settings with unit, default and range."""
    return table(
        ["Setting", "Unit", "Default", "Allowed", "Meaning"],
        [[f"`{row['key']}`", row["unit"], _default(row), row["range"], row["description"]] for row in rows],
    )


def _default(row: dict) -> str:
    default = row["default"]
    if isinstance(default, int | float) and not isinstance(default, bool):
        return number(default)
    return "all" if default == () else "none" if default is None else str(default)


def levers() -> None:
    """Every lever with its settings."""
    parts = [
        "# Levers\n\nAll levers as declared in `sim/levers`; the same as `srdi show levers`. Change a setting "
        "in a scenario file, or on the command line with `--set KEY=VALUE`.\n\n"
    ]
    for row in lever_rows():
        facts = {
            "Group": row["group"],
            "Cost": row["cost"],
            "Mechanism": f"`{row['mechanism']}`",
            "First outcome": f"`national.{row['outcome']}` ({row['expected']})",
        }
        parts.append(f"## {lever_title(row['lever'])}\n\n{row['about']}\n\n")
        parts += [f"- **{name}**: {text}\n" for name, text in facts.items()]
        parts += ["\n", settings(row["settings"])]
    page("reference/levers.md", "".join(parts))


def rules() -> None:
    """Recognition rules, feedbacks of the economy and shocks."""
    parts = [
        "# Rules, feedbacks and shocks\n\n## Recognition rules\n\nThe measures of 2022 unless changed.\n\n",
        settings(rule_rows()),
    ]
    parts += ["## Feedbacks of the economy\n\n", settings(feedback_rows())]
    for row in shock_rows():
        parts += [f"## Shock: {row['shock']}\n\n{row['about']}\n\n", settings(row["settings"])]
    page("reference/rules.md", "".join(parts))


def parameters() -> None:
    """Every parameter, with its prior where it is free."""
    free = set(read_priors().only("free").names)
    rows = [
        [f"`{each.name}`", f"{each.value:g}", each.unit, f"{each.low:g} to {each.high:g}",
         "free in the fit" if each.name in free else "", each.description, each.source]
        for each in parameter_table().values()
    ]  # fmt: skip
    heads = ["Parameter", "Value", "Unit", "Allowed", "Fit", "Meaning", "Source"]
    about = "# Parameters\n\nSet in a scenario file under `[parameters]`, or as `--set parameters.NAME=VALUE`.\n\n"
    page("reference/parameters.md", about + table(heads, rows))


#: Rules that stand beside what they decide rather than in `sim/mechanisms`: their module, and which of its members.
_OTHER_RULES = {
    "Application": {"sim.ladder.application": []},
    "Recognition, review, audit": {"sim.ladder.recognition": ["assess", "review", "audit"]},
    "Awareness of a programme": {"sim.institutions.province": ["diffusion"]},
    "Chain leaders": {"sim.institutions.chain_leader": ["ChainLeader"]},
    "Clusters": {
        "sim.institutions.cluster": ["find_candidates", "build_commons", "commons_effects", "spill_over", "attract"],
        "sim.institutions.cluster_contest": ["ClusterContest"],
    },
    "Health of chains": {"sim.chain_health": []},
}


def equations() -> None:
    """Every rule with its equation and its source, from the code that computes it."""
    mechanisms = sorted(path.stem for path in (ROOT / "sim" / "mechanisms").glob("[!_]*.py"))
    chapters = {stem.replace("_", " ").capitalize(): {f"sim.mechanisms.{stem}": []} for stem in mechanisms}
    parts = [
        "# Equations\n\nEvery rule with its equation, taken from the code that computes it: one file per "
        "mechanism, one firm at a time. Where there is only a sentence, the source code below it is the equation. "
        "For values, units and sources of the parameters, see [parameters](parameters.md); for what a lever puts "
        "into a channel, [levers](levers.md); for the order in which the rules are applied, the "
        "[description](../odd.md).\n\n"
    ]
    for title, modules in (chapters | _OTHER_RULES).items():
        parts.append(f"## {title}\n\n")
        for module, members in modules.items():
            chosen = f"members: {members}" if members else 'filters: ["!^_", "!^[A-Z_0-9]+$"]'
            parts.append(
                f"::: {module}\n    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n"
                f"      heading_level: 3\n      show_signature: false\n      show_source: true\n      {chosen}\n\n"
            )
    page("reference/equations.md", "".join(parts))


def commands() -> None:
    """The help of every command."""
    parts = [
        "# Command line\n\nEvery command takes `--json` for a machine-readable last line. Exit codes: 0 done, "
        "1 failed, 2 bad input (with one sentence: the key or file, the value found, the values allowed), 130 "
        "interrupted (143 or 129 by SIGTERM or SIGHUP). Finished work is kept. "
        "`srdi --debug COMMAND` shows the traceback of a failure.\n\n"
    ]
    whole = click.Context(srdi, info_name="srdi", max_content_width=100)
    for name in srdi.list_commands(whole):
        command = srdi.get_command(whole, name)
        usage = click.Context(command, info_name=name, parent=whole, max_content_width=100).get_help()
        parts.append(f"## srdi {name}\n\n```text\n{usage}\n```\n\n")
    page("reference/commands.md", "".join(parts))


def results() -> None:
    """Every column of every table."""
    parts = ["# Results\n\nTables of a results directory. Counts are national at any scale.\n\n"]
    for name, columns in TABLES.items():
        parts.append(f"## {name}\n\n")
        parts.append(table(["Column", "Unit", "Meaning"], [[f"`{c.name}`", c.unit, c.description] for c in columns]))
    page("reference/results.md", "".join(parts))


def sources() -> None:
    """Where every figure comes from."""
    figures = [
        [each.label, each.date, each.text, f"`{each.quantity}`", each.role, each.mark, each.source]
        for each in reported_figures()
    ]
    parts = [
        "# Sources\n\nMarks: A, the brief of 8 March 2024; B, a named public page; C, general knowledge of official "
        "tables, without a page at hand. Nothing reported after 8 March 2024 is used.\n\n## Reported figures\n\n",
        table(["Figure", "Date", "Reported", "Quantity", "Role", "Mark", "Source"], figures),
    ]
    for name in ("provinces", "sectors"):
        described = read_data(name)["source"]
        rows = [
            [f"`{key}`", each["unit"], each["date"], each["mark"], each["source"]] for key, each in described.items()
        ]
        parts += [f"## Data: {name}\n\n", table(["Column", "Unit", "Date", "Mark", "Source"], rows)]
    page("reference/sources.md", "".join(parts))


def evidence() -> None:
    """Every study with what it found and how it is used, in both languages."""
    for language, path in EVIDENCE_PAGES.items():
        page(path, evidence_page(language))


def reading() -> None:
    """How to read the results, as the web page says it, in both languages."""
    for language, path in (("en", "reading.md"), ("zh", "reading.zh.md")):
        words = Words(language)
        counts = {key: words.number(count) for key, count in source_counts().items()}
        counts["levers"] = words.strengths(lever_labels(default_labels()))
        parts = [_READING[language]]
        for key in catalogue(language)["data"]:
            if key.startswith("read_") and key.endswith("_title"):
                text = words(f"data.{key.removesuffix('_title')}", **counts)
                parts.append(f"## {words(f'data.{key}')}\n\n{text}\n\n")
        page(path, "".join(parts))


def in_short() -> None:
    """The Chinese page on calibration with the results of the packaged one."""
    words, shown, summary = Words("zh"), packaged_validation(), packaged_summary()
    rows = by_role(figures_of(shown.results))
    parts = ["## 拟合结果\n\n以下由软件自带的校准结果生成，与网页“校准”页相同。\n\n"]
    if not shown.results.get("model_unchanged", True):
        parts.append(f"{words('fit.changed')}\n\n")
    parts += [f"- {each}\n" for each in short(words, rows, summary, forecasts_of(shown.forecasts["forecasts"]))]
    parts.append(f"\n### {words('fit.figures')}\n\n{words('fit.figures_note')}\n\n")
    for role, figures in rows.items():
        shown_figures = figure_table(words, [figure for figure in figures if not figure.province])
        parts += [f"#### {role_title(words, role)}\n\n", table(list(shown_figures.heads), list(shown_figures.rows))]
    text = (Path(__file__).parent / "calibration.zh.md").read_text(encoding="utf-8")
    assert text.count(_RESULTS) == 1
    page("calibration.zh.md", text.replace(_RESULTS, "".join(parts)))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Make the pages; those that stand in the folder already are replaced."""
    for make in (
        documents,
        evidence,
        reading,
        in_short,
        levers,
        rules,
        parameters,
        equations,
        commands,
        results,
        sources,
    ):
        make()
    for path in _MADE:
        if (kept := files.get_file_from_path(path)) is not None:
            files.remove(kept)
        files.append(File(path, config.docs_dir, config.site_dir, config.use_directory_urls))
    return files


def on_nav(nav: Navigation, config: MkDocsConfig, files: Files) -> Navigation:
    """Put in what the pages hold."""
    for file in files.documentation_pages():
        if file.src_uri in _MADE:
            file.content_string = _MADE[file.src_uri]
    return nav
