"""Open sockets at DingTalk's gateway: it gives an endpoint and a ticket, each of which is good for one connection."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from slack_alert.channels.dingtalk.inbound.reading import read_object
from slack_alert.channels.dingtalk.inbound.translate import CARDS, MESSAGES
from slack_alert.channels.slack.inbound.deadline import within
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import BadValue, SlackAlertError
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import PrivateStruct
from slack_alert.engine.system.descriptors import spare_descriptors
from slack_alert.engine.system.proxies import EnvironmentProxy, environment_proxy

if TYPE_CHECKING:
    import ssl

    from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse

#: In bytes: a longer answer is not DingTalk's, and is not waited for.
_MOST = 64 * 1024


class GatewayAccess(PrivateStruct, frozen=True):
    """The app, and the way to DingTalk."""

    hidden = frozenset({"client_secret", "proxy"})

    client_id: str
    client_secret: str
    api_url: str
    proxy: str | None = None
    ca_file: Path | None = None


class NoSocketError(SlackAlertError):
    """DingTalk opened no socket; the message is a code or the name of an error, and quotes nothing."""

    def __init__(self, reason: str, hint: str = "", *, is_refusal: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        #: Whether DingTalk does not accept the app's credentials.
        self.is_refusal = is_refusal


class Gateway:
    """A session with the gateway, opened by the first call; aiohttp is not imported before."""

    def __init__(self, access: GatewayAccess, *, answer_within: float) -> None:
        """`answer_within` is seconds, for each step."""
        self._access = access
        self._answer_within = answer_within
        self._session: ClientSession | None = None

    async def connect(self) -> ClientWebSocketResponse:
        """Return a new socket, whose pings and pongs are the caller's; raise `NoSocketError`, or BadValue."""
        if self._session is None:
            await asyncio.to_thread(importlib.import_module, "aiohttp")
            self._session = _opened(self._access, self._answer_within)
        import aiohttp

        try:
            url = await self._ticket(self._session)
            with spare_descriptors():
                return await within(
                    self._answer_within, self._session.ws_connect(url, autoping=False, proxy=self._proxy(url))
                )
        except aiohttp.WSServerHandshakeError as error:
            raise NoSocketError(f"HTTP {error.status}", _INTERMEDIARY) from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError, ValueError) as error:
            # The error's own text is not used: it may quote a ticket, or a proxy's password.
            lack = machine_lack(getattr(error, "certificate_error", None) or error.__cause__ or error)
            raise NoSocketError(type(error).__name__, lack.rstrip(".") or _UNREACHABLE) from None

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ticket(self, session: ClientSession) -> str:
        """Return the URL of a socket, which whoever has it may open, once."""
        url = f"{self._access.api_url.rstrip('/')}/v1.0/gateway/connections/open"
        asked = {
            "clientId": self._access.client_id,
            "clientSecret": self._access.client_secret,
            "subscriptions": [{"type": "CALLBACK", "topic": topic} for topic in (MESSAGES, CARDS)],
            "ua": "slack-alert",
            # Asked for by the vendor's clients; the addresses of this network are nobody's business.
            "localIp": "127.0.0.1",
        }
        headers = {"Accept": "application/json"}
        with spare_descriptors():
            # A redirect would take the secret elsewhere.
            async with session.post(
                url, json=asked, headers=headers, proxy=self._proxy(url), allow_redirects=False
            ) as response:
                said = read_object(await _limited(response)) or {}
                status = response.status
        if status != 200:
            raise _refusal(status, said)
        return _socket_url(said, self._access.api_url)

    def _proxy(self, url: str) -> str | None:
        """Return the proxy to an address: the configured one, or that of the environment; raise `NoSocketError`."""
        if self._access.proxy:
            return self._access.proxy
        meant: EnvironmentProxy = environment_proxy(url.replace("ws", "http", 1) if url.startswith("ws") else url)
        if meant.fault and not meant.is_general:
            raise NoSocketError("proxy", meant.fault)
        return meant.address


def _opened(access: GatewayAccess, seconds: float) -> ClientSession:
    import aiohttp

    limit = aiohttp.ClientTimeout(total=seconds)
    return aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(ssl=_trust(access.ca_file) or True))


def _trust(ca_file: Path | None) -> ssl.SSLContext | None:
    if ca_file is None:
        return None
    import ssl

    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # SSLError is an OSError.
        raise BadValue(
            f"ca_file: {str(ca_file)!r} cannot be used: {error}", hint="Give a readable PEM file."
        ) from error


async def _limited(response: ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST:
            return b""
    return body


def _socket_url(said: Mapping[str, object], api_url: str) -> str:
    endpoint, ticket = said.get("endpoint"), said.get("ticket")
    if not (isinstance(endpoint, str) and isinstance(ticket, str) and endpoint and ticket):
        raise NoSocketError("unreadable answer", _INTERMEDIARY)
    try:
        scheme = urlsplit(endpoint).scheme
    except ValueError:
        scheme = ""
    # In the clear only where the ticket came in the clear, as within a test.
    allowed = ("wss",) if urlsplit(api_url).scheme == "https" else ("wss", "ws")
    if scheme not in allowed:
        raise NoSocketError("unreadable answer", _INTERMEDIARY)
    return f"{endpoint}{'&' if '?' in endpoint else '?'}ticket={quote_plus(ticket)}"


def _refusal(status: int, said: Mapping[str, object]) -> NoSocketError:
    """Return the error for an answer; only DingTalk itself, which gives a code, refuses the credentials."""
    written = said.get("code")
    code = written if isinstance(written, str) and _CODE.fullmatch(written) else ""
    if not code:
        return NoSocketError(f"HTTP {status}", _VENDOR if status >= 500 else _INTERMEDIARY)
    is_refusal = status == 401 or (status in (400, 403) and bool(_ABOUT_CREDENTIALS.search(code)))
    return NoSocketError(code, _CREDENTIALS if is_refusal else _VENDOR, is_refusal=is_refusal)


_CODE = lazy_pattern(r"[A-Za-z0-9_.:-]{1,100}")
#: Such as `authFailed` and `invalidClientIdOrSecret`; a limit has a code like `...QpsLimitForAppkeyAndApi`.
_ABOUT_CREDENTIALS = lazy_pattern(r"(?i)^(?!.*limit).*(auth|client|secret|appkey)")
_CREDENTIALS = (
    "check `client_id` and `client_secret` (Credentials of the app at https://open-dev.dingtalk.com), and that a "
    "version of the app is published"
)
_UNREACHABLE = "cannot connect to DingTalk: check the network, `proxy`, `ca_file` and `api_url`"
_INTERMEDIARY = "something between here and DingTalk answered in its place: check `proxy`, `api_url` and the firewall"
_VENDOR = "DingTalk has a problem of its own, or is asked too often"
