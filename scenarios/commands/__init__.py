"""The commands that run and compare scenarios, the tables they print, and the code shared by all commands."""
