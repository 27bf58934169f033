"""The command, for opsdroid."""

from opsdroid.connector.slack.connector import ConnectorSlack
from opsdroid.matchers import match_regex
from opsdroid.skill import Skill
from slack_sdk.socket_mode.aiohttp import SocketModeClient

_connect = ConnectorSlack.connect


async def _connect_here(self):
    # It makes its client on a loop that is closed by the time it connects; newer versions of aiohttp notice.
    self.socket_mode_client = SocketModeClient(self.app_token, web_client=self.slack_web_client)
    await _connect(self)


ConnectorSlack.connect = _connect_here


class Ping(Skill):
    """Has one command."""

    @match_regex(r"^!ping (?P<words>\w+)$")
    async def ping(self, message):
        """Answer."""
        await message.respond(f"pong {message.entities['words']['value']}")
