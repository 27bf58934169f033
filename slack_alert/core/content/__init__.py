"""What a function returned, as pieces of a message."""
