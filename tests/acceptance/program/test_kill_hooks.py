"""Many calls of a hook and kill -9 in the middle, in a real program: each that was answered 200 is an event."""

from __future__ import annotations

import http.client
import json
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from tests.fakes.program import Program, running

pytestmark = pytest.mark.slow

PLUGINS = """
    @deco(on="webhook.shop", max_alert=0)
    def order(number):
        with open("orders.txt", "a") as file:
            file.write(f"{number}\\n")
"""
CALLERS = 8


CONF = """
    [web]
    listen = 127.0.0.1:0
    [webhook.shop]
    secret = s3cret-of-the-shop
    signature = header:X-Token
    id = header:X-Delivery
"""


def port(program: Program, lives: int = 1) -> int:
    """Return the port that it listens at in the last of so many lives."""
    ports: list[str] = []

    def is_listening() -> bool:
        ports[:] = re.findall(r"listen=127\.0\.0\.1:(\d+)", program.errors)
        return len(ports) == lives

    program.wait_until(is_listening, "it listens")
    return int(ports[-1])


def calls(at: int, caller: int, taken: list[int], is_over: threading.Event) -> None:
    """Call until the program is gone; note what was taken."""
    number = caller
    try:
        connection = http.client.HTTPConnection("127.0.0.1", at, timeout=10)
        while not is_over.is_set():
            headers = {"X-Token": "s3cret-of-the-shop", "X-Delivery": str(number)}
            connection.request("POST", "/hooks/shop", json.dumps({"number": number}), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                taken.append(number)
            number += CALLERS
    except (OSError, http.client.HTTPException):
        pass


def orders(program: Program) -> list[int]:
    file = program.folder / "orders.txt"
    return [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []


def left(program: Program, taken: list[int]) -> set[int]:
    """Return the calls that no run has seen; the one that a kill has cut off may be interrupted."""
    return set(taken).difference(orders(program))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seconds", [0.3, pytest.param(10.0, marks=pytest.mark.thorough)])
def test_each_call_that_was_answered_is_an_event_after_a_kill(tmp_path: Path, seconds: float) -> None:
    with running(tmp_path, PLUGINS, CONF) as program:
        taken: list[int] = []
        at = port(program)
        is_over = threading.Event()
        callers = [threading.Thread(target=calls, args=(at, one, taken, is_over)) for one in range(CALLERS)]
        for caller in callers:
            caller.start()
        program.wait_until(lambda: len(taken) > CALLERS, "calls are taken")
        time.sleep(seconds)
        program.send(signal.SIGKILL)
        for caller in callers:
            caller.join()
        program.ended()
        program.start()
        program.wait_until(lambda: len(left(program, taken)) <= 1, "all of them are answered", 60.0)
        if left(program, taken):
            assert Verdict.INTERRUPTED in program.verdicts("order")
        # The run that the kill cut off, before it was noted, is made again.
        assert len(orders(program)) - len(set(orders(program))) <= 1


@pytest.mark.timeout(60)
def test_what_comes_again_after_a_restart_is_known(tmp_path: Path) -> None:
    with running(tmp_path, PLUGINS, CONF) as program:
        first = called(port(program), "a", 1)
        program.send(signal.SIGKILL)
        program.ended()
        program.start()
        at = port(program, lives=2)

        assert called(at, "a", 1) == first
        assert called(at, "a", 2) == (409, None)
        program.wait_until(lambda: set(orders(program)) == {1}, "it is answered")


def called(at: int, delivery: str, number: int) -> tuple[int, object]:
    connection = http.client.HTTPConnection("127.0.0.1", at, timeout=10)
    headers = {"X-Token": "s3cret-of-the-shop", "X-Delivery": delivery}
    connection.request("POST", "/hooks/shop", json.dumps({"number": number}), headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body) if answer.status == 200 else None
