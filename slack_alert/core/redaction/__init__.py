"""Secrets: what they are, the forms in which they are written, and texts without them."""
