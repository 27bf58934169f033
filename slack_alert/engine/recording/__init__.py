"""What is written down, by whom, and in which order."""
