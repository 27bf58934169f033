"""Reports on the history: aggregates, statistics, and their layout."""
