"""The phases of a firm's quarter, each a loop over one tile that applies equations of `sim/mechanisms`.

A phase takes the tile and the quarter's inputs (see sim/firms/tile.py and sim/world/environment.py), and what it adds
to. Loops over all firms have no branch that the compiler cannot turn into a selection: they also compute vacant slots,
and keep the values there. Rare events are marked, listed, and handled firm by firm. A loop goes over places, from 0 on:
the compiler puts no loop over the values of a slice, or from a place it knows nothing of, on vectors.
"""
