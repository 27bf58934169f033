"""Rules: which events a function wants, by name and by the values of their fields, and how often it answers them."""
