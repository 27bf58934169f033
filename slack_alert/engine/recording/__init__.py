"""Recorders: the single writer to the store, and the redaction of what is written."""
