"""Jenkins from the chat: `plugin.py` has the commands, and the other files talk to Jenkins."""
