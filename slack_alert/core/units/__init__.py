"""Names, durations, sizes and instants: read as people type them, written as people read them."""
