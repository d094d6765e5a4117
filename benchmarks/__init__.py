"""The command ``srdi bench``: how fast the model is, how much memory it takes, and where its time goes.

Yardsticks: the core step of the engine written in three ordinary ways, to compare speed honestly. The core step is
what `SRDIModel` does with its firms in a quarter, without recognition, institutions, counting and recording:
`take_orders`, then the mechanisms of `advance` in `sim/engine.py`. The rules are the same in all of them.

Each of the modules `plain_mesa`, `columnar_numpy`, `columnar_polars` and `engine` offers
``nanoseconds_per_firm_quarter(state, quarters)`` for a state of `benchmarks.state.core_state`.
"""
