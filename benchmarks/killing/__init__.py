"""A program that is killed over and over, and what became of all it did."""
