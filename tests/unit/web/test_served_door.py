from __future__ import annotations

import asyncio
import socket

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.engine.ports import DoorState, Intake, WebRequest, WebResponse
from slack_alert.settings import ListenAddress
from slack_alert.testing.manual_clock import MONDAY
from slack_alert.web.exchange import Site
from slack_alert.web.hosts import AllowedHosts
from slack_alert.web.served_door import ServedDoor
from slack_alert.web.server import WebServer
from tests.fakes.raw_http import LOOPBACK, call, request


class Nobody:
    async def take(self, said: ChatMessage | ButtonPress) -> None:
        raise AssertionError(said)


class Inside:
    """A door that answers once it may, and tells whether it was open then."""

    name = "inside"

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.is_open = False

    async def run(self, intake: Intake) -> None:
        self.is_open = isinstance(intake, Nobody)
        try:
            await asyncio.Event().wait()
        finally:
            self.is_open = False

    def state(self) -> DoorState:
        return DoorState(self.is_open, MONDAY)

    async def answer(self, _: WebRequest) -> WebResponse:
        self.asked.set()
        await self.may_answer.wait()
        return WebResponse(200 if self.is_open else 503)

    def server(self, address: ListenAddress = LOOPBACK) -> WebServer:
        return WebServer((address,), Site({("POST", "/"): self.answer}, AllowedHosts((), None, ())))


def test_what_has_come_whole_is_let_in_before_the_door_closes() -> None:
    async def whole() -> tuple[int, list[bool]]:
        inside = Inside()
        server = inside.server()
        door = ServedDoor(inside, server)
        states = [door.state().is_open]
        running = asyncio.create_task(door.run(Nobody()))
        asking = asyncio.create_task(call(server, request("/")))
        await inside.asked.wait()
        states.append(door.state().is_open)
        running.cancel()
        inside.may_answer.set()
        heard = await asking
        await asyncio.gather(running, return_exceptions=True)
        states.append(door.state().is_open)
        return heard.status, states

    assert asyncio.run(whole()) == (200, [False, True, False])


def test_a_port_in_use_is_told_before_anything_runs() -> None:
    async def whole() -> None:
        inside = Inside()
        with socket.create_server(("127.0.0.1", 0)) as other:
            ServedDoor(inside, inside.server(ListenAddress("127.0.0.1", other.getsockname()[1])))

    with pytest.raises(SettingsError, match="the port is in use by another program"):
        asyncio.run(whole())
