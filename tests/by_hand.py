"""What tests with numbers worked out by hand share."""

from __future__ import annotations

from sim.parameters import parameter_record

UP = 0.75  # a draw
NOISE = 0.8660254  # standard deviations of noise that it stands for


def parameters(**values):
    """The parameters of the model, some of them replaced."""
    record = parameter_record().copy()
    for name, value in values.items():
        record[name] = value
    return record


def happens_below(chance, event):
    """Check that an event happens with a draw just below its chance and not with one just above."""
    assert chance - 1e-6 > 0
    assert event(chance - 1e-6)
    assert not event(chance + 1e-6)
