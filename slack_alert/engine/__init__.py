"""The shell around the core: it keeps, runs and delivers, and knows no vendor."""
