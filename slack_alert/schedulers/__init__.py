"""APScheduler as a source of slots: it is the clock, and nothing else of it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from slack_alert.schedulers.base import Clockwork
from slack_alert.schedulers.plan import Planned

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


def make_source(name: str, planned: Iterable[Planned], *, is_behind: Callable[[], bool] = lambda: False) -> Clockwork:
    """Make the source for one of the four schedulers; it waits while those it feeds are behind."""
    module = import_module(f"slack_alert.schedulers.{MODULES[name]}")
    return Clockwork(module.make_scheduler(), planned, is_behind)


__all__ = ["MODULES", "Clockwork", "Planned", "make_source", "prepare"]
