"""The door of Stream mode: a WebSocket to DingTalk, replaced before it fails.

What is not acknowledged may come again after a minute, or never: so everything is acknowledged as soon as it is kept,
what the store does not take is tried again here, and the next socket is open before the last one is closed. The
vendor's client closes the old one first, and goes on with sockets that bring nothing any more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from slack_alert.channels.dingtalk.inbound.corporation import OwnCorporation
from slack_alert.channels.dingtalk.inbound.gateway import Gateway, GatewayAccess, NoSocketError
from slack_alert.channels.dingtalk.inbound.reading import read_object
from slack_alert.channels.dingtalk.inbound.sessions import API_URL, KeepSession, tell_session
from slack_alert.channels.dingtalk.inbound.stream_socket import StreamFrame, StreamSocket
from slack_alert.channels.dingtalk.inbound.translate import RobotArrival, moment, robot_corporation, translate
from slack_alert.channels.slack.inbound.deadline import end_tasks
from slack_alert.channels.slack.inbound.pipeline import Pipeline
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.core.structs import Struct, replace
from slack_alert.engine.ports import Clock, DoorState, Intake

log = logging.getLogger(__name__)


class StreamTimes(Struct, frozen=True):
    """The times and limits of the sockets; all times are in seconds."""

    #: DingTalk says something every 20 to 30; a socket from which nothing comes but answers to our pings is dead.
    silence: float = 60.0
    #: Between our own pings, which keep boxes on the way from forgetting the connection.
    ping: float = 10.0
    #: For each step on the way to a socket.
    answer: float = 10.0
    #: What is not taken within this is late, and somebody is told.
    take: float = 1.5
    #: After which what the store did not take is tried again.
    again: tuple[float, ...] = (1.0, 5.0, 25.0)
    #: How long a socket that was replaced may still bring something.
    linger: float = 5.0
    #: A socket that ended sooner, and brought nothing, counts as a failure.
    shortest_life: float = 10.0
    #: After a failure, doubled with each further one; half of it is by chance.
    first_wait: float = 1.0
    longest_wait: float = 60.0
    #: After so many refusals in a row no further socket is asked for: nothing but other credentials would help.
    refusals: int = 3
    opens_a_minute: int = 20
    #: How much may be in progress, and may wait besides.
    at_once: int = 256
    waiting: int = 10_000


class DingTalkStreamDoor:
    """Lets in by Stream mode; to be used from one event loop."""

    def __init__(
        self,
        name: str,
        client_id: str,
        client_secret: str,
        clock: Clock,
        *,
        keep_session: KeepSession,
        corporation: OwnCorporation | None = None,
        api_url: str = API_URL,
        proxy: str | None = None,
        ca_file: Path | None = None,
        times: StreamTimes | None = None,
    ) -> None:
        """`name` is that of the robot in the configuration; `corporation` is remembered over restarts by its owner."""
        self.name = f"dingtalk.stream.{name}"
        self._robot = name
        self._clock = clock
        self._keep_session = keep_session
        self._corporation = corporation or OwnCorporation(name)
        self._api_url = api_url
        self._times = times = times or StreamTimes()
        access = GatewayAccess(client_id, client_secret, api_url, proxy, ca_file)
        self._opener = _Opener(access, self.name, times, self._lose_useless)
        self._state = DoorState(is_open=False, since=clock.now(), reason="not connected yet")
        self._sockets: set[StreamSocket] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pipeline = Pipeline(at_once=times.at_once, most=times.waiting)
        self._told: set[str] = set()

    def state(self) -> DoorState:
        """Return whether a socket is open."""
        if self._state.is_open or not self._opener.trouble:
            return self._state
        return replace(self._state, reason=self._opener.trouble)

    async def run(self, intake: Intake) -> None:
        """Let in until cancelled; nothing is raised for DingTalk or the network."""
        keeper = asyncio.ensure_future(self._keep(intake))
        try:
            await asyncio.wait({keeper})
            keeper.result()
        finally:
            await end_tasks([keeper])  # It may open another socket until it has ended.
            sockets, self._sockets = list(self._sockets), set()
            self._state = DoorState(is_open=False, since=self._clock.now(), reason="not running")
            await end_tasks(self._tasks)
            await self._pipeline.close(self._times.take)
            await asyncio.gather(*(socket.close() for socket in sockets))
            await self._opener.close()

    async def _keep(self, intake: Intake) -> None:
        """Keep a socket open: the next one before the last one is closed."""
        last: StreamSocket | None = None
        while (socket := await self._opener.open()) is not None:
            self._gain(socket)
            self._start(self._listen(socket, intake))
            if last is not None:
                self._start(self._retire(last))
            await self._watch(socket)
            self._opener.judge(socket)
            last = socket
        # What is open already stays; a socket that goes is not replaced.
        await asyncio.Event().wait()

    async def _watch(self, socket: StreamSocket) -> None:
        """Return when it has ended, or its end was announced, or it is silent."""
        while (left := socket.heard + self._times.silence - _now()) > 0:
            if await socket.ends(within=min(left, self._times.ping)):
                return
            await socket.ping()
        socket.is_silent = True
        log.info("socket replaced", extra={"door": self.name, "reason": "silent"})

    async def _retire(self, socket: StreamSocket) -> None:
        """Close a socket that has been replaced; what it has brought is acknowledged by it first."""
        await socket.wait_for_rest(end=self._times.linger, settled=self._times.take)
        await socket.close()

    async def _listen(self, socket: StreamSocket, intake: Intake) -> None:
        """Take what a socket brings until it ends."""
        try:
            async for frame in socket.frames():
                if frame is None:
                    self._tell_once("unreadable frame")
                else:
                    await self._hear(socket, frame, intake)
        finally:
            socket.end()
            self._lose(socket)

    async def _hear(self, socket: StreamSocket, frame: StreamFrame, intake: Intake) -> None:
        if frame.kind == "SYSTEM" and frame.topic == "disconnect":
            await socket.acknowledge(frame, frame.data)
            socket.announce()
            return
        socket.has_spoken = True
        if frame.kind == "SYSTEM":
            # A ping has something in it that is to be sent back as it is.
            await socket.acknowledge(frame, frame.data)
        elif frame.kind == "EVENT":
            await socket.acknowledge(frame, _EVENT_SEEN)
        elif frame.kind == "CALLBACK":
            await self._receive(socket, frame, intake)
        else:
            self._tell_once("frame of an unknown kind")

    async def _receive(self, socket: StreamSocket, frame: StreamFrame, intake: Intake) -> None:
        payload = _payload(frame)
        at = moment(frame.time) or self._clock.now()
        arrival = RobotArrival(self._robot, self.name, at, self._corporation.id, f"dingtalk:frame/{frame.message_id}")
        said = translate(frame.topic, payload, arrival)
        if said is None:
            await socket.acknowledge(frame, _TAKEN)
            return
        if isinstance(said, ChatMessage):
            tell_session(self._keep_session, payload, said, self._api_url)
            self._start(self._corporation.learn(robot_corporation(payload)))
        socket.owe()
        if not self._pipeline.add(partial(self._take, socket, frame, said, intake)):
            socket.settle()
            log.warning("not taken: too much waits", extra={"door": self.name})

    async def _take(
        self, socket: StreamSocket, frame: StreamFrame, said: ChatMessage | ButtonPress, intake: Intake
    ) -> None:
        late = asyncio.get_running_loop().call_later(self._times.take, self._tell_late)
        try:
            # It is not given up when it is late: it may never come again.
            if await self._is_taken(said, intake):
                await socket.acknowledge(frame, _TAKEN)
        finally:
            late.cancel()
            socket.settle()

    async def _is_taken(self, said: ChatMessage | ButtonPress, intake: Intake) -> bool:
        """Return whether the intake takes it, now or within half a minute."""
        for pause in (0.0, *self._times.again):
            await asyncio.sleep(pause)
            try:
                await intake.take(said)
            except Exception as error:  # noqa: BLE001  # whatever befalls the intake, the door stays open
                # Without the text of the error, which may quote what was said.
                log.error("not taken", extra={"door": self.name, "error": type(error).__name__})  # noqa: TRY400
            else:
                return True
        return False

    def _tell_late(self) -> None:
        log.warning("acknowledged late, as it takes too long to keep", extra={"door": self.name})

    def _tell_once(self, event: str) -> None:
        """Log what DingTalk should not send, without what is in it."""
        if event not in self._told:
            self._told.add(event)
            log.warning(event, extra={"door": self.name})

    def _gain(self, socket: StreamSocket) -> None:
        """Count a socket as open."""
        self._sockets.add(socket)
        if not self._state.is_open:
            self._state = DoorState(is_open=True, since=self._clock.now())
            log.info("door open", extra={"door": self.name})

    def _lose(self, socket: StreamSocket) -> None:
        """Count a socket as open no more."""
        self._sockets.discard(socket)
        if self._state.is_open and not self._sockets:
            self._state = DoorState(is_open=False, since=self._clock.now(), reason=_BROKEN)
            log.warning("door closed", extra={"door": self.name, "reason": self.state().reason})

    def _lose_useless(self) -> None:
        """Count sockets that bring nothing any more as open only until a new one could not be opened."""
        for socket in [each for each in self._sockets if each.is_silent or each.is_announced]:
            self._lose(socket)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("work of a door failed", extra={"door": self.name, "error": type(error).__name__})


class _Opener:
    """Opens sockets, one at a time and not too often, however long it takes."""

    def __init__(self, access: GatewayAccess, door: str, times: StreamTimes, failed: Callable[[], None]) -> None:
        #: Why no socket was opened at the last attempt, and what to do about that.
        self.trouble = ""
        self._gateway = Gateway(access, answer_within=times.answer)
        self._door = door
        self._times = times
        self._failed = failed
        self._opened: deque[float] = deque(maxlen=times.opens_a_minute)
        self._failures = self._refusals = 0
        self._reason = ""
        self._not_before = 0.0

    async def open(self) -> StreamSocket | None:
        """Return a socket, or None where DingTalk does not accept the app's credentials."""
        while self._refusals < self._times.refusals:
            await self._wait()
            try:
                socket = StreamSocket(await self._gateway.connect())
            except NoSocketError as error:
                self._fail(error)
            except BadValue as error:
                self._fail(NoSocketError(str(error), error.hint))
            except Exception as error:  # noqa: BLE001  # whatever lacks, descriptors or the vendor's files, may be back
                self._fail(NoSocketError(type(error).__name__))
            else:
                self._refusals, self.trouble = 0, ""
                return socket
        return None

    def judge(self, socket: StreamSocket) -> None:
        """Take a socket that has ended as a success, or as one more failure: some are opened and closed at once."""
        if socket.has_spoken or _now() >= socket.since + self._times.shortest_life:
            self._failures, self._reason = 0, ""
        else:
            self._fail(NoSocketError("closed", "DingTalk closed the connection before it brought anything"))

    async def close(self) -> None:
        self.trouble = ""
        await self._gateway.close()

    def _fail(self, error: NoSocketError) -> None:
        """Wait before the next attempt, and say why; what lasts is logged once."""
        self._refusals = self._refusals + 1 if error.is_refusal else 0
        most = min(self._times.longest_wait, self._times.first_wait * 2.0 ** min(self._failures, 30))
        seconds = most * (0.5 + 0.5 * random.random())  # noqa: S311  # so that not all programs come back at once
        self._not_before = _now() + seconds
        self._failures += 1
        is_over = self._refusals >= self._times.refusals
        again = "not tried again before the next start" if is_over else "tried again within a minute"
        self.trouble = "; ".join(filter(None, (f"{error.reason}: {error.hint}".rstrip(": "), again)))
        if error.reason != self._reason or is_over:
            self._reason = error.reason
            told = {"door": self._door, "reason": error.reason, "hint": error.hint}
            log.log(logging.ERROR if is_over else logging.WARNING, "no socket", extra=told)
        self._failed()

    async def _wait(self) -> None:
        """Wait until the next attempt is due."""
        is_full = len(self._opened) == self._opened.maxlen
        due = max(self._not_before, self._opened[0] + 60.0 if is_full else 0.0)
        await asyncio.sleep(max(0.0, due - _now()))
        self._opened.append(_now())


_BROKEN = "the connection to DingTalk broke; it is made again"
#: The answers that the vendor's own clients give.
_TAKEN = json.dumps({"response": None})
_EVENT_SEEN = json.dumps({"status": "SUCCESS", "message": "OK"})


def _payload(frame: StreamFrame) -> Mapping[str, object]:
    """Return what a frame brings; an empty one says nothing."""
    if isinstance(frame.data, str):
        return read_object(frame.data) or {}
    return frame.data if isinstance(frame.data, dict) else {}


def _now() -> float:
    return asyncio.get_running_loop().time()
