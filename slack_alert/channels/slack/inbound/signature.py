"""Check that a request comes from Slack: its signature, version 0, over the raw body, and its age.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

#: An older request may be one that somebody has recorded.
OLDEST = timedelta(minutes=5)


def forgery(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Return why a request cannot be taken for Slack's, empty if it can; headers by their names in small letters."""
    written = headers.get("x-slack-request-timestamp", "")
    # isdigit() alone is true of digits of other scripts, too.
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        return "it has no time"
    expected = hmac.new(secret.encode(), b"v0:%s:%s" % (written.encode(), body), hashlib.sha256).hexdigest()
    # As bytes: texts beyond ASCII cannot be compared in constant time, and a header may hold anything.
    given = headers.get("x-slack-signature", "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, f"v0={expected}".encode()):
        return "its signature is not by this signing secret"
    age = now - datetime.fromtimestamp(int(written), timezone.utc)
    if abs(age) > OLDEST:
        return f"it was signed {abs(age.total_seconds()):.0f} s {'ago' if age > timedelta() else 'ahead'}"
    return ""


#: Enough until the year 5138.
_DIGITS = 11
