"""The web page (Solara): ``srdi ui``. It shows runs of `viz.live` and the packaged calibration."""
