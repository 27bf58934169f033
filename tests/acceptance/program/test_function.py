"""Calls of hooks that a function of a platform checks and passes on: under a server of ASGI, and as a handler."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from slack_alert.core.errors import SettingsError
from slack_alert.web import function
from tests.fakes.program import Program, running

pytestmark = pytest.mark.slow

SECRET = "s3cret-of-the-shop"
PLUGINS = """
    @deco(on="github.push", max_alert=0)
    def pushed(ref):
        return f"pushed {ref}"
"""
CONF = f"""
    [web]
    listen = 127.0.0.1:{{port}}
    [git.shop]
    host = github
    hook_secret = {SECRET}
"""
Call = Callable[..., "tuple[int, bytes]"]


def signed(body: bytes, number: int, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "X-Hub-Signature-256": f"sha256={signature}",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(number),
        "Content-Type": "application/json",
    }


def port_of(program: Program) -> int:
    ports: list[str] = []

    def is_listening() -> bool:
        ports[:] = re.findall(r"listen=127\.0\.0\.1:(\d+)", program.errors)
        return bool(ports)

    program.wait_until(is_listening, "it listens")
    return int(ports[-1])


def environment(port: int) -> dict[str, str]:
    return {
        "SLACK_ALERT_WEB_FORWARD": f"http://127.0.0.1:{port}",
        "SLACK_ALERT_GIT_SHOP_HOST": "github",
        "SLACK_ALERT_GIT_SHOP_HOOK_SECRET": SECRET,
    }


@contextmanager
def asgi_server(folder: Path, variables: Mapping[str, str]) -> Iterator[Call]:
    """Serve the function by a server of ASGI; yield what calls it."""
    pytest.importorskip("uvicorn")
    folder.mkdir()
    root = str(Path(__file__).parents[3])
    said = folder / "said.txt"
    command = [sys.executable, "-m", "uvicorn", "slack_alert.web.function:app", "--port", "0", "--lifespan", "on"]
    with said.open("wb") as out:
        server = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out,
            env={"PYTHONPATH": root, "HOME": str(folder), "PATH": os.environ.get("PATH", ""), **variables},
        )  # fmt: skip
    try:
        until = time.monotonic() + 20
        while not (found := re.search(r"running on http://127\.0\.0\.1:(\d+)", said.read_text())):
            assert time.monotonic() < until, said.read_text()
            assert server.poll() is None, said.read_text()
            time.sleep(0.05)
        port = int(found[1])

        def call(
            path: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST"
        ) -> tuple[int, bytes]:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
                connection.request(method, path, body, headers or {})
                with connection.getresponse() as answer:
                    return answer.status, answer.read()

        yield call
    finally:
        server.terminate()
        server.wait(10)


def test_a_good_call_is_passed_on_and_answered_once_the_program_has_it(tmp_path: Path) -> None:
    body = json.dumps({"ref": "main"}).encode()
    with running(tmp_path / "program", PLUGINS, CONF.format(port=0)) as program:
        port = port_of(program)
        with asgi_server(tmp_path / "function", environment(port)) as call:
            status, answer = call("/hooks/github/shop", body, signed(body, 1))
            assert (status, json.loads(answer)) == (200, {"event": 1})
            program.wait_until(lambda: "pushed main" in program.out, "the rule answers")

            assert call("/hooks/github", body, signed(body, 1)) == (200, answer)
            assert call("/hooks/github/shop", body, signed(body, 2, "another"))[0] == 401
            assert call("/hooks/github/shop", body + b" ", signed(body, 1))[0] == 401
            assert call("/hooks/github/other", body, signed(body, 3))[0] == 404
            assert call("/hooks/github/shop", b"", method="GET")[0] == 405
            assert call("/hooks/github/shop", b"{", signed(b"{", 4))[0] == 400
            assert call("/hooks/github/shop", b"x" * (1024 * 1024 + 1))[0] == 413
            assert call("/metrics", b"", method="GET")[0] == 404
            assert SECRET not in (tmp_path / "function" / "said.txt").read_text()

            program.kill()
            body = json.dumps({"ref": "late"}).encode()
            assert call("/hooks/github/shop", body, signed(body, 5))[0] == 503
    assert program.out.count("pushed main") == 1


def test_the_server_does_not_start_without_a_program_to_forward_to(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"\[web\] forward is not set"), asgi_server(tmp_path / "function", {}):
        pass


@pytest.fixture
def handled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """A running program, and the environment of a function that forwards to it."""
    with running(tmp_path / "program", PLUGINS, CONF.format(port=0)) as program:
        for name, value in environment(port_of(program)).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        function._forwarder.cache_clear()
        yield program
    function._forwarder.cache_clear()


def test_events_of_platforms_are_understood(handled: Program) -> None:
    body = json.dumps({"ref": "é"}).encode()
    newer = {
        "rawPath": "/hooks/github/shop",
        "rawQueryString": "",
        "requestContext": {"http": {"method": "POST"}},
        "headers": {name.lower(): value for name, value in signed(body, 1).items()},
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }
    older = {
        "path": "/hooks/github/shop",
        "httpMethod": "POST",
        "headers": signed(other := json.dumps({"ref": "e"}).encode(), 2),
        "body": other.decode(),
        "isBase64Encoded": False,
    }
    answers = [function.handler(event) for event in (newer, older, json.dumps(older).encode())]

    assert [(each["statusCode"], json.loads(str(each["body"]))["event"]) for each in answers] == [
        (200, 1),
        (200, 2),
        (200, 2),
    ]
    handled.wait_until(lambda: "pushed é" in handled.out and "pushed e" in handled.out, "both are answered")


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({}, 404),
        ({"rawPath": "/hooks/github/shop", "requestContext": {"http": {"method": "POST"}}}, 401),
        ({"path": "/hooks/github/shop", "httpMethod": "POST", "headers": None, "body": None}, 401),
        ({"path": "/hooks/github/shop", "httpMethod": "POST", "body": "!", "isBase64Encoded": True}, 401),
        ({"path": "/hooks/github/shop", "httpMethod": "GET"}, 405),
    ],
)
def test_an_event_with_parts_missing_is_refused(handled: Program, event: Mapping[str, object], status: int) -> None:
    assert function.handler(event)["statusCode"] == status


def test_a_function_without_hooks_says_what_is_missing(handled: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "HOOK_SECRET"):
        monkeypatch.delenv(f"SLACK_ALERT_GIT_SHOP_{name}")

    with pytest.raises(SettingsError, match="There is no hook to forward"):
        function.handler({})
