"""What a short command needs of the program, without running it."""
