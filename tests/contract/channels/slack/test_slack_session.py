"""Posts of JSON: the part of HTTP that is understood, and the reuse of connections."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import ssl
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from slack_alert.channels.slack import SlackChannel
from slack_alert.channels.slack.http import MAX_BODY, HttpResponse, HttpSession, NotConnectedError, parse_response
from slack_alert.core.retry import SendResult, SendStatus
from tests.contract.slack_rig import delivery
from tests.fakes.loopback import CERTIFICATE, unused_address

OK = b'{"ok":true}'
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + OK
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PACKED = gzip.compress(OK, mtime=0)
UNMEASURED = b"HTTP/1.0 502 Bad Gateway\r\n\r\n<html>"

WHOLES: list[tuple[bytes, int, bytes, bool]] = [
    (WHOLE, 200, OK, False),
    (b"HTTP/1.1 204 \r\nContent-Length: 0\r\n\r\n", 204, b"", False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Close\r\n\r\n{}", 200, b"{}", True),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", 200, b"{}", True),
    (CHUNKED + b'5\r\n{"ok"\r\n6;a=b\r\n:true}\r\n0\r\n\r\n', 200, OK, False),
    (CHUNKED + b"B\r\n" + OK + b"\r\n0\r\nChecksum: 1\r\n\r\n", 200, OK, False),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE, 200, OK, False),
    (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 5\r\n\r\n" + WHOLE, 200, OK, False),
    (b"HTTP/1.1 102 \r\n\r\n" * 3 + b"HTTP/1.1 103 X\r\n\r\n" + WHOLE, 200, OK, False),
    (b"HTTP/1.0 199 X\r\nConnection: close\r\n\r\n" + WHOLE, 200, OK, False),
    (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PACKED), PACKED), 200, OK, False),
]


class TestReading:
    @pytest.mark.parametrize(("received", "status", "body", "is_last"), WHOLES)
    def test_whole_answers_are_read(self, received: bytes, status: int, body: bytes, is_last: bool) -> None:
        reading = parse_response(received, is_ended=False)

        assert reading is not None
        assert (reading.status, reading.body, reading.is_last) == (status, body, is_last)

    @pytest.mark.parametrize("received", [each[0] for each in WHOLES])
    def test_any_part_of_an_answer_is_none_yet(self, received: bytes) -> None:
        assert [parse_response(received[:end], is_ended=True) for end in range(len(received))] == [None] * len(received)

    def test_an_answer_without_a_length_ends_with_its_connection(self) -> None:
        assert parse_response(UNMEASURED, is_ended=False) is None
        assert parse_response(UNMEASURED, is_ended=True) == HttpResponse(502, UNMEASURED[:-10], b"<html>", is_last=True)

    def test_headers_are_found_however_they_are_written(self) -> None:
        reading = parse_response(b"HTTP/1.1 429 X\r\nretry-after:  7 \r\ncontent-length: 0\r\n\r\n", is_ended=False)

        assert reading is not None
        assert reading.headers["Retry-After"] == "7"

    @pytest.mark.parametrize(
        "received",
        [
            b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 fine\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            CHUNKED + b"many\r\n",
            CHUNKED + b"-5\r\n\r\n\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
            WHOLE + b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\n" + WHOLE + b"more",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
            b"HTTP/1.1 42 Nothing\r\nContent-Length: 0\r\n\r\n",
        ],
    )
    def test_what_is_no_answer_is_refused(self, received: bytes) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever could not be read
            parse_response(received, is_ended=False)

    @pytest.mark.parametrize(
        "received",
        [
            pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol's greeting"),
            pytest.param(b"\x00\x00\x12\x04\x00\x00", id="HTTP/2"),
            pytest.param(b"\x15\x03\x01\x00\x02", id="TLS"),
            pytest.param(b"<html>", id="a page alone"),
            pytest.param(b"HTTP/2", id="another version"),
            pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n<html>", id="a page after an interim answer"),
            pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000, id="a head without end"),
            pytest.param(b"HTTP/1.1 103 X\r\n\r\n" * 10_000, id="interim answers without end"),
            pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_BODY + 1), id="a body without end"),
            pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1), id="a body announced so"),
            pytest.param(CHUNKED + b"%x\r\n" % (MAX_BODY + 1), id="a chunk announced so"),
        ],
    )
    def test_what_can_become_no_answer_is_not_waited_for(self, received: bytes) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever could not be read
            parse_response(received, is_ended=False)

    def test_what_is_packed_far_beyond_its_size_is_refused(self) -> None:
        bomb = gzip.compress(bytes(MAX_BODY + 1))
        with pytest.raises(ValueError, match="bytes"):
            parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(bomb), bomb), is_ended=False)

    @pytest.mark.parametrize("damage", [PACKED[:-5], PACKED[:12] + b"?" * 20, b"\x1f\x8b"])
    def test_what_cannot_be_unpacked_is_refused(self, damage: bytes) -> None:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever could not be read
            parse_response(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(damage), damage), is_ended=False)


@dataclass
class Site:
    """A server that answers the requests on a connection with the given answers in order, then closes it."""

    answers: list[bytes]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    #: Said on a connection on which nobody asks, after the first answer.
    unasked: bytes = b""
    ended: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError):  # The other side may leave.
            await self._answer(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        self.ended.release()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self.answers:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.requests.append(head + await reader.readexactly(length))
            answer = self.answers.pop(0)
            for byte in (answer[:1], answer[1:], self.unasked):
                writer.write(byte)
                await writer.drain()


def using(site: Site, act: Callable[[HttpSession, str], Awaitable[None]], *, is_secret: bool = False) -> None:
    """Run something with a session and the address of a site."""

    async def whole() -> None:
        theirs, ours = _contexts() if is_secret else (None, None)
        async with await asyncio.start_server(site.serve, "127.0.0.1", 0, ssl=theirs) as server:
            port = server.sockets[0].getsockname()[1]
            session = HttpSession({"Authorization": "Bearer x"}, ours, answer_timeout=0.2, connect_timeout=5)
            try:
                await act(session, f"https://localhost:{port}/api/x" if is_secret else f"http://127.0.0.1:{port}/api/x")
            finally:
                session.close()
                for _ in range(site.connections):
                    await site.ended.acquire()

    asyncio.run(whole())


def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(CERTIFICATE)
    return theirs, ssl.create_default_context(cafile=CERTIFICATE)


async def post(session: HttpSession, url: str) -> object:
    return json.loads((await session.post(url, {"text": "é"})).body)


async def twice(session: HttpSession, url: str) -> None:
    assert await post(session, url) == {"ok": True}
    assert await post(session, url) == {"ok": True}


class TestConnections:
    def test_a_connection_is_used_again(self) -> None:
        site = Site([WHOLE, WHOLE])
        using(site, twice)

        assert site.connections == 1
        assert site.requests[0].startswith(b"POST /api/x HTTP/1.1\r\nAuthorization: Bearer x\r\nHost: 127.0.0.1:")
        assert site.requests[0].endswith('\r\n\r\n{"text":"é"}'.encode())

    @pytest.mark.slow
    def test_a_post_that_is_given_up_leaves_no_socket_open(self) -> None:
        """Given up after any number of rounds of the loop, also in those in which it connects."""

        async def act(session: HttpSession, url: str) -> None:
            for rounds in 10 * list(range(16)):
                posting = asyncio.ensure_future(post(session, url))
                for _ in range(rounds):
                    await asyncio.sleep(0)
                posting.cancel()
                await asyncio.wait([posting])
            await asyncio.sleep(0)
            gc.collect()

        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            using(Site([WHOLE] * 160), act)

        assert [str(one.message) for one in said] == []

    def test_half_a_character_is_spelled_where_utf_8_has_none(self) -> None:
        async def act(session: HttpSession, url: str) -> None:
            assert json.loads((await session.post(url, {"text": "é\ud800"})).body) == {"ok": True}

        site = Site([WHOLE])
        using(site, act)

        assert site.requests[0].endswith(b'{"text": "\\u00e9\\ud800"}')

    def test_tls_is_spoken_and_the_certificate_checked_against_the_name(self) -> None:
        site = Site([WHOLE, WHOLE])
        using(site, twice, is_secret=True)

        assert site.connections == 1

    def test_an_interim_answer_that_comes_alone_is_waited_behind(self) -> None:
        site = Site([b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + WHOLE] * 2)
        using(site, twice)

        assert site.connections == 1

    def test_a_connection_the_other_side_ends_is_not_used_again(self) -> None:
        site = Site([WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), WHOLE])
        using(site, twice)

        assert site.connections == 2

    def test_an_answer_nobody_asked_for_ends_its_connection(self) -> None:
        async def act(session: HttpSession, url: str) -> None:
            for _ in range(4):
                with suppress(ValueError, OSError):
                    assert await post(session, url) == {"ok": True}

        site = Site([WHOLE] * 10, unasked=b"HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n")
        using(site, act)

        assert site.connections > 1

    def test_a_broken_connection_is_told_and_left(self) -> None:
        async def act(session: HttpSession, url: str) -> None:
            with pytest.raises(ConnectionResetError):
                await post(session, url)
            site.answers = [WHOLE]
            assert await post(session, url) == {"ok": True}

        site = Site([WHOLE[:-1]])
        using(site, act)

        assert site.connections == 2

    @pytest.mark.slow
    def test_an_answer_is_not_waited_for_for_ever(self) -> None:
        async def act(session: HttpSession, url: str) -> None:
            with pytest.raises(TimeoutError):
                await post(session, url)
            assert await post(session, url) == {"ok": True}

        site = Site([WHOLE[:-1], WHOLE, WHOLE])
        using(site, act)

        assert site.connections == 2

    def test_who_cannot_connect_has_surely_not_sent(self) -> None:
        async def act(session: HttpSession, _: str) -> None:
            with pytest.raises(NotConnectedError):
                await post(session, unused_address())

        using(Site([]), act)

    def test_a_header_cannot_smuggle_in_another(self) -> None:
        session = HttpSession({"Authorization": "Bearer x\r\nX: y"}, None, answer_timeout=1, connect_timeout=1)

        with pytest.raises(ValueError, match="header"):
            asyncio.run(session.post(unused_address(), {}))


def answered(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def outcome_of(site: Site, *, is_proxy: bool) -> SendResult:
    """Send one message to a site that is Slack, or that stands for it as a proxy."""

    async def whole() -> SendResult:
        async with await asyncio.start_server(site.serve, "127.0.0.1", 0) as server:
            here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            url, proxy = ("http://slack.invalid/api/", here) if is_proxy else (f"{here}/api/", None)
            channel = SlackChannel("xoxb-test", api_url=url, proxy=proxy)
            try:
                return await channel.send(delivery("x"), None)
            finally:
                await channel.close()
                await site.ended.acquire()

    return asyncio.run(whole())


SENT = answered("200 OK", b'{"ok":true,"channel":"C1","ts":"1.2"}')


class TestProxies:
    @pytest.mark.parametrize(
        ("answer", "fate"),
        [
            (answered("200 OK", b'{"ok":true,"channel":"C1","ts":"1.2"}'), SendStatus.SENT),
            (answered("200 OK", b'{"ok":true,"channel":"C1","ts":"1.2","text":"\\ud83d"}'), SendStatus.SENT),
            (answered("200 OK", b'{"ok":true,"channel":"C1","ts":"1.2","load":NaN}'), SendStatus.SENT),
            (answered("200 OK", b'{"ok":false,"error":"channel_not_found"}'), SendStatus.DESTINATION),
            (answered("429 Wait", b'{"ok":false,"error":"ratelimited"}'), SendStatus.WAIT),
            (answered("200 OK", b"<html>"), SendStatus.AMBIGUOUS),
            (answered("200 OK", b"[]"), SendStatus.AMBIGUOUS),
            (answered("502 Away", b"<html>"), SendStatus.AMBIGUOUS),
            (answered("403 Denied", b"<html>"), SendStatus.RETRY),
            (answered("304 Not Modified", b""), SendStatus.AMBIGUOUS),
            (b"HTTP/1.1 103 Early Hints\r\n\r\n" + SENT, SendStatus.SENT),
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + SENT, SendStatus.SENT),
            (answered("200 OK", PACKED).replace(b"Type: ", b"Encoding: gzip\r\nContent-Type: "), SendStatus.SENT),
        ],
    )
    def test_an_answer_means_the_same_with_a_proxy_and_without(self, answer: bytes, fate: SendStatus) -> None:
        outcomes = [outcome_of(Site([answer]), is_proxy=is_proxy) for is_proxy in (True, False)]

        assert [outcome.status for outcome in outcomes] == [fate, fate]
        assert outcomes[0] == outcomes[1]

    def test_a_post_is_handed_to_the_proxy(self) -> None:
        site = Site([answered("200 OK", b'{"ok":true,"channel":"C1","ts":"1.2"}')])

        assert outcome_of(site, is_proxy=True) == SendResult(SendStatus.SENT, "C1/1.2")
        assert site.requests[0].startswith(b"POST http://slack.invalid/api/chat.postMessage HTTP/1.1\r\n")
