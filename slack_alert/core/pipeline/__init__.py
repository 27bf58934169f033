"""The pipeline from a slot to its messages: the gate, settling a run, and the messages and reasons."""
