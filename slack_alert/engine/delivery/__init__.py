"""From the outbox to the channels."""
