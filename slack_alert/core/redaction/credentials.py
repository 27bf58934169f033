"""Find the secrets in a URL: the password, and the tokens in its path and query, but not the host name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct

#: A shorter text is not treated as a secret by itself: it would match parts of ordinary words.
SHORTEST = 6


class Login(Struct, frozen=True):
    """A user and a password that is too short or too common to be searched for by itself."""

    user: str
    password: str


class Credentials(Struct, frozen=True):
    """The secrets in a URL."""

    #: Secret wherever they occur.
    texts: tuple[str, ...] = ()
    #: Secret where user and password occur together.
    logins: tuple[Login, ...] = ()


def is_address(text: str) -> bool:
    """Return whether a text has the form of a URL."""
    return _ADDRESS.match(text) is not None


def is_secret(text: str) -> bool:
    """Return whether a text can be searched for everywhere: it is neither short nor a common word."""
    return len(text) >= SHORTEST and text.lower() not in _ORDINARY


def credentials(address: str) -> Credentials:
    """Return the secrets in a URL, as they are written and decoded (`%2B` is `+`)."""
    scheme, _, rest = address.partition("://")
    end = min((at for sign in "/?#" if (at := rest.find(sign)) >= 0), default=len(rest))
    userinfo = rest[:end].rpartition("@")[0]
    user, colon, password = userinfo.partition(":")
    texts = [*_both(password)] if colon else [*_both(user)]
    if colon and _is_token(user):  # GitHub and Sentry accept a token as the user.
        texts += _both(user)
    if not scheme.lower().startswith(("sqlite", "file")):
        texts += _tokens(rest[end:])
    both = [(user, password), (unquote(user), unquote(password))]
    return Credentials(
        tuple(dict.fromkeys(text for text in texts if is_secret(text))),
        tuple(dict.fromkeys(Login(*pair) for pair in both if pair[1] and not is_secret(pair[1]))),
    )


def hidden_parts(address: str) -> tuple[str, ...]:
    """Return the secret parts of a URL that is not secret as a whole; the user is part of `scheme://user@`."""
    scheme, _, rest = address.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    userinfo, at, _ = host.rpartition("@")
    before = (f"{scheme}://{userinfo}@",) if at else ()
    return (*before, *credentials(address).texts)


_ADDRESS = lazy_pattern(r"[A-Za-z][A-Za-z0-9+.-]*://\S")
#: Names of query parameters that hold secrets.
_TELLING = lazy_pattern(r"tok|key|secret|pass|pwd|auth|sig|code|cred|session|sas|hash", re.IGNORECASE)
#: Words that names consist of: `backup`, `Backup`, `sendMessage`, `web01`, `2024`.
_WORD = lazy_pattern(r"(?:[A-Z]?[a-z]{1,15}(?:[A-Z][a-z]{2,15})*|[A-Z]{1,15})?\d{0,4}")
_BETWEEN = lazy_pattern(r"[-_.~+ ]+")
_TOKEN_LENGTH = 8


def _tokens(behind: str) -> Iterator[str]:
    """Yield the tokens in a path, a query and a fragment."""
    path, _, fragment = behind.partition("#")
    path, _, query = path.partition("?")
    for segment in (*path.split("/"), fragment):
        if _is_token(unquote(segment)):
            yield from _both(segment)
    for pair in re.split("[&;]", query):
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", pair
        if _TELLING.search(name) or _is_token(unquote_plus(value)):
            yield from _both(value)
            yield unquote_plus(value)


def _is_token(text: str) -> bool:
    """Return whether a text is probably random; names consist of words."""
    return len(text) >= _TOKEN_LENGTH and not all(_WORD.fullmatch(word) for word in _BETWEEN.split(text))


def _both(text: str) -> Iterator[str]:
    yield unquote(text)
    yield text


#: Common passwords, and words that occur in many messages.
_ORDINARY = frozenset((
    "access", "account", "admins", "administrator", "alerts", "backup", "changeme", "channel", "client", "connect",
    "console", "database", "default", "deploy", "deployment", "docker", "example", "failed", "failure", "github",
    "gitlab", "google", "health", "heartbeat", "jenkins", "letmein", "localhost", "manager", "message", "metrics",
    "monitor", "monitoring", "mysql", "network", "notify", "operator", "oracle", "passwd", "password", "postgres",
    "postgresql", "private", "production", "public", "python", "readonly", "remote", "report", "request", "script",
    "secret", "secrets", "secure", "security", "server", "service", "slack-alert", "slackalert", "staging",
    "status", "string", "system", "testing", "timeout", "update", "username", "webhook", "webmaster", "welcome",
    "worker",
))  # fmt: skip
