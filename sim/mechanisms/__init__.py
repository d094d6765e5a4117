"""One small rule a file: equation, units, parameters and source in the docstring.

Every rule works on one firm and knows nothing of storage, threads or Mesa; the fused loop
in ``sim/engine.py`` composes them.
"""
