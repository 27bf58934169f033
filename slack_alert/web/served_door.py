"""A door at addresses of the web server: both open and close together."""

from __future__ import annotations

import asyncio

from slack_alert.engine.ports import Door, DoorState, Intake
from slack_alert.web.server import WebServer


class ServedDoor:
    """A door whose routes a web server serves; its addresses are taken at once."""

    def __init__(self, door: Door, server: WebServer) -> None:
        """Raise SettingsError where an address cannot be listened at: at the start there is somebody who reads it."""
        server.bind()
        self.name = door.name
        self._door = door
        self._server = server

    async def run(self, intake: Intake) -> None:
        """Serve until cancelled; what has come whole by then is still let in and answered."""
        letting_in = asyncio.create_task(self._door.run(intake))
        try:
            await self._server.start()
            await asyncio.shield(letting_in)
        finally:
            await self._server.stop()
            letting_in.cancel()
            await asyncio.gather(letting_in, return_exceptions=True)

    def state(self) -> DoorState:
        """Return whether it is open."""
        return self._door.state()
