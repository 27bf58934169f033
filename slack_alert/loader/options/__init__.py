"""From marker keywords to bindings."""
