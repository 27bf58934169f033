"""Entries of the audit, and what somebody does to them who has the database and not the key."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from slack_alert.core.commands.audit_chain import chained, head_of
from slack_alert.core.model.audit import AuditEntry, AuditHead, AuditVerdict, ChainedEntry
from slack_alert.core.structs import replace

AT = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)
KEY = b"the key of these tests"
ENTRY = AuditEntry(
    AT, "slack:T1/U1", "ann", "slack", "#ops", "slack.socket", "deploy shop prod", {"app": "shop", "env": "prod"},
    AuditVerdict.RAN, "", 412, timedelta(seconds=72), "", "",
)  # fmt: skip
#: Each field with another value.
CHANGES: dict[str, Any] = {
    "at": AT + timedelta(microseconds=1), "by": "slack:T1/U2", "name": "bob", "chat": "dingtalk", "channel": "#dev",
    "door": "web", "command": "deploy shop", "params": {"app": "shop", "env": "staging"},
    "verdict": AuditVerdict.DENIED, "reason": "not ann", "run": 413, "duration": timedelta(seconds=71),
    "session": "s1", "ip": "192.0.2.1",
}  # fmt: skip


def entry(number: int, **changes: Any) -> AuditEntry:
    """Return an entry, a minute after the one before."""
    return replace(ENTRY, **{"at": AT + timedelta(minutes=number), "run": number, **changes})


def chain(count: int, key: bytes = KEY) -> list[ChainedEntry]:
    """Return a chain of so many entries."""
    entries: list[ChainedEntry] = []
    last: AuditHead | None = None
    for number in range(1, count + 1):
        entries.append(chained(key, last, number, entry(number)))
        last = head_of(entries[-1])
    return entries
