"""Every text and how numbers are written, in both languages."""
