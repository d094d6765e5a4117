"""What an ensemble was asked for: written before its first run, compared before an interrupted one goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from scenarios.errors import InputError
from scenarios.records.layout import PLAN, RUNS


def read_plan(out: Path) -> dict | None:
    """The plan of the unfinished ensemble in a directory; None if it ended before its plan was written.

    Raises:
        InputError: there is no unfinished ensemble, or its plan is damaged.
    """
    if not (out / RUNS).is_dir():
        raise InputError(f"{out} holds no interrupted ensemble; leave resume (--resume) out, or name its directory")
    path = out / RUNS / PLAN
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not all(file.name.startswith(f".{PLAN}.") for file in (out / RUNS).iterdir()):
            raise InputError(f"{path} is missing: what the files beside it are of is not known") from None
        return None
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path} is damaged: it is not readable JSON") from None
    if not isinstance(plan, dict):
        raise InputError(f"{path} is damaged: it is not a plan")
    return plan


def differences(found: object, asked: object, key: str = "") -> Iterator[str]:
    """Where two plans differ, each difference as "KEY was …, now …"."""
    if isinstance(found, dict) and isinstance(asked, dict):
        # The same draws may come from a file of another name.
        for name in (name for name in dict.fromkeys((*found, *asked)) if name != "source"):
            yield from differences(found.get(name), asked.get(name), f"{key}.{name}" if key else name)
    elif isinstance(found, list) and isinstance(asked, list) and _are_named(found + asked):
        before, now = ({row["name"]: row for row in rows} for rows in (found, asked))
        yield from differences(before, now, key)
        if list(before) != list(now) and set(before) == set(now):
            yield f"{key} stand in another order"
    elif found != asked:
        yield f"{key} {_words(found, asked)}"


def _are_named(rows: list) -> bool:
    return bool(rows) and all(isinstance(row, dict) and "name" in row for row in rows)


def _words(found: object, asked: object) -> str:
    if found is None:
        return "is new"
    if asked is None:
        return "is gone"
    texts = [json.dumps(value, ensure_ascii=False) for value in (found, asked)]
    if any(len(text) > 60 for text in texts):
        return "has changed"
    return f"was {texts[0]}, now {texts[1]}"
