"""What a function that takes `ctx` may ask and do."""
