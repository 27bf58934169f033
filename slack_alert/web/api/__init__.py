"""The HTTP API: what the command line reads as JSON, and what people may ask for, for programs with a token."""
