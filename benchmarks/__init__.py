"""The command ``srdi bench``: how fast the model is, how much memory it takes, and where its time goes.

Yardstick: the core step as an ordinary Mesa model, `plain_mesa`, to compare speed honestly. The core step is what
`SRDIModel` does with its firms in a quarter, without recognition, institutions, counting and recording: `take_orders`,
then the mechanisms of `advance` in `sim/engine.py`. The rules are the very same functions.
"""
