"""Entries for platforms that call a function: `handler` of AWS Lambda and its like, and `app` of ASGI.

Both take calls of hooks, check them, and pass the good ones on to `[web] forward`. The configuration is that of the
program, from the environment and from a `slack_alert.conf` in the current folder.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

from slack_alert.core.errors import SettingsError
from slack_alert.engine.ports import WebRequest
from slack_alert.settings import load_settings
from slack_alert.web.forwarding import LARGEST_BODY, Forwarder, checks_of

_Message = MutableMapping[str, Any]


def handler(event: Mapping[str, Any] | bytes | str, context: object = None) -> dict[str, object]:  # noqa: ARG001 - as platforms call it
    """Answer an event of AWS Lambda (a function URL, or API Gateway of either version) or of one that is like it.

    Raise SettingsError where the configuration is wrong, or says nothing of where to forward to.
    """
    answer = _forwarder().answer(_request(event if isinstance(event, Mapping) else json.loads(event)))
    return {
        "statusCode": answer.status,
        "headers": {"content-type": answer.content_type},
        "body": answer.body.decode("utf-8", "replace"),
        "isBase64Encoded": False,
    }


async def app(
    scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
) -> None:
    """Answer a request of a server of ASGI, version 3; raise SettingsError at its start, as `handler` does."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    if scope["type"] != "http":
        raise ValueError(f"{scope['type']} is not served here")
    body = await _body(receive)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    request = WebRequest(scope["method"], scope["path"], headers, body, scope["query_string"].decode("latin-1"))
    answer = await asyncio.to_thread(_forwarder().answer, request)
    head = [(b"content-type", answer.content_type.encode()), (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": head})
    await send({"type": "http.response.body", "body": answer.body})


@cache
def _forwarder() -> Forwarder:
    home = os.environ.get("HOME")
    settings = load_settings({}, os.environ, cwd=Path.cwd(), home=Path(home) if home else None).settings
    if settings.web_forward is None:
        raise SettingsError(
            "[web] forward is not set.", hint="Set SLACK_ALERT_WEB_FORWARD to the address of the program's web server."
        )
    checks = checks_of(settings)
    if not checks:
        raise SettingsError("There is no hook to forward.", hint="Set the secret of one, as for the program.")
    return Forwarder(settings.web_forward, checks, ca_file=str(settings.ca_file) if settings.ca_file else None)


def _request(event: Mapping[str, Any]) -> WebRequest:
    """Return the request in an event: of version 2 (`rawPath`, `requestContext.http`) or of version 1 (`path`)."""
    http = (event.get("requestContext") or {}).get("http") or {}
    body = event.get("body") or ""
    try:
        content = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    except binascii.Error:
        content = b""  # No signature is good for it.
    return WebRequest(
        method=http.get("method") or event.get("httpMethod") or "",
        path=event.get("rawPath") or event.get("path") or "",
        headers={str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()},
        body=content,
        query=event.get("rawQueryString") or "",
    )


async def _body(receive: Callable[[], Awaitable[_Message]]) -> bytes:
    """Return the body, of one that is too large as much as shows that."""
    body, is_whole = bytearray(), False
    while not is_whole:
        message = await receive()
        is_whole = not message.get("more_body", False)
        if len(body) <= LARGEST_BODY:
            body += message.get("body", b"")
    return bytes(body)


async def _live(receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]) -> None:
    """Say at the start whether the configuration is good, and follow to the end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                _forwarder()
            except SettingsError as error:
                await send({"type": "lifespan.startup.failed", "message": error.sentences})
            else:
                await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
