"""The Mesa agents: ministry, provinces, clusters, chain leaders."""
