"""What a run returns: output tables, the panel of firms, public money."""
