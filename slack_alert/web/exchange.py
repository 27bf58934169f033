"""One request and its response: what is too large, too slow or not served here is refused before a route sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from http.client import responses
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from slack_alert.core.structs import Struct
from slack_alert.engine.ports import WebRequest, WebResponse, WebRoutes
from slack_alert.web.hosts import AllowedHosts

log = logging.getLogger(__name__)

#: In bytes.
LARGEST_BODY = 1024 * 1024
#: In bytes, of all requests that come at the same time: nobody has shown yet who he is.
MOST_BUFFERED = 16 * 1024 * 1024
#: What is refused is read and thrown away for so many seconds: a caller that still sends would not see the answer.
LINGER = 1.0
#: In seconds: a caller that takes an answer more slowly is left.
WRITE_LIMIT = 10.0

#: Starts a task that the server waits for at its end.
Start = Callable[[Coroutine[object, object, None]], object]


class Site(Struct, frozen=True):
    """What is served, and to whom."""

    routes: WebRoutes
    hosts: AllowedHosts

    def refusal(self, line: RequestStartLine, headers: HTTPHeaders) -> Refusal | None:
        """Return the answer to a request that is not worth reading, or None."""
        if not self._is_meant(line, headers):
            return Refusal(WebResponse(400, b"This host is not served here: see `allow_hosts`.\n"))
        methods = [method for method, _ in self._found(line.path.partition("?")[0])]
        if not methods:
            return Refusal(WebResponse(404, b"There is nothing here.\n"))
        if _method(line) not in methods:
            return Refusal(WebResponse(405, b"This is not a method of this address.\n"), allow=", ".join(methods))
        length = headers.get("Content-Length", "")
        # What is no number, or absurd, Tornado refuses itself.
        if length.isascii() and length.isdigit() and len(length) < _ABSURD and int(length) > LARGEST_BODY:
            return TOO_LARGE
        return None

    async def answer(self, request: WebRequest) -> WebResponse:
        """Return the answer of the route; 503 where it fails, so that the caller tries again."""
        method = "GET" if request.method == "HEAD" else request.method
        try:
            return await self.routes[next(each for each in self._found(request.path) if each[0] == method)](request)
        except Exception as error:  # noqa: BLE001 - a fault must not end the connection without an answer
            # Not the error's text, nor its traceback with it: they may quote the body.
            log.error("request failed", extra={"path": request.path, "error": type(error).__name__, "at": _at(error)})  # noqa: TRY400
            return WebResponse(503, b"Try again later.\n")

    def _found(self, path: str) -> list[tuple[str, str]]:
        """Return the routes at a path: those with exactly this one, else those that it is an instance of."""
        exact = [each for each in self.routes if each[1] == path]
        return exact or [each for each in self.routes if "{" in each[1] and _is_instance(path, each[1])]

    def _is_meant(self, line: RequestStartLine, headers: HTTPHeaders) -> bool:
        # Only HTTP/1.0 has requests without a host, and no browser of today sends one.
        host = headers.get("Host")
        return line.version == "HTTP/1.0" if host is None else self.hosts.allows(host)


class Refusal(Struct, frozen=True):
    """The answer to a request that is not read to its end."""

    response: WebResponse
    #: The methods that are allowed.
    allow: str = ""


class BodyBudget:
    """How much of bodies is held at present, over all connections."""

    def __init__(self) -> None:
        self._held = 0

    def take(self, size: int) -> bool:
        """Return whether so many bytes may be held as well."""
        if self._held + size > MOST_BUFFERED:
            return False
        self._held += size
        return True

    def give_back(self, size: int) -> None:
        """Hold so many bytes less."""
        self._held -= size


TOO_MUCH = Refusal(WebResponse(503, b"Too much comes at once: try again later.\n"))
TOO_LARGE = Refusal(WebResponse(413, b"This is too large.\n"))


class Exchange(HTTPMessageDelegate):
    """Receives one request from Tornado and writes its response."""

    def __init__(self, site: Site, budget: BodyBudget, connection: HTTP1Connection, start: Start) -> None:
        self._site = site
        self._budget = budget
        self._connection = connection
        self._start = start
        self._line: RequestStartLine
        self._headers: HTTPHeaders
        self._body = bytearray()
        self._refusal: Refusal | None = None
        self._is_answered = False
        self._is_over = False

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        """Refuse at once what need not be read."""
        self._line, self._headers = cast("RequestStartLine", start_line), headers
        self._refusal = self._site.refusal(self._line, headers)
        if self._refusal is not None and _has_body(headers):
            self._refuse(self._refusal)

    def data_received(self, chunk: bytes) -> None:
        """Keep the body up to the limit, and throw away what was refused."""
        if self._refusal is not None:
            return
        if len(self._body) + len(chunk) > LARGEST_BODY:
            self._refuse(TOO_LARGE)
        elif not self._budget.take(len(chunk)):
            self._refuse(TOO_MUCH)
        else:
            self._body += chunk

    def finish(self) -> None:
        """Answer a request that has come whole."""
        if self._is_answered:
            self._end()
        elif self._refusal is not None:
            self._write(self._refusal.response, allow=self._refusal.allow)
            self._end()
        else:
            self._start(self._respond())

    def on_connection_close(self) -> None:
        """Forget a request that broke off."""
        self._is_over = True
        self._forget_body()

    def _refuse(self, refusal: Refusal) -> None:
        self._refusal = refusal
        self._forget_body()
        self._write(refusal.response, allow=refusal.allow)
        if "Expect" in self._headers:  # The caller waits for leave to send its body.
            self._end()
        else:
            asyncio.get_running_loop().call_later(LINGER, self._end)

    async def _respond(self) -> None:
        path, _, query = self._line.path.partition("?")
        headers = {name.lower(): value for name, value in self._headers.items()}
        peer = str(self._connection.context)
        request = WebRequest(self._line.method, path, headers, bytes(self._body), query, peer)
        try:
            response = await self._site.answer(request)
        finally:
            self._forget_body()
        self._write(response)
        self._end()

    def _write(self, response: WebResponse, *, allow: str = "") -> None:
        self._is_answered = True
        headers = HTTPHeaders({"Content-Type": response.content_type, "Content-Length": str(len(response.body))})
        headers["X-Content-Type-Options"] = "nosniff"
        if allow:
            headers["Allow"] = allow
        line = ResponseStartLine("HTTP/1.1", response.status, responses[response.status])
        body = response.body if self._line.method != "HEAD" else None
        written = self._connection.write_headers(line, headers, body)
        if not written.done():
            limit = asyncio.get_running_loop().call_later(WRITE_LIMIT, self._connection.close)
            written.add_done_callback(lambda _: limit.cancel())

    def _forget_body(self) -> None:
        self._budget.give_back(len(self._body))
        self._body.clear()

    def _end(self) -> None:
        """End the exchange; a request that was not read to its end takes the connection with it."""
        if not self._is_over:
            self._is_over = True
            self._connection.finish()


def _is_instance(path: str, template: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    if len(parts) != len(given):
        return False
    return all(bool(each) if part.startswith("{") else part == each for part, each in zip(parts, given, strict=True))


def _method(line: RequestStartLine) -> str:
    return "GET" if line.method == "HEAD" else line.method


def _has_body(headers: HTTPHeaders) -> bool:
    return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers


def _at(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


#: So many digits of a length are no length.
_ABSURD = 19
