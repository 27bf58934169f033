"""The heartbeat: fetches an outside address while the program is healthy. Apart, because it imports ssl and http."""

from __future__ import annotations

import logging
import ssl
import threading
from base64 import b64encode
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.error import HTTPError, URLError
from urllib.parse import unquote_to_bytes, urljoin, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

_TIMEOUT_SECONDS = 10.0
#: More redirects, or interim responses, than this count as an error.
_MOST = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Ping:
    """Requests one address."""

    def __init__(self, url: str, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._url = url
        proxies = {"http": proxy, "https": proxy} if proxy else None
        trust = ssl.create_default_context(cafile=ca_file)
        # Without urllib's redirect handler: it reads the whole body of a redirect, and follows it anywhere.
        self._opener = OpenerDirector()
        for handler in (
            ProxyHandler(proxies), _Plain(), _Secure(trust), UnknownHandler(), HTTPErrorProcessor(),
            HTTPDefaultErrorHandler(),
        ):  # fmt: skip
            self._opener.add_handler(handler)

    def send(self) -> str | None:
        """Return why the request failed; None: it did not. Only the kind, as the address may carry a secret."""
        url = self._url
        for _ in range(_MOST):
            reason, moved = self._ask(url)
            if moved is None:
                return reason
            url = moved
        return "redirected in circles"

    def _ask(self, url: str) -> tuple[str | None, str | None]:
        """Return why a request failed (None: it did not), and the new address of the same check after a redirect."""
        try:
            self._opener.open(_request(url), timeout=_TIMEOUT_SECONDS).close()
        except HTTPError as error:
            error.close()
            if error.code not in _REDIRECTS:
                return f"HTTPError {error.code}", None
            return f"redirected elsewhere, {error.code}", _moved(url, error)
        except (OSError, HTTPException, ValueError) as error:
            cause = error.reason if isinstance(error, URLError) else error
            return type(cause if isinstance(cause, Exception) else error).__name__, None
        return None, None


def _request(url: str) -> Request:
    """Return the request for an address; a name and a password before its host become the Authorization header."""
    parts = urlsplit(url)
    who, _, host = parts.netloc.rpartition("@")
    if not who:
        return Request(url)  # noqa: S310 - the opener has http and https only
    name, _, password = who.partition(":")
    pair = b"%b:%b" % (unquote_to_bytes(name), unquote_to_bytes(password))
    there = parts._replace(netloc=host).geturl()
    return Request(there, headers={"Authorization": f"Basic {b64encode(pair).decode()}"})  # noqa: S310 - as above


def _moved(url: str, error: HTTPError) -> str | None:
    """Return the new address of the same check; None where the redirect leads elsewhere, such as to a login page."""
    to = error.headers.get("Location") if error.headers else None
    try:
        there = urljoin(url, to or "/")
        old, new = urlsplit(url), urlsplit(there)
    except ValueError:
        return None
    is_same = (old.path.rstrip("/"), old.query) == (new.path.rstrip("/"), new.query)
    return there if is_same and new.scheme in ("https", old.scheme) else None


class _Response(HTTPResponse):
    """Skips all interim responses; http.client knows a single kind."""

    def begin(self) -> None:
        super().begin()
        interim = 0
        while self.status < 200:
            interim += 1
            if interim > _MOST:
                raise BadStatusLine(str(self.status))
            self.headers = self.msg = None  # type: ignore[assignment]  # As before the first response.
            super().begin()


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Plain(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Connection, req)


class _Secure(HTTPSHandler):
    def __init__(self, trust: ssl.SSLContext) -> None:
        super().__init__(context=trust)
        self._trust = trust

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_SecureConnection, req, context=self._trust)


log = logging.getLogger(__name__)

#: How many requests may be pending at once, a minute apart; a service may take hours not to answer.
_MOST_WAITING = 5


class Heartbeat:
    """Fetches one address; a failure is logged when it begins and when it ends."""

    def __init__(self, url: str, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._ping = Ping(url, proxy=proxy, ca_file=ca_file)
        #: Why the last request failed; None: it did not, or there was none yet.
        self.trouble: str | None = None
        #: Pending requests; the answer to the last one counts.
        self._beating: list[threading.Thread] = []

    def beat(self) -> None:
        """Fetch the address once, on a thread that nothing waits for, not even the end of the program."""
        self._beating = [each for each in self._beating if each.is_alive()]
        if self._beating:
            self._note("no answer within a minute")
        if len(self._beating) >= _MOST_WAITING:
            return
        thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._beating.append(thread)
        try:
            thread.start()
        except RuntimeError:  # The system has no further thread.
            self._beating.remove(thread)
            self._note("no thread to ask from")

    def _beat(self) -> None:
        reason = self._ping.send()
        if self._beating[-1:] == [threading.current_thread()]:
            self._note(reason)

    def _note(self, reason: str | None) -> None:
        before, self.trouble = self.trouble, reason
        if reason and not before:
            log.warning("heartbeat failed", extra={"reason": reason})
        elif before and not reason:
            log.info("heartbeat works again")
