"""apprise as a channel, with a real service of it: JSON that is posted to a server on loopback."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from slack_alert.channels.apprise import AppriseChannel
from slack_alert.core.content.pieces import Text
from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Delivery, Message, MessageSeverity, Notice
from slack_alert.core.retry import SendResult, SendStatus
from tests.fakes.engine_rig import at

# Its import warns of a module that Python 3.13 does not have.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


class Service:
    """What is posted, and the status that is answered."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[dict[str, object]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(service.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def send(url: str, text: str = "late", severity: MessageSeverity = MessageSeverity.INFO) -> SendResult:
    channel = AppriseChannel("pager", url)
    message = Message("k", Address("pager", ""), Text(text), Notice("a", "b"), severity=severity)

    async def act() -> SendResult:
        await channel.open()
        return await channel.send(Delivery(1, message, at("16 09:00")), None)

    return asyncio.run(act())


def test_a_message_arrives_as_people_read_it(service: Service) -> None:
    pytest.importorskip("apprise")
    url = f"json://127.0.0.1:{service.server.server_port}"

    assert send(url, "a &lt; b\nsee <https://x.example|it>").status is SendStatus.SENT
    assert send(url, severity=MessageSeverity.ERROR).status is SendStatus.SENT
    assert [(each["title"], each["message"], each["type"]) for each in service.posted] == [
        ("a < b", "a < b\nsee it (https://x.example)", "info"),
        ("late", "late", "failure"),
    ]


def test_what_is_not_accepted_is_tried_again(service: Service) -> None:
    pytest.importorskip("apprise")
    service.status = 500
    outcome = send(f"json://user:hunter2@127.0.0.1:{service.server.server_port}")

    assert (outcome.status, "hunter2" in f"{outcome}") == (SendStatus.RETRY, False)


def test_an_address_of_no_service_is_told_and_messages_wait(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("apprise")
    outcome = send("nosuch://hunter2")

    assert (outcome.status, outcome.reason) == (SendStatus.CREDENTIALS, "not an address of apprise")
    assert "hunter2" not in "".join(each.getMessage() for each in caplog.records if each.name.startswith("slack_alert"))


def test_without_apprise_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    outcome = send("json://127.0.0.1")

    assert (outcome.status, outcome.hint) == (
        SendStatus.CREDENTIALS,
        "pip install 'slack-alert[apprise]', and start again",
    )
