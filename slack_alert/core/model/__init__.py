"""The data types of the whole program: addresses, messages, runs and their records."""
