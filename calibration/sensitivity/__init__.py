"""Sensitivity analysis: the drivers of each output, how they are printed, and the command ``srdi sensitivity``."""
