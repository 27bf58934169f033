"""The way to DingTalk: trust, proxies and limits, the same for what is sent and for what comes in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slack_alert.core.errors import BadValue
from slack_alert.core.structs import PrivateStruct
from slack_alert.engine.system.proxies import environment_proxy

if TYPE_CHECKING:
    import ssl

    from aiohttp import ClientSession


class DingTalkAccess(PrivateStruct, frozen=True):
    """What the configuration says of connections."""

    hidden = frozenset({"proxy"})

    proxy: str | None = None
    ca_file: Path | None = None


def opened(access: DingTalkAccess, seconds: float) -> ClientSession:
    """Return a session whose calls take so many seconds at most; raise BadValue for a bad `ca_file`."""
    import aiohttp

    limit = aiohttp.ClientTimeout(total=seconds)
    return aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(ssl=_trust(access.ca_file) or True))


def proxy_for(access: DingTalkAccess, url: str) -> str | None:
    """Return the proxy to an address: the configured one, or the environment's; raise ValueError for a bad one."""
    if access.proxy:
        return access.proxy
    meant = environment_proxy(url)
    if meant.fault and not meant.is_general:
        raise ValueError(meant.fault)
    return meant.address


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
