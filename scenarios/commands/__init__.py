"""The commands that run and compare scenarios, the tables they print, and what all commands share."""
