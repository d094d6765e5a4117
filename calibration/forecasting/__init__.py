"""Forecasts with their uncertainty, naive forecasts to compare them with, and the scores of both."""
