"""Watches over the clock and over slow runs."""
