"""What of an address is secret: the password, the tokens in its path and query, not the name of the host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus

#: A shorter text is no secret by itself: it would be found in half of all words.
SHORTEST = 6


class Login(NamedTuple):
    """A user and a password, which is too short or too ordinary to be looked for where it stands alone."""

    user: str
    password: str


class Credentials(NamedTuple):
    """What has to be hidden of an address."""

    #: Secret wherever they stand.
    texts: tuple[str, ...] = ()
    #: Secret where both stand together.
    logins: tuple[Login, ...] = ()


def is_address(text: str) -> bool:
    """Return whether the text has the form of a URL."""
    return _ADDRESS.match(text) is not None


def is_secret(text: str) -> bool:
    """Return whether a text may be looked for wherever it stands: it is neither short nor an ordinary word."""
    return len(text) >= SHORTEST and text.lower() not in _ORDINARY


def credentials(address: str) -> Credentials:
    """Return what is secret of a URL, as it is written and as it is meant (`%2B` is `+`)."""
    scheme, _, rest = address.partition("://")
    end = min((at for sign in "/?#" if (at := rest.find(sign)) >= 0), default=len(rest))
    userinfo = rest[:end].rpartition("@")[0]
    user, colon, password = userinfo.partition(":")
    texts = [*_both(password)] if colon else [*_both(user)]
    if colon and _is_token(user):  # GitHub and Sentry take a token for a name.
        texts += _both(user)
    if not scheme.lower().startswith(("sqlite", "file")):
        texts += _tokens(rest[end:])
    both = [(user, password), (unquote(user), unquote(password))]
    return Credentials(
        tuple(dict.fromkeys(text for text in texts if is_secret(text))),
        tuple(dict.fromkeys(Login(*pair) for pair in both if pair[1] and not is_secret(pair[1]))),
    )


def hidden_parts(address: str) -> tuple[str, ...]:
    """Return the secrets of a URL that is none as a whole; what stands before the host stays a URL."""
    scheme, _, rest = address.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    userinfo, at, _ = host.rpartition("@")
    before = (f"{scheme}://{userinfo}@",) if at else ()
    return (*before, *credentials(address).texts)


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S")
#: Names under which a query carries what nobody else may know.
_TELLING = re.compile(r"tok|key|secret|pass|pwd|auth|sig|code|cred|session|sas|hash", re.IGNORECASE)
#: A word as people make names of: `backup`, `Backup`, `sendMessage`, `web01`, `2024`.
_WORD = re.compile(r"(?:[A-Z]?[a-z]{1,15}(?:[A-Z][a-z]{2,15})*|[A-Z]{1,15})?\d{0,4}")
_BETWEEN = re.compile(r"[-_.~+ ]+")
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
    """Return whether somebody made this up by chance; a name is made of words."""
    return len(text) >= _TOKEN_LENGTH and not all(_WORD.fullmatch(word) for word in _BETWEEN.split(text))


def _both(text: str) -> Iterator[str]:
    yield unquote(text)
    yield text


#: Passwords that everybody has, and words that stand in every second message.
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
