"""The clock in a greenlet; the process must have been patched before anything else was imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from apscheduler.schedulers.gevent import GeventScheduler
from gevent import get_hub

from slack_alert.schedulers.base import OPTIONS

T = TypeVar("T")


def blocking(call: Callable[..., T], *arguments: object) -> T:
    """Make a call that blocks in a native thread, so that the hub goes on."""
    result: T = get_hub().threadpool.apply(call, arguments)
    return result


def make_scheduler() -> GeventScheduler:
    """Make the scheduler."""
    return GeventScheduler(**OPTIONS)
