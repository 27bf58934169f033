"""Check that a request comes from DingTalk: its signature and its age, and that the signature was not used before.

The signature covers the time alone, never the body: whoever has recorded one could send any body with it for an hour.
So each is good for one body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

#: An older request may be one that somebody has recorded; DingTalk's own rule.
OLDEST = timedelta(hours=1)


def forgery(secret: str, headers: Mapping[str, str], now: datetime) -> str:
    """Return why a request cannot be taken for DingTalk's, empty if it can; headers by their names in small letters."""
    written = headers.get("timestamp", "")
    # isdigit() alone is true of digits of other scripts, too.
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        return "it has no time"
    # As bytes: texts beyond ASCII cannot be compared in constant time, and a header may hold anything.
    given = headers.get("sign", "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, signature(secret, written)):
        return "its signature is not by this client_secret"
    age = now - _moment(written)
    if abs(age) > OLDEST:
        return f"it was signed {abs(age.total_seconds()):.0f} s {'ago' if age > timedelta() else 'ahead'}"
    return ""


def signature(secret: str, timestamp: str) -> bytes:
    """Return the signature that DingTalk makes at a time, which is in milliseconds since 1970."""
    signed = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())


def signature_id(headers: Mapping[str, str]) -> str:
    """Return what a checked signature is known by, also after a restart; nobody can sign with it."""
    signed = f"{headers.get('timestamp', '')}\n{headers.get('sign', '')}".encode("utf-8", "surrogatepass")
    return f"dingtalk:sign/{hashlib.sha256(signed).hexdigest()[:32]}"


class UsedSignatures:
    """The signatures of the last hour, each with the body that came with it first."""

    def __init__(self) -> None:
        self._bodies: dict[str, bytes] = {}
        #: When each is too old to be accepted anyway; about in this order.
        self._ends: deque[tuple[datetime, str]] = deque()

    def has_other_body(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Return whether a checked signature came with another body before; remember it if it did not come at all."""
        while self._ends and self._ends[0][0] < now:
            del self._bodies[self._ends.popleft()[1]]
        used, digest = signature_id(headers), hashlib.sha256(body).digest()
        if used not in self._bodies:
            self._bodies[used] = digest
            # By DingTalk's clock it may be signed an hour ahead, and is good until it is an hour old.
            self._ends.append((max(now, _moment(headers["timestamp"])) + OLDEST, used))
        return self._bodies[used] != digest


def _moment(timestamp: str) -> datetime:
    return _EPOCH + timedelta(milliseconds=int(timestamp))


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
#: Enough until the year 2286.
_DIGITS = 13
