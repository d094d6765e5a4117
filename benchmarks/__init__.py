"""The command ``srdi bench``: speed and memory use of the model, and the time of each part.

For a fair comparison of speed, `plain_mesa` has the core step as an ordinary Mesa model. The core step is the work of
`SRDIModel` on its firms in a quarter, without recognition, institutions, counting and recording: `take_orders`, then
the mechanisms of `advance` in `sim/engine.py`. Both versions call the same mechanism functions.
"""
