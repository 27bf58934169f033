"""The side of Slack that calls an app over HTTP: signs, waits three seconds, and sends events again.

https://docs.slack.dev/apis/events-api: at once, after a minute and after five, until one is answered with 2xx.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import urlencode

from slack_alert.engine.ports import Clock
from tests.fakes.slack_rules import Json

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
EVENTS, COMMANDS, INTERACTIVE = "/hooks/slack/events", "/hooks/slack/commands", "/hooks/slack/interactive"
#: In seconds.
PATIENCE = 3.0
RETRIES = (0.0, 60.0, 300.0)

#: Path, headers and body to status, headers and body.
Post: TypeAlias = Callable[[str, Mapping[str, str], bytes], Awaitable[tuple[int, Mapping[str, str], bytes]]]


def signed(body: bytes, at: float, *, secret: str = SECRET) -> dict[str, str]:
    """Return the headers by which Slack shows that a body is its own; slack_sdk signs no body that is not UTF-8."""
    stamp = str(int(at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


@dataclass
class SlackSender:
    """Slack as it calls an app; `sent` are the statuses, 0 where there was no answer in time."""

    post: Post
    clock: Clock
    sent: list[int] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    async def event(self, body: Json) -> bool:
        """Deliver a body of the Events API, up to four times; return whether it was acknowledged."""
        raw = json.dumps(body).encode()
        reason = ""
        for number, pause in enumerate((0.0, *RETRIES)):
            await self.clock.sleep(pause)
            retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason} if number else {}
            status, headers = await self._deliver(EVENTS, "application/json", raw, retry)
            if 200 <= status < 300:
                return True
            if status and headers.get("x-slack-no-retry") == "1":
                return False
            reason = "http_error" if status else "http_timeout"
        return False

    async def verify(self, challenge: str) -> bytes:
        """Ask whether an address is the app's, as the settings of the app do."""
        await self.event({"token": "t", "challenge": challenge, "type": "url_verification"})
        return self.answers[-1]

    async def command(self, form: Json) -> bool:
        """Deliver a slash command, once."""
        return await self._once(COMMANDS, form)

    async def interaction(self, payload: Json) -> bool:
        """Deliver a pressed button, once."""
        return await self._once(INTERACTIVE, {"payload": json.dumps(payload)})

    async def _once(self, path: str, form: Mapping[str, object]) -> bool:
        raw = urlencode({name: str(value) for name, value in form.items()}).encode()
        status, _ = await self._deliver(path, "application/x-www-form-urlencoded", raw, {})
        return 200 <= status < 300

    async def _deliver(
        self, path: str, kind: str, raw: bytes, further: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str]]:
        headers = {"Content-Type": kind, **signed(raw, self.clock.now().timestamp()), **further}
        try:
            status, answered, body = await asyncio.wait_for(self.post(path, headers, raw), PATIENCE)
        except asyncio.TimeoutError:
            self.sent.append(0)
            return 0, {}
        self.sent.append(status)
        self.answers.append(body)
        return status, {name.lower(): value for name, value in answered.items()}
