"""What tests have done in worker processes, which import this module and not the heavy one of a test."""

from __future__ import annotations

import os
import time

from scenarios.ensembles.processes import in_processes


def doubled(number):
    return 2 * number


def doubled_at_the_second_try(number, folder):
    """Ends its process where the folder has no mark of a first try."""
    try:
        (folder / str(number)).touch(exist_ok=False)
    except FileExistsError:
        return 2 * number
    os._exit(9)


def ended(number):
    os._exit(9)


def sleeping(seconds):
    time.sleep(seconds)
    return os.getpid()


def in_a_daemon(numbers):
    """What processes make of numbers, asked for by a process that may start none."""
    return {place: future.result() for place, future in in_processes(doubled, [(number,) for number in numbers], 2)}
