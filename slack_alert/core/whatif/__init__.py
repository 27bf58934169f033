"""What other settings would have said, and when most would be said at once."""
