"""A DingTalk robot over HTTP as a door: its messages at an address of the web server.

What is not signed by DingTalk is refused before it is read, and so is a signature that came with another body before.
What is signed is acknowledged once it was taken. Buttons do not come this way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from slack_alert.channels.dingtalk.inbound.reading import read_object
from slack_alert.channels.dingtalk.inbound.sessions import API_URL, KeepSession, tell_session
from slack_alert.channels.dingtalk.inbound.signature import UsedSignatures, forgery, signature_id
from slack_alert.channels.dingtalk.inbound.translate import MESSAGES, RobotArrival, translate
from slack_alert.core.model.asked import ChatMessage
from slack_alert.engine.ports import Clock, DoorState, Intake, WebRequest, WebResponse, WebRoutes

log = logging.getLogger(__name__)

#: In seconds; how long DingTalk waits is told nowhere.
PATIENCE = 2.5
#: The same refusal is logged once in that time: anybody can send requests.
_QUIET = timedelta(hours=1)
_PATH = "/hooks/dingtalk"


class DingTalkHooks:
    """The door of a robot over HTTP; to be used from one event loop."""

    def __init__(
        self,
        name: str,
        client_secret: str,
        clock: Clock,
        *,
        keep_session: KeepSession,
        api_url: str = API_URL,
        is_only: bool = False,
    ) -> None:
        """`name` is that of the robot in the configuration; the only robot may be called without its name."""
        self.name = f"dingtalk.http.{name}"
        self._robot = name
        self._secret = client_secret
        self._clock = clock
        self._keep_session = keep_session
        self._api_url = api_url
        self._is_only = is_only
        self._used = UsedSignatures()
        self._intake: Intake | None = None
        self._since = clock.now()
        self._taking: set[asyncio.Task[None]] = set()
        self._logged: dict[str, datetime] = {}

    def routes(self) -> WebRoutes:
        """Return what the web server has to serve."""
        paths = (f"{_PATH}/{self._robot}", *((_PATH,) if self._is_only else ()))
        return {("POST", path): self._on_message for path in paths}

    async def run(self, intake: Intake) -> None:
        """Let in until cancelled, as long as the web server serves the routes."""
        self._intake, self._since = intake, self._clock.now()
        try:
            await asyncio.Event().wait()
        finally:
            self._intake, self._since = None, self._clock.now()
            for taking in self._taking:
                taking.cancel()

    def state(self) -> DoorState:
        """Return whether it is open: while it runs."""
        if self._intake is None:
            return DoorState(is_open=False, since=self._since, reason="the web server is not started")
        return DoorState(is_open=True, since=self._since)

    async def _on_message(self, request: WebRequest) -> WebResponse:
        now = self._clock.now()
        if reason := forgery(self._secret, request.headers, now):
            hint = "check `client_secret` (Credentials of the DingTalk app) and the clock of this machine"
            self._warn(reason.partition(" signed ")[0], "request to the hook of DingTalk refused", reason, hint)
            return _FORGED
        # Before its signature is used up, or else anybody who has seen one could spoil it with nonsense.
        payload = read_object(request.body)
        if payload is None:
            return _UNREADABLE
        if self._used.has_other_body(request.headers, request.body, now):
            hint = "somebody may have recorded a request: take `door = stream`, whose connection nobody else has"
            self._warn("other body", "request to the hook of DingTalk refused", "its signature came before", hint)
            return _REPLAYED
        return await self._answer(payload, signature_id(request.headers))

    async def _answer(self, payload: Mapping[str, object], known_by: str) -> WebResponse:
        """Acknowledge what was taken in time."""
        if self._intake is None:
            return _LATER
        taking = asyncio.create_task(self._take(self._intake, payload, known_by))
        self._taking.add(taking)
        taking.add_done_callback(self._taken)
        # It goes on when it is late: half of it may be done, and what comes again is known.
        await asyncio.wait({taking}, timeout=PATIENCE)
        if not taking.done():
            log.warning("not acknowledged in time", extra={"door": self.name})
            return _LATER
        return _LATER if taking.cancelled() or taking.exception() else _OK

    async def _take(self, intake: Intake, payload: Mapping[str, object], known_by: str) -> None:
        arrival = RobotArrival(self._robot, self.name, self._clock.now(), known_by=known_by)
        said = translate(MESSAGES, payload, arrival)
        if isinstance(said, ChatMessage):
            tell_session(self._keep_session, payload, said, self._api_url)
            await intake.take(said)

    def _taken(self, taking: asyncio.Task[None]) -> None:
        self._taking.discard(taking)
        if not taking.cancelled() and (error := taking.exception()):
            # Not the error's text: it may quote what was said.
            log.warning("not taken", extra={"door": self.name, "reason": type(error).__name__})

    def _warn(self, about: str, event: str, reason: str, hint: str) -> None:
        now = self._clock.now()
        if about not in self._logged or now - self._logged[about] >= _QUIET:
            self._logged[about] = now
            log.warning(event, extra={"door": self.name, "reason": reason, "hint": hint})


_OK = WebResponse(200)
_LATER = WebResponse(503)
_FORGED = WebResponse(401, b"This is not signed by DingTalk.\n")
_UNREADABLE = WebResponse(400, b"This cannot be read.\n")
_REPLAYED = WebResponse(409, b"This signature came with another body before.\n")
