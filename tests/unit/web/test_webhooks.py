"""Hooks over HTTP: what is answered to whom, and that nothing is a fault of the server."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

import pytest

from slack_alert.core.events import HookAnswer, HookCall
from slack_alert.core.webhooks import Hook
from slack_alert.engine.simulation.doubles import VirtualClock
from slack_alert.web import webhooks
from slack_alert.web.exchange import LARGEST_BODY
from slack_alert.web.webhooks import Webhooks
from tests.fakes.engine_rig import at
from tests.fakes.raw_http import Heard, call, request, serving

SECRET = "s3cret"
HOOKS = (
    Hook("/hooks/shop", "webhook", "shop", SECRET, "x-signature", is_signed=True, id_header="x-delivery"),
    Hook("/hooks/ci", "webhook", "ci", SECRET, "x-token"),
    *(Hook(f"/hooks/{host}", host, "main", SECRET) for host in ("github", "gitlab", "gitee", "gitea")),
)


TAKEN = HookAnswer(7)


class Engine:
    """Answers calls as it is told to, and keeps them."""

    def __init__(self, answer: HookAnswer | None = TAKEN) -> None:
        self.answer = answer
        self.calls: list[HookCall] = []
        self.is_behind = False

    def handle(self, event: HookCall, then: Callable[[HookAnswer], object]) -> None:
        self.calls.append(event)
        if self.answer is not None:
            then(self.answer)


def calling(engine: Engine, *parts: bytes) -> Heard:
    async def whole() -> Heard:
        served = Webhooks(HOOKS, engine.handle, VirtualClock(at("16 09:00")), is_behind=lambda: engine.is_behind)
        async with serving(served.routes()) as web:
            return await call(web, *parts)

    return asyncio.run(whole())


def signed(body: bytes, **headers: str) -> bytes:
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return request("/hooks/shop", body, {"X-Signature": f"sha256={signature}", **given})


def test_a_call_is_answered_with_the_id_of_its_event() -> None:
    engine = Engine()
    heard = calling(engine, signed(b'{"id": 5}', X_Delivery="a"))

    assert (heard.status, json.loads(heard.body)) == (200, {"event": 7})
    assert [(each.event.name, each.event.by) for each in engine.calls] == [("webhook.shop", "shop")]


@pytest.mark.parametrize(
    ("answer", "status"),
    [(HookAnswer(7, is_repeated=True), 200), (HookAnswer(7, is_refused=True), 409)],
)
def test_a_repetition_is_answered_like_the_first_call_and_another_body_is_refused(
    answer: HookAnswer, status: int
) -> None:
    assert calling(Engine(answer), signed(b"{}")).status == status


def test_what_is_not_kept_in_time_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "PATIENCE", 0.01)

    assert calling(Engine(None), signed(b"{}")).status == 503


def test_nothing_more_comes_in_while_too_much_waits() -> None:
    engine = Engine()
    engine.is_behind = True

    assert calling(engine, signed(b"{}")).status == 429
    assert engine.calls == []


DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES = {
    "nothing": b"",
    "text": b"hello",
    "binary": bytes(range(256)),
    "deep": DEEP,
    "nested": b'{"a":' * 50_000,
    "nan": b'{"a": NaN}',
    "long number": b"9" * 100_000,
    "surrogate": b'{"a": "\\ud800"}',
    "zero": b'{"a": "\\u0000"}',
    "large": b"x" * (LARGEST_BODY + 1),
}
PROOFS: Mapping[str, Mapping[str, str]] = {
    "none": {},
    "empty": {"X-Signature": "", "X-Token": ""},
    "wrong": dict.fromkeys(
        ("X-Signature", "X-Token", "X-Hub-Signature-256", "X-Gitlab-Token", "X-Gitee-Token", "X-Gitea-Signature"), "x"
    ),
    "right": {"X-Token": SECRET, "X-Gitlab-Token": SECRET, "X-Gitee-Token": SECRET},
    "odd": {"X-Gitee-Token": "\xff\xfe", "X-Gitee-Timestamp": "1e9", "X-Token": "\xe9" * 1000},
}


@pytest.mark.parametrize("path", [hook.path for hook in HOOKS])
@pytest.mark.parametrize("proof", PROOFS)
@pytest.mark.parametrize("body", BODIES)
def test_no_request_is_a_fault_of_the_server(path: str, proof: str, body: str) -> None:
    heard = calling(Engine(), request(path, BODIES[body], PROOFS[proof]))

    assert heard.status in {200, 400, 401, 413}
    assert (heard.status == 200) <= (proof == "right")


def test_no_body_and_no_secret_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    calling(Engine(), request("/hooks/ci", b'{"password": "hunter2"}', {"X-Token": "wr0ng"}))

    assert "call of a hook refused" in caplog.text
    said = "".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert not any(text in said for text in ("hunter2", "wr0ng", SECRET))
