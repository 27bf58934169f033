"""Access to the operating system: descriptors, file owners, event loops and proxies."""
