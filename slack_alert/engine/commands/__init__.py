"""Commands that people ask for in the chat: decided, queued, run, answered and recorded."""
