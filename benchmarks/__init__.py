"""Yardsticks: the core step of the engine written in three ordinary ways, to compare speed honestly.

The core step is what `SRDIModel` does with its firms in a quarter, without recognition, institutions
and recording: `take_orders`, then `advance` of `sim/engine.py`. The rules are the same in all of them.

Each of the modules `plain_mesa`, `columnar_numpy`, `columnar_polars` and `engine` offers
``nanoseconds_per_firm_quarter(state, quarters)`` for a state of `benchmarks.state.core_state`.
"""
