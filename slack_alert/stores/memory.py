"""A store in memory, for simulations, demonstrations and tests; it behaves exactly as the stores in files do."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from datetime import datetime

from slack_alert.core.events import AcceptedEvent
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.message import Delivery, PostedDelivery, Status
from slack_alert.core.model.record import NOT_RUN, Record, split_by_job
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.overflow import AGAIN
from slack_alert.core.policy.quota import Pause, State
from slack_alert.core.structs import replace
from slack_alert.engine.batches import (
    Batch,
    HistoryLimits,
    HistoryLine,
    JobProgress,
    Snapshot,
    StartedRun,
    StoredValue,
    UnaccountedSlots,
)
from slack_alert.engine.requests.inbound_ids import REMEMBERED
from slack_alert.stores.folding import FOLDABLE, HOUR, FoldedRow, HourFold, OpenRows, merge_consecutive
from slack_alert.stores.sql.rows import (
    Row,
    asked_of,
    asked_row,
    clean,
    end_of,
    event_of,
    event_row,
    line_of,
    maybe_clean,
    message_rows,
    micros,
    moment,
    queued_of,
    record_of,
    record_rows,
)
from slack_alert.stores.sql.writes import NEVER, as_of, last_event, last_run, writes


class MemoryStore:
    """Store and Reader of one process; closing it keeps everything, so that opening it again acts as a restart."""

    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self._seen: dict[str, JobProgress] = {}
        self._holds: dict[str, Pause] = {}
        self._entries: dict[tuple[str, str], StoredValue] = {}
        self._left = _LeftRuns()
        self._events: dict[int, AcceptedEvent] = {}
        self._asked: dict[int, AskedCommand] = {}
        self._inbound: dict[str, datetime] = {}
        self._last_event = 0
        self._last_run = 0
        self._taken = 0
        self._pulse: str | None = None
        self._records: dict[int, Record] = {}
        self._next_record = 1
        self._open_rows = OpenRows()
        self._outbox = _Outbox()

    def open(self) -> Snapshot:
        """Return the snapshot a run begins with."""
        self._open_rows.clear()
        return self.snapshot()

    def commit(self, batch: Batch) -> list[Delivery]:
        """Write all of the batch or nothing."""
        messages = message_rows(batch.messages, batch.at)
        summaries = message_rows(batch.summaries, batch.at)
        cleaned = [record_of((*columns, None)) for _, *columns in record_rows(batch.records, 0)]
        records = [
            record._replace(sharers=tuple(map(clean, given.sharers)))
            for record, given in zip(cleaned, batch.records, strict=True)
        ]
        writes(batch)  # It raises for values that no store takes, before anything is changed.
        self._put_policy(batch)
        self._put_values_and_runs(batch)
        self._put_events(batch)
        self._put_records(records)
        return self._outbox.commit(batch, messages, summaries)

    def prune(self, now: datetime, limits: HistoryLimits) -> None:
        """Delete and fold history beyond the limits."""
        cutoff = micros(now) - limits.days * 24 * HOUR
        self._events = {number: kept for number, kept in self._events.items() if micros(kept.event.at) >= cutoff}
        self._inbound = {one: at for one, at in self._inbound.items() if now - at <= REMEMBERED}
        self._left.forget({record.run for record in self._records.values()}, cutoff)
        self._records = {number: row for number, row in self._records.items() if end_of(row) >= cutoff}
        self._outbox.forget(cutoff)
        for name in [name for name, entry in self._entries.items() if entry.expires and entry.expires <= now]:
            del self._entries[name]
        self._fold(limits.rows)

    def close(self) -> None:
        """Do nothing: all is kept for the next `open`."""

    def history(self, *, job: str | None, since: datetime | None, limit: int | None) -> Iterator[HistoryLine]:
        """Yield the newest `limit` lines, oldest first."""
        rows = [(number, row) for number, row in self._records.items() if job is None or row.binding == clean(job)]
        if since is not None:
            rows = [(number, row) for number, row in rows if end_of(row) >= micros(since)]
        if limit is not None:
            rows.sort(key=lambda row: (end_of(row[1]) if job is None else row[1].slot, row[0]), reverse=True)
            del rows[max(0, limit) :]
        rows.sort(key=lambda row: (row[1].slot, row[0]))
        for _, row in rows:
            yield line_of(row, self._outbox.parts(row.run))

    def deliveries(self) -> Iterator[Delivery]:
        """Return an iterator over the whole outbox, oldest first."""
        return iter(self._outbox.all())

    def posted(self, run: int) -> list[PostedDelivery]:
        """Return the deliveries of a run with their progress."""
        return self._outbox.posted(run)

    def snapshot(self) -> Snapshot:
        """Return the snapshot that a run would begin with."""
        recorded = {record.run for record in self._records.values()}
        return Snapshot(
            states=dict(sorted(self._states.items())),
            seen=dict(sorted(self._seen.items())),
            holds=dict(sorted(self._holds.items())),
            entries=tuple(self._entries[name] for name in sorted(self._entries)),
            running=self._left.running(recorded),
            returned=self._left.returned(recorded),
            unaccounted=tuple(sorted(self._left.unaccounted, key=lambda one: (one.job, one.until, one.after))),
            events=tuple(self._events[number] for number in sorted(self._events)),
            asked=tuple(self._asked[number] for number in sorted(self._asked)),
            inbound=dict(sorted(self._inbound.items(), key=lambda one: (one[1], one[0]))),
            last_event=self._last_event,
            last_run=self._last_run,
            taken=self._taken,
            pulse=self._pulse,
        )

    def waiting(self, address: str | None, after: int, limit: int) -> list[Delivery]:
        """Return at most `limit` queued deliveries with ids above `after`, oldest first; None: of all addresses."""
        queued = [one for one in self._outbox.all() if one.status is Status.QUEUED and one.id > after]
        if address is not None:
            queued = [one for one in queued if str(one.message.to) == clean(address)]
        return queued[:limit]

    def last_receipt(self, address: str) -> str | None:
        """Return the receipt of the last message accepted at an address."""
        return self._outbox.last_receipt(address)

    def receipt(self, key: str) -> str | None:
        """Return the receipt of the message with this key, or None where it was not accepted."""
        sent = (one for one in self._outbox.all() if one.status is Status.SENT and one.message.key == clean(key))
        return next((one.receipt for one in sent), None)

    def _put_policy(self, batch: Batch) -> None:
        self._states.update((clean(job), state) for job, state in batch.states.items())
        for job, seen in batch.seen.items():
            self._put_seen(clean(job), seen, as_of(batch))
        for job, hold in batch.holds.items():
            self._holds.pop(clean(job), None)
            if hold is not None:
                self._holds[clean(job)] = replace(hold, by=clean(hold.by))

    def _put_seen(self, job: str, seen: JobProgress, at: int) -> None:
        known = self._seen.get(job, seen).last
        if known is not None and (seen.last is None or (known > seen.last and micros(known) <= at)):
            seen = seen._replace(last=known)
        self._seen[job] = seen

    def _put_values_and_runs(self, batch: Batch) -> None:
        for entry in batch.entries:
            kept = replace(entry, pack=clean(entry.pack), key=clean(entry.key), value=maybe_clean(entry.value))
            self._entries.pop((kept.pack, kept.key), None)
            if kept.value is not None:
                self._entries[kept.pack, kept.key] = kept
        self._left.apply(batch)
        if batch.pulse is not None:
            self._pulse = clean(batch.pulse)
        self._taken = max(self._taken, batch.taken or 0)
        self._last_run = max(self._last_run, last_run(batch))

    def _put_events(self, batch: Batch) -> None:
        for accepted in batch.accepted:
            put = event_of(event_row(accepted))
            known = self._events.get(put.event.id, put)
            attempts = replace(known.event, attempts=put.event.attempts)
            self._events[put.event.id] = replace(known, event=attempts)
        self._last_event = max(self._last_event, last_event(batch))
        self._asked.update((asked.id, asked_of(str(asked_row(asked)[2]))) for asked in batch.asked)
        for number in batch.settled:
            self._asked.pop(number, None)
        for one, at in batch.inbound:
            self._inbound.setdefault(clean(one), at)
        for number, job in batch.answered:
            if (kept := self._events.pop(number, None)) is not None:
                left = tuple(name for name in kept.jobs if name != clean(job))
                self._events.update({number: replace(kept, jobs=left)} if left else {})

    def _put_records(self, records: Iterable[Record]) -> None:
        for record in merge_consecutive(records):
            if record.sharers:
                self._open_rows.track(record)
            for line in split_by_job(record):
                self._put_record(line, is_shared=bool(record.sharers))

    def _put_record(self, record: Record, *, is_shared: bool) -> None:
        if record.binding in self._seen and record.asked_by is None:
            self._put_seen(record.binding, self._seen[record.binding]._replace(last=moment(end_of(record))), NEVER)
        number, row = self._next_record, record
        extension = self._open_rows.extension(record) if record.verdict in NOT_RUN else None
        if extension is not None and self._records.get(extension.id) == extension.before:
            number, row = extension.id, extension.after
        self._records[number] = row
        if not is_shared:
            self._open_rows.track(row, number)
        self._next_record = max(self._next_record, number + 1)

    def _fold(self, keep: int) -> None:
        ordered = sorted(self._records.items(), key=lambda row: (row[1].slot, row[0]))
        old = [(number, row) for number, row in ordered[: max(0, len(ordered) - keep)] if row.verdict in FOLDABLE]
        grown, gone = HourFold().fold(_folded_row(number, row) for number, row in old)
        for slim in grown:
            self._records[slim.id] = _grown_record(self._records[slim.id], slim)
        for number in gone:
            del self._records[number]


def _folded_row(number: int, row: Record) -> FoldedRow:
    return FoldedRow(number, row.binding, row.verdict.value, micros(row.slot), row.count, end_of(row))


def _grown_record(row: Record, slim: FoldedRow) -> Record:
    grown = row._replace(count=slim.count, until=moment(slim.until))
    return grown._replace(
        run=0, started=None, duration=None, text="", error=None, printed=None, asked_by=None
    )._replace(reasons=(), numbers=None, usage=None, outcome=None)


class _LeftRuns:
    """The running runs, the returned runs without a record, and the unaccounted slots of a memory store."""

    def __init__(self) -> None:
        self._running: dict[int, StartedRun] = {}
        self._returned: dict[int, Returned] = {}
        self.unaccounted: list[UnaccountedSlots] = []

    def apply(self, batch: Batch) -> None:
        """Apply the changes of a batch."""
        if batch.running is not None:
            self._running.clear()
        for started in (*(batch.running or ()), *batch.begun):
            self._running.setdefault(started.run, replace(started, binding=clean(started.binding)))
        for run in batch.ended:
            self._running.pop(run, None)
        for one in batch.returned:
            self._returned.setdefault(one.run, one)
        accounted = set(map(clean, batch.accounted))
        self.unaccounted = [one for one in self.unaccounted if one.job not in accounted]
        self.unaccounted += batch.unaccounted

    def running(self, recorded: Container[int]) -> tuple[StartedRun, ...]:
        """Return the running runs, without those that have a record."""
        found = (one for run, one in sorted(self._running.items()) if run not in self._returned)
        return tuple(one for one in found if one.run not in recorded)

    def returned(self, recorded: Container[int]) -> tuple[Returned, ...]:
        """Return the returned runs, without those that have a record."""
        found = sorted(self._returned.values(), key=lambda one: (one.slot, one.run))
        return tuple(one for one in found if one.run not in recorded)

    def forget(self, recorded: Iterable[int], cutoff: int) -> None:
        """Forget runs that have a record, and what is older than `cutoff`: its jobs never came back."""
        self.unaccounted = [one for one in self.unaccounted if micros(one.until) >= cutoff]
        for old in [run for run, one in self._returned.items() if micros(one.slot) < cutoff]:
            del self._returned[old]
        for run in recorded:
            self._running.pop(run, None)
            self._returned.pop(run, None)


class _Outbox:
    """The deliveries of a memory store."""

    def __init__(self) -> None:
        self._kept: dict[int, Delivery] = {}
        self._keys: set[str] = set()
        self._changed: dict[int, datetime] = {}
        self._next = 1

    def all(self) -> list[Delivery]:
        return [self._kept[number] for number in sorted(self._kept)]

    def commit(self, batch: Batch, messages: Iterable[Row], summaries: Iterable[Row]) -> list[Delivery]:
        for progress in batch.progress:
            delivery = self._kept.get(progress.delivery)
            if delivery is not None and delivery.status is Status.QUEUED:
                self._changed[delivery.id] = progress.at
                self._kept[delivery.id] = replace(
                    delivery,
                    status=progress.status,
                    attempts=progress.attempts,
                    receipt=maybe_clean(progress.receipt),
                    reason=maybe_clean(progress.reason),
                    is_answer=progress.is_answer,
                )
        self._drop(number for number in batch.dropped if self._status(number) is not Status.SENT)
        unsaid = (Status.DEAD, Status.COLLAPSED)
        retried = sorted({number for number in batch.retried if self._status(number) in unsaid})
        again = [self._retry(number, batch.at) for number in retried]
        added = [self._add(row) for row in messages if row[0] not in self._keys]
        return again + added + self._summarize(summaries)

    def forget(self, cutoff: int) -> None:
        old = [one for one in self._kept.values() if micros(one.created) < cutoff]
        self._drop(one.id for one in old if one.status is not Status.QUEUED)

    def parts(self, run: int) -> list[tuple[Status, int, str | None]]:
        mine = [delivery for delivery in self.all() if delivery.message.origin.run == run]
        return [(delivery.status, delivery.attempts, delivery.receipt) for delivery in mine]

    def posted(self, run: int) -> list[PostedDelivery]:
        mine = [one for one in self.all() if one.message.origin.run == run]
        return [PostedDelivery(one, self._changed.get(one.id), self._in_front(one)) for one in mine]

    def _in_front(self, delivery: Delivery) -> int:
        if delivery.status is not Status.QUEUED:
            return 0
        queued = (one for one in self.all() if one.status is Status.QUEUED and one.id < delivery.id)
        return sum(one.message.to == delivery.message.to for one in queued)

    def last_receipt(self, address: str) -> str | None:
        sent = [one for one in self.all() if one.status is Status.SENT and str(one.message.to) == clean(address)]
        accepted = [one for one in sent if one.receipt is not None]
        return max(accepted, key=lambda one: (self._changed[one.id], one.id)).receipt if accepted else None

    def _status(self, number: int) -> Status | None:
        delivery = self._kept.get(number)
        return None if delivery is None else delivery.status

    def _drop(self, ids: Iterable[int]) -> None:
        for number in list(ids):
            delivery = self._kept.pop(number, None)
            if delivery is not None:
                self._keys.remove(delivery.message.key)

    def _summarize(self, rows: Iterable[Row]) -> list[Delivery]:
        new: list[Delivery] = []
        for row in rows:
            known = next((one for one in self._kept.values() if one.message.key == row[0]), None)
            if known is None:
                new.append(self._add(row))
            elif known.status is Status.QUEUED:
                piece = queued_of(known.id, row).message.piece
                self._kept[known.id] = replace(known, message=replace(known.message, piece=piece))
        return new

    def _retry(self, number: int, at: datetime | None) -> Delivery:
        delivery = self._kept[number]
        fresh = replace(
            delivery,
            status=Status.QUEUED,
            attempts=0,
            reason=AGAIN,
            is_answer=False,
            created=delivery.created if at is None else at,
        )
        self._kept[number] = fresh
        return fresh

    def _add(self, row: Row) -> Delivery:
        delivery = queued_of(self._next, row)
        self._kept[self._next] = delivery
        self._keys.add(delivery.message.key)
        self._next += 1
        return delivery
