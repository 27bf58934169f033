"""The lines of slots that did not run, and which of those that passed unseen still should."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.pipeline.gate import standing
from slack_alert.core.pipeline.missed import FirstSlots, Gap, gaps, is_free, make_up
from slack_alert.core.pipeline.outages import Lapse
from slack_alert.core.pipeline.reasons import gate_reason
from slack_alert.core.schedule.triggers import Trigger
from slack_alert.engine.batches import Batch
from slack_alert.engine.monitoring.clock_watch import Unseen
from slack_alert.engine.ports import Books
from slack_alert.engine.runs.job_state import Hot
from slack_alert.engine.runs.run_records import put_begun

_TICK = timedelta(microseconds=1)
#: So many jobs share a line rather than have one each.
_MANY = 32
#: And so many at most.
_TOGETHER = 256


class Page:
    """Books that only gather what is written into them into one batch, for whoever puts it."""

    def __init__(self) -> None:
        self.batch = Batch(is_repeatable=True)

    def put(self, batch: Batch, then: Callable[[], object] | None = None) -> None:  # noqa: ARG002 - it is not committed
        """Add the rows of a batch."""
        self.batch.records += batch.records
        self.batch.begun += batch.begun

    def note(self, record: Record) -> None:
        """Add a row."""
        self.batch.records.append(record)


class Together:
    """Books that put all at once what comes due at once: a transaction for each overlapped slot would be too many."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._batch = Batch()
        self._thens: list[Callable[[], object]] = []

    def put(self, batch: Batch, then: Callable[[], object] | None = None) -> None:
        """Add the rows of a batch, and what follows its commit."""
        self._batch.records += batch.records
        self._batch.begun += batch.begun
        if then is not None:
            self._thens.append(then)

    def note(self, record: Record) -> None:
        """Pass on a row that needs nothing else."""
        self._books.note(record)

    def put_all(self) -> None:
        """Put what was added."""
        if self._batch.records:
            self._books.put(self._batch, self._follow)

    def _follow(self) -> None:
        for then in self._thens:
            then()


class Accounts:
    """Writes them down."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def skip(self, hot: Hot, slot: datetime, verdict: Verdict) -> None:
        """Account for a slot that the gate held back."""
        alerts, until = standing(hot.job, hot.state, slot, hold=hot.hold)
        reason = gate_reason(hot.job, hot.state, slot, verdict, hold=hot.hold, former=hot.run)
        record = Record(0, hot.job.name, slot, verdict, alerts=alerts, paused_until=until, reason=reason)
        self._note(record, (hot,))

    def row(self, hot: Hot, gap: Gap, lapse: Lapse | None = None) -> None:
        """Account for a row of slots that nobody tried to run; `lapse` says why nobody did."""
        self._note(gap_record(hot, gap, lapse), (hot,))
        hot.pass_by(gap.last)

    def made_up(
        self, hots: Iterable[Hot], unseen: Unseen, *, up_since: datetime | None
    ) -> Iterator[tuple[Hot, datetime | None]]:
        """Account for what passed while the program was down, and give what still runs of it."""
        first, now = FirstSlots(), unseen.lapse.until
        for hot in hots:
            after = max(hot.last or hot.anchor, up_since if up_since and up_since <= now else hot.anchor)
            slot = first.after(hot.job.trigger, after, hot.anchor)
            if slot is None or slot > now:
                continue
            if hot.job.at_start:  # It needs no other run for the same reason; the one at the start has the slot `now`.
                self.folded(hot, unseen, first=slot, last=now - _TICK)
            else:
                yield hot, self.passed(hot, unseen, after=after, until=now, young=hot.job.catch_up)

    def late(self, hot: Hot, slots: Sequence[datetime], unseen: Unseen | None) -> datetime | None:
        """Account for the slots but for the one that still runs, and give that: the last one, if it is not too old.

        None for `unseen`: there is one slot only, and it comes in time. What passed unseen is held to the same rule as
        after a downtime.
        """
        if unseen is None:
            return slots[-1]
        if slots[-1] >= unseen.in_time:
            if len(slots) > 1:  # Else they were accounted for together with others'.
                self.folded(hot, unseen, first=slots[0], last=slots[-1] - _TICK)
            return slots[-1]
        return self.passed(hot, unseen, after=slots[0] - _TICK, until=slots[-1], young=hot.job.catch_up)

    def passed(
        self, hot: Hot, unseen: Unseen, *, after: datetime, until: datetime, young: timedelta
    ) -> datetime | None:
        """Account for the slots in (after, until] that passed unseen, but for the one that still runs; give that.

        One of the wall clock runs as long as it is younger than `young`.
        """
        rows = list(gaps(hot.job, hot.state, hot.hold, after=after, until=until, anchor=hot.anchor))
        rest, slot = make_up(hot.job, rows, hot.anchor, young_after=unseen.lapse.until - young)
        self._write(hot, rest, unseen)
        return slot

    def folded(self, hot: Hot, unseen: Unseen, *, first: datetime, last: datetime) -> None:
        """Account for the slots from `first` to `last`, which a stall left without a run."""
        rows = list(gaps(hot.job, hot.state, hot.hold, after=first - _TICK, until=last, anchor=hot.anchor))
        self._write(hot, rows, unseen)

    def folded_alike(self, hots: Sequence[Hot], slots: Sequence[datetime], unseen: Unseen | None) -> set[Hot]:
        """Account for the slots but for the last one where they are the same of many jobs: in a line that these share.

        Gives those jobs. Always the same ones are looked at together, so that the sets of them are few.
        """
        done: set[Hot] = set()
        if unseen is not None and slots[-1] >= unseen.in_time and len(hots) >= _MANY:
            for start in range(0, len(hots), _TOGETHER):
                for alike in _alike(hots[start : start + _TOGETHER]):
                    self._fold_together(alike, unseen, first=slots[0], last=slots[-1] - _TICK)
                    done.update(alike)
        return done

    def _fold_together(self, alike: Sequence[Hot], unseen: Unseen, *, first: datetime, last: datetime) -> None:
        names, like = tuple(hot.job.name for hot in alike), alike[0]
        for gap in gaps(like.job, like.state, like.hold, after=first - _TICK, until=last, anchor=like.anchor):
            self._note(gap_record(like, gap, unseen.lapse)._replace(binding="", sharers=names), alike)
            for hot in alike:
                hot.pass_by(gap.last)
                unseen.missed[hot.job.name] = unseen.missed.get(hot.job.name, 0) + gap.count

    def _note(self, record: Record, hots: Iterable[Hot]) -> None:
        """Write a row down; it moves its jobs on, past runs that go on: the store must have it that these began."""
        runs = [run for hot in hots if (run := hot.run) is not None and not run.is_noted]
        if runs:
            put_begun(self._books, Batch(records=[record]), runs)
        else:
            self._books.note(record)

    def _write(self, hot: Hot, rows: list[Gap], unseen: Unseen) -> None:
        for row in rows:
            self.row(hot, row, unseen.lapse)
            if row.verdict is Verdict.MISSED:
                unseen.missed[hot.job.name] = unseen.missed.get(hot.job.name, 0) + row.count


def gap_record(hot: Hot, gap: Gap, lapse: Lapse | None = None) -> Record:
    """Return the row of slots that nobody tried to run."""
    alerts, until = standing(hot.job, hot.state, gap.first, hold=hot.hold)
    reason: str | None
    if gap.verdict is Verdict.MISSED and lapse is not None:
        reason = lapse.reason(gap.first, gap.last, hot.job.zone)
    else:
        reason = gate_reason(hot.job, hot.state, gap.first, gap.verdict, hold=hot.hold)
    last = gap.last if gap.count > 1 else None
    return Record(
        0, hot.job.name, gap.first, gap.verdict, alerts=alerts, paused_until=until, count=gap.count, until=last,
        reason=reason,
    )  # fmt: skip


def _alike(hots: Iterable[Hot]) -> Iterator[list[Hot]]:
    """Find those of which a stall folded the same slots, and nothing else is to be said, where they are many."""
    found: defaultdict[tuple[datetime, Trigger, tzinfo], list[Hot]] = defaultdict(list)
    for hot in hots:
        job = hot.job
        if is_free(job, hot.state, hot.hold) and job.rule is None and not hot.is_gone:
            found[hot.anchor, job.trigger, job.zone].append(hot)
    return (alike for alike in found.values() if len(alike) >= _MANY)
