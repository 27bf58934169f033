from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from tornado.http1connection import HTTP1ConnectionParameters

from slack_alert.core.errors import SettingsError
from slack_alert.engine.ports import WebRequest, WebResponse
from slack_alert.settings import ListenAddress, load_settings
from slack_alert.web import exchange, server
from slack_alert.web.exchange import LARGEST_BODY
from slack_alert.web.hosts import AllowedHosts
from slack_alert.web.server import WebServer, web_server
from tests.fakes.raw_http import Heard, call, parse, read_answer, request, serving, until


async def echo(asked: WebRequest) -> WebResponse:
    return WebResponse(body=f"{asked.method} {asked.path} {asked.query} {len(asked.body)} {asked.peer}".encode())


async def fail(asked: WebRequest) -> WebResponse:
    raise ValueError(asked.body.decode())


ROUTES = {("POST", "/echo"): echo, ("GET", "/page"): echo, ("POST", "/fail"): fail}


def calling(*parts: bytes, pause: float = 0.0, hosts: tuple[str, ...] = ()) -> Heard:
    async def whole() -> Heard:
        async with serving(ROUTES, *hosts) as web:
            return await call(web, *parts, pause=pause)

    return asyncio.run(whole())


def test_a_route_gets_the_request_and_its_answer_is_sent() -> None:
    heard = calling(request("/echo?a=b", b"12345"))

    assert (heard.status, heard.body) == (200, b"POST /echo a=b 5 127.0.0.1")
    assert heard.headers["x-content-type-options"] == "nosniff"


LARGE = b"x" * (2 * LARGEST_BODY)
CHUNKED = {"Content-Length": "", "Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ((request("/echo", b"x" * LARGEST_BODY),), 200),
        ((request("/echo", b"x" * (LARGEST_BODY + 1)),), 413),
        ((request("/echo", LARGE),), 413),
        ((request("/echo", b"", {"Content-Length": "1000000000000"}),), 413),
        ((request("/echo", b"", {"Content-Length": "9" * 30}),), 400),
        ((request("/echo", b"", {"Content-Length": "9" * 5000}),), 400),
        ((request("/echo", b"", {"Content-Length": "-1"}),), 400),
        ((request("/echo", b"", {"Content-Length": "abc"}),), 400),
        ((request("/echo", b"12345", {"Content-Length": "5\r\nContent-Length: 6"}),), 400),
        ((request("/echo", b"12345", {"Content-Length": "5\r\nContent-Length: 5"}),), 200),
        ((request("/echo", b"12345", {"Transfer-Encoding": "chunked"}),), 400),
        ((request("/echo", b"5\r\n12345\r\n0\r\n\r\n", CHUNKED),), 200),
        ((request("/echo", b"200000\r\n" + LARGE + b"\r\n0\r\n\r\n", CHUNKED),), 413),
        ((request("/echo", b"zz\r\n", CHUNKED),), 400),
        ((request("/echo", b"x", {"Content-Length": "", "Transfer-Encoding": "gzip, chunked"}),), 400),
        ((request("/echo", b"12345", {"Content-Encoding": "gzip"}),), 200),
        ((request("/echo", b"12345", {"Expect": "100-continue", "Content-Length": str(len(LARGE))}),), 413),
        ((request("/echo", b"12345", {"Host": ""}, version="1.0"),), 200),
        ((request("/echo", b"12345", {"Host": ""}),), 400),
        ((request("/echo", b"", method="GET"),), 405),
        ((request("/echo", b"", method="HEAD"),), 405),
        ((request("/echo", b"12345", method="PUT"),), 405),
        ((request("/echo", b"12345", method="BREW"),), 405),
        ((request("/page", b"", method="HEAD"),), 200),
        ((request("/nothing", b"12345"),), 404),
        ((request("/echo/", b"12345"),), 404),
        ((request("//echo", b"12345"),), 404),
        ((request("/ech%6f", b"12345"),), 404),
        ((request("/../echo", b"12345"),), 404),
        ((request("http://127.0.0.1/echo", b"12345"),), 404),
        ((request("*", b"", method="OPTIONS"),), 404),
        ((request("/nothing", LARGE),), 404),
        ((request("/fail", b"12345"),), 503),
        ((b"nonsense\r\n\r\n",), 400),
        ((b"POST /echo HTTP/1.1\r\nno colon\r\n\r\n",), 400),
        ((b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",), 400),
        ((b"POST /echo HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n",), 400),
        ((b"POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nX-\xff: \xff\r\nContent-Length: 0\r\n\r\n",), 400),
        ((request("/echo", b"", {"X-Large": "x" * 100_000}),), 0),
    ],
    ids=range(39),
)  # fmt: skip
def test_bad_input_is_refused_and_never_an_error_of_the_server(parts: tuple[bytes, ...], status: int) -> None:
    assert calling(*parts).status == status


def test_a_method_that_is_not_allowed_says_which_is() -> None:
    assert calling(request("/echo", method="GET")).headers["allow"] == "POST"


def test_the_head_of_a_page_has_its_length_and_no_body() -> None:
    heard = calling(request("/page", method="HEAD"))

    assert (heard.headers["content-length"], heard.body) == ("23", b"")


def test_what_is_too_large_is_refused_before_it_has_come() -> None:
    """The length alone suffices, and what has no length is counted."""
    announced = calling(request("/echo", b"x", {"Content-Length": "2000000"}))
    counted = calling(request("/echo", b"1e8480\r\n" + b"x" * 1_100_000, CHUNKED))

    assert (announced.status, counted.status) == (413, 413)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8080", 200),
        ("LOCALHOST:1", 200),
        ("localhost.", 200),
        ("[::1]:8080", 200),
        ("alerts.example.com", 200),
        ("Alerts.Example.com:443", 200),
        ("a.b.internal", 200),
        ("internal", 400),
        ("evil.com", 400),
        ("127.evil.com", 400),
        ("127.0.0.1.evil.com", 400),
        ("localhost.evil.com", 400),
        ("evil.com, 127.0.0.1", 400),
        ("127.0.0.1\r\nHost: evil.com", 400),
        ("[::1", 400),
        ("a@127.0.0.1", 400),
        ("127.0.0.1/x", 400),
        ("127.0.0.1:x", 400),
        ("ｌocalhost".encode().decode("latin1"), 400),
    ],
)  # fmt: skip
def test_only_the_names_that_are_allowed_are_served(host: str, status: int) -> None:
    heard = calling(request("/echo", b"", {"Host": host}), hosts=("alerts.example.com", "*.internal"))

    assert heard.status == status


def test_any_name_is_served_where_that_is_allowed() -> None:
    assert calling(request("/echo", b"", {"Host": "whatever.example"}), hosts=("*",)).status == 200


def test_the_host_of_the_public_address_is_served(tmp_path: Path) -> None:
    variables = {
        "SLACK_ALERT_WEB_LISTEN": "127.0.0.1:0",
        "SLACK_ALERT_WEB_PUBLIC_URL": "https://Alerts.example.com:8443/x",
    }
    settings = load_settings({}, variables, cwd=tmp_path, home=tmp_path).settings

    async def whole() -> tuple[int, int]:
        web = web_server(settings, ROUTES)
        await web.start()
        try:
            named = await call(web, request("/echo", b"", {"Host": "alerts.example.com"}))
            other = await call(web, request("/echo", b"", {"Host": "example.com"}))
            return named.status, other.status
        finally:
            await web.stop()

    assert asyncio.run(whole()) == (200, 400)


@pytest.mark.parametrize(
    "parts",
    [
        (b"POST /echo HTT",),
        (b"",),
        (request("/echo", b"12345", {"Content-Length": "10"}),),
        (request("/echo", b"5\r\n12", CHUNKED),),
        (request("/nothing", b"12345", {"Content-Length": "10", "Connection": ""}),),
    ],
    ids=["headers", "silence", "body", "chunk", "refused"],
)
def test_a_slow_caller_is_left_after_a_while(parts: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    limits = HTTP1ConnectionParameters(header_timeout=0.02, body_timeout=0.02, max_body_size=1 << 62)
    monkeypatch.setattr(server, "_LIMITS", limits)
    monkeypatch.setattr(exchange, "LINGER", 0.01)

    async def whole() -> bytes:
        async with serving(ROUTES) as web:
            reader, writer = await asyncio.open_connection("127.0.0.1", web.ports[0])
            for part in parts:
                writer.write(part)
            said = await reader.read()
            writer.close()
            return said

    assert asyncio.run(whole())[:12] in (b"", b"HTTP/1.1 404")


def test_a_caller_that_does_not_take_its_answer_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "WRITE_LIMIT", 0.02)

    async def flood(_: WebRequest) -> WebResponse:
        return WebResponse(body=b"x" * 50_000_000)

    async def whole() -> None:
        async with serving({("GET", "/"): flood}) as web:
            _, writer = await asyncio.open_connection("127.0.0.1", web.ports[0], limit=1024)
            writer.write(request("/", method="GET"))
            await until(lambda: bool(web._open))
            await until(lambda: not web._open)  # it closes the connection by itself
            writer.transport.abort()

    asyncio.run(whole())


def test_requests_of_one_connection_are_answered_in_order() -> None:
    async def whole() -> list[bytes]:
        async with serving(ROUTES) as web:
            reader, writer = await asyncio.open_connection("127.0.0.1", web.ports[0])
            writer.write(b"".join(request("/echo", b"x" * count, {"Connection": ""}) for count in (1, 2, 3)))
            found = [await _one(reader) for _ in range(3)]
            writer.close()
            return found

    assert [body.split()[-2] for body in asyncio.run(whole())] == [b"1", b"2", b"3"]


async def _one(reader: asyncio.StreamReader) -> bytes:
    head = parse(await reader.readuntil(b"\r\n\r\n"))
    return await reader.readexactly(int(head.headers["content-length"]))


def test_further_connections_are_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)

    async def whole() -> list[int]:
        async with serving(ROUTES) as web:
            idle = [await asyncio.open_connection("127.0.0.1", web.ports[0]) for _ in range(2)]
            refused = await call(web, request("/echo"))
            idle[0][1].close()
            await until(lambda: len(web._open) < 2)
            served = await call(web, request("/echo"))
            idle[1][1].close()
            return [refused.status, served.status]

    assert asyncio.run(whole()) == [0, 200]


def test_all_connections_together_hold_no_more_than_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_BUFFERED", 1000)

    async def whole() -> list[int]:
        async with serving(ROUTES) as web:
            holding = await asyncio.open_connection("127.0.0.1", web.ports[0])
            holding[1].write(request("/echo", b"x" * 800, {"Content-Length": "900"}))
            await until(lambda: web._budget._held == 800)
            large = await call(web, request("/echo", b"x" * 300))
            small = await call(web, request("/echo", b"x" * 100))
            holding[1].transport.abort()
            await until(lambda: web._budget._held == 0)
            later = await call(web, request("/echo", b"x" * 300))
            broken = await call(web, request("/fail", b"x" * 300), request("/echo", b"x" * 2000))
            return [large.status, small.status, later.status, broken.status, web._budget._held]

    assert asyncio.run(whole()) == [503, 200, 200, 503, 0]


def test_a_system_without_descriptors_makes_callers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop does not turn for what it cannot accept, and later it is accepted."""
    monkeypatch.setattr(server, "_EXHAUSTED_PAUSE", 0.0)
    monkeypatch.setattr(server, "_accept_from_reserve", lambda _: None)
    refusals = [
        OSError(errno.EMFILE, "too many"),
        OSError(errno.ECONNABORTED, "gone"),
        OSError(errno.EMFILE, "too many"),
    ]

    async def whole() -> Heard:
        loop = asyncio.get_running_loop()
        accept = loop.sock_accept

        async def lacking(listener: socket.socket) -> tuple[socket.socket, object]:
            if refusals:
                raise refusals.pop()
            return await accept(listener)

        with patch.object(loop, "sock_accept", lacking):
            async with serving(ROUTES) as web:
                return await call(web, request("/echo"))

    assert asyncio.run(whole()).status == 200
    assert not refusals


def test_a_fault_is_logged_without_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        heard = calling(request("/fail", b"secret-body"))

    assert (heard.status, heard.headers["content-length"]) == (503, str(len(heard.body)))
    (line,) = [record for record in caplog.records if record.message == "request failed"]
    assert (vars(line)["path"], vars(line)["error"]) == ("/fail", "ValueError")
    assert "secret-body" not in "".join(f"{vars(record)}" for record in caplog.records)


def test_the_end_waits_for_what_has_come_whole_and_accepts_nothing_more() -> None:
    async def whole() -> tuple[Heard, bool]:
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def slow(_: WebRequest) -> WebResponse:
            begun.set()
            await may_end.wait()
            return WebResponse(body=b"late")

        async with serving({("POST", "/"): slow}) as web:
            asked = asyncio.create_task(call(web, request("/")))
            port = web.ports[0]
            await begun.wait()
            ending = asyncio.create_task(web.stop())
            await until(lambda: not web.ports)
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            may_end.set()
            heard = await asked
            await ending
            return heard, bool(web._open)

    heard, is_open = asyncio.run(whole())
    assert (heard.status, heard.body, is_open) == (200, b"late", False)


def test_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "DRAIN", 0.01)

    async def whole() -> bytes:
        begun = asyncio.Event()

        async def endless(_: WebRequest) -> WebResponse:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError

        async with serving({("POST", "/"): endless}) as web:
            reader, writer = await asyncio.open_connection("127.0.0.1", web.ports[0])
            writer.write(request("/"))
            await begun.wait()
            await web.stop()
            said = await read_answer(reader)
            writer.close()
            return said

    assert asyncio.run(whole()) == b""


def started(address: ListenAddress) -> Awaitable[None]:
    return WebServer((ListenAddress("127.0.0.1", 0), address), exchange.Site({}, AllowedHosts((), None, ()))).start()


def refused(start: Callable[[], Awaitable[None]]) -> str:
    async def whole() -> None:
        await start()

    with pytest.raises(SettingsError) as raised:
        asyncio.run(whole())
    return str(raised.value)


def test_a_port_in_use_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused(lambda: started(ListenAddress("127.0.0.1", port)))

    assert said == (
        f"[web]: listen = 127.0.0.1:{port}: the port is in use by another program. "
        "End that program, or write another port."
    )


def test_an_address_of_another_machine_is_told_in_a_sentence() -> None:
    assert refused(lambda: started(ListenAddress("192.0.2.1", 8080))) == (
        "[web]: listen = 192.0.2.1:8080: this machine has no such address. "
        "Write 127.0.0.1 for this machine only, or 0.0.0.0 for all of its addresses."
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "this user may not listen at this port."),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "(Name or service not known)."),
        (UnicodeError("label too long"), "(UnicodeError)."),
    ],
)
def test_other_refusals_of_the_system_are_told_in_a_sentence(error: Exception, said: str) -> None:
    with patch.object(server, "_listener", side_effect=error):
        assert said in refused(lambda: started(ListenAddress("127.0.0.1", 80)))


def test_a_name_is_served_at_each_of_its_addresses_that_this_machine_has() -> None:
    listener = server._listener

    def lacking(family: int, address: tuple[str | int, ...]) -> socket.socket:
        if family == socket.AF_INET:
            return listener(family, address)
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
    ]

    async def whole() -> Heard:
        async with serving(ROUTES, at=ListenAddress("localhost", 0)) as web:
            return await call(web, request("/echo", headers={"Host": "localhost"}))

    with patch.object(server, "_listener", lacking), patch.object(socket, "getaddrinfo", return_value=found):
        assert asyncio.run(whole()).status == 200


def test_an_address_of_version_6_is_served() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no loopback address of version 6")

    async def whole() -> bytes:
        async with serving(ROUTES, at=ListenAddress("::1", 0)) as web:
            reader, writer = await asyncio.open_connection("::1", web.ports[0])
            writer.write(request("/echo", headers={"Host": f"[::1]:{web.ports[0]}"}))
            said = await read_answer(reader)
            writer.close()
            return said

    assert parse(asyncio.run(whole())).body == b"POST /echo  0 ::1"
