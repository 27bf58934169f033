"""Files beside the database: lock, journal, marker."""
