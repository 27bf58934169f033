"""Readings of plugin files, made in parallel and cached."""
