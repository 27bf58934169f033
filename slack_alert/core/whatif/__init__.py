"""What-if analyses: replay the history with other settings, and find the busiest minutes."""
