"""How numbers, texts, tables and figures are shown, on a terminal and in a page."""
