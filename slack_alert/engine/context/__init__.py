"""The context that plugin functions take as `ctx`."""
