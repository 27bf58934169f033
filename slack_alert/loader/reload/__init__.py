"""Take up changes of plugin files while the program runs."""
