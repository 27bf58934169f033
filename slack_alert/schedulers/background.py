"""The clock on a thread of its own."""

from __future__ import annotations

from apscheduler.schedulers.background import BackgroundScheduler

from slack_alert.schedulers.base import OPTIONS


def make_scheduler() -> BackgroundScheduler:
    """Make the scheduler."""
    return BackgroundScheduler(**OPTIONS)
