"""The laws of the product, each checked against what a seed has left behind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from slack_alert.core.model.record import NOT_RUN, Record, Verdict
from slack_alert.stores import journal_path
from tests.simulation.answers import explanations_are_true, state_is_the_fold_of_history
from tests.simulation.evidence import Evidence, by_itself, shown
from tests.simulation.plugins import SCRIPT, Call

_TOKEN = re.compile(r"text-\d+-")
_SENT = re.compile(r"sent-\d+-")
_SECOND = 1_000_000
#: A run that began at most so many microseconds before a kill may be in neither history nor the runs that went on:
#: it is noted at the next check, twice a second, once it has lasted half a second.
_UNNOTED = 1_500_000
#: What a sensor returned is kept, before anything is committed, within so many microseconds.
_UNKEPT = 20_000
#: So many microseconds a file is broken at most, while what ran before runs on.
_BROKEN = 60 * _SECOND
#: Jobs whose further alerts are edits of a message, replies to it, or lines of a common one.
_JOINED = ("edited.", "threaded.", "grouped.", "changed.", "escalated.", "beat.")

Law = Callable[[Evidence], Iterator[str]]


def check(evidence: Evidence, met: Counter[str]) -> list[str]:
    """Return what is wrong; count what was met."""
    for line in evidence.lines:
        met[f"verdict {line.record.verdict.value}"] += 1
        for reason in line.record.reasons:
            met[f"reason {reason.code.value}"] += 1
    return [f"{law.__name__}: {found}" for law in LAWS for found in law(evidence)][:20]


def one_record_a_slot(evidence: Evidence) -> Iterator[str]:
    """No slot of a job has two records."""
    for name in evidence.jobs:
        before: Record | None = None
        for record in by_itself(evidence, name):
            end = (before.until or before.slot) if before is not None else record.slot - timedelta(seconds=1)
            both = record.slot, min(end, record.until or record.slot)
            if before is not None and record.slot <= end and not evidence.came_twice(*both):
                yield f"{name}: {shown(before)} and {shown(record)}"
            before = record


def no_slot_without_a_record(evidence: Evidence) -> Iterator[str]:
    """Between two records of a job no slot is missing, and after the last one none that is due."""
    for name, job in evidence.jobs.items():
        if len(evidence.edited.get(name.split(".")[0], ())) > 2:  # When it was there is not known here.
            continue
        records = by_itself(evidence, name)
        last: datetime | None = None
        for record in records:
            following = job.trigger.next_after(last, last) if last is not None else None
            if following is not None and following < record.slot and not evidence.came_twice(following, record.slot):
                yield f"{name}: nothing at {following:%d %H:%M:%S.%f} before {shown(record)}"
            last = max(last or record.slot, record.until or record.slot)
        if last is not None:
            following = job.trigger.next_after(last, last)
            if following is not None and following < evidence.now - timedelta(seconds=90):
                yield f"{name}: nothing after {last:%d %H:%M:%S.%f}"


def begun_as_often_as_documented(evidence: Evidence) -> Iterator[str]:
    """A function begins again for its slot only where a kill came so soon that its begin was not noted."""
    if evidence.has("full_disk", "slow_disk", "freezes"):
        return
    for (name, slot), calls in evidence.calls.items():
        if name not in evidence.jobs or name.startswith("retried."):
            continue
        for before, after in pairwise(calls):
            if evidence.came_twice(slot, slot):
                continue
            if before.life == after.life:
                yield f"{name} at {slot:%d %H:%M:%S}: twice in life {after.life}"
            elif evidence.ends[before.life] - before.began > _UNNOTED:
                late = (evidence.ends[before.life] - before.began) / _SECOND
                yield f"{name} at {slot:%d %H:%M:%S}: again, though it ran {late:.1f} s in life {before.life}"


def what_returned_is_kept(evidence: Evidence) -> Iterator[str]:
    """A function that has returned something to say is not called again for its slot."""
    if evidence.has("full_disk", "freezes"):
        return
    for (name, slot), calls in evidence.calls.items():
        if name not in evidence.jobs or evidence.came_twice(slot, slot):
            continue
        for before, after in pairwise(calls):
            is_kept = before.does == "speak" and before.ended is not None
            if is_kept and evidence.ends[before.life] - (before.ended or 0) > _UNKEPT:
                yield f"{name} at {slot:%d %H:%M:%S}: again in life {after.life}, though it had returned"


def tried_as_often_as_allowed(evidence: Evidence) -> Iterator[str]:
    """A run that fails is tried again as often as its job says."""
    for (name, slot), calls in evidence.calls.items():
        if name not in evidence.jobs or evidence.came_twice(slot, slot):
            continue
        most = 1 + evidence.jobs[name].run_options.retries
        for life, times in Counter(call.life for call in calls).items():
            if times > most:
                yield f"{name} at {slot:%d %H:%M:%S}: {times} times in life {life}, of at most {most}"


def what_ended_is_not_interrupted(evidence: Evidence) -> Iterator[str]:
    """A run whose function returned a second before a kill is recorded by what it returned."""
    if evidence.has("full_disk", "slow_disk", "freezes", "interleavings"):
        return
    for call in _settled(evidence):
        # What is tried again is not over where an attempt ends.
        if (
            call.job not in evidence.jobs
            or call.job.startswith("retried.")
            or evidence.came_twice(call.slot, call.slot)
        ):
            continue
        for record in _records_of(evidence, call):
            if record.verdict in (Verdict.INTERRUPTED, Verdict.MISSED):
                yield f"{call.job} at {call.slot:%d %H:%M:%S} ended by itself and is {record.verdict.value}"


def every_call_has_a_record(evidence: Evidence) -> Iterator[str]:
    """Whatever began is in the history."""
    for (name, slot), calls in evidence.calls.items():
        if name not in evidence.jobs or evidence.came_twice(slot, slot) or _went_unnoted(evidence, calls[-1]):
            continue
        if not _records_of(evidence, calls[-1]):
            yield f"{name} at {slot:%d %H:%M:%S} began ({calls[-1].does}) and has no record"


def accepted_once(evidence: Evidence) -> Iterator[str]:
    """No text is posted twice."""
    posts = Counter(
        (token, content["channel"]) for _, content in _posts(evidence) for token in set(_TOKEN.findall(str(content)))
    )
    slots = {token: call.slot for call in evidence.stage.calls for token in call.said}
    for (token, _), times in posts.items():
        # What two mutes withheld, of a time that came twice, is told at the end of both.
        if times > 1 and not evidence.came_twice(slots[token], slots[token]):
            yield f"{token} was posted {times} times"


def what_is_said_arrives(evidence: Evidence) -> Iterator[str]:
    """What a line of the history calls said was accepted by the service, and nothing waits any more."""
    accepted = {token for _, content in evidence.place.service.accepted for token in _TOKEN.findall(str(content))}
    for line in evidence.lines:
        record = line.record
        if record.verdict not in (Verdict.SAID, Verdict.ERROR):
            continue
        if line.delivery not in ("sent", "collapsed", "dead"):
            yield f"{record.binding} {shown(record)} is {line.delivery}"
        elif line.delivery == "dead" and not evidence.has("revoked"):
            yield f"{record.binding} {shown(record)} is dead"
        elif line.delivery == "sent":
            lost = [token for token in _TOKEN.findall(f"{record.text} {record.error or ''}") if token not in accepted]
            if lost:
                yield f"{record.binding} {shown(record)} is sent, and the service has no {lost}"


def what_is_posted_was_recorded(evidence: Evidence) -> Iterator[str]:
    """Every text that was posted stands in a line of the history."""
    known = {
        token
        for line in evidence.lines
        for token in _TOKEN.findall(f"{line.record.text} {line.record.error or ''} {line.record.outcome or ''}")
    }
    for _, content in _posts(evidence):
        for token in set(_TOKEN.findall(str(content.get("text", "")))) - known:
            call = next((each for each in evidence.stage.calls if token in each.said), None)
            records = _records_of(evidence, call) if call else []
            # What it said before a kill cut it off may be known by the message alone.
            if all(record.verdict is not Verdict.INTERRUPTED for record in records):
                yield f"{token} of {call and call.job} was posted; its lines: {[*map(shown, records)]}"


def in_order(evidence: Evidence) -> Iterator[str]:
    """What a function says at one address comes in the order in which it said it."""
    of = {token: call.job for call in evidence.stage.calls for token in call.said}
    last: dict[tuple[str, object], int] = {}
    for _, content in _posts(evidence):
        for token in _TOKEN.findall(str(content.get("text", ""))):
            name, number = of[token], int(token.split("-")[1])
            # What a mute or a window withheld is told once it is over, after what came meanwhile.
            if name.startswith(_JOINED) or name in evidence.requested or evidence.options.quiet:
                continue
            place = name, content["channel"]
            if number < last.get(place, 0):
                yield f"{name}: text {number} came after {last[place]}"
            last[place] = number


def within_the_quota(evidence: Evidence) -> Iterator[str]:
    """No pause's time holds more alerts of a job than its quota."""
    most, pause = evidence.options.max_alert, timedelta(minutes=evidence.options.pause_time)
    if not most:
        return
    for name in evidence.jobs:
        if name.startswith((*_JOINED, "unlimited.")) or name in evidence.requested:
            continue
        for verdict in (Verdict.SAID, Verdict.ERROR):
            slots = [one.slot for one in by_itself(evidence, name) if one.verdict is verdict]
            for first, beyond in zip(slots, slots[most:], strict=False):
                if beyond - first < pause and not evidence.came_twice(first, beyond):
                    yield f"{name}: more than {most} from {first:%H:%M:%S} to {beyond:%H:%M:%S}"


def within_its_hours(evidence: Evidence) -> Iterator[str]:
    """A job runs in its working hours and never else."""
    for name, job in evidence.jobs.items():
        for record in by_itself(evidence, name):
            if record.verdict in (Verdict.MISSED, Verdict.OVERLAPPED, Verdict.INTERRUPTED):
                continue
            is_open = job.policy.hours.contains(record.slot)
            if is_open is (record.verdict is Verdict.OFF_HOURS):
                yield f"{name}: {shown(record)} and its hours are {'open' if is_open else 'over'}"


def values_are_kept(evidence: Evidence) -> Iterator[str]:
    """A value is there once `ctx.store.set` has returned, whatever happens then."""
    if evidence.has("full_disk"):
        return
    stored = {entry.pack: entry.value for entry in evidence.snapshot.entries if entry.key == "n"}
    for pack, number in evidence.stage.kept.items():
        if int(stored.get(pack) or 0) < number:
            yield f"{pack} has {stored.get(pack)}, and {number} was set"


def what_others_leave_is_done(evidence: Evidence) -> Iterator[str]:
    """A value that another process sets is set, and a message that it leaves is posted once."""
    stored = {entry.pack: entry.value for entry in evidence.snapshot.entries if entry.key == "outside"}
    for pack, number in evidence.stage.set_outside.items():
        if stored.get(pack) != str(number):
            yield f"{pack} has {stored.get(pack)}, and {number} was set by another process"
    posts = Counter(token for _, content in _posts(evidence) for token in _SENT.findall(str(content.get("text", ""))))
    for text in evidence.stage.sent_outside:
        if posts[text] > 1 or (posts[text] == 0 and not evidence.has("revoked")):
            yield f"{text} was posted {posts[text]} times"


def one_run_at_a_time(evidence: Evidence) -> Iterator[str]:
    """A function is not called while its former run goes on."""
    last: dict[tuple[str, int], Call] = {}
    for call in evidence.stage.calls:
        before = last.get((call.job, call.life))
        # What is given up may go on beside the next run, and a file that is read anew has a job anew.
        is_other = call.job.startswith(("timed.", "retried.")) or call.does == "never" or evidence.has("edits")
        if before is not None and not is_other and not (before.ended is not None and before.ended <= call.began):
            yield f"{call.job} at {call.slot:%d %H:%M:%S} began while its run of {before.slot:%H:%M:%S} went on"
        last[call.job, call.life] = call


def events_are_answered(evidence: Evidence) -> Iterator[str]:
    """Every event of a sensor's run that ended is answered."""
    edits = len(evidence.edited.get("sensor", ()))
    # Nothing can be kept on a full disk; a rule that is edited or muted may let an event pass.
    if evidence.has("full_disk") or edits > 2 or "sensor.rule" in evidence.requested:
        return
    answered = {call.event for call in evidence.stage.calls}
    settled = {id(call) for call in _settled(evidence, _UNKEPT)}
    excused = _unanswered(evidence)
    for number, sensor in evidence.stage.noticed.items():
        # What another process leaves is on disk before it goes on.
        if number in answered or (id(sensor) not in settled and sensor.job != SCRIPT):
            continue
        slot = next((slot for slot in sorted(excused) if slot >= sensor.slot and excused[slot] > 0), None)
        if slot is None:
            yield f"event {number} of {sensor.slot:%d %H:%M:%S} has no answer"
        else:
            excused[slot] -= 1


def _unanswered(evidence: Evidence) -> Counter[datetime]:
    """Return how many events of a slot have a line of the rule that says why there is no answer."""
    records, calls = evidence.records.get("sensor.rule", ()), evidence.stage.calls
    excused: Counter[datetime] = Counter()
    for one in records:
        if one.verdict in NOT_RUN:
            excused[one.until or one.slot] += one.count
        # What was admitted and cut off before its call is interrupted as well; the event is not given to it again.
        excused[one.slot] += one.verdict is Verdict.INTERRUPTED
    excused.subtract(call.slot for call in calls if call.job == "sensor.rule" and call.ended is None)
    return excused


def events_are_answered_once(evidence: Evidence) -> Iterator[str]:
    """No event is answered twice in one life."""
    lives = Counter((call.event, call.life) for call in evidence.stage.calls if call.event is not None)
    for (number, life), times in lives.items():
        if times > 1:
            yield f"event {number} is answered {times} times in life {life}"


def nothing_is_left(evidence: Evidence) -> Iterator[str]:
    """After the faults, everything comes to its end."""
    left = [one for one in evidence.lines if one.delivery == "queued"]
    if left:
        yield f"{len(left)} messages still wait"
    if evidence.snapshot.running:
        yield f"{[started.binding for started in evidence.snapshot.running]} still run"
    if evidence.snapshot.events:
        yield f"{len(evidence.snapshot.events)} events still wait"
    if journal_path(evidence.place.database).exists():
        yield "the journal is not empty"
    if evidence.snapshot.returned:
        yield f"{len(evidence.snapshot.returned)} returned values are not settled"


LAWS: tuple[Law, ...] = (
    one_record_a_slot,
    no_slot_without_a_record,
    begun_as_often_as_documented,
    what_returned_is_kept,
    tried_as_often_as_allowed,
    what_ended_is_not_interrupted,
    every_call_has_a_record,
    accepted_once,
    what_is_said_arrives,
    what_is_posted_was_recorded,
    in_order,
    within_the_quota,
    within_its_hours,
    values_are_kept,
    what_others_leave_is_done,
    one_run_at_a_time,
    events_are_answered,
    events_are_answered_once,
    nothing_is_left,
    state_is_the_fold_of_history,
    explanations_are_true,
)


def _records_of(evidence: Evidence, call: Call) -> list[Record]:
    """Return the lines that cover a call's slot: one for a job, several where events came together."""
    records = evidence.records.get(call.job, ())
    return [record for record in records if record.slot <= call.slot <= (record.until or record.slot)]


def _settled(evidence: Evidence, before: int = _UNNOTED) -> list[Call]:
    """Return the calls that ended more than so many microseconds before their program did."""
    return [
        call
        for call in evidence.stage.calls
        if call.ended is not None and evidence.ends[call.life] - call.ended > before
    ]


def _went_unnoted(evidence: Evidence, call: Call) -> bool:
    """Return whether a kill came before it could be noted that it began, and its file changed before the next start.

    The slot is made up for at the next start only for a job that is as it was.
    """
    end = evidence.ends[call.life]
    following = next(
        (span.began for span in evidence.spans if span.began >= end and span.was_ready), evidence.place.world.micros
    )
    edits = evidence.edited.get(call.job.partition(".")[0], ())
    is_unnoted = end - call.began <= _UNNOTED or evidence.has("full_disk", "slow_disk")
    return is_unnoted and any(call.began - _BROKEN <= at <= following for at in edits)


def _posts(evidence: Evidence) -> Iterator[tuple[int, dict[str, object]]]:
    for at, content in evidence.place.service.accepted:
        if content["method"] == "chat.postMessage":
            yield at, dict(content)
