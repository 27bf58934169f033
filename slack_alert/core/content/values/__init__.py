"""Inspect values: their types, their text, their fields, and the content they wrap."""
