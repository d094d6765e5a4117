"""The phases of a firm's quarter, each a loop over one tile that applies rules of `sim/mechanisms`.

A phase takes the tile and the quarter's inputs (see sim/tile.py and sim/environment.py), and what it adds to. Loops
over all firms hold no branch that the compiler could not turn into a selection: they compute vacant slots along and
keep those as they were. What is rare is marked as an event and handled firm by firm.
"""
