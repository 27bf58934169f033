"""Figures of the past: aggregates, statistics, and their layout."""
