"""Channels: the services that deliver messages to people, a module or package for each."""
