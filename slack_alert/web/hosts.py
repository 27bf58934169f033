"""The names by which the web server may be called, so that no page in a browser can reach it by a name of its own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from slack_alert.settings import ListenAddress
from slack_alert.settings.listening import ANY_HOST


class AllowedHosts:
    """This machine, the addresses listened at, the host of the public URL, and the names that were configured."""

    def __init__(self, addresses: Iterable[ListenAddress], public_url: str | None, names: Iterable[str]) -> None:
        public = urlsplit(public_url or "").hostname
        written = {*names, *(address.host.lower() for address in addresses), *([public] if public else [])}
        self._names = frozenset(name for name in written if "*" not in name)
        #: The ends of names of which any beginning is allowed.
        self._ends = tuple(name.removeprefix("*") for name in written if name.startswith("*."))
        self._is_any = ANY_HOST in written

    def allows(self, header: str) -> bool:
        """Return whether a Host header has one of the names; the port does not matter."""
        found = _HEADER.fullmatch(header)
        if found is None:
            return False
        name = (found["six"] or found["name"]).lower().removesuffix(".")
        return self._is_any or name in self._names or name.endswith(self._ends) or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


_HEADER = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[\w.-]+))(?::[0-9]{0,5})?", re.ASCII)
