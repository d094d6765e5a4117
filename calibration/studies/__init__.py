"""A complete calibration and a complete validation: runs, diagnostics and the files written."""
