"""Ask a host over HTTP: reads are tried again, writes never blindly, and no answer is used unseen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import aiohttp

from slack_alert.core.errors import SlackAlertError
from slack_alert.core.structs import PrivateStruct

#: In seconds.
_TIMEOUT = 30.0
#: In bytes: no answer of a host is longer.
_MOST = 10_000_000
#: In seconds, between the attempts of a read.
PAUSES = (0.5, 2.0, 5.0)
_PAGES = 30
_PAGE = 100


class HostError(SlackAlertError):
    """The host does not do what it was asked for."""


class RequestRefused(HostError):
    """The host has refused a request; nothing was done."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class AmbiguousWrite(HostError):
    """Nobody knows whether the host has done what it was asked for."""


class _RepeatedError(Exception):
    """A write would have been sent a second time."""


class HostApi(PrivateStruct, frozen=True):
    """The API of a host; the token is in a header and nowhere else."""

    hidden = frozenset({"headers", "session"})

    #: As people know it, such as `GitHub`, and where its API is.
    host: str
    root: str
    headers: Mapping[str, str]
    pauses: Sequence[float]
    timeout: float = _TIMEOUT
    #: What the length of a page is called; and whether pages may be shorter than what is asked for.
    size_name: str = "per_page"
    has_short_pages: bool = False
    #: The connections by which it is read; None: a new one for each request, as for each write.
    session: aiohttp.ClientSession | None = None

    async def get(self, path: str, **query: object) -> Any:  # Any: what is in the JSON
        """Return what the host answers; raise HostError after some attempts."""
        for pause in (*self.pauses, None):
            try:
                return await self._sent("GET", path, query, None)
            except AmbiguousWrite as error:  # noqa: PERF203 - that is the next attempt
                if pause is None:
                    raise HostError(str(error)) from None
                await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    async def pages(self, path: str, key: str = "", **query: object) -> tuple[list[Any], bool]:
        """Return the items of all pages, and whether these are all; with a key they are in an object."""
        found: list[Any] = []
        for page in range(1, _PAGES + 1):
            answer = await self.get(path, **query, **{self.size_name: _PAGE}, page=page)
            items = self.items(answer.get(key) if key and isinstance(answer, dict) else answer)
            found += items
            if not items or (len(items) < _PAGE and not self.has_short_pages):
                return found, True
        return found, False

    async def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # Any: as above
        """Send a write once; raise RequestRefused where nothing was done, AmbiguousWrite where nobody knows."""
        return await self._sent(method, path, {}, body or {})

    def items(self, answer: object) -> list[Any]:
        """Return a list of objects; raise HostError for anything else."""
        if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
            raise HostError(f"{self.host} answers something else than a list.")
        return answer

    async def _sent(
        self, method: str, path: str, query: Mapping[str, object], body: Mapping[str, object] | None
    ) -> Any:  # Any: as above
        is_write = method != "GET"
        try:
            status, kind, raw = await self._exchange(method, path, query, body)
        except asyncio.TimeoutError:
            raise AmbiguousWrite(f"{self.host} does not answer within {self.timeout:g} s.") from None
        except aiohttp.ClientConnectorError as error:
            # Nothing was sent, so that a write was not made.
            said = f"{self.host} cannot be reached: {_unreached(error)}."
            raise (RequestRefused(said) if is_write else AmbiguousWrite(said)) from None
        except (aiohttp.ClientError, OSError, ValueError, _RepeatedError):
            raise AmbiguousWrite(f"{self.host} broke the connection off.") from None
        return self._read(status, kind, raw)

    async def _exchange(
        self, method: str, path: str, query: Mapping[str, object], body: Mapping[str, object] | None
    ) -> tuple[int, str, bytes]:
        """Return status, content type and body; a write has a connection of its own, which is used for nothing else."""
        if self.session is not None and method == "GET":
            return await self._request(self.session, method, path, query, body)
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, trust_env=True, trace_configs=[_once()]) as session:
            return await self._request(session, method, path, query, body)

    async def _request(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None,
    ) -> tuple[int, str, bytes]:
        params = {name: str(value) for name, value in query.items()}
        timeout = aiohttp.ClientTimeout(total=self.timeout)
        async with session.request(
            method,
            f"{self.root}{path}",
            params=params,
            json=body,
            headers=self.headers,
            timeout=timeout,
            allow_redirects=False,
        ) as answer:
            raw = await answer.content.read(_MOST + 1)
            while len(raw) <= _MOST and not answer.content.at_eof():
                raw += await answer.content.read(_MOST + 1 - len(raw))
            return answer.status, answer.content_type, raw

    def _read(self, status: int, kind: str, raw: bytes) -> Any:  # Any: as above
        if 300 <= status < 400:
            raise RequestRefused(f"{self.host} sends us to another address ({status}): correct url, or repo.", status)
        # By 408 a proxy may say that it has waited for the answer to what was sent.
        if status in {408, 429} or status >= 500:
            raise AmbiguousWrite(f"{self.host} answers {status}.")
        if status >= 400:
            raise RequestRefused(self._refusal(status, kind, raw), status)
        if not raw.strip():
            return None
        if len(raw) > _MOST:
            raise AmbiguousWrite(f"{self.host} answers more than can be read.")
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            what = "a web page" if "html" in kind else "what is no JSON"
            raise AmbiguousWrite(f"{self.host} answers {what}: is the url that of its API?") from None

    def _refusal(self, status: int, kind: str, raw: bytes) -> str:
        said = _message(raw) if "json" in kind else ""
        why = f": {said}" if said else ""
        if status == 401:
            return f"{self.host} does not take the token (401{why})."
        if status == 403:
            return f"{self.host} does not let the token do that (403{why})."
        if status == 404:
            return f"{self.host} does not know that, or hides it from the token (404{why})."
        return f"{self.host} refuses ({status}{why})."


def _once() -> aiohttp.TraceConfig:
    """Return what refuses a second connection: aiohttp repeats a PUT by itself where a connection was cut."""
    trace = aiohttp.TraceConfig()
    begun: list[bool] = []

    async def begin(_session: aiohttp.ClientSession, _context: SimpleNamespace, _params: object) -> None:
        if begun:
            raise _RepeatedError
        begun.append(True)

    trace.on_connection_create_start.append(begin)
    return trace


def api_of(host: str, root: str, headers: Mapping[str, str]) -> HostApi:
    """Return the API of a host that is at an address; nothing is sent yet."""
    return HostApi(host, root, headers, PAUSES)


def segment(text: str) -> str:
    """Return a text as a part of a path."""
    return quote(text, safe="")


def _unreached(error: aiohttp.ClientConnectorError) -> str:
    certificate = getattr(error, "certificate_error", None)
    return getattr(certificate, "verify_message", "") or error.strerror or type(error).__name__


def _message(raw: bytes) -> str:
    """Return what an error says, in one line that is not long; empty: nothing."""
    try:
        answer = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    said = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    text = said if isinstance(said, str) else json.dumps(said) if said else ""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= 200 else f"{line[:200]}…"
