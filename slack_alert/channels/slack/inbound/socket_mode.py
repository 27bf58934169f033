"""The door of Socket Mode: two WebSockets to Slack, either of which may bring anything.

What people press is sent once, whether or not anybody listens: so the next socket is open before the last one is
closed, and one that is silent, deaf, or announced to end, is replaced. Slack's own client for asyncio closes the old
one first, answers by whichever is current, and goes on for ever where Socket Mode was switched off.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Coroutine
from functools import partial
from typing import Any

from slack_alert.channels.slack.app_token import app_token_hint
from slack_alert.channels.slack.client import Client, SlackAccess
from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.inbound.deadline import end_tasks, within
from slack_alert.channels.slack.inbound.people import SlackPeople
from slack_alert.channels.slack.inbound.pipeline import Pipeline
from slack_alert.channels.slack.inbound.translate import Arrival, DirectoryChange, translate
from slack_alert.channels.slack.inbound.web_socket import Frame, SlackWebSocket, refused
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.ports import Clock, DoorState, Intake

log = logging.getLogger(__name__)


class SocketTimes(Struct, frozen=True):
    """The times and limits of the sockets; all times are in seconds."""

    sockets: int = 2
    #: How much older than the next a socket has to be: of the same age, both would be refreshed at the same time.
    stagger: float = 2.0
    #: Within this a new socket has to say hello.
    hello: float = 10.0
    #: Slack pings about every ten; a socket from which nothing comes but answers to our own pings is dead.
    silence: float = 30.0
    #: Between our own pings, which keep boxes on the way from forgetting the connection.
    ping: float = 10.0
    #: What is not taken within this is not acknowledged: Slack waits for three, and sends events again.
    take: float = 1.0
    #: How long a socket whose end was announced may still bring something.
    linger: float = 15.0
    #: While the other sockets bring so much, one that brings nothing is deaf.
    deaf: int = 30
    #: The age below which no socket is replaced because of its age, or as deaf.
    shortest_life: float = 60.0
    #: After a failure, doubled with each further one; half of it is by chance.
    first_wait: float = 1.0
    longest_wait: float = 60.0
    #: After a refusal that somebody has to mend.
    refused_wait: float = 300.0
    #: Of the fifty a minute that Slack allows the app.
    opens_a_minute: int = 40
    #: How much may be in progress, and may wait besides.
    at_once: int = 256
    waiting: int = 10_000


class SocketModeDoor:
    """Lets in by Socket Mode; to be used from one event loop."""

    name = "slack.socket"

    def __init__(
        self,
        access: SlackAccess,
        people: SlackPeople,
        clock: Clock,
        *,
        command: str = "",
        times: SocketTimes | None = None,
    ) -> None:
        """`access` has the token of the app (xapp-); `command` is the slash command whose text is a whole line."""
        times = times or SocketTimes()
        self._opener = _Opener(Client(access), people, times)
        self._people = people
        self._clock = clock
        self._command = command
        self._times = times
        self._state = DoorState(is_open=False, since=clock.now(), reason="not connected yet")
        self._turn = asyncio.Lock()
        self._sockets: set[SlackWebSocket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pipeline = Pipeline(at_once=times.at_once, most=times.waiting)

    def state(self) -> DoorState:
        """Return whether at least one socket is open."""
        if self._state.is_open or not self._opener.trouble:
            return self._state
        return replace(self._state, reason=self._opener.trouble)

    async def run(self, intake: Intake) -> None:
        """Let in until cancelled; nothing is raised for Slack or the network."""
        keepers = [asyncio.ensure_future(self._keep(number, intake)) for number in range(self._times.sockets)]
        try:
            await asyncio.gather(*keepers)
        finally:
            await end_tasks(keepers)  # It may open another socket until it has ended.
            sockets, self._sockets = list(self._sockets), set()
            self._state = DoorState(is_open=False, since=self._clock.now(), reason="not running")
            await end_tasks(self._tasks)
            await self._pipeline.close(self._times.take)
            await asyncio.gather(*(socket.close() for socket in sockets))
            await self._opener.close()
            self._opener.trouble = ""

    async def _keep(self, number: int, intake: Intake) -> None:
        """Keep a socket open: the next one before the last one is closed."""
        last: SlackWebSocket | None = None
        while True:
            async with self._turn:
                await self._stagger(last)
                socket = await self._opener.open()
                self._gain(socket)
            self._start(self._listen(socket, intake))
            if last is not None:
                self._start(self._retire(last))
            life = socket.life * (0.5 if number and last is None else 1.5)
            await self._watch(socket, max(life, self._times.shortest_life))
            last = socket

    async def _stagger(self, last: SlackWebSocket | None) -> None:
        """Wait while another socket is new, and stays."""
        others = [socket for socket in self._sockets if socket is not last]
        if others:
            youngest = max(others, key=lambda socket: socket.since)
            await youngest.ends(within=max(0.0, youngest.since + self._times.stagger - _now()))

    async def _watch(self, socket: SlackWebSocket, life: float) -> None:
        """Return when it has ended, or its end was announced, or it should be replaced."""
        while not (why := self._why_replace(socket, life)):
            now = _now()
            left = min(min(socket.heard + self._times.silence, socket.since + life) - now, self._times.ping)
            if await socket.ends(within=max(left, 0.0)):
                return
            await socket.ping()
        log.info("socket replaced", extra={"door": self.name, "reason": why})
        if why == "silent":
            self._lose(socket)

    def _why_replace(self, socket: SlackWebSocket, life: float) -> str:
        # By the same sums as where it is waited for: a difference may be less, by a rounding error.
        now = _now()
        if now >= socket.heard + self._times.silence:
            return "silent"
        if socket.missed >= self._times.deaf and now >= socket.since + self._times.shortest_life:
            return "deaf"
        return "old" if now >= socket.since + life else ""

    async def _retire(self, socket: SlackWebSocket) -> None:
        """Close a socket that has been replaced; what it has brought is acknowledged by it first."""
        await socket.wait_for_rest(end=self._times.linger, settled=self._times.take)
        await socket.close()

    async def _listen(self, socket: SlackWebSocket, intake: Intake) -> None:
        """Take what a socket brings until it ends."""
        try:
            async for frame in socket.frames():
                await self._hear(socket, frame, intake)
        finally:
            socket.end()
            self._lose(socket)

    async def _hear(self, socket: SlackWebSocket, frame: Frame, intake: Intake) -> None:
        kind, envelope = frame.get("type"), frame.get("envelope_id")
        if kind == "disconnect":
            if frame.get("reason") == _LINK_DISABLED:
                self._opener.fail(refused(_LINK_DISABLED).outcome)
            socket.announce()
        elif isinstance(kind, str) and isinstance(envelope, str):
            for other in self._sockets:
                other.missed = 0 if other is socket else other.missed + 1
            await self._receive(socket, frame, envelope, intake)

    async def _receive(self, socket: SlackWebSocket, frame: Frame, envelope: str, intake: Intake) -> None:
        arrival = Arrival(socket.installation, self.name, self._clock.now(), self._command)
        said = translate(frame["type"], frame.get("payload"), arrival)
        if isinstance(said, DirectoryChange):
            self._people.forget(said)
        if said is None or isinstance(said, DirectoryChange):
            await socket.acknowledge(envelope)
            return
        socket.owe()
        if not self._pipeline.add(partial(self._take, socket, envelope, said, intake)):
            socket.settle()
            log.warning("not taken: too much waits", extra={"door": self.name})

    async def _take(
        self, socket: SlackWebSocket, envelope: str, said: ChatMessage | ButtonPress, intake: Intake
    ) -> None:
        try:
            await within(self._times.take, intake.take(said))
            await socket.acknowledge(envelope)
        except asyncio.TimeoutError:
            log.warning("not acknowledged, as it took too long; Slack sends it again", extra={"door": self.name})
        except Exception as error:  # noqa: BLE001  # whatever befalls the intake, the door stays open
            # Without the text of the error, which may quote what was said.
            log.error("not taken", extra={"door": self.name, "error": type(error).__name__})  # noqa: TRY400
        finally:
            socket.settle()

    def _gain(self, socket: SlackWebSocket) -> None:
        """Count a socket as open."""
        self._sockets.add(socket)
        if not self._state.is_open:
            self._state = DoorState(is_open=True, since=self._clock.now())
            log.info("door open", extra={"door": self.name})

    def _lose(self, socket: SlackWebSocket) -> None:
        """Count a socket as open no more."""
        self._sockets.discard(socket)
        if self._state.is_open and not self._sockets:
            self._state = DoorState(is_open=False, since=self._clock.now(), reason=_BROKEN)
            log.warning("door closed", extra={"door": self.name, "reason": self.state().reason})

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("socket given up", extra={"door": self.name, "error": type(error).__name__})


class _Opener:
    """Opens sockets, one at a time, at a pace that Slack allows, however long it takes."""

    def __init__(self, client: Client, people: SlackPeople, times: SocketTimes) -> None:
        #: Why no socket was opened at the last attempt, and what to do about that.
        self.trouble = ""
        self._client = client
        self._people = people
        self._times = times
        self._opened: deque[float] = deque(maxlen=times.opens_a_minute)
        self._failures = 0
        self._reason = ""
        self._not_before = 0.0

    async def open(self) -> SlackWebSocket:
        """Return a socket that has said hello."""
        while True:
            await self._wait()
            try:
                socket = await self._try()
            except RefusedError as error:
                self.fail(error.outcome)
            except BadValue as error:
                self.fail(SendResult(SendStatus.CREDENTIALS, reason=str(error), hint=error.hint))
            except Exception as error:  # noqa: BLE001  # whatever lacks, descriptors or the vendor's files, may be back
                self.fail(SendResult(SendStatus.RETRY, reason=type(error).__name__))
            else:
                self._failures, self.trouble, self._reason = 0, "", ""
                return socket

    def fail(self, outcome: SendResult) -> None:
        """Wait before the next attempt, and say why; a refusal that lasts is logged once."""
        if outcome.reason in _MENDED:
            outcome = replace(outcome, status=SendStatus.CREDENTIALS, hint=_MENDED[outcome.reason])
        seconds = self._seconds_after(outcome)
        self._not_before = max(self._not_before, _now() + seconds)
        self._failures += 1
        again = f"tried again every {seconds / 60:.0f} min" if seconds >= 60 else "tried again within a minute"
        self.trouble = "; ".join(filter(None, (f"{outcome.reason}: {outcome.hint}".rstrip(": "), again)))
        if outcome.reason != self._reason:
            self._reason = outcome.reason
            log.warning("no socket", extra={"reason": outcome.reason, "hint": outcome.hint})

    async def close(self) -> None:
        await self._client.close()

    def _seconds_after(self, outcome: SendResult) -> float:
        if outcome.status is SendStatus.WAIT and outcome.after is not None:
            return outcome.after.total_seconds()
        if outcome.status is SendStatus.CREDENTIALS:
            return self._times.refused_wait
        most = min(self._times.longest_wait, self._times.first_wait * 2.0 ** min(self._failures, 30))
        return most * (0.5 + 0.5 * random.random())  # noqa: S311  # so that not all programs come back at once

    async def _wait(self) -> None:
        """Wait until the next attempt is due, which may be put off meanwhile."""
        while (left := self._due() - _now()) > 0:  # noqa: ASYNC110  # no event tells when time has passed
            await asyncio.sleep(left)
        self._opened.append(_now())

    def _due(self) -> float:
        is_full = len(self._opened) == self._opened.maxlen
        return max(self._not_before, self._opened[0] + 60.0 if is_full else 0.0)

    async def _try(self) -> SlackWebSocket:
        """Return a socket that has said hello; raise `RefusedError`, which never quotes the URL."""
        installation = await self._people.installation()
        url = await self._url()
        socket = SlackWebSocket(await self._client.web_socket(url), installation)
        try:
            await asyncio.wait_for(socket.greet(), self._times.hello)
        except asyncio.TimeoutError:
            await socket.close()
            raise refused("timeout") from None
        except BaseException:
            await socket.close()
            raise
        return socket

    async def _url(self) -> str:
        try:
            return (await self._client.query("apps.connections.open", {})).text("url")
        except RefusedError as error:
            hint = app_token_hint(error.code)
            if not hint:
                raise
            outcome = replace(error.outcome, status=SendStatus.CREDENTIALS, hint=hint)
            raise RefusedError(outcome, needed=error.needed) from error


_BROKEN = "the connection to Slack broke; it is made again"
_LINK_DISABLED = "link_disabled"
#: What somebody has to mend, wherever it is told.
_MENDED = {_LINK_DISABLED: "switch on Socket Mode in the settings of the app, https://api.slack.com/apps"}


def _now() -> float:
    return asyncio.get_running_loop().time()
