"""What goes on from a slot to the end of its run."""
