"""From keywords to bindings."""
