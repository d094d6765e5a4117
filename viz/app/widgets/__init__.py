"""Widgets drawn in the browser: for each a Vue file and the Python code that provides its data."""
