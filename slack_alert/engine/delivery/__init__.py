"""From the outbox to the channels; what is written before a message is sent, `engine/recording` writes."""
