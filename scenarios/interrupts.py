"""Signals that end a command, for those who wait for something that takes long."""

from __future__ import annotations

#: Signals received that end this process. The exception they raise is lost if it strikes where Python ignores
#: exceptions, as in a finalizer or a callback of a library; whoever waits for jobs looks here as well.
end_signals: list[int] = []
