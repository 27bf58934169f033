"""Commands that tell what would happen."""
