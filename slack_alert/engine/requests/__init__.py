"""What other processes ask of the running program."""
