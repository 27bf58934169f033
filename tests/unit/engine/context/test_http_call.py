"""Requests of actions without Python, to a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from slack_alert.core.errors import BadValue
from slack_alert.core.pack import ValueType
from slack_alert.core.structs import replace
from slack_alert.engine.context.http_call import HttpCall, RequestError
from slack_alert.loader.packs.declared_actions import PLACEHOLDER

pytestmark = pytest.mark.slow


class Server:
    """Answers every request alike, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.location = ""
        self.asked: list[tuple[str, str, str, object]] = []
        self.port = 0

    def call(self, path: str = "/", *, method: str = "POST", **parts: object) -> HttpCall:
        known = HttpCall(method, f"http://127.0.0.1:{self.port}{path}", None, {}, PLACEHOLDER)
        return replace(known, **parts)


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = json.loads(body) if body else None
            server.asked.append((self.command, self.path, self.headers.get("X-Key", ""), content))
            self.send_response(server.status)
            if server.location:
                self.send_header("Location", server.location)
            self.end_headers()
            self.wfile.write(b"thanks")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        server.port = running.server_address[1]
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        running.shutdown()
        thread.join()


def test_values_are_encoded_in_the_address_and_typed_in_the_body() -> None:
    with serving() as server:
        call = server.call(
            "/a/{name}?q={name}", json={"n": "{n}", "all": ["{name}", "n={n}", 1]}, headers={"X-Key": "k{n}"}
        )
        assert call(ctx=None, name="a/b &c", n=5) == "thanks"

    path = "/a/a%2Fb%20%26c?q=a%2Fb%20%26c"
    assert server.asked == [("POST", path, "k5", {"n": 5, "all": ["a/b &c", "n=5", 1]})]


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_status_from_400_on_is_an_error_with_what_was_said(status: int) -> None:
    with serving() as server:
        server.status = status
        with pytest.raises(RequestError, match=rf"http://127\.0\.0\.1:\d+/x answers {status} .*: thanks"):
            server.call("/x?token=hidden", method="GET")(ctx=None)


def test_another_host_is_not_followed_to() -> None:
    with serving() as server:
        server.status, server.location = 302, "http://localhost:1/"
        with pytest.raises(RequestError, match="which is another host"):
            server.call("/x", method="GET")(ctx=None)


def test_nobody_there_is_an_error() -> None:
    with serving() as server:
        pass
    with pytest.raises(RequestError, match="does not answer"):
        server.call("/x", method="GET")(ctx=None)


def test_a_header_cannot_be_broken_out_of() -> None:
    with serving() as server, pytest.raises(BadValue, match="new line"):
        server.call(headers={"X-Key": "{v}"})(ctx=None, v="a\r\nX-Other: b")


def test_a_value_of_another_type_is_refused() -> None:
    with serving() as server, pytest.raises(BadValue, match="n must be int"):
        server.call(json={"n": "{n}"}, types={"n": ValueType("int")})(ctx=None, n="5")
