"""Check the calls of hooks away from the program, and pass on those that are good.

The caller is answered with what the program has answered: 200 says that the event is on the disk of the program, and
whatever gets lost on the way is answered 503, so that the caller tries again. The program checks each call once more.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from slack_alert.channels.slack.inbound.signature import forgery
from slack_alert.core.webhooks import ForgedError, Hook, UnreadableError, read_call
from slack_alert.engine.ports import WebRequest, WebResponse
from slack_alert.web.webhooks import hooks_of

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: Of Slack's addresses, in seconds: it waits for three. Others wait for ten, as a rule.
_PATIENCE_OF_SLACK, _PATIENCE = 2.4, 8.0
#: Before each further try, in seconds.
_PAUSES = (0.1, 0.3, 1.0, 2.0)
#: In bytes.
LARGEST_BODY, _LARGEST_ANSWER = 1024 * 1024, 64 * 1024
#: What is said of the connection to the function, and not of the call; the host is that of the program.
_NOT_PASSED_ON = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_PASSED_BACK = frozenset({200, 400, 401, 404, 405, 409, 413, 429})
_AGAIN = WebResponse(503, b"The program cannot be reached: try again later.\n")
_FORGED = WebResponse(401, b"Nothing shows that you have the secret of this hook.\n")
_TOO_LARGE = WebResponse(413, b"This is too large.\n")

#: Returns the refusal of a call, or None where it is good.
Check = Callable[[WebRequest, datetime], "WebResponse | None"]


class Forwarder:
    """Passes on good calls of hooks to the program at an address; it keeps nothing, so any number may work at once."""

    def __init__(self, forward: str, checks: Mapping[str, Check], *, ca_file: str | None = None) -> None:
        """Pass on to the address `forward`, http:// or https://; `checks` are those of the hooks, by their paths."""
        self._target = urlsplit(forward)
        self._checks = checks
        self._context = ssl.create_default_context(cafile=ca_file) if self._target.scheme == "https" else None

    def answer(self, request: WebRequest) -> WebResponse:
        """Return the answer to a call; blocks for seconds where the program cannot be reached."""
        check = self._checks.get(request.path)
        if check is None:
            return WebResponse(404, b"There is nothing here.\n")
        if request.method != "POST":
            return WebResponse(405, b"This is not a method of this address.\n")
        if len(request.body) > LARGEST_BODY:
            return _TOO_LARGE
        if (refusal := check(request, datetime.now(timezone.utc))) is not None:
            return refusal
        is_slack = request.path.startswith("/hooks/slack/")
        return self._passed_on(request, time.monotonic() + (_PATIENCE_OF_SLACK if is_slack else _PATIENCE))

    def _passed_on(self, request: WebRequest, until: float) -> WebResponse:
        for pause in (*_PAUSES, None):
            try:
                answer = self._try(request, until - time.monotonic())
            except (OSError, http.client.HTTPException, ValueError):
                answer = _AGAIN
            # Its event may be on disk by now: then it is known by its ids, and not an event again.
            if answer.status != _AGAIN.status or pause is None or time.monotonic() + pause >= until:
                return answer
            time.sleep(pause)
        return _AGAIN

    def _try(self, request: WebRequest, seconds: float) -> WebResponse:
        """Return the program's answer; 503 for one that is none of a hook, such as a redirect."""
        path = self._target.path.rstrip("/") + request.path + (f"?{request.query}" if request.query else "")
        headers = {name: value for name, value in request.headers.items() if name not in _NOT_PASSED_ON}
        with closing(self._connect(max(seconds, 0.1))) as connection:
            connection.request("POST", path, request.body, headers)
            with connection.getresponse() as response:
                body = response.read(_LARGEST_ANSWER)
        if response.status not in _PASSED_BACK:
            return _AGAIN
        return WebResponse(response.status, body, response.headers.get("Content-Type", "text/plain; charset=utf-8"))

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        host, port = self._target.hostname or "", self._target.port
        if self._context is not None:
            return http.client.HTTPSConnection(host, port, timeout=seconds, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=seconds)


def checks_of(settings: Settings) -> dict[str, Check]:
    """Return the hooks of the configuration by their paths."""
    checks: dict[str, Check] = {}
    for hook in hooks_of(settings.hooks):

        def check(request: WebRequest, now: datetime, hook: Hook = hook) -> WebResponse | None:
            try:
                read_call(hook, request.headers, request.body, now)
            except ForgedError:
                return _FORGED
            except UnreadableError:
                return WebResponse(400, b"The body is neither JSON nor a form.\n")
            return None

        checks[hook.path] = check
    if settings.signing_secret is not None:
        secret = settings.signing_secret.reveal()

        def check_slack(request: WebRequest, now: datetime) -> WebResponse | None:
            return _FORGED if forgery(secret, request.headers, request.body, now) else None

        checks |= {f"/hooks/slack/{kind}": check_slack for kind in ("events", "commands", "interactive")}
    return checks
