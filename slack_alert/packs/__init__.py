"""Packs that come with the program: plugin files in folders of their own."""
