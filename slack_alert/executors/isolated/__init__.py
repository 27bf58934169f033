"""Functions in a process of their own."""
