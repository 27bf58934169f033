"""What is written before anything is sent: one writer of state, history and outbox, and the redaction of all of it."""
