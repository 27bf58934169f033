"""Call Slack over kept-alive connections; any answer but ok=true becomes a `RefusedError`."""

from __future__ import annotations

import asyncio
import importlib
import io
import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from slack_alert.channels.slack.errors import RefusedError, SlackResult, classify
from slack_alert.channels.slack.reading import cursor_of, unreadable
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import BadValue
from slack_alert.core.retry import SendResult, SendStatus
from slack_alert.core.structs import PrivateStruct, Struct, Unreadable, field, read_json
from slack_alert.engine.system.descriptors import spare_descriptors
from slack_alert.engine.system.proxies import EnvironmentProxy, environment_proxy

if TYPE_CHECKING:
    import ssl

    from aiohttp import ClientSession, ClientWebSocketResponse
    from slack_sdk.web.async_client import AsyncWebClient

    from slack_alert.channels.slack.http import HttpResponse, HttpSession

log = logging.getLogger(__name__)

#: In bytes: of a refused answer to an interaction, so much is read.
_MOST_SAID = 200
_INVITE_THERE = "invite the app there, so that it can answer: /invite @slack-alert"

API_URL = "https://slack.com/api/"
TIMEOUT = timedelta(seconds=30)
#: In bytes per second: an upload may take so much longer than the timeout.
UPLOAD_BYTES_PER_SECOND = 100_000

# A logger of our own for the vendor: at debug level it logs texts, and a proxy's password with them.
_vendor_log = logging.getLogger(f"{__name__}.sdk")
_vendor_log.setLevel(logging.INFO)


class SlackResponse(Struct, frozen=True):
    """An answer with ok=true."""

    content: Mapping[str, Any]  # Any: JSON of Slack's
    #: Only of a call with a form; those of a post are not needed.
    headers: Mapping[str, str] = field(default_factory=dict)

    def text(self, *path: str) -> str:
        """Return the text at a path of keys; raise `RefusedError` if there is none."""
        found: object = self.content
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, str):
            raise RefusedError(classify(SlackResult(200)))
        return found


class SlackAccess(PrivateStruct, frozen=True):
    """Token, URLs and timeout for calls to Slack."""

    hidden = frozenset({"token", "proxy"})

    token: str
    api_url: str = API_URL
    proxy: str | None = None
    ca_file: Path | None = None
    timeout: timedelta = TIMEOUT


class Client:
    """A session with Slack, opened by the first call; slack_sdk and aiohttp are not imported before."""

    def __init__(self, access: SlackAccess) -> None:
        self._access = access
        self._opening = asyncio.Lock()
        self._transports: _Transports | None = None

    async def open(self) -> None:
        """Import the vendor in a thread and open the session; raise `BadValue` for an unusable `ca_file`."""
        await self._opened()

    async def close(self) -> None:
        transports, self._transports = self._transports, None
        if transports is not None:
            transports.posts.close()
            await transports.session.close()

    async def call(self, method: str, arguments: Mapping[str, object], *, to: str = "") -> SlackResponse:
        """Return the answer of a method that takes JSON; raise `RefusedError`."""
        transports = self._usable(self._transports or await self._opened())
        if transports.web.proxy:
            return await self._call(method, to, json=dict(arguments))
        try:
            reading = await transports.posts.post(transports.web.base_url + method, arguments)
        except OSError as error:
            raise RefusedError(_broken_connection(error, self._access.api_url)) from None
        except ValueError:
            raise RefusedError(classify(SlackResult(200), to=to)) from None
        return _parsed(reading, to)

    async def query(self, method: str, arguments: Mapping[str, str], *, to: str = "") -> SlackResponse:
        """Return the answer of a method that takes a form and posts nothing; raise `RefusedError`, never ambiguous."""
        try:
            return await self._call(method, to, data=dict(arguments))
        except RefusedError as refused:
            raise refused.before_posting() from refused

    async def pages(self, method: str, arguments: Mapping[str, str], *, most: int) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the pages of a listing, at most `most`; raise `RefusedError`."""
        cursor = ""
        for _ in range(most):
            answer = await self.query(method, {**arguments, **({"cursor": cursor} if cursor else {})})
            yield answer.content
            last, cursor = cursor, cursor_of(answer.content)
            if not cursor:
                return
            if cursor == last:
                raise unreadable()

    async def upload(self, url: str, content: bytes) -> None:
        """Upload bytes to a URL from Slack; raise `RefusedError`, never ambiguous."""
        transports = self._usable(await self._opened())
        import aiohttp

        total = self._access.timeout.total_seconds() + len(content) / UPLOAD_BYTES_PER_SECOND
        try:
            # As a stream: a large body in one piece would block the loop.
            limit = aiohttp.ClientTimeout(total=total, connect=transports.session.timeout.connect)
            posting = transports.session.post(url, data=io.BytesIO(content), proxy=transports.web.proxy, timeout=limit)
            async with posting as response:
                status = response.status
                await response.read()  # to the end, so that the connection can be used again
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise RefusedError(_broken_connection(error, url, transports.through)).before_posting() from None
        if status != 200:
            raise RefusedError(classify(SlackResult(status))).before_posting()

    async def respond(self, url: str, content: Mapping[str, object]) -> None:
        """Answer an interaction at its own address, without the token; raise `RefusedError`, never ambiguous.

        The address is in no error: whoever has it may answer.
        """
        transports = self._usable(await self._opened())
        meant = _proxy(self._access, url)
        import aiohttp

        through = f" through the proxy that {meant.source} names" if meant.address else ""
        try:
            with spare_descriptors():
                async with transports.session.post(url, json=dict(content), proxy=meant.address) as response:
                    status, said = response.status, await response.content.read(_MOST_SAID)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            raise RefusedError(_broken_connection(error, url, through)).before_posting() from None
        if status != 200:
            raise RefusedError(_response_outcome(status, said.decode("ascii", "replace"))).before_posting()

    async def web_socket(self, url: str) -> ClientWebSocketResponse:
        """Open a WebSocket, whose pings and pongs are the caller's; raise `RefusedError`.

        The URL is in no error: whoever has it may come in.
        """
        transports = await self._opened()
        meant = _proxy(self._access, url.replace("ws", "http", 1))
        if meant.fault and not meant.is_general:
            raise RefusedError(SendResult(SendStatus.RETRY, reason="proxy", hint=meant.fault))
        import aiohttp

        through = f" through the proxy that {meant.source} names" if meant.address else ""
        try:
            with spare_descriptors():
                return await transports.session.ws_connect(url, autoping=False, proxy=meant.address)
        except aiohttp.WSServerHandshakeError as error:
            raise RefusedError(classify(SlackResult(error.status))).before_posting() from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            raise RefusedError(_broken_connection(error, url, through)).before_posting() from None

    async def _call(
        self, method: str, to: str, *, json: dict[str, object] | None = None, data: dict[str, str] | None = None
    ) -> SlackResponse:
        transports = self._usable(await self._opened())
        web = transports.web
        import aiohttp
        from slack_sdk.errors import SlackApiError

        try:
            with spare_descriptors():
                response = await web.api_call(method, json=json, data=data)
        except SlackApiError as error:
            response = error.response
            content = getattr(response, "data", None)
            # Where the body was not JSON, `response` is aiohttp's.
            status = int(getattr(response, "status_code", None) or response.status)
            reply = _slack_result(status, response.headers, content if isinstance(content, dict) else {})
            # `from None`: the vendor's error quotes the whole answer.
            raise RefusedError(classify(reply, to=to), needed=reply.needed) from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise RefusedError(_broken_connection(error, self._access.api_url, transports.through)) from None
        except (ValueError, TypeError, AttributeError, RecursionError):
            # The vendor's parser fails in many ways, on JSON that is no object or nested too deeply, on plain text and
            # on wrong encodings.
            raise RefusedError(classify(SlackResult(200), to=to)) from None
        if not isinstance(response.data, dict) or response.data.get("ok") is not True:
            raise RefusedError(classify(SlackResult(200), to=to))
        return SlackResponse(response.data, response.headers)

    def _usable(self, transports: _Transports) -> _Transports:
        """Return them; raise `RefusedError` if the configured proxy cannot be used."""
        if transports.fault:
            raise RefusedError(SendResult(SendStatus.RETRY, reason="proxy", hint=transports.fault))
        return transports

    async def _opened(self) -> _Transports:
        if self._transports is None:
            async with self._opening:
                if self._transports is None:
                    with spare_descriptors():
                        await asyncio.to_thread(importlib.import_module, "slack_sdk.web.async_client")
                        self._transports = _connect(self._access)
        return self._transports


class _Transports(Struct, frozen=True):
    """The open connections to Slack."""

    #: For forms, and for all calls where there is a proxy.
    web: AsyncWebClient
    #: Used by `web`, and for uploads.
    session: ClientSession
    #: For JSON.
    posts: HttpSession
    #: Why none of them can be used; empty where they can.
    fault: str = ""
    #: The source of the proxy's address, as words of a hint; empty where there is no proxy.
    through: str = ""


def _connect(access: SlackAccess) -> _Transports:
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

    from slack_alert.channels.slack.http import HttpSession

    seconds = access.timeout.total_seconds()
    # A timeout of its own for connecting tells "surely not sent" from "perhaps sent".
    connecting = min(10.0, seconds / 2)
    trust = _ssl_context(access.ca_file)
    limit = aiohttp.ClientTimeout(total=seconds, connect=connecting)
    session = aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(ssl=trust or True))
    url, token = access.api_url, access.token
    web = AsyncWebClient(token, base_url=url, session=session, ssl=trust, retry_handlers=[], logger=_vendor_log)
    meant = _proxy(access, url)
    if meant.fault:
        said = "Slack is reached without a proxy" if meant.is_general else "Slack cannot be reached"
        log.log(logging.WARNING if meant.is_general else logging.ERROR, said, extra={"reason": meant.fault})
    # The vendor takes the environment's proxy for all hosts, whatever no_proxy says.
    web.proxy = meant.address
    headers = {**web.headers, "Authorization": f"Bearer {token}", "Content-Type": "application/json;charset=utf-8"}
    posts = HttpSession(headers, trust, answer_timeout=seconds, connect_timeout=connecting)
    fault = "" if meant.is_general else meant.fault
    return _Transports(
        web, session, posts, fault, f" through the proxy that {meant.source} names" if meant.address else ""
    )


def _proxy(access: SlackAccess, url: str) -> EnvironmentProxy:
    """Return the proxy to an address: the configured one, or that of the environment."""
    return EnvironmentProxy(access.proxy, "`proxy`") if access.proxy else environment_proxy(url)


def _ssl_context(ca_file: Path | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    import ssl

    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # SSLError is an OSError.
        raise BadValue(
            f"ca_file: {str(ca_file)!r} cannot be used: {error}", hint="Give a readable PEM file."
        ) from error


def _response_outcome(status: int, said: str) -> SendResult:
    """Return the outcome of a refused answer to an interaction, whose address is good for five, for half an hour."""
    if status in (404, 410):
        code = said if said in ("expired_url", "used_url") else "expired_url"
        return SendResult(SendStatus.DESTINATION, reason=code, is_answer=True, hint=_INVITE_THERE)
    if status == 400:
        return SendResult(SendStatus.PAYLOAD, reason=f"HTTP {status}", is_answer=True)
    return classify(SlackResult(status))


def _broken_connection(error: Exception, url: str, through: str = "") -> SendResult:
    """Return the outcome of a broken connection: RETRY where surely nothing was sent, else AMBIGUOUS.

    The error's own text is not used: it may quote a proxy's password.
    """
    import aiohttp

    from slack_alert.channels.slack.http import NotConnectedError

    reason = type(error.__cause__ if isinstance(error, NotConnectedError) else error).__name__
    unsent = (
        NotConnectedError,
        aiohttp.ClientConnectorError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.ClientHttpProxyError,
        aiohttp.InvalidURL,
    )
    host = urlsplit(url).hostname or url
    if isinstance(error, unsent):
        lack = machine_lack(getattr(error, "certificate_error", None) or error.__cause__ or error)
        hint = (
            lack.rstrip(".")
            or f"cannot connect to {host}{through}: check the network, `proxy`, `ca_file` and `api_url`"
        )
        return SendResult(SendStatus.RETRY, reason=reason, hint=hint)
    return SendResult(
        SendStatus.AMBIGUOUS, reason=reason, hint=f"the connection to {host} broke before its answer came"
    )


def _parsed(reading: HttpResponse, to: str) -> SlackResponse:
    said = _fields(reading.body)
    if reading.status == 200 and said.get("ok") is True:
        return SlackResponse(said)
    reply = _slack_result(reading.status, reading.headers, said)
    raise RefusedError(classify(reply, to=to), needed=reply.needed)


def _fields(body: bytes) -> Mapping[str, Any]:
    """Return the fields of an object in JSON, or none where the body is no such object."""
    try:
        content = _content(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _content(body: bytes) -> object:
    try:
        return read_json(body)
    except Unreadable:  # An answer may repeat half of a surrogate pair from the message.
        return json.loads(body)


def _slack_result(status: int, headers: Mapping[str, str], said: Mapping[str, Any]) -> SlackResult:
    return SlackResult(
        status=status,
        code=str(said.get("error") or ""),
        retry_after=headers.get("Retry-After"),
        needed=str(said.get("needed") or ""),
        provided=str(said.get("provided") or ""),
    )
