"""Reasons for tests that are about something else, and as people read them in Berlin."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from slack_alert.core.model.reason import Reason
from slack_alert.core.pipeline.reasons import reasons_text
from slack_alert.stores.old_reasons import reasons_of
from slack_alert.stores.old_reasons import with_sentence as former

__all__ = ("MAINTENANCE", "former", "reasons_of", "why")

_BERLIN = ZoneInfo("Europe/Berlin")
_SLOT = datetime(2026, 11, 16, 9, tzinfo=timezone.utc)
MAINTENANCE = reasons_of("quiet window maintenance, until 04:00")[0]


def why(reasons: tuple[Reason, ...], slot: datetime = _SLOT) -> str:
    """Return the reasons at a slot as one text."""
    return reasons_text(reasons, _BERLIN, slot)
