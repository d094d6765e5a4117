"""The plan of an ensemble: written before its first run, and compared with the request when it is resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from scenarios.errors import InputError
from scenarios.records.layout import PLAN, RUNS


def read_plan(out: Path) -> dict | None:
    """The plan of the unfinished ensemble in a directory; None if the command ended before writing it.

    Raises:
        InputError: there is no unfinished ensemble, or its plan is damaged.
    """
    if not (out / RUNS).is_dir():
        raise InputError(
            f"{out} has no interrupted ensemble; omit resume (--resume), or give the directory of the ensemble"
        )
    path = out / RUNS / PLAN
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not all(file.name.startswith(f".{PLAN}.") for file in (out / RUNS).iterdir()):
            raise InputError(
                f"{path} is missing, so it is not known to which ensemble the other files belong"
            ) from None
        return None
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path} is damaged: it is not readable JSON") from None
    if not isinstance(plan, dict):
        raise InputError(f"{path} is damaged: it is not a plan")
    return plan


def differences(stored: object, requested: object, key: str = "") -> Iterator[str]:
    """Differences between two plans, each as "KEY was …, now …"."""
    if isinstance(stored, dict) and isinstance(requested, dict):
        # The same draws may come from a file with another name.
        for name in (name for name in dict.fromkeys((*stored, *requested)) if name != "source"):
            yield from differences(stored.get(name), requested.get(name), f"{key}.{name}" if key else name)
    elif isinstance(stored, list) and isinstance(requested, list) and _are_named(stored + requested):
        before, now = ({row["name"]: row for row in rows} for rows in (stored, requested))
        yield from differences(before, now, key)
        if list(before) != list(now) and set(before) == set(now):
            yield f"{key} are in another order"
    elif stored != requested:
        yield f"{key} {_describe_change(stored, requested)}"


def _are_named(rows: list) -> bool:
    return bool(rows) and all(isinstance(row, dict) and "name" in row for row in rows)


def _describe_change(stored: object, requested: object) -> str:
    if stored is None:
        return "is new"
    if requested is None:
        return "was removed"
    texts = [json.dumps(value, ensure_ascii=False) for value in (stored, requested)]
    if any(len(text) > 60 for text in texts):
        return "has changed"
    return f"was {texts[0]}, now {texts[1]}"
