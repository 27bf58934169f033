"""Turn a batch into statements and their rows, for all SQL databases alike."""

from __future__ import annotations

from collections.abc import Iterator

from slack_alert.core.model.message import DeliveryProgress
from slack_alert.engine.batches import Batch, StartedRun
from slack_alert.stores.files.serialization import packed
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.rows import (
    Row,
    answer_line,
    asked_row,
    clean,
    event_row,
    job_line,
    maybe_clean,
    maybe_micros,
    micros,
    state_row,
)

Write = tuple[str, list[Row]]

#: Later than any instant.
NEVER = 2**63 - 1


def writes(batch: Batch) -> list[Write]:
    """Return the writes of a batch in order, without new messages, new records and retries."""
    return [
        write
        for write in (*_policy(batch), *_outbox(batch), *_entries(batch), *_events(batch), *_book(batch))
        if write[1]
    ]


def last_run(batch: Batch) -> int:
    """Return the greatest run id in the batch, or 0."""
    ids = [record.run for record in batch.records]
    ids += [started.run for started in batch.running or ()]
    ids += [started.run for started in batch.begun]
    ids += [returned.run for returned in batch.returned]
    ids += [asked.run for asked in batch.asked]
    ids += [run for message in batch.messages if (run := message.origin.run) is not None]
    return max(ids, default=0)


def last_event(batch: Batch) -> int:
    """Return the greatest id of an event or a command in the batch, or 0."""
    return max(
        [*(one.event.id for one in (*batch.accepted, *batch.unmatched)), *(asked.id for asked in batch.asked)],
        default=0,
    )


def as_of(batch: Batch) -> int:
    """Return the batch's instant in microseconds; a batch without one counts as later than any."""
    return NEVER if batch.at is None else micros(batch.at)


def _policy(batch: Batch) -> Iterator[Write]:
    at = as_of(batch)
    yield statements.PUT_STATE, [state_row(job, state) for job, state in batch.states.items()]
    seen = batch.seen.items()
    yield statements.PUT_SEEN, [(clean(job), micros(one.first), maybe_micros(one.last), at) for job, one in seen]
    holds = [(clean(job), hold) for job, hold in batch.holds.items()]
    yield (
        statements.PUT_HOLD,
        [(job, maybe_micros(hold.until), clean(hold.by)) for job, hold in holds if hold is not None],
    )
    yield statements.CLEAR_HOLD, [(job,) for job, hold in holds if hold is None]


def _outbox(batch: Batch) -> Iterator[Write]:
    yield statements.PUT_PROGRESS, [_progress_row(progress) for progress in batch.progress]
    yield statements.DROP_DELIVERY, [(number,) for number in batch.dropped]


def _progress_row(progress: DeliveryProgress) -> Row:
    return (
        progress.status.value,
        progress.attempts,
        maybe_clean(progress.receipt),
        maybe_clean(progress.reason),
        None if progress.reason is None else int(progress.is_answer),
        micros(progress.at),
        progress.delivery,
    )


def _entries(batch: Batch) -> Iterator[Write]:
    """Yield the last change of each key: the same key may be put and deleted in one batch."""
    entries = {(clean(entry.pack), clean(entry.key)): entry for entry in batch.entries}
    yield (
        statements.PUT_ENTRY,
        [
            (*name, clean(entry.value), maybe_micros(entry.expires))
            for name, entry in entries.items()
            if entry.value is not None
        ],
    )
    yield statements.CLEAR_ENTRY, [name for name, entry in entries.items() if entry.value is None]


def _events(batch: Batch) -> Iterator[Write]:
    yield statements.PUT_EVENT, [event_row(accepted) for accepted in (*batch.accepted, *batch.unmatched)]
    yield statements.ANSWER_EVENT, [(job_line(one.job), answer_line(one), one.event) for one in batch.answered]
    settled = frozenset(batch.settled)
    # A command is kept, and once more with its number: where both come together, the last is what is stored.
    latest = {asked.id: asked for asked in batch.asked if asked.id not in settled}
    yield statements.PUT_ASKED, [asked_row(asked) for asked in latest.values()]
    yield statements.SETTLE_ASKED, [(number,) for number in batch.settled]
    yield statements.PUT_INBOUND, [(clean(one), micros(at)) for one, at in batch.inbound]
    if (last := last_event(batch)) > 0:
        yield statements.PUT_LAST_EVENT, [(last, last)]


def _book(batch: Batch) -> Iterator[Write]:
    if batch.running is not None:
        yield statements.CLEAR_RUNNING, [()]
        yield statements.PUT_RUNNING, [_started_row(started) for started in batch.running]
    yield statements.PUT_RUNNING, [_started_row(started) for started in batch.begun]
    yield statements.DROP_RUNNING, [(run,) for run in batch.ended]
    yield (
        statements.PUT_RETURNED,
        [(one.run, clean(one.binding), micros(one.slot), packed(one)) for one in batch.returned],
    )
    yield statements.CLEAR_UNACCOUNTED, [(clean(job),) for job in batch.accounted]
    yield (
        statements.PUT_UNACCOUNTED,
        [(clean(one.job), micros(one.after), micros(one.until)) for one in batch.unaccounted],
    )
    if batch.pulse is not None:
        yield statements.PUT_PULSE, [(clean(batch.pulse),)]
    if batch.taken is not None:
        yield statements.PUT_TAKEN, [(batch.taken, batch.taken)]
    if (run := last_run(batch)) > 0:
        yield statements.PUT_LAST_RUN, [(run, run)]


def _started_row(started: StartedRun) -> Row:
    return started.run, clean(started.binding), micros(started.slot), micros(started.started)
