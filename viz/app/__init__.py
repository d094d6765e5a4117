"""The web page (Solara): ``srdi ui``. Pages read what `viz.live` runs and what the package has of its calibration."""
