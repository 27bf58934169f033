"""The services that take messages to people: one module or folder for each."""
