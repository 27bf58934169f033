"""Open the database: to read it beside a running program, or as its owner."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from slack_alert import stores
from slack_alert.bootstrap.plugin_files import database
from slack_alert.core.errors import NotAllowed
from slack_alert.engine.app.liveness import is_fresh, read_pulse
from slack_alert.engine.clock import SystemClock
from slack_alert.engine.ports import Reader
from slack_alert.stores import DatabaseLock, SqliteReader

if TYPE_CHECKING:
    from slack_alert.settings import Settings


def open_reader(settings: Settings) -> Reader:
    """Open a reader of the database, beside the process that writes it."""
    return SqliteReader(database(settings), is_traceless=settings.dry_run)


def reading(settings: Settings) -> closing[Reader]:
    """Return a context with a reader of the database, which is closed at the end."""
    return closing(open_reader(settings))


def running_pid(settings: Settings) -> int | None:
    """Return the id of the process that runs with this database now, or None.

    Raise NotAllowed if this user may read neither the lock nor the program's liveness.
    """
    try:
        return stores.holder(database(settings))
    except NotAllowed:
        with reading(settings) as reader:
            pulse = read_pulse(reader.snapshot())
        if not is_fresh(pulse, SystemClock().now()):
            raise
        return int(pulse["pid"])


@contextmanager
def owning(
    settings: Settings, wait: timedelta, *, is_brief: bool = False, note: str = ""
) -> Iterator[DatabaseLock | None]:
    """Yield the acquired lock of the database, or None if another process holds it for longer than `wait`."""
    lock = DatabaseLock(database(settings))
    try:
        yield lock if lock.acquire(wait, is_brief=is_brief, note=note) else None
    finally:
        lock.release()
