"""What changes when files change."""
