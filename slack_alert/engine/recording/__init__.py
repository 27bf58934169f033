"""Recorders: the single writer of state, history and outbox, and the redaction of what it writes."""
