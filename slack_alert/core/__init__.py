"""What the product decides, as pure functions: no clock, no file, no thread, no log."""
