"""The fake Slack's faults do what they say: what was accepted is in the channel, what the caller saw is the fault."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import aiohttp
import pytest

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_faults import Kind

JSON = {"Authorization": "Bearer xoxb-test", "Content-Type": "application/json; charset=utf-8"}


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as fake:
        yield fake


def post(slack: FakeSlack, text: str = "x", *, channel: str = "C0OPS") -> tuple[int, str, bytes]:
    """Post once on a connection of its own and give status, Retry-After and body."""
    connection = http.client.HTTPConnection("127.0.0.1", slack.port, timeout=5)
    try:
        body = json.dumps({"channel": channel, "text": text})
        connection.request("POST", "/api/chat.postMessage", body=body, headers=JSON)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After") or "", answer.read()
    finally:
        connection.close()


def outcome(slack: FakeSlack, text: str = "x", *, channel: str = "C0OPS") -> str:
    """Say in a word how a post ended."""
    try:
        status, _, body = post(slack, text, channel=channel)
    except http.client.IncompleteRead:
        return "cut"
    except ConnectionResetError:
        return "reset"
    try:
        return str(json.loads(body).get("error", "ok")) if status == 200 else str(status)
    except ValueError:
        return "not json" if body else "empty"


@pytest.mark.parametrize(
    ("kind", "seen", "accepted"),
    [
        ("error", "internal_error", []),
        ("rate_limited", "429", []),
        ("status", "500", []),
        ("html", "503", []),
        ("truncated", "not json", ["x"]),
        ("empty", "empty", ["x"]),
        ("cut", "cut", ["x"]),
        ("reset_before", "reset", []),
        ("reset_after", "reset", ["x"]),
    ],
)
def test_fault_is_seen_by_the_caller_and_by_the_channel(
    slack: FakeSlack, kind: Kind, seen: str, accepted: list[str]
) -> None:
    fault = slack.fault(kind, times=1)

    assert outcome(slack) == seen
    assert [message.text for message in slack.messages] == accepted
    assert fault.hits == 1
    assert outcome(slack, "next") == "ok"
    assert slack.messages[-1].text == "next"
    assert [request.fault for request in slack.requests] == [kind, None]


def test_a_broken_connection_has_no_answer_on_record(slack: FakeSlack) -> None:
    slack.fault("reset_after")
    outcome(slack)

    [request] = slack.requests
    assert (request.status, request.answer) == (None, None)


def test_throttling_says_how_long(slack: FakeSlack) -> None:
    slack.fault("rate_limited", times=2, retry_after=7)

    assert [post(slack)[:2] for _ in range(3)] == [(429, "7"), (429, "7"), (200, "")]


def test_an_error_may_come_after_acceptance(slack: FakeSlack) -> None:
    slack.fault("error", code="fatal_error", accepted=True)

    assert outcome(slack) == "fatal_error"
    assert len(slack.messages) == 1


@pytest.mark.parametrize("written", ["C0TEST", "#test", "test"])
def test_fault_is_bound_to_a_channel(slack: FakeSlack, written: str) -> None:
    slack.fault("error", code="channel_not_found", channel=written)

    assert [outcome(slack, channel=channel) for channel in ("C0OPS", "test", "C0TEST")] == [
        "ok",
        "channel_not_found",
        "channel_not_found",
    ]


def test_fault_is_bound_to_a_method(slack: FakeSlack) -> None:
    slack.fault("html", method="chat.update")

    assert outcome(slack) == "ok"


def test_faults_follow_each_other_in_the_order_asked_for(slack: FakeSlack) -> None:
    slack.fault("reset_before", times=2, skip=1)
    slack.fault("error", times=1, code="fatal_error")

    assert [outcome(slack) for _ in range(5)] == ["fatal_error", "reset", "reset", "ok", "ok"]


def test_fault_ends_with_its_time() -> None:
    now = [1_700_000_000.0]
    with FakeSlack(now=lambda: now[0]) as slack:
        slack.fault("html", seconds=60)
        seen = [outcome(slack)]
        now[0] += 60
        seen.append(outcome(slack))

    assert seen == ["503", "ok"]


def test_cleared_faults_strike_no_more(slack: FakeSlack) -> None:
    slack.fault("html")
    slack.clear_faults()

    assert outcome(slack) == "ok"


def test_chance_is_the_same_for_the_same_seed() -> None:
    rows = []
    for _ in range(2):
        with FakeSlack() as slack:
            slack.fault("html", probability=0.5, seed=7)
            rows.append([outcome(slack) for _ in range(12)])

    assert rows[0] == rows[1]
    assert set(rows[0]) == {"503", "ok"}


def test_slow_answer_was_accepted_before_the_delay(slack: FakeSlack) -> None:
    slack.fault("slow", delay=5.0)

    async def give_up_early() -> None:
        async with aiohttp.ClientSession() as session:
            body = {"channel": "ops", "text": "x"}
            posting = asyncio.create_task(session.post(f"{slack.url}chat.postMessage", json=body, headers=JSON))
            while not slack.messages:
                assert not posting.done()
                await asyncio.sleep(0.01)
            posting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await posting

    asyncio.run(give_up_early())
    assert [message.text for message in slack.messages] == ["x"]


@pytest.mark.slow
def test_slowness_adds_to_other_faults(slack: FakeSlack) -> None:
    slack.fault("slow", delay=0.1)
    slack.fault("html")
    began = time.monotonic()

    assert outcome(slack) == "503"
    assert time.monotonic() - began >= 0.1


def test_upload_of_bytes_may_fail(slack: FakeSlack) -> None:
    slack.fault("html", method="upload")

    with pytest.raises(OSError, match="503"):
        urlopen(f"{slack.url.removesuffix('api/')}upload/v1/F0", data=b"x").read()


def test_who_is_away_refuses_connections_and_comes_back_on_the_same_port(slack: FakeSlack) -> None:
    port = slack.port
    slack.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        post(slack)

    slack.start_listening()

    assert (outcome(slack), slack.port) == ("ok", port)


def test_going_away_cuts_open_connections(slack: FakeSlack) -> None:
    with socket.create_connection(("127.0.0.1", slack.port), timeout=5) as connection:
        connection.sendall(b"POST /api/chat.postMessage HTTP/1.1\r\n")
        while slack.connections == 0:
            time.sleep(0.001)

        slack.stop_listening()

        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.slow
def test_refusal_ends_by_itself(slack: FakeSlack) -> None:
    slack.refuse(0.1)
    with pytest.raises(ConnectionRefusedError):
        post(slack)
    deadline = time.monotonic() + 5

    while not _is_reachable(slack):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert outcome(slack) == "ok"


def _is_reachable(slack: FakeSlack) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", slack.port)) == 0


def test_waiting_for_messages_fails_with_what_came(slack: FakeSlack) -> None:
    outcome(slack, "one")

    assert [message.text for message in slack.wait_for_messages(1)] == ["one"]
    with pytest.raises(AssertionError, match=r"2 messages expected .* got \['one'\]"):
        slack.wait_for_messages(2, seconds=0.01)


@pytest.mark.slow
def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "fakes" / "slack.py"
    process = subprocess.Popen([sys.executable, script, "--port", "0"], stdout=subprocess.PIPE, cwd=tmp_path)
    try:
        assert process.stdout is not None
        root = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
        order = {"do": "fault", "kind": "error", "code": "is_archived", "times": 1}
        asked = [_ask(f"{root}/_ctl", order)]
        asked += [_ask(f"{root}/api/chat.postMessage", {"channel": "ops", "text": "x"}) for _ in range(2)]
        messages, stats = _ask(f"{root}/_messages"), _ask(f"{root}/_stats")
    finally:
        process.kill()
        process.communicate()

    assert [answer.get("error", "ok") for answer in asked] == ["ok", "is_archived", "ok"]
    assert [message["text"] for message in messages["messages"]] == ["x"]
    assert (stats["requests"], stats["messages"], stats["statuses"]) == (2, 1, {"200": 2})


def _ask(url: str, body: object = None) -> dict[str, Any]:  # Any: JSON
    payload = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=payload, headers=JSON), timeout=5) as answer:
        read: dict[str, Any] = json.load(answer)
        return read
