"""Keep secrets out of printed values and of error messages."""

from __future__ import annotations

import re

from slack_alert.core.errors import SettingsError
from slack_alert.core.excerpts import excerpt
from slack_alert.core.patterns import lazy_pattern

#: Keys whose URLs are secret as a whole, or contain a password.
SECRET_URLS = frozenset({"heartbeat_url", "proxy"})


class Secret:
    """A text that only `reveal` returns; printed, it is `***`.

    Not a dataclass: `dataclasses.asdict` would reveal it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the secret text."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)


def masked(text: str) -> str:
    """Return a text without Slack tokens and passwords in URLs, which may be anywhere by mistake."""
    return _PASSWORD.sub(r"\1***@", _TOKEN.sub("***", text))


def settings_error(message: str, *, where: str = "", hint: str = "") -> SettingsError:
    """Return an error with its texts masked; raise it `from None`, because a cause may contain a secret."""
    return SettingsError(masked(message), where=masked(where), hint=masked(hint))


def quoted(text: str) -> str:
    """Return an offending value to show in quotes, shortened, without tokens and without user and password."""
    return repr(excerpt(_USERINFO.sub("***@", masked(text)), _SHOWN))


_TOKEN = lazy_pattern(r"(?:xox[a-z]|xapp)[-._][^\s'\"]*", re.IGNORECASE)
_PASSWORD = lazy_pattern(r"(://)\S*@")
#: Also where the scheme is missing; `@ann` is a person and stays.
_USERINFO = lazy_pattern(r"(?<![^\s@,;:])[^\s@,;:]+:[^\s@]*@(?=\S)")
_SHOWN = 80
