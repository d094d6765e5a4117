"""The command ``srdi``.

Imports of pandas, Mesa and Numba stand inside the commands: help must answer at once.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path

import click

from scenarios.errors import InputError

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130

#: Entry-point group in which other packages publish commands of their own.
COMMANDS_GROUP = "srdi.commands"


def _published(**chosen):
    from importlib.metadata import entry_points

    return entry_points(group=COMMANDS_GROUP, **chosen)


class Srdi(click.Group):
    """Turns every failure into one sentence and the agreed exit code; ``--debug`` shows the rest.

    Besides its own commands it has those published under ``srdi.commands``.
    """

    def list_commands(self, ctx) -> list[str]:
        """Names of all commands."""
        return sorted({*super().list_commands(ctx), *(entry.name for entry in _published())})

    def get_command(self, ctx, cmd_name):
        """A command by name, own ones first; None if there is none."""
        command = super().get_command(ctx, cmd_name)
        if command is None:
            command = next((entry.load() for entry in _published(name=cmd_name)), None)
        return command

    def main(self, args=None, **extra):
        """Run the command line and exit: 0 done, 1 failed, 2 bad input, 130 interrupted."""
        # Taken out here, so that --debug may stand before the command or after it.
        given = list(sys.argv[1:] if args is None else args)
        args = [word for word in given if word != "--debug"]
        debug = len(args) < len(given)
        try:
            super().main(args=args, standalone_mode=False, **extra)
            sys.exit(0)
        except click.exceptions.Exit as leave:
            sys.exit(leave.exit_code)
        except click.ClickException as error:
            self._say(error.format_message(), debug)
            sys.exit(EXIT_BAD_INPUT)
        except InputError as error:
            self._say(str(error), debug)
            sys.exit(EXIT_BAD_INPUT)
        except (KeyboardInterrupt, click.Abort):
            self._say("interrupted", debug)
            sys.exit(EXIT_INTERRUPTED)
        except BrokenPipeError:
            # The reader (such as head) has gone; nothing is left to say to it.
            sys.stderr.close()
            sys.exit(EXIT_FAILED)
        except Exception as error:
            self._say(f"{error or type(error).__name__}", debug)
            sys.exit(EXIT_FAILED)

    @staticmethod
    def _say(message: str, debug: bool) -> None:
        if debug:
            import traceback

            traceback.print_exc()
        click.echo(f"srdi: {message}", err=True)


def _json_option(function):
    return click.option("--json", "as_json", is_flag=True, help="Print one machine-readable line, last, on stdout.")(
        function
    )


def _last_line(values: dict) -> None:
    click.echo(json.dumps(values, ensure_ascii=False))


@click.group(cls=Srdi, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="srdi")
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
def main(debug: bool) -> None:
    """An agent-based model of China's SME cultivation ladder (专精特新).

    \b
    srdi run baseline                     run the reported policy and print the ladder
    srdi run baseline no-policy --out DIR compare two scenarios, keep the results
    srdi list                             the catalogue of scenarios
    srdi show levers                      every lever with unit, range, default, cost and mechanism
    srdi effects                          what each lever does, paired with the baseline
    """


@main.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option("--replicates", type=int, help="Runs with different luck per scenario (default 4).")
@click.option("--scale", type=float, help="Simulated firms per real firm (default 0.02; 1 is one for one).")
@click.option("--seed", type=int, help="Seed of the first replicate (default 1); scenarios share all luck.")
@click.option("--until", type=int, metavar="YYYY", help="Last year of the run (default 2030).")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a setting in all scenarios.")
@click.option(
    "--params",
    default="default",
    metavar="default|posterior|FILE",
    help="Model parameters: defaults, a draw of the posterior for each replicate, a TOML file of values, "
    "or a Parquet file of draws.",
)
@click.option("--out", type=click.Path(path_type=Path), help="New directory for the results.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Threads per worker.")
@click.option(
    "--firms-panel", type=click.IntRange(0, 10_000_000), default=0, metavar="N", help="Follow N firms one by one."
)
@_json_option
def run(
    scenarios, replicates, scale, seed, until, settings, params, out, workers, threads, firms_panel, as_json
) -> None:
    """Run scenarios (catalogue names or .toml files; default baseline) and print the ladder.

    Without --out the results are printed and not kept. With --json the tables go to stderr.
    What is not given here comes from [run] of the first scenario, for all scenarios.

    \b
    Example:
      srdi run baseline no-policy --replicates 8 --scale 0.05 --out results/first
      srdi run baseline --set levers.cluster_recognition.per_year=300
      srdi run baseline --params posterior --replicates 100
    """
    from scenarios.draws import POSTERIOR, read_draws
    from scenarios.loading import load_scenario, parameter_settings

    draws = None
    if params == POSTERIOR or params.endswith(".parquet"):
        draws = read_draws(params)
    else:
        settings = (*parameter_settings(params), *settings)
    loaded = [load_scenario(name, settings) for name in scenarios or ("baseline",)]

    from scenarios.ensemble import run_ensemble

    with _ensemble_options(out) as options:
        results = run_ensemble(
            loaded,
            replicates=replicates,
            scale=scale,
            seed=seed,
            until=until,
            workers=workers,
            threads=threads,
            firms_panel=firms_panel,
            draws=draws,
            **options,
        )
        from scenarios.tables import print_run  # loads pandas, which the workers' time hides

        console = _console(as_json, width=100)
        print_run(results, console)
        if out:
            console.print(f"\nResults in {out}", highlight=False)
        if as_json:
            manifest = results.manifest
            _last_line(
                {
                    "out": str(out) if out else None,
                    "scenarios": [scenario.name for scenario in loaded],
                    "replicates": manifest["replicates"],
                    "runs": manifest["replicates"] * len(loaded),
                    "firms": manifest["firms_at_start"],
                    "scale": manifest["scale"],
                    "seconds": manifest["seconds"],
                }
            )


@main.command()
@click.argument("levers", nargs=-1, metavar="[LEVER]...")
@click.option("--replicates", type=click.IntRange(2, 100_000), default=8, show_default=True, help="Paired runs.")
@click.option("--scale", type=float, default=0.02, show_default=True, help="Simulated firms per real firm.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the first replicate.")
@click.option("--until", type=int, metavar="YYYY", default=2030, show_default=True, help="Last year of the runs.")
@click.option("--out", type=click.Path(path_type=Path), help="New directory for the results of all runs.")
@click.option("--workers", type=click.IntRange(1, 1024), help="Worker processes (default: one per core).")
@_json_option
def effects(levers, replicates, scale, seed, until, out, workers, as_json) -> None:
    """Compare every lever, rule and shock at its reference intensity with the baseline, paired.

    Without names all are run: about ten minutes on two cores at the defaults. What each lever's
    reference intensity is, srdi show levers tells.

    \b
    Example:
      srdi effects
      srdi effects sme_fund credit_guarantees --replicates 16
    """
    from scenarios.effects import run_effects

    with _ensemble_options(out) as options:
        table = run_effects(
            levers, replicates=replicates, scale=scale, seed=seed, until=until, workers=workers, **options
        )
        from scenarios.tables import print_effects

        print_effects(table, _console(as_json, width=190))
        if as_json:
            _last_line({"levers": table.astype(object).where(table.notna(), None).to_dict("records")})


@contextlib.contextmanager
def _ensemble_options(out: Path | None):
    """Where an ensemble writes and whom it tells: `out`, or a directory that goes with the block; a progress bar."""
    with contextlib.ExitStack() as stack:
        target = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="srdi-"))) / "results"
        on_start, on_run = _progress(stack)
        if out:
            stack.push(_say_what_is_kept(out))
        yield {"out": target, "on_start": on_start, "on_run": on_run}


def _console(as_json: bool, width: int):
    """Where tables go: stdout, or stderr beside a line of JSON; `width` holds every column off a terminal."""
    from rich.console import Console

    console = Console(stderr=as_json)
    return console if console.is_terminal else Console(stderr=as_json, width=width)


def _say_what_is_kept(out: Path):
    """An exit handler that names the finished runs of an ensemble that did not end."""

    def leave(kind, error, traceback) -> bool:
        runs = out / "runs"
        if error is not None and not isinstance(error, InputError) and runs.is_dir():
            finished = sum(not path.name.startswith(".") for path in runs.iterdir())
            click.echo(f"srdi: {finished} finished runs are kept in {runs}", err=True)
        return False

    return leave


def _progress(stack: contextlib.ExitStack):
    """Callbacks for the start and each finished run: a bar on stderr if that is a terminal."""
    if not sys.stderr.isatty():
        return (lambda runs: None), (lambda: None)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
    task = bar.add_task("runs", total=None)
    return (lambda runs: bar.update(task, total=runs)), (lambda: bar.advance(task))


@main.command(name="list")
@_json_option
def list_scenarios(as_json) -> None:
    """List the catalogue of scenarios.

    \b
    Example:
      srdi list
    """
    from scenarios.catalogue import catalogue_names
    from scenarios.loading import load_scenario

    rows = [load_scenario(name) for name in catalogue_names()]
    for scenario in rows:
        click.echo(f"{scenario.name:<24} {scenario.title} · {scenario.title_zh}")
    if as_json:
        _last_line({"scenarios": [{"name": s.name, "title": s.title, "title_zh": s.title_zh} for s in rows]})


@main.command()
@click.argument("name", metavar="NAME|levers|rules|shocks|parameters")
@_json_option
def show(name, as_json) -> None:
    """Show a scenario as resolved (a file that runs), or all levers, rules, shocks or parameters.

    \b
    Example:
      srdi show levers
      srdi show clusters-300 > my-clusters.toml
    """
    from scenarios import describe

    if name == "levers":
        levers = describe.lever_rows()
        for lever in levers:
            click.echo(f"{lever['lever']} ({lever['group']})\n{_indented(lever['about'])}")
            click.echo(f"    Mechanism: {lever['mechanism']}. Moves first: {lever['outcome']} ({lever['expected']}).")
            click.echo(f"    Cost: {lever['cost']}.")
            _print_settings(lever["settings"])
            click.echo()
        values = {"levers": levers}
    elif name == "shocks":
        shocks = describe.shock_rows()
        for shock in shocks:
            click.echo(f"{shock['shock']}\n{_indented(shock['about'])}")
            _print_settings(shock["settings"])
            click.echo()
        values = {"shocks": shocks}
    elif name in ("rules", "parameters"):
        rows = describe.rule_rows() if name == "rules" else describe.parameter_rows()
        _print_settings(rows)
        values = {name: rows}
    else:
        from scenarios.loading import load_scenario

        scenario = load_scenario(name)
        click.echo(describe.scenario_toml(scenario), nl=False)
        values = {"scenario": scenario.model_dump(by_alias=True, mode="json")}
    if as_json:
        _last_line(values)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _print_settings(rows: list[dict]) -> None:
    from scenarios.describe import number

    for row in rows:
        default = row["default"]
        if default is None or default == ():
            default = "none"
        elif isinstance(default, int | float) and not isinstance(default, bool):
            default = number(default)
        notes = ", ".join(part for part in (f"default {default}", row["unit"], row["range"]) if part)
        click.echo(f"  {row['key']}\n      {row['description']} ({notes})")


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_json_option
def check(files, as_json) -> None:
    """Check scenario files without running them; exit 2 at the first that is not valid.

    \b
    Example:
      srdi check my-scenario.toml
    """
    from scenarios.loading import load_scenario

    names = []
    for file in files:
        names.append(load_scenario(file).name)
        click.echo(f"{file}: scenario {names[-1]!r} is valid")
    if as_json:
        _last_line({"valid": names})


@main.command()
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="File to write (default NAME.toml).")
@_json_option
def new(name, out, as_json) -> None:
    """Write an annotated scenario file to start from.

    \b
    Example:
      srdi new county-digital
    """
    from scenarios.describe import template
    from scenarios.loading import check_name

    check_name(name)
    path = out or Path(f"{name}.toml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template(name))
    except FileExistsError:
        raise InputError(f"{path} already exists; name another file with --out") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    click.echo(f"wrote {path}; check it with: srdi check {path}")
    if as_json:
        _last_line({"file": str(path)})


@main.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--format", "form", required=True, help="csv, xlsx, dta (Stata), parquet or nc (NetCDF).")
@click.option("--out", type=click.Path(path_type=Path), help="New directory (default DIR-FORMAT).")
@click.option("--force", is_flag=True, help="Write into a directory that is not empty; same names are replaced.")
@_json_option
def export(directory, form, out, force, as_json) -> None:
    """Export the tables of a results directory for R, Stata, Excel or xarray.

    \b
    Example:
      srdi export results/first --format dta --out first-stata
    """
    from scenarios.export import export as write
    from scenarios.results import load_results

    written = write(load_results(directory), form, out, force)
    for path in written:
        click.echo(path)
    if as_json:
        _last_line({"out": str(written[0].parent), "files": [path.name for path in written]})


if __name__ == "__main__":
    main()
