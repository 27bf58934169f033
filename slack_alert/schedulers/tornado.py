"""The clock on Tornado's loop, which is the main loop."""

from __future__ import annotations

from apscheduler.schedulers.tornado import TornadoScheduler

from slack_alert.schedulers.base import OPTIONS


def make_scheduler() -> TornadoScheduler:
    """Make the scheduler; it must be started on the loop it shall use."""
    return TornadoScheduler(**OPTIONS)
