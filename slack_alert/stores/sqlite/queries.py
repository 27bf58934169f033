"""Queries on an open SQLite connection; they read in pages, because a slow reader keeps the writer's log growing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from heapq import merge
from sqlite3 import Connection

from slack_alert.core.events import KeptEvent
from slack_alert.core.model.message import Delivery, PostedDelivery, RunPart, Status
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.quota import Pause
from slack_alert.core.structs import Unreadable
from slack_alert.engine.batches import HistoryLine, JobProgress, Snapshot, StartedRun, StoredValue, UnaccountedSlots
from slack_alert.stores.files.serialization import unpacked
from slack_alert.stores.sql import statements
from slack_alert.stores.sql.job_groups import GroupMembers, group_keys_of, read_newest
from slack_alert.stores.sql.rows import (
    Row,
    asked_of,
    clean,
    delivery_of,
    event_of,
    kept_event_of,
    line_of,
    maybe_moment,
    micros,
    moment,
    record_of,
    state_of,
)

log = logging.getLogger(__name__)

_LINES = 500
#: Few, because a delivery may hold a file.
_DELIVERIES = 50
_BEGINNING = -(2**63)


def snapshot(connection: Connection) -> Snapshot:
    """Return the snapshot that a run begins with, as of one moment."""
    connection.execute("BEGIN")
    try:
        last_run, last_event, taken, pulse = connection.execute(statements.BOOK).fetchone()
        return Snapshot(
            states=dict(state_of(row) for row in connection.execute(statements.STATES)),
            seen=seen(connection),
            holds={job: Pause(maybe_moment(until), by) for job, until, by in connection.execute(statements.HOLDS)},
            entries=tuple(
                StoredValue(pack, key, value, maybe_moment(expires))
                for pack, key, value, expires in connection.execute(statements.ENTRIES)
            ),
            running=tuple(
                StartedRun(run, job, moment(slot), moment(started))
                for run, job, slot, started in connection.execute(statements.RUNNING)
            ),
            returned=tuple(_returned(connection)),
            unaccounted=tuple(
                UnaccountedSlots(job, moment(after), moment(until))
                for job, after, until in connection.execute(statements.UNACCOUNTED)
            ),
            events=tuple(map(event_of, connection.execute(statements.EVENTS))),
            asked=tuple(asked_of(fields) for (fields,) in connection.execute(statements.ASKED)),
            inbound={one: moment(at) for one, at in connection.execute(statements.INBOUND)},
            last_event=last_event,
            last_run=last_run,
            taken=taken,
            pulse=pulse,
        )
    finally:
        connection.rollback()  # Nothing was written; it does no harm where the transaction has already ended.


def event(connection: Connection, number: int) -> KeptEvent | None:
    """Return an event by its id, or None if there is none."""
    row = connection.execute(statements.EVENT, (number,)).fetchone()
    return None if row is None else kept_event_of(row)


def caused_events(connection: Connection, number: int) -> list[KeptEvent]:
    """Return the events that runs emitted which answered this one."""
    return [kept_event_of(row) for row in connection.execute(statements.CAUSED_EVENTS, (number,)).fetchall()]


def events(connection: Connection, *, after: int, since: datetime | None, limit: int) -> list[KeptEvent]:
    """Return the newest `limit` events above an id, the oldest of them first."""
    earliest = _BEGINNING if since is None else micros(since)
    rows = connection.execute(statements.NEWEST_EVENTS, (after, earliest, limit)).fetchall()
    return [kept_event_of(row) for row in reversed(rows)]


def _returned(connection: Connection) -> Iterator[Returned]:
    """Yield what is known of runs that returned and have no record."""
    for (content,) in connection.execute(statements.RETURNED).fetchall():
        try:
            one = unpacked(content)
        except (Unreadable, KeyError, TypeError, ValueError) as error:
            log.warning("left out what another version kept", extra={"reason": str(error)})
            continue
        if isinstance(one, Returned):
            yield one


def seen(connection: Connection) -> dict[str, JobProgress]:
    """Return the progress of each job, from table `seen` and the records newer than that."""
    reached = read_newest(connection)
    known: dict[tuple[int, int | None], JobProgress] = {}
    found: dict[str, JobProgress] = {}
    for job, first, noted in connection.execute(statements.SEEN).fetchall():
        last = noted if job not in reached else max(reached[job], _BEGINNING if noted is None else noted)
        # Most jobs share first and last slot, so the objects are shared as well.
        if (first, last) not in known:
            known[first, last] = JobProgress(moment(first), maybe_moment(last))
        found[job] = known[first, last]
    return found


def waiting(connection: Connection, address: str | None, after: int, limit: int) -> list[Delivery]:
    """Return at most `limit` queued deliveries with ids above `after`, oldest first; None: of all addresses."""
    if address is None:
        rows = connection.execute(statements.WAITING, (after, limit))
    else:
        rows = connection.execute(statements.WAITING_AT, (clean(address), after, limit))
    return [delivery_of(row) for row in rows.fetchall()]


def deliveries(connection: Connection) -> Iterator[Delivery]:
    """Yield the whole outbox, oldest first."""
    after = 0
    while rows := connection.execute(statements.DELIVERIES, (after, _DELIVERIES)).fetchall():
        yield from map(delivery_of, rows)
        after = rows[-1][0]


def posted(connection: Connection, run: int) -> list[PostedDelivery]:
    """Return the deliveries of a run with their progress."""
    rows = connection.execute(statements.POSTED, (run,)).fetchall()
    return [PostedDelivery(delivery_of(row), maybe_moment(changed), in_front) for *row, changed, in_front in rows]


def last_receipt(connection: Connection, address: str) -> str | None:
    """Return the receipt of the last message accepted at an address."""
    row = connection.execute(statements.LAST_RECEIPT, (clean(address),)).fetchone()
    return None if row is None else row[0]


def receipt(connection: Connection, key: str) -> str | None:
    """Return the receipt of the message with this key, or None where it was not accepted."""
    row = connection.execute(statements.RECEIPT, (clean(key),)).fetchone()
    return None if row is None else row[0]


def ended(connection: Connection, runs: Collection[RunPart]) -> dict[int, Verdict]:
    """Return how runs have ended, those that have."""
    found: dict[int, Verdict] = {}
    for one in runs:
        if one.slot is not None:
            key = (clean(one.job), micros(one.slot), one.run)
            if row := connection.execute(statements.END_OF_RUN, key).fetchone():
                found[one.run] = Verdict(row[0])
    return found


def history(
    connection: Connection, *, job: str | None, since: datetime | None, limit: int | None
) -> Iterator[HistoryLine]:
    """Yield the newest `limit` lines, oldest first; a row of several slots counts from `since` by its last slot."""
    earliest = _BEGINNING if since is None else micros(since)
    chosen = _all(connection, job, earliest) if limit is None else _newest(connection, job, earliest, max(0, limit))
    for (_, has_messages, _, *columns), name in chosen:
        record = record_of(columns)
        parts = connection.execute(statements.PARTS, (record.run,)).fetchall() if has_messages else ()
        told = [(Status(status), attempts, receipt) for status, attempts, receipt in parts]
        yield line_of(record if record.binding == name else record._replace(binding=name), told)


#: A row, and the job of the line: several jobs may share a row.
_Line = tuple[Row, str]
#: Columns of a row; before them are the id, whether there are messages, and whether it is of a group of jobs.
_IS_SHARED = 2
_JOB, _SLOT, _UNTIL = (3 + statements.RECORD_COLUMNS.split(", ").index(name) for name in ("job", "slot", "until"))


def _all(connection: Connection, job: str | None, earliest: int) -> Iterator[_Line]:
    if job is None:
        return _lines_of(connection, _pages(connection, None, earliest))
    name = clean(job)
    pages = [_pages(connection, key, earliest) for key in (name, *group_keys_of(connection, name))]
    return ((row, name) for row in merge(*pages, key=_place))


def _lines_of(connection: Connection, rows: Iterable[Row]) -> Iterator[_Line]:
    members = GroupMembers(connection)
    for row in rows:
        for name in members.jobs_of(row[_JOB]) if row[_IS_SHARED] else (row[_JOB],):
            yield row, name


def _pages(connection: Connection, job: str | None, earliest: int) -> Iterator[Row]:
    first = earliest
    if earliest != _BEGINNING:
        first = connection.execute(statements.FIRST_SLOT, (earliest, earliest)).fetchone()[0]
    statement = statements.HISTORY_PAGE if job is None else statements.HISTORY_PAGE_OF_JOB
    chosen = () if job is None else (job,)
    after = (first, 0)
    while first is not None and (rows := connection.execute(statement, (*after, earliest, *chosen, _LINES)).fetchall()):
        yield from rows
        after = (rows[-1][_SLOT], rows[-1][0])


def _newest(connection: Connection, job: str | None, earliest: int, most: int) -> Iterable[_Line]:
    if job is not None:
        name = clean(job)
        asked = [(key, earliest, most) for key in (name, *group_keys_of(connection, name))]
        rows = [row for each in asked for row in connection.execute(statements.HISTORY_NEWEST_OF_JOB, each)]
        rows.sort(key=_place)
        return [(row, name) for row in rows[max(0, len(rows) - most) :]]
    # The newest end last, also among the lines of a shared row.
    found = connection.execute(statements.HISTORY_NEWEST, (earliest, most, earliest, most, most)).fetchall()
    found.sort(key=lambda row: (row[_UNTIL], row[0]))
    lines = list(_lines_of(connection, found))
    return sorted(lines[max(0, len(lines) - most) :], key=lambda line: _place(line[0]))


def _place(row: Row) -> tuple[int, int]:
    return row[_SLOT], row[0]
