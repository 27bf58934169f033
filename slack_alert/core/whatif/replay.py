"""Replay recorded results with the present policies, and compare what would be posted with what was.

Runs keep their times: triggers are not replayed. A slot that did not run has no result; it is counted, and never
treated as a quiet run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from slack_alert.core.bindings import Job
from slack_alert.core.content.markup import Markup
from slack_alert.core.model.message import DeliveryMode, Status
from slack_alert.core.model.reason import Reason
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.model.run import Result, RunPosts
from slack_alert.core.pipeline.gate import gate
from slack_alert.core.pipeline.settle import Settlement, settle
from slack_alert.core.policy.incidents import digest_of, entries_of
from slack_alert.core.policy.mutes import MuteReason, never_muted
from slack_alert.core.policy.quota import State
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.whatif.recorded import (
    acknowledged_by,
    has_arrived,
    muted_by,
    recorded_result,
    was_held,
    was_unchanged,
)

#: Verdicts that depend on the configuration; any other reason not to run applies under every configuration.
_KEPT_BACK = frozenset({Verdict.PAUSED, Verdict.OFF_HOURS})
_SPOKEN = frozenset({Verdict.SAID, Verdict.ERROR, Verdict.TIMED_OUT})


class RecordedLine(NamedTuple):
    """A record with the most noticeable mode of its messages; None: nothing was delivered."""

    record: Record
    manner: DeliveryMode | None = None
    #: Number of its dead messages.
    dead: int = 0


class ChangedRun(Struct, frozen=True):
    """A run that would be posted in another way now."""

    job: str
    slot: datetime
    was: Verdict
    was_said: DeliveryMode | None
    now: Verdict
    now_said: DeliveryMode | None
    text: str
    reasons: tuple[Reason, ...] = ()


class FirstNotice(Struct, frozen=True):
    """When an incident was first posted, and when it would be now; None: never."""

    job: str
    since: datetime
    last: datetime
    #: Its recorded alerts.
    count: int
    was: datetime | None
    now: datetime | None


class ReplayDifference(Struct, frozen=True):
    """The differences between what was posted and what the present policies would post."""

    changed_runs: list[ChangedRun] = field(default_factory=list)
    incidents: list[FirstNotice] = field(default_factory=list)
    #: Number of replayed results, by job.
    runs: Counter[str] = field(default_factory=Counter)
    #: Number of runs that were posted and that would be, by mode.
    was: Counter[DeliveryMode] = field(default_factory=Counter)
    now: Counter[DeliveryMode] = field(default_factory=Counter)
    #: Number of slots that would run now and did not then, by job: their results are unknown.
    unknown: Counter[str] = field(default_factory=Counter)
    #: Number of slots that did not run for reasons independent of the configuration, by verdict.
    not_run: Counter[Verdict] = field(default_factory=Counter)
    #: Number of folded records by job, and of the quiet runs within them whose times are unknown.
    folded: Counter[str] = field(default_factory=Counter)
    blurred: Counter[str] = field(default_factory=Counter)
    #: Number of dead messages, by job: what people would have seen otherwise is unknown.
    dead: Counter[str] = field(default_factory=Counter)
    #: Number of posted runs of jobs that do not exist any more.
    gone: Counter[str] = field(default_factory=Counter)

    @property
    def saved(self) -> int:
        """Number of runs that posted something and would post nothing."""
        return sum(turn.now_said is None for turn in self.changed_runs)

    @property
    def added(self) -> int:
        """Number of runs that posted nothing and would post something."""
        return sum(turn.was_said is None for turn in self.changed_runs)


def replay(
    jobs: Iterable[Job],
    pasts: Iterable[RecordedLine],
    *,
    since: datetime,
    mark: Markup,
    mute: MuteReason = never_muted,
) -> ReplayDifference:
    """Return the differences from `since` on; earlier records only build up the state.

    `pasts` are in the order of their slots. Mutes, pauses and acknowledgements by people stay in effect.
    """
    found = ReplayDifference()
    replays = {job.name: _JobReplay(job, found, since, mark, mute) for job in jobs}
    for past in pasts:
        record = past.record
        if record.asked_by is not None:  # Policies do not apply to runs that a person asked for.
            continue
        if record.slot >= since and past.dead:
            found.dead[record.binding] += past.dead
        if record.binding in replays:
            replays[record.binding].replay(past)
        elif past.manner is not None and record.slot >= since:
            found.gone[record.binding] += 1
    for job_replay in replays.values():
        job_replay.finish()
    found.changed_runs.sort(key=lambda turn: turn.slot)
    found.incidents.sort(key=lambda incident: incident.since)
    return found


def recorded_line(record: Record, messages: Sequence[tuple[DeliveryMode, Status]]) -> RecordedLine:
    """Return a record with the result of its messages; those of an old run may be deleted."""
    if not messages:
        return RecordedLine(record, DeliveryMode.POST if record.verdict in _SPOKEN else None)
    heard = [manner for manner, status in messages if status is not Status.DEAD]
    return RecordedLine(record, loudest(heard), len(messages) - len(heard))


class _JobReplay:
    """Replays the records of one job."""

    def __init__(self, job: Job, found: ReplayDifference, since: datetime, mark: Markup, mute: MuteReason) -> None:
        self._job = job
        self._found = found
        self._since = since
        self._mark = mark
        self._mute = mute
        self._state = State()
        self._incident: FirstNotice | None = None
        #: The last quiet run of a folded record, to be replayed at its own slot.
        self._ahead: Record | None = None

    def replay(self, past: RecordedLine) -> None:
        """Replay the next record."""
        self._catch_up(past.record.slot)
        record = past.record
        if record.verdict in _KEPT_BACK:
            if not was_held(record):
                self._count_unknown(record)
        elif (result := recorded_result(record)) is None:
            if record.slot >= self._since:
                self._found.not_run[record.verdict] += record.count
        else:
            self._unfold(record)
            self._run(past, result)

    def finish(self) -> None:
        """Replay the rest, and close an open incident."""
        self._catch_up(None)
        self._close()

    def _catch_up(self, slot: datetime | None) -> None:
        ahead = self._ahead
        if ahead is not None and (slot is None or ahead.slot <= slot):
            self._ahead = None
            self._run(RecordedLine(ahead), Result())

    def _unfold(self, record: Record) -> None:
        """Keep the last run of a folded record for later; the times of those between are unknown."""
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
        self._track_incident(record.slot, past.manner, None if is_lost else said, result)
        if record.slot < self._since:
            return
        self._found.runs[record.binding] += 1
        if is_lost:
            return
        _count(self._found.was, past.manner)
        _count(self._found.now, said)
        if past.manner is not said:
            text = settlement.text or record.text
            self._found.changed_runs.append(
                ChangedRun(
                    record.binding, record.slot, record.verdict, past.manner, settlement.verdict, said, text,
                    settlement.reasons,
                )
            )  # fmt: skip

    def _settled(self, record: Record, result: Result) -> Settlement:
        """Return the settlement of a result, as in the engine."""
        job, slot = self._job, record.slot
        verdict = gate(job, self._state, slot)
        if verdict is not Verdict.GO and not (job.is_absence and has_arrived(record)):
            return Settlement(self._state, verdict)
        if who := acknowledged_by(record):
            self._acknowledge(who, slot)
        if was_unchanged(record):
            self._mark_unchanged(result)
        run = RunPosts(record.run, job.name, slot)
        mute = muted_by(record) or self._mute(job.name, slot)
        if result.failure is None or not result.pieces:
            return self._settle(run, result, mute)
        # What it posted before it failed was settled before.
        words, end = self._settle(run, Result(result.pieces), mute), self._settle(run, result, mute)
        return end._replace(messages=(*words.messages, *end.messages), text=f"{words.text}\n{end.text}")

    def _settle(self, run: RunPosts, result: Result, mute: Reason | None) -> Settlement:
        settlement = settle(self._job, self._state, run, result, self._mark, mute=mute)
        self._state = settlement.state
        return settlement

    def _acknowledge(self, who: str, slot: datetime) -> None:
        incident = self._state.incident
        if incident is not None and incident.told is not None and not incident.acknowledged_by:
            incident = replace(incident, acknowledged_by=who, acknowledged_at=slot)
            self._state = replace(self._state, incident=incident)

    def _mark_unchanged(self, result: Result) -> None:
        """Mark a result as equal to the last one: the history may have that in other words, or only its changes."""
        if (incident := self._state.incident) is not None:
            known = replace(incident, entries=entries_of(result.pieces), digest=digest_of(result.pieces))
            self._state = replace(self._state, incident=known)

    def _track_incident(
        self, slot: datetime, was: DeliveryMode | None, now: DeliveryMode | None, result: Result
    ) -> None:
        """Track the recorded incident; a failed run neither continues nor ends it."""
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
        """Count the slots of a record that would run now, as if they were evenly spaced."""
        last = record.until or record.slot
        step = (last - record.slot) / max(1, record.count - 1)
        index = 0
        while index < record.count:
            slot = record.slot + index * step
            after = record.count
            turn = min((at for at in self._change_points(slot) if at > slot), default=None)
            if turn is not None and turn <= last:
                # Rounded up: a slot exactly at the change belongs to what follows.
                after = max(index + 1, -((record.slot - turn) // step))
            if slot >= self._since and gate(self._job, self._state, slot) is Verdict.GO:
                self._found.unknown[record.binding] += after - index
            index = after

    def _change_points(self, slot: datetime) -> Iterable[datetime]:
        """Return the instants at which the gate may open or close, while nothing runs."""
        turns = (self._job.policy.hours.next_change(slot), self._state.alerts.until, self._since)
        return (at for at in turns if at is not None)


_LOUDNESS: Mapping[DeliveryMode, int] = {DeliveryMode.EDIT: 0, DeliveryMode.REPLY: 1, DeliveryMode.POST: 2}


def loudest(manners: Iterable[DeliveryMode]) -> DeliveryMode | None:
    """Return the most noticeable of the modes of a run's messages, or None if there are none."""
    return max(manners, key=_LOUDNESS.__getitem__, default=None)


def _count(counter: Counter[DeliveryMode], manner: DeliveryMode | None) -> None:
    if manner is not None:
        counter[manner] += 1
