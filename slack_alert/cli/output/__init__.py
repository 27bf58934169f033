"""How commands write."""
