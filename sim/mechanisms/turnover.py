"""Exit and entry."""

from __future__ import annotations

from sim.numerics.elementary import exp, log
from sim.numerics.jit import equation


@equation
def exit_chance(log_employment, age, productivity, leverage, survival, p):
    """Chance that a firm closes in a quarter.

    h = h₀ exp(−a L̂ − b a_i + c max(0, λ − λ̄) − x) · (1 + age)^−γ: falls with size, age and
    productivity, rises with debt; x is the channel `survival` (incubators).
    """
    x = (
        -p.exit_size * log_employment
        - p.exit_productivity * productivity
        + p.exit_leverage * max(0.0, leverage - p.leverage_mean)
        - survival
        - p.exit_age * log(1.0 + 0.25 * age)
    )
    return min(p.exit_base * exp(x), 0.5)


@equation
def entry_chance(attraction, p):
    """Chance that a vacant slot is taken in a quarter, by the attraction of its county."""
    return min(p.entry_rate * attraction, 0.5)
