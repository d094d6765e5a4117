"""How every command ends: one sentence for each failure and the agreed exit code; and how it writes."""

from __future__ import annotations

import codecs
import contextlib
import io
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from scenarios.display.docstrings import documentation
from scenarios.errors import InputError, printable

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130

#: Signals by which `kill`, a scheduler of jobs, or a terminal that closes ends a command.
_ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

#: Signs of figures that not every encoding has, in ASCII.
_PLAIN = {"−": "-", "–": "-", "…": "...", "×": "x", "≥": ">=", "≤": "<=", "±": "+-", "·": "|"}


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """What stands for letters that an encoding lacks: a minus must not become a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


codecs.register_error("srdi.plain", _plainly)


def choose_encodings() -> None:
    """Write UTF-8 into files and pipes, whatever the locale: what a command prints is to be read again, by it too.

    A terminal keeps its encoding, and gets plain signs for what that lacks.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # unlike what a program may put in its place
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="srdi.plain")


def echo(text: object, err: bool = False) -> None:
    """Print a line in which names and paths of users stand as they are."""
    click.echo(printable(str(text)), err=err)


@contextlib.contextmanager
def _ended_like_interrupted() -> Iterator[list[int]]:
    """Have what ends a command do so as Ctrl-C does: what is finished is kept; workers and temporary files go.

    Gives a list that holds the signal's number once one came.
    """
    came: list[int] = []

    def end(number: int, frame: object) -> None:
        # It comes twice where it is sent to the process and to its group. The way out is not cut short.
        for other in handled:
            signal.signal(other, signal.SIG_IGN)
        came.append(number)
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    # What is ignored (nohup) or handled by others stays so.
    handled = [number for number in _ENDING if in_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, end)
    try:
        yield came
    finally:
        for number in handled if not came else ():
            signal.signal(number, signal.SIG_DFL)


class Script(click.Command):
    """A command that turns every failure into one sentence and the agreed exit code; ``--debug`` shows the rest."""

    #: Name before the sentence; None takes that of the module which is run.
    called: str | None = None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command line and exit: 0 done, 1 failed, 2 bad input, 130 interrupted, 143 and 129 ended by a signal.

        Args:
            standalone_mode: not heeded; click's own handling of failures is always off. The rest is as in click.
        """
        choose_encodings()
        if self.callback:
            self.help = self.help or documentation(self.callback)
        # Taken out here, so that --debug may stand before the command or after it.
        given = list(sys.argv[1:] if args is None else args)
        args = [word for word in given if word != "--debug"]
        debug = len(args) < len(given)
        try:
            with _ended_like_interrupted() as came:
                super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
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
            sys.exit(128 + came[0] if came else EXIT_INTERRUPTED)
        except BrokenPipeError:
            # The reader (such as head) has gone; nothing is left to say to it.
            sys.stderr.close()
            sys.exit(EXIT_FAILED)
        except Exception as error:
            self._say(f"{error or type(error).__name__}", debug)
            sys.exit(EXIT_FAILED)

    def _say(self, message: str, debug: bool) -> None:
        if debug:
            import traceback

            traceback.print_exc()
        echo(f"{self.called or Path(sys.argv[0]).stem}: {message}", err=True)
