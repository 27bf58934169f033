"""Commands that show the state and the history."""
