"""Access to the operating system: descriptors, file owners, process trees, event loops and proxies."""
