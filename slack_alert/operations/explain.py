"""Explain why a job posted or not, from its stored history around a time; for the terminal and the chat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from slack_alert.core.bindings import Job
from slack_alert.core.commands.visibility import concealed
from slack_alert.core.explain.facts import JobFacts, RecordWithMessages
from slack_alert.core.explain.why import Explanation, slot_before, why_ahead, why_now, why_then, why_unrecorded
from slack_alert.core.model.record import Record
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import Struct, replace
from slack_alert.core.units.local_time import TICK
from slack_alert.engine.app.liveness import sensor_phases
from slack_alert.engine.batches import HistoryLine
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import Reader

#: The number of latest slots that are explained where the question names no time.
_LATEST = 3
_SECOND = timedelta(seconds=1)
#: Returns a record as it may be shown.
Show = Callable[[Record], Record]
_SPANS = tuple(timedelta(minutes=minutes) for minutes in (1, 15, 240, 3_600, 57_600))


class ExplainQuestion(Struct, frozen=True):
    """A question about a job and a time (None: now)."""

    name: str
    #: None where no plugin defines it any more.
    job: Job | None
    at: datetime | None = None


def answer(question: ExplainQuestion, reader: Reader, mutes: Mutes, *, now: datetime, is_running: bool) -> Explanation:
    """Return why a job posted or not, at a time or now."""
    return _answered(question, reader, _facts(question, reader, mutes, now=now, is_running=is_running), _as_it_is)


def answer_without_texts(question: ExplainQuestion, reader: Reader, mutes: Mutes, *, now: datetime) -> Explanation:
    """Return why a job of the running program posts or not, for where its texts are not shown."""
    home = question.job.to.shown if question.job is not None else ""
    facts = _facts(question, reader, mutes, now=now, is_running=True)
    if (incident := facts.state.incident) is not None:
        facts = replace(facts, state=replace(facts.state, incident=replace(incident, text="")))
    return _answered(question, reader, facts, lambda record: concealed(record, record.to or home))


def end_of_second(moment: datetime, *, now: datetime) -> datetime:
    """Return a moment that somebody wrote, at the end of its second: slots are shown without their fraction."""
    last = moment if moment.microsecond else moment + _SECOND - TICK
    return min(last, now) if moment <= now else last


def _as_it_is(record: Record) -> Record:
    return record


def _answered(question: ExplainQuestion, reader: Reader, facts: JobFacts, shown: Show) -> Explanation:
    found = _Recorded(reader, shown)
    if question.at is None:
        latest = reader.history(job=question.name, since=None, limit=_LATEST)
        return why_now(facts, [found.with_messages(line) for line in latest])
    if question.at > facts.now:
        return why_ahead(facts, question.at)
    return _explain_past(facts, found, question.at)


def _facts(question: ExplainQuestion, reader: Reader, mutes: Mutes, *, now: datetime, is_running: bool) -> JobFacts:
    name, snapshot = question.name, reader.snapshot()
    first, last = snapshot.seen.get(name) or (None, None)
    going = next((run for run in snapshot.running if run.binding == name), None) if is_running else None
    return JobFacts(
        name,
        now,
        mutes.zone,
        question.job,
        snapshot.states.get(name, State()),
        snapshot.holds.get(name),
        first,
        last,
        (going.slot, going.started) if going else None,
        is_running,
        lambda slot: mutes.reason(name, slot),
        sensor_phases(snapshot, now).get(name) if is_running else None,
    )


def _explain_past(facts: JobFacts, recorded: _Recorded, at: datetime) -> Explanation:
    slot = slot_before(facts.job, at, anchor=facts.first_seen or facts.now) if facts.job is not None else None
    found = _HistorySearch()
    if slot is not None:
        found.read(recorded.reader, facts.name, slot, at)
        if (line := found.own) is not None:
            return why_then(facts, recorded.with_messages(line), recorded.if_any(found.following), slot=slot)
    for since in (*(at - span for span in _SPANS), None):
        found.read(recorded.reader, facts.name, since, at)
        if found.latest is not None:
            break
    before, following = recorded.if_any(found.latest), recorded.if_any(found.following)
    if slot is None and before is not None:
        return why_then(facts, before, following)
    return why_unrecorded(facts, at, slot, before=before, following=following)


class _HistorySearch:
    """The history lines around a time: the line about it, and the next line after it."""

    def __init__(self) -> None:
        self.following: HistoryLine | None = None
        self._single: HistoryLine | None = None
        self._row: HistoryLine | None = None

    @property
    def own(self) -> HistoryLine | None:
        """The last slot with a line of its own, or else the folded row around it, which may span other lines."""
        return self._single or self._row

    @property
    def latest(self) -> HistoryLine | None:
        """The line with the latest end."""
        return max((line for line in (self._single, self._row) if line is not None), key=_end, default=None)

    def read(self, reader: Reader, job: str, since: datetime | None, at: datetime) -> None:
        """Read the lines that end at `since` or later, up to the first line after `at`."""
        for line in reader.history(job=job, since=since, limit=None):
            if line.record.slot > at:
                self.following = line
                return
            if line.record.count == 1:
                self._single = line
            elif self._row is None or _end(line) >= _end(self._row):
                self._row = line


def _end(line: HistoryLine) -> datetime:
    return line.record.until or line.record.slot


class _Recorded:
    """Adds to lines of history the messages that they led to, and shows as much of them as may be shown."""

    def __init__(self, reader: Reader, shown: Show) -> None:
        self.reader = reader
        self._shown = shown

    def with_messages(self, line: HistoryLine) -> RecordWithMessages:
        """Return a line with its messages."""
        posted = tuple(self.reader.posted(line.record.run)) if line.record.run else ()
        return RecordWithMessages(self._shown(line.record), posted)

    def if_any(self, line: HistoryLine | None) -> RecordWithMessages | None:
        """Return a line with its messages, or None where there is none."""
        return self.with_messages(line) if line is not None else None
