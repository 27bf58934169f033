"""Explain in sentences why a job did or did not run or post."""
