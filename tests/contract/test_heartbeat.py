"""The sign of life for somebody outside: fetched beside everything else, its failures told once."""

from __future__ import annotations

import logging
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from slack_alert.engine.app.ping import Heartbeat


class Site(HTTPServer):
    """Answers with `status`."""

    status = 200
    fetched = 0
    #: What the last one who asked said of himself.
    asked_by: str | None = None


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.fetched += 1
        self.server.asked_by = self.headers["Authorization"]
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Page) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def beats() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "heartbeat"]


def beat(heartbeat: Heartbeat) -> None:
    heartbeat.beat()
    for thread in beats():
        thread.join()


def address(site: Site) -> str:
    return f"http://127.0.0.1:{site.server_port}/secret-check"


def test_the_address_is_fetched(site: Site) -> None:
    beat(Heartbeat(address(site)))

    assert site.fetched == 1


@pytest.mark.parametrize(
    ("who", "pair"), [("ann:pass", b"ann:pass"), ("ann", b"ann:"), ("a%40b:p%3Aq%C3%A9@x", "a@b:p:qé@x".encode())]
)
def test_a_name_and_a_password_in_the_address_are_shown_to_the_site(site: Site, who: str, pair: bytes) -> None:
    heartbeat = Heartbeat(address(site).replace("//", f"//{who}@"))
    beat(heartbeat)

    assert heartbeat.trouble is None
    assert site.asked_by == f"Basic {b64encode(pair).decode()}"


def test_a_failure_is_told_when_it_begins_and_when_it_ends(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    heartbeat = Heartbeat(address(site))
    for status in (200, 500, 500, 404, 200, 200):
        site.status = status
        beat(heartbeat)

    assert [record.message for record in caplog.records] == ["heartbeat failed", "heartbeat works again"]
    assert vars(caplog.records[0])["reason"] == "HTTPError 500"
    assert "secret-check" not in caplog.text


class Door:
    """Answers each connection with the next of these, whatever is asked; the last one over and over."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}/secret-check?a=b"
        self.asked: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self.asked.append(connection.recv(65536).partition(b"\r\n")[0])
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                connection.sendall(answer.replace(b"HERE", self.address.encode()))
                if answer.endswith(ENDLESS):
                    while True:
                        connection.sendall(bytes(65536))

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


ENDLESS = b"\r\n\r\nand so on"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@pytest.fixture
def doors() -> Iterator[Callable[..., Door]]:
    opened: list[Door] = []

    def open_door(*answers: bytes) -> Door:
        opened.append(Door(*answers))
        return opened[-1]

    yield open_door
    for door in opened:
        door.close()


TAKEN = {
    "no body": [b"HTTP/1.1 204 No Content\r\n\r\n"],
    "a body without end": [b"HTTP/1.1 200 OK" + ENDLESS],
    "a body that breaks off": [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nabc"],
    "a broken chunk": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n"],
    "interim answers": [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK],
    "the same address with a slash": [b"HTTP/1.1 301 X\r\nLocation: /secret-check/?a=b\r\n\r\n", OK],
    "the same address, endlessly redirected": [b"HTTP/1.1 308 X\r\nLocation: HERE" + ENDLESS, OK],
}
REFUSED = {
    "another protocol": ([b"SSH-2.0-OpenSSH_9.6p1 Debian\r\nProtocol mismatch.\r\n"], "BadStatusLine"),
    "nothing": ([b""], "RemoteDisconnected"),
    "HTTP/2": ([b"\x00\x00\x12\x04\x00\x00\x00\x00\x00"], "BadStatusLine"),
    "an endless line": ([b"HTTP/1.1 200 " + bytes(100_000)], "LineTooLong"),
    "endless headers": ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500], "HTTPException"),
    "interim answers without end": ([b"HTTP/1.1 103 X\r\n\r\n" * 100], "BadStatusLine"),
    "a page to log in": (
        [b"HTTP/1.1 302 X\r\nLocation: /login?next=secret-check\r\n\r\n"],
        "redirected elsewhere, 302",
    ),
    "a captive portal": ([b"HTTP/1.1 302 X\r\nLocation: http://portal.invalid/\r\n\r\n"], "redirected elsewhere, 302"),
    "no place to go to": ([b"HTTP/1.1 302 X\r\n\r\n"], "redirected elsewhere, 302"),
    "no address": ([b"HTTP/1.1 302 X\r\nLocation: http://[/\r\n\r\n"], "redirected elsewhere, 302"),
    "a file": ([b"HTTP/1.1 302 X\r\nLocation: file:///secret-check?a=b\r\n\r\n"], "redirected elsewhere, 302"),
    "circles": ([b"HTTP/1.1 302 X\r\nLocation: HERE\r\n\r\n"], "redirected in circles"),
    "no such check": ([b"HTTP/1.1 404 X" + ENDLESS], "HTTPError 404"),
    "out of order": ([b"HTTP/1.1 503 X\r\nRetry-After: 9\r\n\r\n<html>"], "HTTPError 503"),
    "a password wanted": ([b"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic\r\n\r\n"], "HTTPError 401"),
}


@pytest.mark.parametrize("answers", TAKEN.values(), ids=TAKEN.keys())
def test_the_head_of_an_answer_is_enough(doors: Callable[..., Door], answers: list[bytes]) -> None:
    heartbeat = Heartbeat(doors(*answers).address)
    beat(heartbeat)

    assert heartbeat.trouble is None


@pytest.mark.parametrize(("answers", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_whatever_else_answers_is_a_failure_told_once(
    doors: Callable[..., Door], caplog: pytest.LogCaptureFixture, answers: list[bytes], reason: str
) -> None:
    heartbeat = Heartbeat(doors(*answers).address)
    beat(heartbeat)
    beat(heartbeat)

    assert heartbeat.trouble == reason
    assert [(record.message, vars(record)["reason"]) for record in caplog.records] == [("heartbeat failed", reason)]
    assert "secret-check" not in caplog.text


def test_who_does_not_answer_is_a_failure_and_the_next_minute_is_another_chance(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=20) as silent:
        heartbeat = Heartbeat(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        heartbeat.beat()
        first, _ = silent.accept()
        heartbeat.beat()
        second, _ = silent.accept()
        told = heartbeat.trouble
        with second:
            second.sendall(OK)
        for thread in beats()[1:]:
            thread.join()
        taken = heartbeat.trouble
        first.close()
        for thread in beats():
            thread.join()

    assert (told, taken) == ("no answer within a minute", None)
    assert heartbeat.trouble is None  # The first one's end says nothing about now.


def test_few_requests_are_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=20) as silent:
        heartbeat = Heartbeat(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        for _ in range(20):
            heartbeat.beat()
        waiting = len(beats())
        for _ in range(waiting):
            silent.accept()[0].close()
    for thread in beats():
        thread.join()

    assert waiting == 5
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["heartbeat failed"]


def test_where_no_thread_can_be_started_the_heartbeat_alone_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    heartbeat = Heartbeat("http://127.0.0.1:9/")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    heartbeat.beat()

    assert heartbeat.trouble == "no thread to ask from"
