"""What a person can do or ask: one module each, arguments in, a value out."""
