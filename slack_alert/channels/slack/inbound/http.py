"""Slack over HTTP as a door: events, slash commands and buttons at addresses of the web server.

What is not signed by Slack is refused before it is read. What is signed is acknowledged once it was taken. What takes
too long is not, so that Slack sends an event again, which is then known by its ids, as every repetition is.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from slack_alert.channels.slack.errors import RefusedError
from slack_alert.channels.slack.inbound.signature import forgery
from slack_alert.channels.slack.inbound.translate import Arrival, DirectoryChange, SlackInstallation, translate
from slack_alert.core.model.asked import ButtonPress, ChatMessage
from slack_alert.engine.ports import Clock, DoorState, Intake, WebRequest, WebResponse, WebRoutes

log = logging.getLogger(__name__)

#: In seconds: Slack waits for three.
PATIENCE = 2.5
#: The same refusal is logged once in that time: anybody can send requests.
_QUIET = timedelta(hours=1)
_MOST_FIELDS = 100

_Reader = Callable[[bytes], Mapping[str, object]]


class SlackHooks:
    """The door of Slack over HTTP; to be used from one event loop."""

    name = "slack.http"

    def __init__(
        self,
        signing_secret: str,
        installation: Callable[[], Awaitable[SlackInstallation]],
        forget: Callable[[DirectoryChange], object],
        clock: Clock,
        *,
        command: str = "",
    ) -> None:
        """`command` is the slash command whose text is a whole line, such as `/slack-alert`.

        `installation` may raise `RefusedError`; `forget` is called when an account or a user group has changed.
        """
        self._secret = signing_secret
        self._installation = installation
        self._forget = forget
        self._clock = clock
        self._command = command
        self._intake: Intake | None = None
        self._since = clock.now()
        self._taking: set[asyncio.Task[None]] = set()
        self._logged: dict[str, datetime] = {}

    def routes(self) -> WebRoutes:
        """Return what the web server has to serve."""
        return {
            ("POST", "/hooks/slack/events"): self._on_event,
            ("POST", "/hooks/slack/commands"): self._on_command,
            ("POST", "/hooks/slack/interactive"): self._on_interaction,
        }

    async def run(self, intake: Intake) -> None:
        """Let in until cancelled, as long as the web server serves the routes."""
        self._intake, self._since = intake, self._clock.now()
        try:
            await asyncio.Event().wait()
        finally:
            self._intake, self._since = None, self._clock.now()
            # None of them was acknowledged: events come again.
            for taking in self._taking:
                taking.cancel()

    def state(self) -> DoorState:
        """Return whether it is open: while it runs."""
        if self._intake is None:
            return DoorState(is_open=False, since=self._since, reason="the web server is not started")
        return DoorState(is_open=True, since=self._since)

    async def _on_event(self, request: WebRequest) -> WebResponse:
        payload = self._read(request, read_json)
        if isinstance(payload, WebResponse):
            return payload
        kind = payload.get("type")
        if kind == "url_verification":
            return _challenge(payload.get("challenge"))
        if kind == "app_rate_limited":
            hint = "Slack leaves out events of more than 30,000 an hour: take the app out of channels it need not read"
            self._warn("events are rate limited", "Slack has left out events", hint=hint)
            return _OK
        return await self._answer("events_api", payload)

    async def _on_command(self, request: WebRequest) -> WebResponse:
        form = self._read(request, read_form)
        return form if isinstance(form, WebResponse) else await self._answer("slash_commands", form)

    async def _on_interaction(self, request: WebRequest) -> WebResponse:
        payload = self._read(request, _read_interaction)
        return payload if isinstance(payload, WebResponse) else await self._answer("interactive", payload)

    def _read(self, request: WebRequest, read: _Reader) -> Mapping[str, object] | WebResponse:
        """Return the payload of a request that Slack has signed, or the answer by which it is refused."""
        if reason := forgery(self._secret, request.headers, request.body, self._clock.now()):
            hint = "check `signing_secret` (Basic Information of the Slack app) and the clock of this machine"
            about = reason.partition(" signed ")[0]  # not how long ago
            self._warn(about, "request to the hooks of Slack refused", reason=reason, hint=hint)
            return WebResponse(401, b"This is not signed by Slack.\n")
        try:
            return read(request.body)
        except (ValueError, RecursionError):
            return WebResponse(400, b"This cannot be read.\n")

    async def _answer(self, kind: str, payload: Mapping[str, object]) -> WebResponse:
        """Acknowledge what was taken in time."""
        intake = self._intake
        if intake is None:
            return _LATER
        taking = asyncio.create_task(self._take(intake, kind, payload))
        self._taking.add(taking)
        taking.add_done_callback(self._taken)
        # It goes on when it is late: half of it may be done, and what comes again is known.
        await asyncio.wait({taking}, timeout=PATIENCE)
        if not taking.done():
            log.warning("not acknowledged in time", extra={"door": self.name})
            return _LATER
        return _LATER if taking.cancelled() or taking.exception() else _OK

    def _taken(self, taking: asyncio.Task[None]) -> None:
        self._taking.discard(taking)
        if not taking.cancelled() and (error := taking.exception()):
            # Not the error's text: it may quote what was said.
            reason = error.code if isinstance(error, RefusedError) else type(error).__name__
            log.warning("not taken", extra={"door": self.name, "reason": reason})

    async def _take(self, intake: Intake, kind: str, payload: Mapping[str, object]) -> None:
        arrival = Arrival(await self._installation(), self.name, self._clock.now(), self._command)
        said = translate(kind, payload, arrival)
        if isinstance(said, DirectoryChange):
            self._forget(said)
        elif isinstance(said, ChatMessage | ButtonPress):
            await intake.take(said)

    def _warn(self, about: str, event: str, **told: str) -> None:
        now = self._clock.now()
        if about not in self._logged or now - self._logged[about] >= _QUIET:
            self._logged[about] = now
            log.warning(event, extra=told)


def read_json(body: bytes) -> Mapping[str, object]:
    """Return the object in a body; raise ValueError, or RecursionError where it is nested too deeply."""
    # As text: of bytes the parser would guess the encoding.
    content = json.loads(body.decode("utf-8"))
    if not isinstance(content, dict):
        raise ValueError("no object")  # noqa: TRY004 - as of all that cannot be read
    return content


def read_form(body: bytes) -> Mapping[str, str]:
    """Return the fields of a form, the last of each name; raise ValueError."""
    return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))


def _read_interaction(body: bytes) -> Mapping[str, object]:
    return read_json(read_form(body).get("payload", "").encode("utf-8"))


def _challenge(challenge: object) -> WebResponse:
    """Prove to Slack that this address is ours."""
    if not isinstance(challenge, str) or not challenge.isascii():
        return WebResponse(400, b"This cannot be read.\n")
    return WebResponse(200, challenge.encode())


_OK = WebResponse(200)
_LATER = WebResponse(503)
