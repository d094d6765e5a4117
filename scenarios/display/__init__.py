"""Display of numbers, texts, tables and charts, on a terminal and in a page."""
