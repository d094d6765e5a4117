"""Descriptions of levers, rules and parameters, and scenario files as text, generated from the declarations."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

import tomli_w
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from scenarios.display.docstrings import documentation
from scenarios.files.loading import load_scenario, nest
from scenarios.files.schema import RunDefaults, Scenario, nested_models
from sim.feedbacks import Feedbacks
from sim.levers import Lever, Levers
from sim.parameters import parameter_table
from sim.rules import Rules
from sim.shocks import Shock, Shocks


def number(value: float) -> str:
    """A number as readable text: whole numbers with separators from 10,000 on, others in short form."""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:g}"
    return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))


def _range(field: FieldInfo) -> str:
    """The allowed values of a field in words."""
    bounds: dict[str, float] = {}
    for constraint in field.metadata:
        for sign in ("ge", "gt", "le", "lt"):
            if getattr(constraint, sign, None) is not None:
                bounds[sign] = getattr(constraint, sign)
    words = []
    for sign, word in (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "to")):
        if sign in bounds:
            words.append(f"{word} {number(bounds[sign])}")
    if words:
        return " ".join(words)
    if get_origin(field.annotation) is Literal:
        return ", ".join(get_args(field.annotation))
    return "true or false" if field.annotation is bool else ""


def _unit(field: FieldInfo) -> str:
    return str(field.json_schema_extra.get("unit", "")) if isinstance(field.json_schema_extra, dict) else ""


def field_rows(model: type[BaseModel], prefix: str) -> list[dict]:
    """One row per setting: key, default (None if there is none), unit, range, description."""
    rows: list[dict] = []
    inner = nested_models(model, BaseModel)
    for name, field in model.model_fields.items():
        if name in inner:
            rows += field_rows(inner[name], f"{prefix}.{name}")
            continue
        default = None if field.default is PydanticUndefined else field.default
        rows.append(
            {
                "key": f"{prefix}.{name}",
                "default": default,
                "unit": _unit(field),
                "range": _range(field),
                "description": field.description or "",
            }
        )
    return rows


def lever_rows() -> list[dict]:
    """Every lever with its docstring, group, mechanism, cost, first outcome and settings."""
    return [
        {
            "lever": name,
            "about": documentation(lever),
            "group": lever.group,
            "mechanism": lever.mechanism,
            "cost": lever.cost_rule,
            "outcome": lever.outcome[0],
            "expected": "+" if lever.outcome[1] > 0 else "-",
            "settings": field_rows(lever, f"levers.{name}"),
        }
        for name, lever in nested_models(Levers, Lever).items()
    ]


def lever_about(name: str) -> str:
    """The first paragraph of a lever's docstring, which begins with its name in English and, in brackets, Chinese."""
    return " ".join(documentation(nested_models(Levers, Lever)[name]).split("\n\n")[0].split())


def lever_title(name: str, language: str = "en") -> str:
    """Name of a lever from its docstring, in English or, with language zh and if there is one, in Chinese."""
    english, _, rest = lever_about(name).partition(" (")
    chinese = rest.partition(")")[0].partition(",")[0]
    return chinese if language == "zh" and not chinese.isascii() else english.rstrip(".")


def shock_rows() -> list[dict]:
    """Every shock with its docstring and settings; the defaults are those of a shock that is named in a file."""
    return [
        {
            "shock": name,
            "about": documentation(shock),
            "settings": field_rows(shock, f"shocks.{name}"),
        }
        for name, shock in nested_models(Shocks, Shock).items()
    ]


def rule_rows() -> list[dict]:
    """Every recognition rule that a scenario can change."""
    return field_rows(Rules, "rules")


def feedback_rows() -> list[dict]:
    """Every feedback of the economy, which a scenario may switch."""
    return field_rows(Feedbacks, "model")


def parameter_rows() -> list[dict]:
    """Every model parameter."""
    return [
        {
            "key": f"parameters.{parameter.name}",
            "default": parameter.value,
            "unit": parameter.unit,
            "range": f"from {number(parameter.low)} to {number(parameter.high)}",
            "description": f"{parameter.description} [{parameter.source}]",
        }
        for parameter in parameter_table().values()
    ]


def scenario_toml(scenario: Scenario) -> str:
    """A resolved scenario as a self-contained file."""
    values = scenario.model_dump(by_alias=True, mode="json", exclude_none=True)
    return tomli_w.dumps(values)


def template(name: str) -> str:
    """An annotated scenario file with every setting, commented out, at the value of the baseline."""
    parent = load_scenario("baseline").model_dump(by_alias=True, mode="json")
    lines = [
        "# A scenario file. Remove the # before a line to change it; everything else comes from the parent.",
        f"# srdi check {name}.toml    then    srdi run baseline {name}.toml",
        "",
        "schema = 1",
        f'name = "{name}"',
        'title = ""',
        'title_zh = ""',
        'description = ""',
        'description_zh = ""',
        'extends = "baseline"',
        "",
        "[run]",
    ]
    lines += _commented(field_rows(RunDefaults, "run"), parent)
    for lever in lever_rows():
        lines += ["", *(f"# {line}".rstrip() for line in lever["about"].splitlines())]
        lines += [f"[levers.{lever['lever']}]", *_commented(lever["settings"], parent)]
    rules: dict[str, list[dict]] = {}
    for row in rule_rows():
        rules.setdefault(row["key"].rpartition(".")[0], []).append(row)
    for table in sorted(rules):
        lines += ["", f"[{table}]", *_commented(rules[table], parent)]
    lines += ["", "# Feedbacks of the economy.", "[model]", *_commented(feedback_rows(), parent)]
    for shock in shock_rows():
        lines += ["", *(f"# {line}".rstrip() for line in shock["about"].splitlines())]
        # Naming a shock is enough to switch it on, so its heading is a comment too.
        lines += [f"# [shocks.{shock['shock']}]", *_commented(shock["settings"], _declared(shock["settings"]))]
    lines += ["", "# Model parameters by name; see srdi show parameters.", "[parameters]", ""]
    return "\n".join(lines)


def _declared(rows: list[dict]) -> dict:
    """The rows' defaults as nested values."""
    return nest({row["key"]: row["default"] for row in rows})


def _commented(rows: list[dict], parent: dict) -> list[str]:
    lines = []
    for row in rows:
        notes = "; ".join(note for note in (row["unit"], row["range"]) if note)
        lines.append(f"# {row['description']}{f' ({notes})' if notes else ''}")
        value = parent
        for name in row["key"].split("."):
            value = value[name]
        key = row["key"].rpartition(".")[2]
        setting = f"{key} = " if value is None else tomli_w.dumps({key: value}).strip()
        lines += [f"# {line}" for line in setting.splitlines()]
    return lines
