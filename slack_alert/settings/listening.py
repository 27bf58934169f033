"""Where the web server listens, and by which names it may be called, as they are written in the configuration."""

from __future__ import annotations

from slack_alert.core.errors import BadValue
from slack_alert.core.patterns import lazy_pattern
from slack_alert.settings.model import ListenAddress
from slack_alert.settings.secret import quoted

#: Where a port alone listens.
LOOPBACK = "127.0.0.1"
#: Every name is accepted.
ANY_HOST = "*"


def parse_listen(text: str) -> tuple[ListenAddress, ...]:
    """Return the addresses in a text such as `127.0.0.1:8080, [::1]:8080`; raise BadValue."""
    return tuple(dict.fromkeys(_address(part) for part in _SEPARATOR.split(text) if part))


def parse_hosts(text: str) -> tuple[str, ...]:
    """Return the names in a text such as `alerts.example.com, *.internal`, in small letters; raise BadValue."""
    return tuple(dict.fromkeys(_host(part) for part in _SEPARATOR.split(text) if part))


def _address(text: str) -> ListenAddress:
    found = _ADDRESS.fullmatch(text)
    port = int(found["port"]) if found else -1
    if found is None or port > 65535:
        raise BadValue(
            f"{quoted(text)} is not an address with a port",
            hint="Write 127.0.0.1:8080 for this machine only, 0.0.0.0:8080 for all of its addresses, or [::1]:8080.",
        )
    return ListenAddress(found["six"] or found["host"] or LOOPBACK, port)


def _host(text: str) -> str:
    found = _HOST.fullmatch(text)
    if found is None:
        raise BadValue(
            f"{quoted(text)} is not the name of a host",
            hint="Write a name without http:// and port, such as alerts.example.com, *.example.com, or * for any.",
        )
    return (found["six"] or text).lower()


_SEPARATOR = lazy_pattern(r"[\s,]+")
_ADDRESS = lazy_pattern(r"(?:(?:\[(?P<six>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]|(?P<host>[\w.-]+)):)?(?P<port>[0-9]{1,5})")
_HOST = lazy_pattern(r"\*|(?:\*\.)?[\w-]+(?:\.[\w-]+)*|\[(?P<six>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\]")
