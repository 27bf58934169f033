"""What must never be seen, wherever text leaves the program: in messages, records, logs."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Slack's tokens, and addresses that are as good as one.
_TOKEN = re.compile(r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{3,}|hooks\.slack\.com/(?:services|workflows|triggers)/[\w/]+")
_MARK = "[secret]"


class Redaction:
    """Takes out the secrets of this configuration, and whatever looks like one of Slack's."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one secret may be the beginning of another.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Give the text without them."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, _MARK)
        return _TOKEN.sub(_MARK, text) if "x" in text or "hooks." in text else text
