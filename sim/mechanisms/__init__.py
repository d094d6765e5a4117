"""One mechanism a file: equation, units, parameters and source in the docstring.

An equation works on one firm and knows nothing of storage, threads or Mesa; the loops of ``sim/phases/``
compose them.
"""
