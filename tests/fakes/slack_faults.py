"""Faults that the fake Slack commits on request: by method and channel, for a number of calls or a time."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypedDict

Kind = Literal[
    "error",  # 200 with ok=false and `code`
    "rate_limited",  # 429 with Retry-After
    "status",  # `status` with `body`
    "json",  # `status` with `body` as JSON
    "html",  # 503 with a page, as the edge in front of Slack answers
    "truncated",  # the call is accepted, half of the answer's JSON comes
    "empty",  # the call is accepted, the answer has no body
    "cut",  # the call is accepted, the connection breaks amid the answer
    "reset_before",  # the connection breaks, nothing was accepted
    "reset_after",  # the call is accepted, then the connection breaks
    "slow",  # the call is accepted, the answer comes `delay` seconds later
]
_AFTER_ACCEPTANCE = {"truncated", "empty", "cut", "reset_after", "slow"}
_PAGE = "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head><body>Slack is down.</body></html>"


class FaultOptions(TypedDict, total=False):
    times: int | None
    seconds: float | None
    method: str | None
    channel: str | None
    skip: int
    code: str
    status: int
    body: str
    retry_after: int
    delay: float
    accepted: bool | None
    probability: float
    seed: int


@dataclass(slots=True)
class Fault:
    """One fault: without `times` and `seconds` it stays until cleared; `skip` lets the first calls pass."""

    kind: Kind
    times: int | None = None
    seconds: float | None = None
    method: str | None = None
    channel: str | None = None
    skip: int = 0
    code: str = "internal_error"
    status: int = 500
    body: str = ""
    retry_after: int = 1
    delay: float = 1.0
    accepted: bool | None = None  # None: as is usual for the kind
    probability: float = 1.0
    seed: int = 0
    since: float = 0.0
    hits: int = 0
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    @property
    def accepts(self) -> bool:
        """Return whether the call takes effect although its answer suffers."""
        return self.kind in _AFTER_ACCEPTANCE if self.accepted is None else self.accepted

    def strikes(self, method: str, channel: str | None, now: float) -> bool:
        """Decide, and count, whether this call is hit."""
        if self.method not in (None, method) or self.channel not in (None, channel) or self.is_over(now):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.probability < 1.0 and self._chance.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def is_over(self, now: float) -> bool:
        spent = self.times is not None and self.hits >= self.times
        return spent or (self.seconds is not None and now >= self.since + self.seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes onto the wire; a broken one ends in a reset, after half of the body where `cut`."""

    status: int
    body: bytes
    headers: dict[str, str]
    broken: bool = False
    cut: bool = False
    delay: float = 0.0


class Faults:
    """The faults in force, in the order in which they were asked for. Any thread may add to them."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> Fault:
        fault.since = self._now()
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def struck(self, method: str, channel: str | None) -> tuple[Fault | None, float]:
        """Return the fault that hits this call, and how long its answer is kept back: slowness adds to other faults."""
        delay = 0.0
        with self._lock:
            for fault in self._faults:
                if fault.strikes(method, channel, self._now()):
                    if fault.kind != "slow":
                        return fault, delay
                    delay += fault.delay
        return None, delay


def spoil(fault: Fault, answer: Answer) -> Answer:
    """Return what goes onto the wire in place of the proper answer."""
    if fault.kind in ("reset_before", "reset_after", "cut"):
        return Answer(answer.status, answer.body, answer.headers, broken=True, cut=fault.kind == "cut")
    if fault.kind == "truncated":
        return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
    if fault.kind == "empty":
        return Answer(answer.status, b"", answer.headers)
    return _refusal(fault, answer.headers)


def _refusal(fault: Fault, headers: dict[str, str]) -> Answer:
    if fault.kind == "rate_limited":
        return rate_limited(fault.retry_after, headers)
    if fault.kind == "error":
        return Answer(200, json.dumps({"ok": False, "error": fault.code}).encode(), headers)
    if fault.kind == "json":
        return Answer(fault.status, fault.body.encode(), headers)
    html = {**headers, "Content-Type": "text/html; charset=utf-8"}
    if fault.kind == "html":
        return Answer(503, _PAGE.encode(), html)
    return Answer(fault.status, fault.body.encode(), html)


def rate_limited(seconds: int, headers: dict[str, str]) -> Answer:
    body = json.dumps({"ok": False, "error": "ratelimited"}).encode()
    return Answer(429, body, {**headers, "Retry-After": str(seconds)})
