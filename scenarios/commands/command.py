"""Error messages, exit codes and output encodings, the same for every command."""

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
from scenarios.interrupts import end_signals

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_INTERRUPTED = 1, 2, 130

#: Signals that end a command: from `kill`, a job scheduler, or a terminal that closes.
_END_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

#: ASCII replacements for symbols in numbers that some encodings lack.
_ASCII = {"−": "-", "–": "-", "…": "...", "×": "x", "≥": ">=", "≤": "<=", "±": "+-", "·": "|"}


def _ascii_substitute(error: UnicodeError) -> tuple[str, int]:
    """Replacement for characters that an encoding lacks, so that a minus does not become a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_ASCII.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


codecs.register_error("srdi.plain", _ascii_substitute)


def choose_encodings() -> None:
    """Write UTF-8 to files and pipes in every locale, so that commands can read what other commands printed.

    A terminal keeps its encoding; characters it lacks are replaced by ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a program may have replaced it
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="srdi.plain")


def echo(text: object, err: bool = False) -> None:
    """Print a line; control characters, such as in names and paths from users, are escaped."""
    click.echo(printable(str(text)), err=err)


@contextlib.contextmanager
def _interrupt_on_end_signals() -> Iterator[list[int]]:
    """Treat signals that end a command like Ctrl-C: finished runs are kept, workers and temporary files are removed.

    Yields a list that contains the number of the signal once one has been received.
    """
    received = end_signals

    def end(number: int, frame: object) -> None:
        # A signal sent to the process and to its group arrives twice; the second must not interrupt the cleanup.
        for other in handled:
            signal.signal(other, signal.SIG_IGN)
        received.append(number)
        raise KeyboardInterrupt

    in_main = threading.current_thread() is threading.main_thread()
    # Signals that are ignored (nohup) or handled elsewhere are left alone.
    handled = [number for number in _END_SIGNALS if in_main and signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, end)
    try:
        yield received
    finally:
        for number in handled if not received else ():
            signal.signal(number, signal.SIG_DFL)


class Script(click.Command):
    """A command that reports every error in one sentence with the agreed exit code; ``--debug`` shows the traceback."""

    #: Name printed before the message; None means the name of the module that is run.
    program_name: str | None = None

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command line and exit.

        Exit codes: 0 success, 1 failure, 2 bad input, 130 interrupted, 143 and 129 ended by a signal.

        Args:
            standalone_mode: ignored; click's own error handling is always off. The rest is as in click.
        """
        choose_encodings()
        if self.callback:
            self.help = self.help or documentation(self.callback)
        # Removed here, so that --debug is allowed before and after the command.
        all_words = list(sys.argv[1:] if args is None else args)
        args = [word for word in all_words if word != "--debug"]
        debug = len(args) < len(all_words)
        try:
            with _interrupt_on_end_signals() as received:
                super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
            sys.exit(0)
        except click.exceptions.Exit as leave:
            sys.exit(leave.exit_code)
        except click.ClickException as error:
            self._report(error.format_message(), debug)
            sys.exit(EXIT_BAD_INPUT)
        except InputError as error:
            self._report(str(error), debug)
            sys.exit(EXIT_BAD_INPUT)
        except (KeyboardInterrupt, click.Abort):
            self._report("interrupted", debug)
            sys.exit(128 + received[0] if received else EXIT_INTERRUPTED)
        except BrokenPipeError:
            # The reader (such as head) has closed the pipe.
            sys.stderr.close()
            sys.exit(EXIT_FAILED)
        except Exception as error:
            self._report(f"{error or type(error).__name__}", debug)
            sys.exit(EXIT_FAILED)
        finally:
            end_signals.clear()

    def _report(self, message: str, debug: bool) -> None:
        if debug:
            import traceback

            traceback.print_exc()
        echo(f"{self.program_name or Path(sys.argv[0]).stem}: {message}", err=True)
