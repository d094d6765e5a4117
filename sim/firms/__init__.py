"""The firm population: its columns, its start, its supply links, and how kernels run over it."""
