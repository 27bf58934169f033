"""The verbs of the chat, in the format of plugin files: each asks one operation of the running program."""
