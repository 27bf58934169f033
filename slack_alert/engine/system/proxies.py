"""Finds the proxy that the environment sets for an address, by the common rules, and checks that it is usable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from slack_alert.core.structs import PrivateStruct

_INSTEAD = "set `proxy` to an HTTP proxy, or name {host} in no_proxy to go without"


class EnvironmentProxy(PrivateStruct, frozen=True):
    """The proxy of an address by the environment; all fields are empty where it sets none."""

    hidden = frozenset({"address"})

    address: str | None = None
    #: Where it is set, for people.
    source: str = ""
    #: Why it cannot be used, and what to do, in a sentence without secrets.
    fault: str = ""
    #: Whether the fault is in the proxy for all schemes (`all_proxy`), which is then ignored.
    is_general: bool = False


def environment_proxy(
    url: str, environ: Mapping[str, str] | None = None, system: Mapping[str, str] | None = None
) -> EnvironmentProxy:
    """Return the proxy for an address; a value without a scheme is an HTTP proxy, as with curl and requests.

    `system` holds the proxies of the system by scheme (those of the environment and, on some systems, its settings).
    """
    # Imported here: it imports ssl, which gevent's patch has to come before.
    from urllib.request import getproxies, proxy_bypass

    address = urlsplit(url)
    host = address.hostname or ""
    environ = os.environ if environ is None else environ
    if proxy_bypass(host):
        return EnvironmentProxy()
    found = getproxies() if system is None else system
    for scheme in (address.scheme, "all"):
        if text := found.get(scheme, "").strip():
            return _judged(text, _variable(scheme, environ), host, is_general=scheme == "all")
    return EnvironmentProxy()


def _judged(text: str, name: str, host: str, *, is_general: bool) -> EnvironmentProxy:
    written = text if "://" in text else f"http://{text}"
    scheme = written.partition("://")[0].lower()
    if scheme.startswith("socks"):
        what = f"{name} names a SOCKS proxy ({scheme}://), which slack-alert does not speak"
    elif scheme not in ("http", "https"):
        what = f"{name} begins with {scheme}://, which is no proxy that slack-alert speaks"
    elif not _has_host(written):
        what = f"{name} is not the address of a proxy, such as http://proxy.example.com:3128"
    else:
        return EnvironmentProxy(written, name)
    return EnvironmentProxy(None, name, f"{what}: {_INSTEAD.format(host=host)}", is_general)


def _has_host(written: str) -> bool:
    try:
        address = urlsplit(written)
        return bool(address.hostname) and address.port != 0
    except ValueError:  # A port that is no number.
        return False


def _variable(scheme: str, environ: Mapping[str, str]) -> str:
    """Return the variable that sets it; lower case goes before upper case."""
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if environ.get(name)), "the proxy of this system's settings")
