"""Forecasts with their doubt, naive ones beside them, and how both score."""
