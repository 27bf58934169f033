"""When several lines of history are told as one row, and one row as several; the same for all books."""

from __future__ import annotations

from collections.abc import Iterator

from slack_alert.core.model import NOT_RUN, Record


def extend(row: Record, after: Record) -> Record | None:
    """Give the row made longer by the one that follows it, or None where they are not alike."""
    if row.verdict not in NOT_RUN or after.verdict is not row.verdict or after.slot <= (row.until or row.slot):
        return None
    if after._replace(slot=row.slot, count=row.count, until=row.until) != row:
        return None
    return row._replace(count=row.count + after.count, until=after.until or after.slot)


def each(record: Record) -> Iterator[Record]:
    """Give the lines of one job each that a record stands for."""
    if not record.sharers:
        yield record
    for job in record.sharers:
        yield record._replace(binding=job, sharers=())
