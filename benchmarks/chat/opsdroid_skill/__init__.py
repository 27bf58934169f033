"""The command, for opsdroid."""

from opsdroid.matchers import match_regex
from opsdroid.skill import Skill


class Ping(Skill):
    """Has one command."""

    @match_regex(r"^!ping (?P<words>\w+)$")
    async def ping(self, message):
        """Answer."""
        await message.respond(f"pong {message.entities['words']['value']}")
