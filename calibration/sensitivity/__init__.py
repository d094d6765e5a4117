"""Which parameters and levers drive which output: indices, their tables, and the command ``srdi sensitivity``."""
