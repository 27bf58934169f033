"""What happens to a slot and to a run: the gate, settling, and what is said of it."""
