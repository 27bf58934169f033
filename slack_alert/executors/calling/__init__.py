"""One call of a function, and what comes of it."""
