"""Read lines from standard input and write them as JSON objects to standard error.

It runs as a script, in an interpreter without this package, so it imports the standard library only. Its argument is
the name of a time zone. It ends when all writers have closed their end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo

_LONGEST = 64 * 1024


def main() -> None:
    """Filter lines until the last writer is gone; signals are for the writers and ignored here."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    zone = _zone(sys.argv[1] if len(sys.argv) > 1 else "")
    while raw := sys.stdin.buffer.readline(_LONGEST):
        text = raw.decode("utf-8", "replace").rstrip("\r\n")
        if text.strip():
            _write(raw if _is_log_line(text) else _log_line(text, zone))


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return timezone.utc


def _is_log_line(text: str) -> bool:
    """Return whether the line is a JSON log line already, as from a slack-alert that a plugin has started."""
    if not text.startswith('{"ts": '):
        return False
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(line, dict) and {"ts", "level", "logger", "event"} <= line.keys()


def _log_line(text: str, zone: tzinfo | None) -> bytes:
    at = datetime.now(timezone.utc).astimezone(zone).isoformat(timespec="milliseconds")
    return json.dumps({"ts": at, "level": "info", "logger": "stderr", "event": text}).encode() + b"\n"


def _write(line: bytes) -> None:
    rest = memoryview(line if line.endswith(b"\n") else line + b"\n")
    while rest:
        rest = rest[os.write(2, rest) :]


if __name__ == "__main__":
    try:
        main()
    except OSError:  # Standard error is closed.
        sys.exit(1)
