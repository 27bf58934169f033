"""Turn the value that a function returned into pieces of messages."""
