"""Writes that are durable once their caller goes on: the values of `ctx.store`, pauses, and accepted events.

A journal holds them before they are committed. Batches with them are numbered in the order of their
writes, and the number is committed with them: so the next start knows which entries of the journal are older than the
database, and never restores an older value.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from slack_alert.core.errors import StoreError
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.context.key_value import Wait
from slack_alert.engine.ports import Recorder

#: The entry that holds the number of the last committed batch with values or pauses.
NUMBER_PACK, NUMBER_KEY = ".journal", "number"
#: A caller waits at most this long for a commit where the journal accepts nothing, such as on a full disk.
_PATIENCE = timedelta(seconds=5)
#: A coroutine function waits on the main loop, where everything else waits with it.
_PATIENCE_ON_LOOP = timedelta(seconds=0.25)


def submit_durably(recorder: Recorder, batch: Batch) -> Wait:
    """Submit a batch, and return a function that waits until it is durable: not at all where a journal holds it."""

    def submit(then: Callable[[], object]) -> Batch:
        recorder.submit(batch, then)
        return batch

    return durably(submit)


def durably(submit: Callable[[Callable[[], object]], Batch]) -> Wait:
    """Return the wait for the batch that `submit` makes and submits, given what is called after its commit."""
    committed = threading.Event()
    return partial(_wait, submit(committed.set), committed)


def write_durably(recorder: Recorder, entries: Iterable[StoredValue]) -> Wait:
    """Submit values, as `submit_durably` does."""
    return submit_durably(recorder, Batch(entries=[*entries]))


def number_entry(number: int) -> StoredValue:
    """Return the entry that is committed with the batch of this number."""
    return StoredValue(NUMBER_PACK, NUMBER_KEY, str(number))


def number_of(entries: Iterable[StoredValue]) -> int:
    """Return the number among the entries; 0 where there is none."""
    found = [entry.value for entry in entries if (entry.pack, entry.key) == (NUMBER_PACK, NUMBER_KEY)]
    return int(found[-1] or 0) if found else 0


def _wait(batch: Batch, committed: threading.Event) -> None:
    if batch.is_kept or committed.wait(_patience().total_seconds()):
        return
    raise StoreError(
        "This cannot be kept now: the database takes nothing at present. `slack-alert status` says why. "
        "It is written as soon as that works again, unless the program ends before."
    )


def _patience() -> timedelta:
    # Without asyncio no loop is running; short commands do not import it.
    loops = sys.modules.get("asyncio.events")
    return _PATIENCE if loops is None or loops._get_running_loop() is None else _PATIENCE_ON_LOOP
