"""Talk to the program from a terminal: to the one that runs, or to one without jobs that runs here meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TextIO
from uuid import uuid4

from slack_alert.bootstrap.database import open_reader, running_pid
from slack_alert.bootstrap.oneshot.requests import person
from slack_alert.bootstrap.plugin_files import database
from slack_alert.channels.terminal import TerminalListener, TerminalMessage
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import ChatMessage, Identity, ReplyTo
from slack_alert.core.model.request import AskLine, Request
from slack_alert.engine.app.inbox import TERMINAL
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.ports import DoorState, Intake
from slack_alert.stores import SqliteInbox, inbox_path

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: How often it is looked whether all is answered, in seconds.
_LOOK = 0.2

Show = Callable[[TerminalMessage], object]
Lines = Callable[[], Iterable[str]]


def talk_beside(settings: Settings, lines: Lines, show: Show) -> None:
    """Ask the running program line by line; return when no more comes and all is answered, or the program has ended."""
    asyncio.run(_talk_beside(settings, lines, show))


async def _talk_beside(settings: Settings, lines: Lines, show: Show) -> None:
    inbox = SqliteInbox(inbox_path(database(settings)))
    listener = TerminalListener(show)
    session = await listener.start()
    try:
        async for line in _read(lines):
            inbox.add(Request.of(AskLine(line, person(), session), SystemClock().now()))
        clock = SystemClock()
        while running_pid(settings) is not None and _is_open(settings, inbox, session):
            await clock.sleep(_LOOK)
    finally:
        await listener.stop()


def _is_open(settings: Settings, inbox: SqliteInbox, session: str) -> bool:
    """Return whether something that was asked here is not answered yet."""
    if any(request.kind == "line" and request.payload.get("session") == session for request in inbox.peek()):
        return True
    reader = open_reader(settings)
    try:
        # The answer is committed together with the end of what was asked, so this order misses nothing.
        is_asked = any(asked.reply_to.to.conversation == session for asked in reader.snapshot().asked)
        return is_asked or bool(reader.waiting(str(Address(TERMINAL, session)), 0, 1))
    finally:
        reader.close()


class TerminalDoor:
    """The door of whoever sits at the terminal in which the program itself runs."""

    name = TERMINAL

    def __init__(self, lines: Lines, show: Show, ended: Callable[[], Awaitable[None]]) -> None:
        self._lines = lines
        self._show = show
        #: Called when no more lines come; returns when all is answered.
        self._ended = ended
        self._since = SystemClock().now()

    def state(self) -> DoorState:
        """Return that it is open: somebody sits there."""
        return DoorState(is_open=True, since=self._since)

    async def run(self, intake: Intake) -> None:
        """Take line by line."""
        listener = TerminalListener(self._show)
        session = await listener.start()
        by = Identity("cli", "", person(), person())
        try:
            async for line in _read(self._lines):
                ids, to = (f"{TERMINAL}/{uuid4().hex}",), ReplyTo(Address(TERMINAL, session))
                at = SystemClock().now()
                await intake.take(ChatMessage(ids, at, by, to, line, TERMINAL, is_direct=True))
            await self._ended()
        finally:
            await listener.stop()


async def _read(lines: Lines) -> AsyncIterator[str]:
    """Yield lines without blocking the loop; an empty one asks for nothing."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[str | None]()

    def read() -> None:
        for line in lines():
            loop.call_soon_threadsafe(queue.put_nowait, line)
        loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, name="terminal", daemon=True).start()
    while (line := await queue.get()) is not None:
        if line.strip():
            yield line.strip()


def shown(message: TerminalMessage, out: TextIO, told: dict[str, str], *, prompt: str = "") -> None:
    """Print a message, an edit only where it says something else; the prompt stands below it."""
    if told.get(message.key) != message.text:
        told[message.key] = message.text
        over_prompt = "\r" if prompt else ""
        print(f"{over_prompt}{message.text}\n{prompt}", end="", file=out, flush=True)
