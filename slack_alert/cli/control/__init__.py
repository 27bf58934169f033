"""Commands that make something happen."""
