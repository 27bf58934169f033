"""What the whole program passes around: addresses, messages, runs and their records."""
