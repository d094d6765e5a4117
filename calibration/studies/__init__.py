"""The whole of a calibration and of a validation: what is run, diagnosed and written."""
