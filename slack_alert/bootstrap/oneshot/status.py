"""Look at the database and its owner from outside."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slack_alert.bootstrap.database import reading, running_pid
from slack_alert.bootstrap.plugin_files import database
from slack_alert.core.errors import NotAllowed, StoreError
from slack_alert.engine.clock import SystemClock
from slack_alert.operations.status import StoreState, Vitals, status
from slack_alert.stores.files.access_errors import is_there, owner_of, user_name
from slack_alert.stores.sqlite.integrity import (
    count_given_up,
    count_undelivered,
    find_unwritable,
    find_write_error,
    stalled_addresses,
)

if TYPE_CHECKING:
    from slack_alert.settings import Settings

#: Messages that were given up within this time are counted separately.
_LATELY = timedelta(hours=1)


def read_vitals(settings: Settings) -> Vitals:
    """Return the state of the program from its lock, its last sign of life, the outbox and the database."""
    now = SystemClock().now()
    store = StoreState(database(settings))
    try:
        _look(store, settings, now)
    except StoreError as error:
        store.fault, store.is_hidden = str(error), isinstance(error, NotAllowed)
    return status(store, lambda began: stalled_addresses(store.path, began=began, now=now), now=now)


def _look(store: StoreState, settings: Settings, now: datetime) -> None:
    store.is_made = is_there(store.path)
    store.pid = running_pid(settings)
    with reading(settings) as reader:
        store.snapshot = reader.snapshot()
    counts = count_undelivered(store.path, is_traceless=settings.dry_run)
    store.queued, store.dead = counts.get("queued", 0), counts.get("dead", 0)
    store.died = count_given_up(store.path, now - _LATELY, is_traceless=settings.dry_run)
    store.fault, store.limits = _write_access(store)


def _write_access(store: StoreState) -> tuple[str | None, str]:
    """Return why the database cannot be written, or None, and what this user may not do with it."""
    if (blocked := find_unwritable(store.path)) is not None:
        # A user who only reads need not be able to write.
        if store.is_made and owner_of(store.path) != user_name():
            return None, f"this user ({user_name()}) may only read it"
        return f"{blocked} cannot be written: `slack-alert doctor` says what to do", ""
    if (reason := find_write_error(store.path)) is not None:
        return f"{store.path.parent} takes nothing more ({reason}): make room, what is said waits meanwhile", ""
    return None, ""
