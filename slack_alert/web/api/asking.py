"""Ask for commands on behalf of who shows the token, and wait for what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from slack_alert.channels.web import WebChannel
from slack_alert.core.commands.decision import Refused
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AccountStatus, AskedCommand, Asker, Identity, ReplyTo
from slack_alert.core.model.audit import AuditVerdict
from slack_alert.core.structs import Struct
from slack_alert.operations.program import Program

#: Who comes with the token of the API: `web:token`.
TOKEN = Identity("web", "", "token", "token")
DOOR = "http"
#: In seconds: how long a caller waits for the disk.
_PATIENCE = 8.0


class HandleAsked(Protocol):
    """Takes what is asked for."""

    def __call__(self, event: AskedCommand, then: Callable[[], object], /) -> None:
        """Keep it; `then` is called on any thread once it is."""


class CommandAnswer(Struct, frozen=True):
    """What became of a command so far."""

    #: None: it was refused before it had a number.
    run: int | None
    #: `done`, `running`, `waiting`.
    state: str
    #: None: it goes on.
    verdict: AuditVerdict | None
    text: str
    #: Why it was refused, where that is known beforehand.
    refused: Refused | None = None


class NotKeptError(Exception):
    """What was asked for is not on disk in time."""


class CommandAsker:
    """Asks for commands; used on the main loop."""

    def __init__(self, program: Program, handle: HandleAsked, channel: WebChannel) -> None:
        self._program = program
        self._handle = handle
        self._channel = channel

    def decide(self, text: str, ip: str = "") -> Refused | None:
        """Return why the token may not ask for this, or None; nothing is recorded."""
        decided = self._program.decide(self._asked(text, uuid4().hex, ip), Asker(TOKEN, AccountStatus.TERMINAL))
        return decided if isinstance(decided, Refused) else None

    async def ask(self, text: str, ip: str, seconds: float) -> CommandAnswer:
        """Ask for a command, and wait so long for its end; raise NotKeptError."""
        conversation = uuid4().hex
        asked = self._asked(text, conversation, ip)
        refused = self.decide(text, ip)
        with self._channel.listen(conversation) as heard:
            await self._keep(asked)
            loop = asyncio.get_running_loop()
            until = loop.time() + seconds
            # The end is committed before it is told.
            while (left := until - loop.time()) > 0 and await heard.wait(left) and self._open(asked):
                pass
            going_on, run, told = self._open(asked), heard.run, heard.text
        if going_on is not None:
            running = {each.run for each in self._program.queue().running}
            state = "running" if going_on.run in running else "waiting"
            return CommandAnswer(going_on.run or None, state, None, told)
        verdict = await asyncio.to_thread(self._verdict, asked.at, conversation)
        return CommandAnswer(run or None, "done", verdict, told, refused)

    def _asked(self, text: str, conversation: str, ip: str) -> AskedCommand:
        to = ReplyTo(Address("web", conversation))
        return AskedCommand((f"web/{conversation}",), self._program.now(), TOKEN, to, text, DOOR, ip=ip)

    def _open(self, asked: AskedCommand) -> AskedCommand | None:
        """Return the command as it is by now; None: it is over."""
        return next((each for each in self._program.open() if each.ids == asked.ids), None)

    async def _keep(self, asked: AskedCommand) -> None:
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        self._handle(asked, lambda: loop.call_soon_threadsafe(conclude, kept))
        done, _ = await asyncio.wait({kept}, timeout=_PATIENCE)
        if not done:
            raise NotKeptError

    def _verdict(self, since: datetime, conversation: str) -> AuditVerdict | None:
        """Return what the record says of the command that was answered in this conversation."""
        with self._program.read() as reader:
            entries = [one.entry for one in reader.audit(since=since, limit=None, by=TOKEN.key)]
        found = [entry.verdict for entry in entries if entry is not None and entry.channel == conversation]
        return found[-1] if found else None


def conclude(kept: asyncio.Future[None]) -> None:
    """Note that something is on disk; who waited may have given up."""
    if not kept.done():
        kept.set_result(None)
