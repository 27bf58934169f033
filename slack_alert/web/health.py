"""Whether the process turns, and whether the program does its work: for supervisors and load balancers."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Callable
from datetime import tzinfo

from slack_alert.engine.ports import WebRequest, WebResponse, WebRoutes
from slack_alert.operations.status import Vitals, status_rows, status_title

_BEARER = "bearer "


class Readers:
    """Decides who may read names and reasons: this machine, and whoever shows the token."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def may_read(self, request: WebRequest) -> bool:
        """Return whether a caller may read them."""
        given = request.headers.get("authorization", "")
        if self._token is not None and given[: len(_BEARER)].lower() == _BEARER:
            return hmac.compare_digest(given[len(_BEARER) :].strip().encode(), self._token.encode())
        # What a proxy on this machine passes on has come from elsewhere.
        return _is_loopback(request.peer) and not _PROXIED.intersection(request.headers)


class Health:
    """The addresses of `/livez` and `/readyz`."""

    def __init__(self, look: Callable[[], Vitals], zone: tzinfo, readers: Readers) -> None:
        """`look` may block; it is called on a thread."""
        self._look = look
        self._zone = zone
        self._readers = readers

    def routes(self) -> WebRoutes:
        """Return what the web server has to serve."""
        return {("GET", "/livez"): self._livez, ("GET", "/readyz"): self._readyz}

    async def _livez(self, _: WebRequest) -> WebResponse:
        return WebResponse(200, b"ok\n")

    async def _readyz(self, request: WebRequest) -> WebResponse:
        vitals = await asyncio.to_thread(self._look)
        lines = [status_title(vitals)] if vitals.is_alive else ["slack-alert is not well"]
        if self._readers.may_read(request):
            lines += [f"{mark:4} {part}: {said}" for part, mark, said in status_rows(vitals, self._zone)]
        elif vitals.is_alive:
            lines = ["ok"]
        return WebResponse(200 if vitals.is_alive else 503, "\n".join([*lines, ""]).encode())


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False


_PROXIED = frozenset({"forwarded", "x-forwarded-for", "x-real-ip", "via"})
