"""Widgets that draw in the browser, each a Vue file and the Python that feeds it."""
