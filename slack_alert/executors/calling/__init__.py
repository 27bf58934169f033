"""A single call of a function, and its result."""
