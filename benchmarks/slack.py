"""A fake Slack that is fast enough to be no part of what is measured, with the faults the benchmarks need.

It takes the calls of both programs: JSON and forms. For Slack's rules in full, see tests/fakes/slack.py.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from typing_extensions import Self

CHANNEL = {"id": "C0BENCH", "name": "bench", "is_channel": True, "is_member": True}
BURST = 3
_TAKEN = -1
_PAGE = 200
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_HEAD = "HTTP/1.1 {status} Any\r\nContent-Type: application/json\r\n{more}Content-Length: {length}\r\n\r\n"


class Slack:
    """Serves from a thread of its own while `with` lasts; attributes steer it from any thread."""

    def __init__(self) -> None:
        #: When each message came, and its text.
        self.received: list[tuple[float, str]] = []
        self.connections = 0
        #: Calls of chat.postMessage, whatever the answer was.
        self.posts = 0
        #: The part of posts that are answered with this status instead, or cut off where it is 0: where it is -1, once
        #: they are taken.
        self.fault: tuple[int, float] | None = None
        #: The part of all calls, posts and looks, that fail: a third each by 500, and by a reset before and after it is
        #: done.
        self.flaky = 0.0
        self.delay_seconds = 0.0
        #: Messages accepted a second, short bursts aside, as Slack does it; 0 is all.
        self.limit = 0.0
        #: What a look into the history finds.
        self.messages: deque[dict[str, object]] = deque(maxlen=_PAGE)
        self.port = 0
        self._allowed = float(BURST)
        self._allowed_at = 0.0
        self.chance = random.Random(7)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self.open: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/"

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def __enter__(self) -> Self:
        self._thread.start()
        self.come_back()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def go_away(self) -> None:
        """Refuse connections, and cut those there are."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)

    def may_post(self, now: float) -> bool:
        """Whether the limit allows one more message, which is then counted."""
        self._allowed = min(BURST, self._allowed + (now - self._allowed_at) * self.limit)
        self._allowed_at = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(lambda: _Connection(self), "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for transport in tuple(self.open):
            transport.abort()


class _Connection(asyncio.Protocol):
    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "it is a stream"
        self._transport = transport
        self._slack.connections += 1
        self._slack.open.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if self._transport is not None:
            self._slack.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while b"\r\n\r\n" in self._unread:
            head, _, rest = self._unread.partition(b"\r\n\r\n")
            found = _LENGTH.search(head)
            length = int(found[1]) if found else 0
            if len(rest) < length:
                return
            self._unread = rest[length:]
            self._serve(head, rest[:length])

    def _serve(self, head: bytes, body: bytes) -> None:
        target = head.split(b"\r\n", 1)[0]
        if self._slack.chance.random() < self._slack.flaky:
            self._break(head, body, is_post=b"/chat.postMessage" in target)
        elif b"/chat.postMessage" in target:
            self._post(head, body)
        elif b"/conversations.history" in target:
            self._answer(200, {"ok": True, "messages": list(self._slack.messages)[::-1], "has_more": False})
        elif b"/conversations.list" in target:
            self._answer(200, {"ok": True, "channels": [CHANNEL]})
        else:
            self._answer(200, {"ok": True, "team": "bench", "user": "bench", "user_id": "U0BENCH"})

    def _post(self, head: bytes, body: bytes) -> None:
        slack = self._slack
        slack.posts += 1
        status = slack.fault[0] if slack.fault is not None and slack.chance.random() < slack.fault[1] else 200
        if status not in (200, _TAKEN):
            self._fail(status)
            return
        now = time.time()
        if slack.limit and not slack.may_post(now):
            self._fail(429)
            return
        ts = f"{now:.6f}"
        if status == _TAKEN:
            self._fail(0)
        else:
            self._later(lambda: self._answer(200, {"ok": True, "channel": CHANNEL["id"], "ts": ts}))
        # Read after the answer, so that who waits for it does not wait for this.
        self._receive(head, body, now)

    def _break(self, head: bytes, body: bytes, *, is_post: bool) -> None:
        slack, way = self._slack, self._slack.chance.randrange(3)
        slack.posts += is_post
        if is_post and way == 0:
            self._receive(head, body, time.time())
        self._fail(500 if way == 1 else 0)

    def _receive(self, head: bytes, body: bytes, now: float) -> None:
        arguments = _arguments(head, body)
        self._slack.received.append((now, str(arguments.get("text"))))
        self._slack.messages.append({**arguments, "ts": f"{now:.6f}"})

    def _later(self, answer: Callable[[], None]) -> None:
        if self._slack.delay_seconds:
            self._slack.loop.call_later(self._slack.delay_seconds, answer)
        else:
            answer()

    def _fail(self, status: int) -> None:
        assert self._transport is not None, "something was received"
        if status == 0:
            self._transport.abort()
        else:
            error = "ratelimited" if status == 429 else "internal_error"
            self._answer(status, {"ok": False, "error": error}, "Retry-After: 1\r\n" if status == 429 else "")

    def _answer(self, status: int, content: dict[str, object], more: str = "") -> None:
        body = json.dumps(content).encode()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_HEAD.format(status=status, more=more, length=len(body)).encode() + body)


def _arguments(head: bytes, body: bytes) -> dict[str, object]:
    if b"application/json" in head:
        said: dict[str, object] = json.loads(body)
        return said
    return {name: texts[0] for name, texts in parse_qs(body.decode()).items()}
