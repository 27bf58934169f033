"""Hosts of repositories: one module each, over one way to ask them."""
