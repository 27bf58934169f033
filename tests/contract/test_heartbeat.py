"""The sign of life for somebody outside: fetched beside everything else, its failures told once."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from slack_alert.engine.heartbeat import Heartbeat


class Site(HTTPServer):
    """Answers with `status`."""

    status = 200
    fetched = 0


class Page(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.fetched += 1
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


def test_a_failure_is_told_when_it_begins_and_when_it_ends(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    heartbeat = Heartbeat(address(site))
    for status in (200, 500, 500, 404, 200, 200):
        site.status = status
        beat(heartbeat)

    assert [record.message for record in caplog.records] == ["heartbeat failed", "heartbeat works again"]
    assert vars(caplog.records[0])["reason"] == "HTTPError 500"
    assert "secret-check" not in caplog.text


def test_nobody_waits_for_an_address_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        heartbeat = Heartbeat(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        heartbeat.beat()
        heartbeat.beat()

        assert len(beats()) == 1
        connection, _ = silent.accept()
        connection.close()
    for thread in beats():
        thread.join()
