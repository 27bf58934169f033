"""Why something did or did not happen."""
