"""Parse and format names, durations, sizes and instants as people write and read them."""
