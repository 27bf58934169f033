"""The command, for Errbot."""

from errbot import BotPlugin, botcmd


class Ping(BotPlugin):
    """Has one command."""

    @botcmd
    def ping(self, _message, words):
        """Answer."""
        return f"pong {words}"
