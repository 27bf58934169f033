"""What files say, read in parallel and remembered."""
