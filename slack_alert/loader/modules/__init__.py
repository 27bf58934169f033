"""Plugin files as modules: executed, in which order, beside whom."""
