"""Digests of withheld messages, posted once when a mute or a quiet window is over."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import partial
from itertools import takewhile

from slack_alert.core.model.address import Address
from slack_alert.core.model.message import Notice
from slack_alert.core.model.reason import Reason, ReasonCode, has
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.mutes import Mute, mute_reason
from slack_alert.core.policy.quiet_windows import QuietWindow
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import counted, format_time, plural
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.engine import Engine
from slack_alert.engine.mutes.mutes import Mutes, mark_entry
from slack_alert.engine.ports import HistoryReader, Recorder

log = logging.getLogger(__name__)

#: Jobs named in a digest; the rest is counted.
_NAMED = 10
#: How many characters of a job's last text are shown.
_SHOWN = 80
#: How long a digest waits for runs whose slots lie before the end.
_PATIENCE = timedelta(minutes=1)
#: How long after a failed read of history the next is tried.
_PAUSE = timedelta(seconds=30)
#: How far back the last start of a new window is searched.
_FORMER = timedelta(days=32)
_NEVER = datetime.max.replace(tzinfo=timezone.utc)
#: For more jobs than this, all of history is read instead of every job's own.
_FEW = 20


_IDS = {
    ReasonCode.MUTED: "muted",
    ReasonCode.ALL_MUTED: "all jobs muted",
    ReasonCode.QUIET_WINDOW: "quiet window {},",
}


class EndedSilence(Struct, frozen=True):
    """A mute or window that is over, with what the store holds of it until the digest is posted."""

    #: For people: `maintenance`, `db.lag was muted by ann`.
    name: str
    #: Code and name as in the reason of what it withheld.
    reason: Reason
    since: datetime
    until: datetime
    #: None: all jobs.
    jobs: frozenset[str] | None
    #: What to write once the digest is posted.
    entries: tuple[StoredValue, ...]

    @property
    def id(self) -> str:
        """What makes its digest unique."""
        job = "*" if self.jobs is None else min(self.jobs)
        return f"{_IDS[self.reason.code].format(self.reason.what)}/{job}/{self.since.isoformat()}"


class WithheldCount(Struct, frozen=True):
    """What was withheld of a job."""

    count: int
    #: The last withheld text.
    text: str
    #: When the job recovered.
    over: datetime | None = None

    def more(self, record: Record) -> WithheldCount:
        """Return the count with a record's withheld messages added, or with its recovery."""
        if record.verdict is not Verdict.MUTED:
            return replace(self, over=record.slot)
        return WithheldCount(self.count + record.count, record.text)


#: By job, and whether it goes where errors go.
Withheld = Mapping[tuple[str, bool], WithheldCount]


def withheld(reader: HistoryReader, ending: EndedSilence) -> Withheld:
    """Return what a silence withheld, read from history; may take long."""
    tallies: dict[tuple[str, bool], WithheldCount] = {}
    for record in _records(reader, ending):
        if _concerns(record, ending):
            place = record.binding, record.error is not None
            tallies[place] = tallies.get(place, WithheldCount(0, "")).more(record)
    # Of those that only recovered, nothing was withheld.
    return {place: tally for place, tally in tallies.items() if tally.count}


def _concerns(record: Record, ending: EndedSilence) -> bool:
    if record.verdict is not Verdict.MUTED and not has(record.reasons, ReasonCode.RECOVERED):
        return False
    code, what = ending.reason.code, ending.reason.what
    # The first versions wrote no reasons.
    return not record.reasons or any(reason.code is code and reason.what == what for reason in record.reasons)


class Digests:
    """Finds mutes and windows that are over, and posts a digest of each."""

    def __init__(
        self,
        mutes: Mutes,
        *,
        engine: Engine,
        recorder: Recorder,
        to: Address,
        since: datetime,
        history: Callable[[EndedSilence], Withheld],
        apart: Callable[[Callable[[], None]], object] = lambda call: call(),
    ) -> None:
        self._mutes = mutes
        self._engine = engine
        self._recorder = recorder
        #: For jobs that are gone.
        self._to = to
        #: When the program began.
        self._since = since
        self._history = history
        #: Makes a slow call without blocking the caller.
        self._apart = apart
        self._is_busy = False
        self._not_before: datetime | None = None
        #: When each silence was first found to be over.
        self._noticed: dict[str, datetime] = {}
        #: Silences whose digest is posted, to be forgotten; the slow call adds to it.
        self._told: deque[EndedSilence] = deque()

    def poll(self, now: datetime) -> None:
        """Post the digest of the next silence that is over; quick where none is."""
        self._forget_told()
        if self._is_busy or (self._not_before is not None and now < self._not_before):
            return
        self._begin_marks(now)
        for ending in self._endings(now):
            if not self._is_awaited(ending, now):
                self._is_busy = True
                self._apart(partial(self._tell, ending, now))
                return

    def _forget_told(self) -> None:
        while self._told:
            ending = self._told.popleft()
            self._noticed.pop(ending.id, None)
            self._keep(ending.entries)

    def _begin_marks(self, now: datetime) -> None:
        """Begin to watch windows that are new, and those whose mark comes from a wrong clock."""
        marks = self._mutes.digested_until()
        fresh = [window for window in self._mutes.windows if marks.get(window.name, _NEVER) > now]
        if fresh:
            self._keep([mark_entry(window.name, _last_begin(window, min(self._since, now))) for window in fresh])

    def _endings(self, now: datetime) -> Iterator[EndedSilence]:
        yield from _mute_endings(self._mutes, now)
        marks = self._mutes.digested_until()
        for window in self._mutes.windows:
            yield from _window_endings(window, marks[window.name], now)
        for name in marks.keys() - {window.name for window in self._mutes.windows}:
            yield EndedSilence(name, _of_window(name), marks[name], self._since, None, (mark_entry(name, None),))

    def _is_awaited(self, ending: EndedSilence, now: datetime) -> bool:
        """Return whether a run is in progress, or being recorded, that may still belong to the silence."""
        if now - self._noticed.setdefault(ending.id, now) > _PATIENCE:
            return False
        return any(run.slot < ending.until for run in self._engine.runs())

    def _tell(self, ending: EndedSilence, now: datetime) -> None:
        try:
            for to, tallies in self._by_address(self._history(ending)).items():
                text = digest_text(ending, tallies, now, self._mutes.zone)
                self._engine.notify(Notice("quiet", f"{ending.id}/{to}"), text, to)
            self._told.append(ending)
        except Exception:  # Whatever it was, the silence is still in the store and is tried again.
            log.exception("what was withheld could not be told")
            self._not_before = now + _PAUSE
        finally:
            self._is_busy = False

    def _keep(self, entries: Sequence[StoredValue]) -> None:
        for entry in entries:
            self._mutes.accept(entry)
        self._recorder.submit(Batch(entries=list(entries)))

    def _by_address(self, found: Withheld) -> dict[Address, dict[str, WithheldCount]]:
        jobs = {job_state.job.name: job_state.job for job_state in self._engine.jobs()}
        sorted_out: dict[Address, dict[str, WithheldCount]] = {}
        for (name, is_error), tally in found.items():
            job = jobs.get(name)
            to = self._to if job is None else job.errors_to if is_error else job.to
            here = sorted_out.setdefault(to, {})
            here[name] = replace(tally, count=tally.count + here[name].count) if name in here else tally
        return sorted_out


def digest_text(ending: EndedSilence, tallies: Mapping[str, WithheldCount], now: datetime, zone: tzinfo) -> str:
    """Return the text of a digest: the number of withheld messages by job, with the last text of each."""
    ranked = sorted(tallies.items(), key=lambda item: (-item[1].count, item[0]))
    parts = [f"{name} {tally.count:,}{_told(tally, ending, zone)}" for name, tally in ranked[:_NAMED]]
    if rest := ranked[_NAMED:]:
        parts.append(f"{counted(len(rest), 'more job')} ({sum(tally.count for _, tally in rest):,})")
    total = sum(tally.count for tally in tallies.values())
    span = f"{format_time(ending.since, zone, now)}-{format_time(ending.until, zone, ending.since)}"
    what = f"{counted(total, 'alert')} of {counted(len(tallies), 'job')} {plural(total, 'was', 'were')} withheld"
    return f"While {ending.name} ({span}) {what}: {', '.join(parts)}"


def _mute_endings(mutes: Mutes, now: datetime) -> Iterator[EndedSilence]:
    """Yield the mutes that are over; mutes of a person with the same start and end are joined."""
    together: dict[tuple[datetime, datetime, str, bool], list[Mute]] = {}
    for mute in mutes.ended(now):
        together.setdefault((mute.since, mute.until, mute.by, mute.silences_all), []).append(mute)
    for (since, until, by, silences_all), ended in together.items():
        jobs = None if silences_all else frozenset(mute.job for mute in ended)
        name = f"all jobs were muted by {by}" if jobs is None else f"{_named(sorted(jobs))} muted by {by}"
        entries = tuple(entry for mute in ended for entry in mutes.deletions(mute))
        yield EndedSilence(name, mute_reason(ended[0]), since, until, jobs, entries)


def _window_endings(window: QuietWindow, told: datetime, now: datetime) -> Iterator[EndedSilence]:
    """Yield the turns of a window that are over since its last digest, joined to one silence."""
    over = list(takewhile(lambda turn: turn[1] <= now, window.occurrences(told)))
    if over:
        until = over[-1][1]
        entries = (mark_entry(window.name, until),)
        yield EndedSilence(window.name, _of_window(window.name), over[0][0], until, None, entries)


def _of_window(name: str) -> Reason:
    return Reason(ReasonCode.QUIET_WINDOW, what=name)


def _last_begin(window: QuietWindow, now: datetime) -> datetime:
    """Return when a window last began before it was watched, as missed slots of it may still run."""
    turns = takewhile(lambda turn: turn[0] <= now, window.occurrences(now - _FORMER))
    return max((begin for begin, _ in turns), default=now)


def _records(reader: HistoryReader, ending: EndedSilence) -> Iterator[Record]:
    names: Iterable[str | None] = [None]
    if ending.jobs is not None and len(ending.jobs) <= _FEW:
        names = sorted(ending.jobs)
    for name in names:
        lines = reader.history(job=name, since=ending.since, limit=None)
        # History is in the order of slots: after the end there is nothing to find.
        found = takewhile(lambda record: record.slot < ending.until, (line.record for line in lines))
        yield from (record for record in found if ending.jobs is None or record.binding in ending.jobs)


def _named(jobs: Sequence[str]) -> str:
    if len(jobs) == 1:
        return f"{jobs[0]} was"
    named, rest = (jobs, 0) if len(jobs) <= 3 else (jobs[:2], len(jobs) - 2)
    listed = [*named, *([f"{rest} more jobs"] if rest else [])]
    return f"{', '.join(listed[:-1])} and {listed[-1]} were"


def _told(tally: WithheldCount, ending: EndedSilence, zone: tzinfo) -> str:
    """Return the last text in brackets, and when the job recovered."""
    over = f"recovered {format_time(tally.over, zone, ending.since)}" if tally.over else ""
    told = "; ".join(filter(None, (_shown(tally.text), over)))
    return f" ({told})" if told else ""


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1].rstrip() + "…"
