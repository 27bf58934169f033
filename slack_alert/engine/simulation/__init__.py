"""The engine on a virtual clock."""
