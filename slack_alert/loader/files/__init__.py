"""Plugin files on disk: found, read, watched."""
