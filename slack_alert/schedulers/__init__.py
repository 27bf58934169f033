"""APScheduler as a source of slots: it is the clock, and nothing else of it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from slack_alert.schedulers.base import SchedulerSource
from slack_alert.schedulers.plan import PlannedJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: The class a user names, and the module of ours that makes it; each is imported only when chosen.
MODULES = {
    "AsyncIOScheduler": "asyncio",
    "BackgroundScheduler": "background",
    "GeventScheduler": "gevent",
    "TornadoScheduler": "tornado",
}


def prepare(name: str) -> None:
    """Import what one of the four schedulers is made of."""
    import_module(f"slack_alert.schedulers.{MODULES[name]}")


def make_source(
    name: str, planned: Iterable[PlannedJob], *, is_behind: Callable[[], bool] = lambda: False
) -> SchedulerSource:
    """Make the source for one of the four schedulers; it waits while those it feeds are behind."""
    module = import_module(f"slack_alert.schedulers.{MODULES[name]}")
    return SchedulerSource(module.make_scheduler(), planned, is_behind)


__all__ = ["MODULES", "PlannedJob", "SchedulerSource", "make_source", "prepare"]
