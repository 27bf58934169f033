"""What was withheld, told once when a mute or a quiet window is over."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import partial
from itertools import takewhile

from slack_alert.core.model.address import Address
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.incidents import RECOVERED
from slack_alert.core.policy.mutes import Mute, mute_reason_prefix
from slack_alert.core.policy.quiet_windows import QuietWindow, window_reason_prefix
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.humanize import format_time
from slack_alert.engine.batches import Batch, StoredValue
from slack_alert.engine.engine import Engine
from slack_alert.engine.mutes.mutes import Mutes, mark_entry
from slack_alert.engine.ports import Reader, Recorder

log = logging.getLogger(__name__)

#: Jobs named in one digest; the rest is counted.
_NAMED = 10
#: Of the last text of each so many characters are shown.
_SHOWN = 80
#: So long runs are waited for that began before the end.
_PATIENCE = timedelta(minutes=1)
#: So long after a failed look at history the next one comes.
_PAUSE = timedelta(seconds=30)
#: So far back a window that is new is looked for.
_FORMER = timedelta(days=32)
_NEVER = datetime.max.replace(tzinfo=timezone.utc)
#: Beyond so many jobs all of history is read rather than each one's.
_FEW = 20


class EndedSilence(Struct, frozen=True):
    """A silence that is over, and what the store keeps of it until it was told."""

    #: `maintenance`, `db.lag was muted by ann`.
    name: str
    #: How the reason of what it withheld begins.
    reason: str
    since: datetime
    until: datetime
    #: None: all of them.
    jobs: frozenset[str] | None
    #: What to write once it is told.
    entries: tuple[StoredValue, ...]

    @property
    def key(self) -> str:
        """The name by which it is told once only."""
        job = "*" if self.jobs is None else min(self.jobs)
        return f"quiet/{self.reason}/{job}/{self.since.isoformat()}"


class WithheldCount(Struct, frozen=True):
    """What was withheld of one job."""

    count: int
    #: The last of it.
    text: str
    #: When the job recovered from it.
    over: datetime | None = None

    def more(self, record: Record) -> WithheldCount:
        """Count what one run wanted to say, or take note that there was no more to say."""
        if record.verdict is not Verdict.MUTED:
            return replace(self, over=record.slot)
        return WithheldCount(self.count + record.count, record.text)


#: By job and whether it goes where errors go.
Withheld = Mapping[tuple[str, bool], WithheldCount]


def withheld(reader: Reader, ending: EndedSilence) -> Withheld:
    """Read what a silence withheld, from history; may take long."""
    tallies: dict[tuple[str, bool], WithheldCount] = {}
    for record in _records(reader, ending):
        if _concerns(record, ending):
            place = record.binding, record.error is not None
            tallies[place] = tallies.get(place, WithheldCount(0, "")).more(record)
    # Of those that only recovered, nothing was withheld.
    return {place: tally for place, tally in tallies.items() if tally.count}


def _concerns(record: Record, ending: EndedSilence) -> bool:
    reason = record.reason or ""
    if record.verdict is Verdict.MUTED:
        return (reason or ending.reason).startswith(ending.reason)
    return reason.startswith(RECOVERED) and reason.partition("; ")[2].startswith(ending.reason)


class Digests:
    """Looks for silences that are over, and tells of each."""

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
        #: Makes a call that takes long without holding up the others.
        self._apart = apart
        self._is_busy = False
        self._not_before: datetime | None = None
        #: When each silence was first found to be over.
        self._noticed: dict[str, datetime] = {}
        #: What was told, and is to be forgotten; whoever tells adds to it.
        self._told: deque[EndedSilence] = deque()

    def poll(self, now: datetime) -> None:
        """Tell of what is over; one after the other, and quick where nothing is."""
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
            self._noticed.pop(ending.key, None)
            self._keep(ending.entries)

    def _begin_marks(self, now: datetime) -> None:
        """Begin to watch windows that are new, and those that a wrong clock had marked."""
        marks = self._mutes.marks()
        fresh = [window for window in self._mutes.windows if marks.get(window.name, _NEVER) > now]
        if fresh:
            self._keep([mark_entry(window.name, _last_begin(window, min(self._since, now))) for window in fresh])

    def _endings(self, now: datetime) -> Iterator[EndedSilence]:
        yield from _mute_endings(self._mutes, now)
        marks = self._mutes.marks()
        for window in self._mutes.windows:
            yield from _window_endings(window, marks[window.name], now)
        for name in marks.keys() - {window.name for window in self._mutes.windows}:
            yield EndedSilence(
                name, window_reason_prefix(name), marks[name], self._since, None, (mark_entry(name, None),)
            )

    def _is_awaited(self, ending: EndedSilence, now: datetime) -> bool:
        """Return whether a run goes on, or is being written down, that may still be part of it."""
        if now - self._noticed.setdefault(ending.key, now) > _PATIENCE:
            return False
        return any(run.slot < ending.until for run in self._engine.runs())

    def _tell(self, ending: EndedSilence, now: datetime) -> None:
        try:
            for to, tallies in self._by_address(self._history(ending)).items():
                self._engine.tell(f"{ending.key}/{to}", digest_text(ending, tallies, now, self._mutes.zone), to)
            self._told.append(ending)
        except Exception:  # Whatever it was, the silence is still on the books and is looked at again.
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
    """Return what a silence withheld: how much of which job, and the last text of each."""
    ranked = sorted(tallies.items(), key=lambda item: (-item[1].count, item[0]))
    parts = [f"{name} {tally.count:,}{_told(tally, ending, zone)}" for name, tally in ranked[:_NAMED]]
    if rest := ranked[_NAMED:]:
        parts.append(f"{_counted(len(rest), 'more job')} ({sum(tally.count for _, tally in rest):,})")
    total = sum(tally.count for tally in tallies.values())
    were = "was" if total == 1 else "were"
    span = f"{format_time(ending.since, zone, now)}-{format_time(ending.until, zone, ending.since)}"
    what = f"{_counted(total, 'alert')} of {_counted(len(tallies), 'job')} {were} withheld"
    return f"While {ending.name} ({span}) {what}: {', '.join(parts)}"


def _mute_endings(mutes: Mutes, now: datetime) -> Iterator[EndedSilence]:
    """Yield the mutes that are over; those that somebody began and ended together are one."""
    together: dict[tuple[datetime, datetime, str, bool], list[Mute]] = {}
    for mute in mutes.ended(now):
        together.setdefault((mute.since, mute.until, mute.by, mute.silences_all), []).append(mute)
    for (since, until, by, silences_all), ended in together.items():
        jobs = None if silences_all else frozenset(mute.job for mute in ended)
        name = f"all jobs were muted by {by}" if jobs is None else f"{_named(sorted(jobs))} muted by {by}"
        entries = tuple(entry for mute in ended for entry in mutes.forgotten(mute))
        yield EndedSilence(name, mute_reason_prefix(ended[0]), since, until, jobs, entries)


def _window_endings(window: QuietWindow, told: datetime, now: datetime) -> Iterator[EndedSilence]:
    """Yield what of a window is over since it was told of, as one."""
    over = list(takewhile(lambda turn: turn[1] <= now, window.occurrences(told)))
    if over:
        until = over[-1][1]
        entries = (mark_entry(window.name, until),)
        yield EndedSilence(window.name, window_reason_prefix(window.name), over[0][0], until, None, entries)


def _last_begin(window: QuietWindow, now: datetime) -> datetime:
    """Find when a window last began before it was watched: runs of missed slots are made up for."""
    turns = takewhile(lambda turn: turn[0] <= now, window.occurrences(now - _FORMER))
    return max((begin for begin, _ in turns), default=now)


def _records(reader: Reader, ending: EndedSilence) -> Iterator[Record]:
    names: Iterable[str | None] = [None]
    if ending.jobs is not None and len(ending.jobs) <= _FEW:
        names = sorted(ending.jobs)
    for name in names:
        lines = reader.history(job=name, since=ending.since, limit=None)
        # In the order of their slots: behind the end there is nothing to find.
        found = takewhile(lambda record: record.slot < ending.until, (line.record for line in lines))
        yield from (record for record in found if ending.jobs is None or record.binding in ending.jobs)


def _named(jobs: Sequence[str]) -> str:
    if len(jobs) == 1:
        return f"{jobs[0]} was"
    named, rest = (jobs, 0) if len(jobs) <= 3 else (jobs[:2], len(jobs) - 2)
    listed = [*named, *([f"{rest} more jobs"] if rest else [])]
    return f"{', '.join(listed[:-1])} and {listed[-1]} were"


def _told(tally: WithheldCount, ending: EndedSilence, zone: tzinfo) -> str:
    """Show the last text, and that it holds no more."""
    over = f"recovered {format_time(tally.over, zone, ending.since)}" if tally.over else ""
    told = "; ".join(filter(None, (_shown(tally.text), over)))
    return f" ({told})" if told else ""


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1].rstrip() + "…"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
