"""Files beside the database: lock, journal and markers."""
