"""Commands that answer what is and what was."""
