"""Explain a run that a person asked for by its number, `E-412`: who asked, what became of it, and what it left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from slack_alert.core.commands.answers import format_took
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.audit import AuditEntry
from slack_alert.core.model.message import PostedDelivery
from slack_alert.core.model.record import Record
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import format_time
from slack_alert.engine.ports import Reader

_NUMBER = lazy_pattern(r"(?i)\s*E-([0-9]{1,18})\s*")
#: An entry is written together with its record, and both by one clock: this is for that clock being set.
_NEAR = timedelta(minutes=5)


class AskedRun(Struct, frozen=True):
    """What is stored about a run that a person asked for."""

    number: int
    #: None: it has not ended.
    entry: AuditEntry | None = None
    #: None: it has ended.
    asked: AskedCommand | None = None
    #: None: it never began, or the history does not go back so far.
    record: Record | None = None
    posted: Sequence[PostedDelivery] = ()
    is_running: bool = False

    @property
    def home(self) -> str:
        """Where it was asked for, as addresses are shown."""
        if self.entry is None:
            return self.asked.reply_to.to.shown if self.asked is not None else ""
        place = self.entry.channel if self.entry.chat == "slack" else f"{self.entry.chat}:{self.entry.channel}"
        return place.removesuffix(":")


def run_number(text: str) -> int | None:
    """Return the number in `E-412`; None: it is none."""
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found else None


def find_run(number: int, reader: Reader) -> AskedRun:
    """Return what is stored about a run; raise BadValue if nobody asked for one with this number."""
    snapshot = reader.snapshot()
    asked = next((each for each in snapshot.asked if each.run == number), None)
    entries = (each.entry for each in reader.audit(since=None, limit=None))
    entry = next((each for each in entries if each is not None and each.run == number), None)
    if asked is None and entry is None:
        raise BadValue(f"Nobody asked for a run with the number E-{number}.", hint="`slack-alert audit` lists them.")
    posted = tuple(reader.posted(number))
    is_running = any(each.run == number for each in snapshot.running)
    return AskedRun(number, entry, asked, _record(number, entry, reader), posted, is_running)


def told_run(run: AskedRun, *, zone: tzinfo, now: datetime, has_words: bool = True) -> list[str]:
    """Return sentences about a run, without what it printed or raised; not `has_words`: without its arguments."""
    return [*_asked(run, zone, now, has_words=has_words), _became(run, zone, now), *_messages(run)]


def _record(number: int, entry: AuditEntry | None, reader: Reader) -> Record | None:
    if entry is None:
        return None
    lines = reader.history(job=None, since=entry.at - (entry.duration or timedelta()) - _NEAR, limit=None)
    return next((line.record for line in lines if line.record.run == number), None)


def _asked(run: AskedRun, zone: tzinfo, now: datetime, *, has_words: bool) -> Iterator[str]:
    if run.asked is not None:
        by, words, at, door = run.asked.by.name or run.asked.by.key, run.asked.words, run.asked.at, run.asked.door
    elif run.entry is not None:
        entry = run.entry
        by, words, door = f"{entry.name or entry.by} ({entry.by})", entry.command, entry.door
        at = run.record.slot if run.record is not None else entry.at
    else:
        return
    shown = words if has_words else f"{words.partition(' ')[0]} …"
    yield f"{by} asked for `{shown}` in {run.home}, {format_time(at, zone, now, seconds='always')} ({door})."


def _became(run: AskedRun, zone: tzinfo, now: datetime) -> str:
    entry, record = run.entry, run.record
    if entry is None:
        return f"E-{run.number} {'is running' if run.is_running else 'waits'}: see `slack-alert queue`."
    took = f" after {format_took(entry.duration)}" if entry.duration is not None else ""
    said = f"E-{run.number} {entry.verdict}, {format_time(entry.at, zone, now, seconds='always')}{took}"
    reason = f": {entry.reason}" if entry.reason else ""
    gone = "" if record is not None else " What it did is not in the history any more, or it never began."
    return f"{said}{reason}.{gone}"


def _messages(run: AskedRun) -> Iterator[str]:
    # An answer is edited often: of each address the last counts.
    for delivery in {one.delivery.message.to: one.delivery for one in run.posted}.values():
        why = f": {delivery.reason}" if delivery.reason else ""
        yield f"Its message {delivery.id} to {delivery.message.to.shown} is {delivery.status}{why}."
