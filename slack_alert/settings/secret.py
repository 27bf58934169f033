"""Hold secrets so that printing never shows them, and say what is wrong without repeating one."""

from __future__ import annotations

import re

from slack_alert.core.errors import SettingsError
from slack_alert.core.excerpts import excerpt

#: Addresses that are as good as a password, or have one in them.
DISCREET = frozenset({"heartbeat_url", "proxy"})


class Secret:
    """Wrap a text that is shown only to who calls `reveal`.

    Not a dataclass: `dataclasses.asdict` would open it.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the one call that needs it."""
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
    """Replace what looks like a Slack token, or a password in a URL, wherever somebody put it by mistake."""
    return _PASSWORD.sub(r"\1***@", _TOKEN.sub("***", text))


def fault(message: str, *, where: str = "", hint: str = "") -> SettingsError:
    """Make the error that stops the start; raise it `from None`, a cause may carry the text of a secret."""
    return SettingsError(masked(message), where=masked(where), hint=masked(hint))


def quoted(text: str) -> str:
    """Return an offending value to show, shortened, and without what stands before a host or looks like a token."""
    return repr(excerpt(_USERINFO.sub("***@", masked(text)), _SHOWN))


_TOKEN = re.compile(r"(?:xox[a-z]|xapp)[-._][^\s'\"]*", re.IGNORECASE)
_PASSWORD = re.compile(r"(://)\S*@")
#: Also where the scheme before it was forgotten; a person is written `@ann`.
_USERINFO = re.compile(r"(?<![^\s@,;:])[^\s@,;:]+:[^\s@]*@(?=\S)")
_SHOWN = 80
