"""Who calls the plugin functions."""
