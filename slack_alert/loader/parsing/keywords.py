"""The words a marker knows."""

from __future__ import annotations

from slack_alert.core.schedule.triggers import TIME_KEYWORDS
from slack_alert.core.units.names import nearest

EVENT_KEYWORDS = ("command", "on", "emits")
#: One of these makes a decorator a marker.
TRIGGER_KEYWORDS = (*TIME_KEYWORDS, *EVENT_KEYWORDS)
OPTION_KEYWORDS = (
    "name",
    "enabled",
    "to",
    "errors_to",
    "timezone",
    "start",
    "end",
    "jitter",
    "at_start",
    "working_hours",
    "max_alert",
    "pause_time",
    "while_paused",
    "where",
    "absent",
    "after",
    "repeat",
    "remind",
    "recover",
    "escalate",
    "catch_up",
    "timeout",
    "retries",
    "retry_delay",
    "queue",
    "lock",
    "isolation",
    "allow",
    "confirm",
    "approve",
)
KEYWORDS = (*TRIGGER_KEYWORDS, *OPTION_KEYWORDS)
#: Read and checked, and without effect in this version.
LATER_KEYWORDS = frozenset(["command", "queue", "lock", "allow", "confirm", "approve"])
#: What people write for a keyword that is called otherwise.
_OTHERWISE = {
    "channel": "to",
    "every": "minutes",
    "interval": "minutes",
    "min": "minutes",
    "sec": "seconds",
    "schedule": "cron",
    "when": "at",
    "time": "at",
    "event": "on",
    "tz": "timezone",
}


def suggestion(word: str, known: tuple[str, ...]) -> str:
    """Say which word was probably meant, or all that are allowed."""
    meant = nearest(word, known)
    return f"Did you mean {meant}?" if meant else f"Allowed: {', '.join(known)}."


def keyword_suggestion(word: str) -> str:
    """Say which keyword was probably meant, or all that do something in this version."""
    meant = nearest(word, (*KEYWORDS, *_OTHERWISE), likeness=0.65)
    if meant:
        return f"Did you mean {_OTHERWISE.get(meant, meant)}?"
    allowed = [known for known in KEYWORDS if known not in LATER_KEYWORDS]
    return f"Allowed: {', '.join(allowed)}."
