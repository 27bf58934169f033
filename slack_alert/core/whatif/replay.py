"""Send what runs once returned through the present rules, and say what would be told otherwise.

Runs happen when they happened: triggers are not replayed. A slot at which nothing ran has no outcome; that is counted,
and never taken for a quiet run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from slack_alert.core.bindings import Job
from slack_alert.core.content.markup import Markup
from slack_alert.core.model.message import DeliveryMode, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Result, Run
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.pipeline.settle import Settlement, settle
from slack_alert.core.policy.incidents import digest_of, entries_of
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.whatif.recorded import acknowledged_by, has_arrived, muted_by, outcome, was_held, was_unchanged

#: Those that the configuration has kept from running; any other reason not to run holds under every configuration.
_KEPT_BACK = frozenset({Verdict.PAUSED, Verdict.OFF_HOURS})
_SPOKEN = frozenset({Verdict.SAID, Verdict.ERROR, Verdict.TIMED_OUT})


class RecordedLine(NamedTuple):
    """A line of history, with the loudest of its messages; None: nobody heard of it."""

    record: Record
    manner: DeliveryMode | None = None
    #: How many of its messages were given up.
    dead: int = 0


class ChangedRun(Struct, frozen=True):
    """A run that would be told in another way now."""

    job: str
    slot: datetime
    was: Verdict
    was_said: DeliveryMode | None
    now: Verdict
    now_said: DeliveryMode | None
    text: str
    reason: str = ""


class FirstNotice(Struct, frozen=True):
    """When people first heard of an incident, and when they would have; None: never."""

    job: str
    since: datetime
    last: datetime
    #: Its recorded alerts.
    count: int
    was: datetime | None
    now: datetime | None


class ReplayDifference(Struct, frozen=True):
    """What the present rules would change of what was said."""

    turns: list[ChangedRun] = field(default_factory=list)
    incidents: list[FirstNotice] = field(default_factory=list)
    #: Outcomes that were replayed, by job.
    runs: Counter[str] = field(default_factory=Counter)
    #: What was said and what would be, by manner.
    was: Counter[DeliveryMode] = field(default_factory=Counter)
    now: Counter[DeliveryMode] = field(default_factory=Counter)
    #: Slots that would run now and did not then, by job: nobody knows what they would have returned.
    unknown: Counter[str] = field(default_factory=Counter)
    #: Slots that did not run for reasons no configuration changes, by verdict.
    not_run: Counter[Verdict] = field(default_factory=Counter)
    #: Folded rows by job, and the quiet runs within them whose times are gone.
    folded: Counter[str] = field(default_factory=Counter)
    blurred: Counter[str] = field(default_factory=Counter)
    #: Messages that were given up, by job: what people would have heard otherwise, nobody knows.
    dead: Counter[str] = field(default_factory=Counter)
    #: What was said by jobs that are not there any more.
    gone: Counter[str] = field(default_factory=Counter)

    @property
    def saved(self) -> int:
        """How many runs that said something would say nothing."""
        return sum(turn.now_said is None for turn in self.turns)

    @property
    def added(self) -> int:
        """How many runs that said nothing would say something."""
        return sum(turn.was_said is None for turn in self.turns)


def replay(
    jobs: Iterable[Job],
    pasts: Iterable[RecordedLine],
    *,
    since: datetime,
    mark: Markup,
    mute: Callable[[str, datetime], str] = lambda _job, _slot: "",
) -> ReplayDifference:
    """Compare what was said from `since` on with what would be; what lies before only sets the scene.

    `pasts` come in the order of their slots. What people did stays done: their mutes, pauses and acknowledgements.
    """
    found = ReplayDifference()
    courses = {job.name: _Course(job, found, since, mark, mute) for job in jobs}
    for past in pasts:
        record = past.record
        if record.asked_by is not None:  # No rule binds what a person asks for.
            continue
        if record.slot >= since and past.dead:
            found.dead[record.binding] += past.dead
        if record.binding in courses:
            courses[record.binding].take(past)
        elif past.manner is not None and record.slot >= since:
            found.gone[record.binding] += 1
    for course in courses.values():
        course.end()
    found.turns.sort(key=lambda turn: turn.slot)
    found.incidents.sort(key=lambda incident: incident.since)
    return found


def past_of(record: Record, messages: Sequence[tuple[DeliveryMode, Status]]) -> RecordedLine:
    """Join a line of history with what became of its messages; those of an old run may be forgotten."""
    if not messages:
        return RecordedLine(record, DeliveryMode.POST if record.verdict in _SPOKEN else None)
    heard = [manner for manner, status in messages if status is not Status.DEAD]
    return RecordedLine(record, loudest(heard), len(messages) - len(heard))


class _Course:
    """One job on its way through what its runs returned."""

    def __init__(
        self, job: Job, found: ReplayDifference, since: datetime, mark: Markup, mute: Callable[[str, datetime], str]
    ) -> None:
        self._job = job
        self._found = found
        self._since = since
        self._mark = mark
        self._mute = mute
        self._state = State()
        self._incident: FirstNotice | None = None
        #: The last quiet run of a folded row, which lies further on.
        self._ahead: Record | None = None

    def take(self, past: RecordedLine) -> None:
        """Take the next line of history."""
        self._catch_up(past.record.slot)
        record = past.record
        if record.verdict in _KEPT_BACK:
            if not was_held(record):
                self._count_unknown(record)
        elif (result := outcome(record)) is None:
            if record.slot >= self._since:
                self._found.not_run[record.verdict] += record.count
        else:
            self._unfold(record)
            self._run(past, result)

    def end(self) -> None:
        """Close what is still open."""
        self._catch_up(None)
        self._close()

    def _catch_up(self, slot: datetime | None) -> None:
        ahead = self._ahead
        if ahead is not None and (slot is None or ahead.slot <= slot):
            self._ahead = None
            self._run(RecordedLine(ahead), Result())

    def _unfold(self, record: Record) -> None:
        """Keep the last run of a folded row; of those between the two ends the time is gone."""
        if record.count == 1 or record.until is None:
            return
        self._ahead = record._replace(slot=record.until, count=1, until=None)
        if record.until >= self._since:
            self._found.folded[record.binding] += 1
            self._found.blurred[record.binding] += record.count - 2

    def _run(self, past: RecordedLine, result: Result) -> None:
        record = past.record
        settlement = self._settled(record, result)
        said = loudest(message.manner for message in settlement.messages)
        is_lost = past.dead > 0 and past.manner is None
        self._note_incident(record.slot, past.manner, None if is_lost else said, result)
        if record.slot < self._since:
            return
        self._found.runs[record.binding] += 1
        if is_lost:
            return
        _count(self._found.was, past.manner)
        _count(self._found.now, said)
        if past.manner is not said:
            text = settlement.text or record.text
            self._found.turns.append(
                ChangedRun(
                    record.binding, record.slot, record.verdict, past.manner, settlement.verdict, said, text,
                    settlement.reason,
                )
            )  # fmt: skip

    def _settled(self, record: Record, result: Result) -> Settlement:
        """Do with an outcome what the engine does."""
        job, slot = self._job, record.slot
        verdict = gate(job, self._state, slot)
        if verdict is not Verdict.GO and not (job.awaits and has_arrived(record)):
            return Settlement(self._state, verdict)
        if who := acknowledged_by(record):
            self._acknowledge(who, slot)
        if was_unchanged(record):
            self._recognise(result)
        run = Run(record.run, job.name, job.action, slot)
        mute = muted_by(record) or self._mute(job.name, slot)
        if result.failure is None or not result.pieces:
            return self._settle(run, result, mute)
        # What it said on its way was settled then.
        words, end = self._settle(run, Result(result.pieces), mute), self._settle(run, result, mute)
        return end._replace(messages=(*words.messages, *end.messages), text=f"{words.text}\n{end.text}")

    def _settle(self, run: Run, result: Result, mute: str) -> Settlement:
        settlement = settle(self._job, self._state, run, result, self._mark, mute=mute)
        self._state = settlement.state
        return settlement

    def _acknowledge(self, who: str, slot: datetime) -> None:
        incident = self._state.incident
        if incident is not None and incident.told is not None and not incident.acknowledged_by:
            incident = replace(incident, acknowledged_by=who, acknowledged_at=slot)
            self._state = replace(self._state, incident=incident)

    def _recognise(self, result: Result) -> None:
        """Take what comes for what was said last: history may have that in other words, or only what was new in it."""
        if (incident := self._state.incident) is not None:
            known = replace(incident, entries=entries_of(result.pieces), digest=digest_of(result.pieces))
            self._state = replace(self._state, incident=known)

    def _note_incident(
        self, slot: datetime, was: DeliveryMode | None, now: DeliveryMode | None, result: Result
    ) -> None:
        """Follow the row of alerts as it was recorded; a failed run neither goes on with it nor ends it."""
        if result.failure is not None:
            return
        if not result.pieces:
            self._close()
            return
        before = self._incident or FirstNotice(self._job.name, slot, slot, 0, None, None)
        self._incident = replace(
            before,
            last=slot,
            count=before.count + 1,
            was=before.was or (slot if was else None),
            now=before.now or (slot if now else None),
        )

    def _close(self) -> None:
        if self._incident is not None and self._incident.last >= self._since:
            self._found.incidents.append(self._incident)
        self._incident = None

    def _count_unknown(self, record: Record) -> None:
        """Count the slots of a row that would run now, as if they were evenly spread."""
        last = record.until or record.slot
        step = (last - record.slot) / max(1, record.count - 1)
        index = 0
        while index < record.count:
            slot = record.slot + index * step
            after = record.count
            turn = min((at for at in self._turns(slot) if at > slot), default=None)
            if turn is not None and turn <= last:
                # Rounded up: the turn itself belongs to what follows.
                after = max(index + 1, -((record.slot - turn) // step))
            if slot >= self._since and gate(self._job, self._state, slot) is Verdict.GO:
                self._found.unknown[record.binding] += after - index
            index = after

    def _turns(self, slot: datetime) -> Iterable[datetime]:
        """Return the instants at which the gate may open or shut, while nothing runs."""
        turns = (self._job.policy.hours.next_change(slot), self._state.alerts.until, self._since)
        return (at for at in turns if at is not None)


_LOUDNESS: Mapping[DeliveryMode, int] = {DeliveryMode.EDIT: 0, DeliveryMode.REPLY: 1, DeliveryMode.POST: 2}


def loudest(manners: Iterable[DeliveryMode]) -> DeliveryMode | None:
    """Return the manner of one run's messages that people notice most; None: there are none."""
    return max(manners, key=_LOUDNESS.__getitem__, default=None)


def _count(counter: Counter[DeliveryMode], manner: DeliveryMode | None) -> None:
    if manner is not None:
        counter[manner] += 1
