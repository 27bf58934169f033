"""Detect and undo changes that a plugin makes to the whole process."""
