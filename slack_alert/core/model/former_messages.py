"""Read messages of former versions, stored without an origin, a severity, and who said why they were not sent.

Nothing but their keys and their texts tells these. This is the only code that takes these apart, and it is not called
where a message has its own.
"""

from __future__ import annotations

from datetime import datetime

from slack_alert.core.model.message import MessageSeverity, Notice, Origin, RunPart


def former_origin(key: str, slot: datetime | None, run: int | None) -> Origin:
    """Return the origin of a message with this key: `job@slot/run#n` of a run, `kind/id` or `kind/id#n` of a notice."""
    whole, sign, number = key.rpartition("#")
    is_part = bool(sign) and number.isdecimal()
    stem, n = (whole, int(number)) if is_part else (key, None)
    if run is not None:
        return RunPart(stem.rpartition("@")[0] if slot is not None else "", slot, run, n or 0)
    kind, _, about = stem.partition("/")
    return Notice(kind, about, n)


def former_severity(text: str) -> MessageSeverity:
    """Return the severity of a message with this text, which begins with an error card where a run failed."""
    return MessageSeverity.ERROR if text.startswith(":rotating_light: *") else MessageSeverity.INFO


def former_is_answer(reason: str | None) -> bool:
    """Return whether a service said this; its codes are in lower case, and names of errors are not."""
    code = (reason or "").partition(":")[0]
    return code.startswith("HTTP ") or (code.replace("_", "").isalpha() and code.islower())
