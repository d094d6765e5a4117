"""Interactive runs of policies: one run at once, an ensemble in the background; independent of the web library."""
