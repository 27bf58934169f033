"""The four schedulers, and where they differ: APScheduler's classes as sources of slots; nothing else of it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from slack_alert.schedulers.base import OPTIONS, SchedulerSource
from slack_alert.schedulers.plan import PlannedJob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: APScheduler's classes, and the module of each below `apscheduler.schedulers`; one is imported only when chosen.
MODULES = {
    "AsyncIOScheduler": "asyncio",
    "BackgroundScheduler": "background",
    "GeventScheduler": "gevent",
    "TornadoScheduler": "tornado",
}


def prepare(name: str) -> None:
    """Import what one of the four schedulers is made of."""
    import_module(f"apscheduler.schedulers.{MODULES[name]}")


def make_source(
    name: str, planned: Iterable[PlannedJob], *, is_behind: Callable[[], bool] = lambda: False
) -> SchedulerSource:
    """Make the source for one of the four schedulers, on the main loop; it waits while those it feeds are behind."""
    module = import_module(f"apscheduler.schedulers.{MODULES[name]}")
    return SchedulerSource(getattr(module, name)(**OPTIONS), planned, is_behind)


__all__ = ["MODULES", "PlannedJob", "SchedulerSource", "make_source", "prepare"]
