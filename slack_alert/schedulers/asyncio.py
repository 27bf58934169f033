"""The clock on the main loop."""

from __future__ import annotations

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from slack_alert.schedulers.base import OPTIONS


def make_scheduler() -> AsyncIOScheduler:
    """Make the scheduler; it must be started on the loop it shall use."""
    return AsyncIOScheduler(**OPTIONS)
