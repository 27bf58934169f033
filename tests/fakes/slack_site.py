"""What the fake Slack serves: the methods and the upload addresses; every request is recorded."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import replace

from aiohttp import web

from tests.fakes.slack_faults import Answer, Fault, Faults, rate_limited, spoil
from tests.fakes.slack_listener import deliver
from tests.fakes.slack_methods import Method, call
from tests.fakes.slack_requests import Arrived, Request, authenticate, look_up, read_arguments, warned
from tests.fakes.slack_rules import Json, SlackError
from tests.fakes.slack_socket import SlackSocket
from tests.fakes.slack_workspace import Workspace

RESPONSE_SECONDS, MOST_RESPONSES = 1_800.0, 5


class Site:
    """Decides on each request at the moment of its arrival, then lets it be delivered."""

    def __init__(self, workspace: Workspace, faults: Faults, socket: SlackSocket | None = None) -> None:
        self.origin = ""
        self.socket = socket
        self.requests: list[Request] = []
        self.changed = threading.Condition()
        self.crashes: list[Exception] = []
        self._workspace = workspace
        self._faults = faults

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        root, _, rest = request.path.lstrip("/").partition("/")
        if root not in ("api", "upload", "commands", "link"):
            return web.Response(status=404)
        try:
            if root == "link" and self.socket is not None:
                return await self.socket.serve(request)
            arrived = await _arrived(request, {"upload": "upload", "commands": "response_url"}.get(root, rest))
            answer = self._answered(root, rest, arrived)
        except Exception as error:
            self.crashes.append(error)
            raise
        return await deliver(request, answer)

    def _answered(self, root: str, rest: str, arrived: Arrived) -> Answer:
        if root == "upload":
            return self._receive(arrived, rest.removeprefix("v1/"))
        return self._respond(arrived, rest) if root == "commands" else self._answer(arrived)

    def _answer(self, arrived: Arrived) -> Answer:
        """Decide on one call, at the moment of its arrival."""
        arguments, unreadable = _try_arguments(arrived)
        channel = arguments.get("channel") or arguments.get("channel_id")
        channel = self._workspace.identify(channel) if isinstance(channel, str) else None
        fault, delay = self._faults.struck(arrived.method, channel)
        answer = Answer(200, b"", self._headers())
        if fault is None or fault.accepts:
            answer = self._proper_answer(arrived, arguments, unreadable, channel)
        return self._sent(arrived, arguments, answer, fault, delay)

    def _proper_answer(
        self, arrived: Arrived, arguments: Json, unreadable: SlackError | None, channel: str | None
    ) -> Answer:
        try:
            method = look_up(arrived)
            if arrived.verb != "POST" and not (arrived.verb == "GET" and method.reads):
                return Answer(405, b"<html><body>405 Method Not Allowed</body></html>", {"Content-Type": "text/html"})
            if arrived.method != "api.test":
                token = self._workspace.app_token if method.is_of_app else self._workspace.token
                authenticate(arrived, arguments, token=token, is_of_app=method.is_of_app)
            if unreadable is not None:
                raise unreadable
            if wait := self._seconds_until_allowed(arrived.method, method, channel or ""):
                return rate_limited(max(1, math.ceil(wait)), self._headers())
            answer = warned(arrived, self._with_address(arrived, call(self._workspace, method, arguments)))
        except SlackError as error:
            answer = error.answer()
        return Answer(200, json.dumps(answer).encode(), self._headers())

    def _seconds_until_allowed(self, name: str, method: Method, channel: str) -> float:
        if name == "chat.postMessage":
            return self._workspace.seconds_until_allowed(channel)
        return self._workspace.seconds_until_callable(name, method.a_minute) if method.a_minute else 0.0

    def _respond(self, arrived: Arrived, path: str) -> Answer:
        """Take an answer to an interaction; such an address is good for five, within half an hour."""
        known = self._workspace.response_urls.get(path)
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        fault, delay = self._faults.struck("response_url", known.channel if known else None)
        content, answer = _object(arrived.body), Answer(200, b"ok", plain)
        if known is None or self._workspace.now() - known.since > RESPONSE_SECONDS:
            answer = Answer(404, b"expired_url", plain)
        elif len(known.answers) >= MOST_RESPONSES:
            answer = Answer(404, b"used_url", plain)
        elif content is None or not (content.get("text") or content.get("blocks") or content.get("delete_original")):
            answer = Answer(400, b"no_text" if content is not None else b"invalid_payload", plain)
        elif fault is None or fault.accepts:
            known.answers.append(content)
        return self._sent(arrived, content or {}, answer, fault, delay)

    def _receive(self, arrived: Arrived, upload: str) -> Answer:
        """Take the bytes of a file, exactly as many as were announced."""
        fault, delay = self._faults.struck("upload", None)
        known = self._workspace.uploads.get(upload)
        plain = {"Content-Type": "text/plain; charset=utf-8"}
        answer = Answer(400, b"error", plain)
        if known is not None and known.length == len(arrived.body) and arrived.verb == "POST":
            answer = Answer(200, f"OK - {known.length}".encode(), plain)
            if fault is None or fault.accepts:
                self._workspace.uploads[known.id] = replace(known, content=arrived.body)
        return self._sent(arrived, {"id": upload, "length": len(arrived.body)}, answer, fault, delay)

    def _sent(self, arrived: Arrived, arguments: Json, answer: Answer, fault: Fault | None, delay: float) -> Answer:
        if fault is not None:
            answer = spoil(fault, answer)
        self._record(arrived, arguments, answer, fault)
        return replace(answer, delay=delay)

    def _record(self, arrived: Arrived, arguments: Json, answer: Answer, fault: Fault | None) -> None:
        try:
            said = None if answer.broken else json.loads(answer.body)
        except (ValueError, RecursionError):
            said = None
        request = Request(
            method=arrived.method,
            verb=arrived.verb,
            headers=dict(arrived.headers),
            arguments=arguments,
            at=self._workspace.now(),
            answer=said,
            status=None if answer.broken else answer.status,
            unknown=_unknown(arrived, arguments),
            fault=fault.kind if fault else None,
        )
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()

    def _with_address(self, arrived: Arrived, answer: Json) -> Json:
        if arrived.method == "apps.connections.open" and self.socket is not None:
            return {**answer, "url": self.socket.open_url()}
        if "upload_url" not in answer:
            return answer
        return {**answer, "upload_url": f"{self.origin}/upload/v1/{answer['upload_url']}"}

    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "x-oauth-scopes": ",".join(sorted(self._workspace.scopes)),
            "x-slack-req-id": f"{len(self.requests):032x}",
        }


def _try_arguments(arrived: Arrived) -> tuple[Json, SlackError | None]:
    try:
        return read_arguments(arrived), None
    except SlackError as error:
        return {}, error


async def _arrived(request: web.BaseRequest, method: str) -> Arrived:
    form: dict[str, str] = {}
    body = b""
    if request.content_type == "multipart/form-data":
        form = {name: str(value) for name, value in (await request.post()).items()}
    else:
        body = await request.content.read()
    # aiohttp speaks of a default type where the client sent none, so the header itself is kept
    return Arrived(method, request.method, request.headers, dict(request.query), body, form)


def _object(body: bytes) -> Json | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _unknown(arrived: Arrived, arguments: Json) -> tuple[str, ...]:
    try:
        known = look_up(arrived).arguments
    except SlackError:
        return ()
    return tuple(name for name in arguments if name not in known)
