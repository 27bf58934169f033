"""Pull requests from the chat: seen, tested, approved and merged, on the host where they are."""
