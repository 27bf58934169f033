"""Packs: folders of plugin files with a manifest, found, read and checked against the configuration."""
