"""The command ``srdi``.

pandas, Mesa and Numba are imported inside the commands, so that help appears at once.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scenarios.commands.command import Script, echo
from scenarios.commands.options import json_option, print_json, table_console, warn_idle_settings
from scenarios.display.docstrings import documentation
from scenarios.errors import InputError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

    from rich.console import Console

#: Entry-point group in which other packages publish their commands.
COMMANDS_GROUP = "srdi.commands"


def _published_commands() -> EntryPoints:
    from importlib.metadata import entry_points

    return entry_points(group=COMMANDS_GROUP)


class Srdi(Script, click.Group):
    """The command group: the commands of this file and those published under ``srdi.commands``."""

    program_name = "srdi"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return sorted({*super().list_commands(ctx), *(entry.name for entry in _published_commands())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name, those of this file first; None if there is none."""
        command = super().get_command(ctx, cmd_name)
        if command is None:
            command = next((entry.load() for entry in _published_commands().select(name=cmd_name)), None)
        if command is not None and command.help is None and command.callback:
            command.help = documentation(command.callback)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in click; for an unknown command, the message suggests the nearest name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            suggestion = nearest(args[0], self.list_commands(ctx))
            if not suggestion:
                raise
            raise click.UsageError(error.message.rstrip(".") + suggestion, ctx) from None


@click.group(cls=Srdi, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="srdi")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """An agent-based model of China's SME cultivation ladder (专精特新).

    \b
    srdi run baseline                     run the reported policy and print the ladder
    srdi run baseline no-policy --out DIR compare two scenarios, keep the results
    srdi list                             the catalogue of scenarios
    srdi show levers                      every lever with unit, range, default, cost and mechanism
    srdi effects                          the effect of each lever, paired with the baseline
    """


@main.command(name="list")
@json_option
def list_scenarios(as_json: bool) -> None:
    """List the catalogue of scenarios by group.

    \b
    Example:
      srdi list
    """
    from scenarios.catalogue import catalogue_groups
    from scenarios.display.screen import Cells, print_table
    from scenarios.files.loading import load_scenario
    from scenarios.files.schema import NAMING_KEYS

    screen, scenarios = table_console(False), []
    for group in catalogue_groups():
        members = [load_scenario(name) for name in group.scenarios]
        title = f"{group.title} ({group.title_zh})"
        print_table(Cells(title, ("", "", ""), [(s.name, s.title, s.title_zh) for s in members]), screen)
        screen.print()
        scenarios += [{"group": group.name, **s.model_dump(include=set(NAMING_KEYS))} for s in members]
    if as_json:
        print_json({"scenarios": scenarios})


@main.command()
@click.argument("name", metavar="NAME|levers|rules|shocks|model|parameters")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show a resolved scenario (as a file that can be run), or all levers, rules, shocks,
    feedbacks (model) or parameters.

    What a parameter or the strength of a lever rests on is measured (a reported figure), fitted to such figures,
    evidence (with the studies' names) or assumed.

    \b
    Example:
      srdi show levers
      srdi show clusters-300 > my-clusters.toml
    """
    from scenarios.display.screen import say
    from scenarios.ensembles.default_draws import default_labels
    from scenarios.files import describe
    from scenarios.files.labels import lever_labels, parameter_labels

    screen = table_console(False)
    if name == "levers":
        labels = lever_labels(default_labels())
        levers = [row | {"label": str(labels[row["lever"]])} for row in describe.lever_rows()]
        for lever in levers:
            say(screen, f"{lever['lever']} ({lever['group']})")
            say(screen, lever["about"], indent=4, full_width=True)
            affects = f"Affects first: {lever['outcome']} ({lever['expected']})"
            say(
                screen,
                f"Mechanism: {lever['mechanism']}. {affects}.\nCost: {lever['cost']}.\nStrength: {lever['label']}.",
                indent=4,
                full_width=True,
            )
            _print_settings(lever["settings"], screen)
            screen.print()
        values: dict[str, object] = {"levers": levers}
    elif name == "shocks":
        shocks = describe.shock_rows()
        for shock in shocks:
            say(screen, shock["shock"])
            say(screen, shock["about"], indent=4, full_width=True)
            _print_settings(shock["settings"], screen)
            screen.print()
        values = {"shocks": shocks}
    elif name in ("rules", "model", "parameters"):
        rows = {
            "rules": describe.rule_rows,
            "model": describe.feedback_rows,
            "parameters": describe.parameter_rows,
        }[name]()
        if name == "parameters":
            of_parameter = parameter_labels(default_labels())
            rows = [row | {"label": str(of_parameter[row["key"].removeprefix("parameters.")])} for row in rows]
        _print_settings(rows, screen)
        values = {name: rows}
    else:
        from scenarios.files.loading import load_scenario

        scenario = load_scenario(name)
        click.echo(describe.scenario_toml(scenario), nl=False)
        values = {"scenario": scenario.model_dump(by_alias=True, mode="json")}
    if as_json:
        print_json(values)


def _print_settings(rows: list[dict], screen: Console) -> None:
    from scenarios.display.screen import say
    from scenarios.files.describe import number

    for row in rows:
        default = row["default"]
        if default is None or default == ():
            default = "none"
        elif isinstance(default, int | float) and not isinstance(default, bool):
            default = number(default)
        parts = (f"default {default}", row["unit"], row["range"], row.get("label", ""))
        notes = ", ".join(part for part in parts if part)
        say(screen, row["key"], indent=2, full_width=True)
        say(screen, f"{row['description']} ({notes})", indent=6, full_width=True)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
def check(files: tuple[str, ...], as_json: bool) -> None:
    """Check scenario files without running them; exit with 2 at the first that is not valid.

    \b
    Example:
      srdi check my-scenario.toml
    """
    from scenarios.files.loading import load_scenario

    names = []
    for file in files:
        scenario = load_scenario(file)
        names.append(scenario.name)
        echo(f"{file}: scenario {scenario.name!r} is valid")
        warn_idle_settings([scenario])
    if as_json:
        print_json({"valid": names})


@main.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="File to write (default NAME.toml).")
@json_option
def new(name: str, out: Path | None, as_json: bool) -> None:
    """Write an annotated scenario file to start from.

    \b
    Example:
      srdi new county-digital
    """
    from scenarios.files.describe import template
    from scenarios.files.loading import check_name

    check_name(name)
    path = out or Path(f"{name}.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template(name))
    except FileExistsError:
        raise InputError(f"{path} already exists; choose another file with --out") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    echo(f"wrote {path}; check it with: srdi check {shlex.quote(str(path))}")
    if as_json:
        print_json({"file": str(path)})


if __name__ == "__main__":
    main()
