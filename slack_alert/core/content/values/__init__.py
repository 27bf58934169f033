"""What a value is: its type, its text, its rows, and what it stands for."""
