"""The note in the store that a run began, by which a restart knows that a kill cut it off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from slack_alert.core.model import Run
from slack_alert.engine.batches import Batch
from slack_alert.engine.ports import Books
from slack_alert.engine.records import started


def put_begun(books: Books, batch: Batch, runs: Iterable[Run], then: Callable[[], object] | None = None) -> None:
    """Put a batch, and in it the note that these runs began, where the store may not have it.

    A row that is written by itself may be committed before a batch that was put earlier. So a run counts as noted once
    the note is committed, and rows of slots that came after a run's own go with its note until then.
    """
    begun = [run for run in runs if not run.is_noted]
    batch.begun += map(started, begun)
    books.put(batch, partial(_noted, begun, then))


def _noted(runs: Iterable[Run], then: Callable[[], object] | None) -> None:
    for run in runs:
        run.is_noted = True
    if then is not None:
        then()
