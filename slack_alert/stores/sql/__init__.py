"""The schema and its statements, for every SQL database alike."""
