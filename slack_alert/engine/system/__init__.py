"""What the engine asks of the operating system."""
