"""Tell somebody outside, once a minute, that clock and delivery are both healthy."""

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
#: More redirects, or interim answers, lead nowhere.
_MOST = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Ping:
    """Asks for one address."""

    def __init__(self, url: str, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._url = url
        proxies = {"http": proxy, "https": proxy} if proxy else None
        trust = ssl.create_default_context(cafile=ca_file)
        # Without urllib's handler of redirects: it reads their whole body, and goes wherever they say.
        self._opener = OpenerDirector()
        for handler in (
            ProxyHandler(proxies), _Plain(), _Secure(trust), UnknownHandler(), HTTPErrorProcessor(),
            HTTPDefaultErrorHandler(),
        ):  # fmt: skip
            self._opener.add_handler(handler)

    def send(self) -> str | None:
        """Return why it was not taken; None: it was. The address may carry a secret, so only the kind is told."""
        url = self._url
        for _ in range(_MOST):
            reason, moved = self._ask(url)
            if moved is None:
                return reason
            url = moved
        return "redirected in circles"

    def _ask(self, url: str) -> tuple[str | None, str | None]:
        """Return why one address did not take it, and where the check is now, where that was said."""
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
    """Return what asks for an address; a name and a password before its host go where services look for them."""
    parts = urlsplit(url)
    who, _, host = parts.netloc.rpartition("@")
    if not who:
        return Request(url)  # noqa: S310 - the opener has http and https only
    name, _, password = who.partition(":")
    pair = b"%b:%b" % (unquote_to_bytes(name), unquote_to_bytes(password))
    there = parts._replace(netloc=host).geturl()
    return Request(there, headers={"Authorization": f"Basic {b64encode(pair).decode()}"})  # noqa: S310 - as above


def _moved(url: str, error: HTTPError) -> str | None:
    """Return where the same check is now; None where something else is there, such as a page to log in."""
    to = error.headers.get("Location") if error.headers else None
    try:
        there = urljoin(url, to or "/")
        old, new = urlsplit(url), urlsplit(there)
    except ValueError:
        return None
    is_same = (old.path.rstrip("/"), old.query) == (new.path.rstrip("/"), new.query)
    return there if is_same and new.scheme in ("https", old.scheme) else None


class _Response(HTTPResponse):
    """Passes over all interim answers; http.client knows of one kind."""

    def begin(self) -> None:
        super().begin()
        interim = 0
        while self.status < 200:
            interim += 1
            if interim > _MOST:
                raise BadStatusLine(str(self.status))
            self.headers = self.msg = None  # type: ignore[assignment]  # As it was before it began.
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

#: So many requests may be waited for at once, each of a minute; an address may take hours to say nothing.
_MOST_WAITING = 5


class Heartbeat:
    """Fetches one address; a failure is logged when it begins and when it ends."""

    def __init__(self, url: str, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._ping = Ping(url, proxy=proxy, ca_file=ca_file)
        #: Why the last one was not taken; None: it was, or there was none yet.
        self.trouble: str | None = None
        #: Those still waited for; the answer to the last one counts.
        self._beating: list[threading.Thread] = []

    def beat(self) -> None:
        """Fetch it once, beside everything else; nobody waits for it, the end of the program included."""
        self._beating = [each for each in self._beating if each.is_alive()]
        if self._beating:
            self._note("no answer within a minute")
        if len(self._beating) >= _MOST_WAITING:
            return
        thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._beating.append(thread)
        try:
            thread.start()
        except RuntimeError:  # No further thread is to be had.
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
