"""The laws of commands that people ask for in a chat, each checked against what the world saw of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from slack_alert.core.model.audit import AuditEntry, AuditVerdict
from slack_alert.core.model.message import Status
from slack_alert.core.model.record import Record, Verdict
from tests.simulation.chat import SimulatedChat
from tests.simulation.chat_plugins import LIMITS, LOCKED, QUEUES, CommandCall
from tests.simulation.evidence import Evidence
from tests.simulation.people import Written

_SECOND = 1_000_000
#: A run that ended at most so many microseconds before a kill may be `interrupted`: its end is not committed yet.
_UNCOMMITTED = 1_500_000
#: In seconds: what comes later after it was written is not run.
_EXPIRES = 600.0
#: So many microseconds a function that looks each second has to see that it is canceled.
_HEEDS = 5 * _SECOND
_TOKEN = re.compile(r"app-\d+-")
_TEXT = re.compile(r"(?:said|value)-\d+-")
#: How messages about a run begin, and in the end by its verdict.
_STATUS = re.compile(r"(?:queued|running|canceling|done|failed|canceled|interrupted|not run|denied|expired)\b")
_LAST = {
    Verdict.SAID: "done",
    Verdict.QUIET: "done",
    Verdict.ERROR: "failed",
    Verdict.TIMED_OUT: "failed",
    Verdict.CANCELED: "canceled",
    Verdict.INTERRUPTED: "interrupted",
}
_AUDITED = {
    Verdict.SAID: AuditVerdict.RAN,
    Verdict.QUIET: AuditVerdict.RAN,
    Verdict.ERROR: AuditVerdict.FAILED,
    Verdict.TIMED_OUT: AuditVerdict.FAILED,
    Verdict.CANCELED: AuditVerdict.CANCELED,
    Verdict.INTERRUPTED: AuditVerdict.INTERRUPTED,
}
_NOT_RUN = frozenset({AuditVerdict.DENIED, AuditVerdict.REFUSED, AuditVerdict.EXPIRED, AuditVerdict.CANCELED})


@dataclass
class ChatEvidence:
    """What is known of commands once a seed is over."""

    all: Evidence
    chat: SimulatedChat

    def has(self, *faults: str) -> bool:
        """Return whether any of these faults could happen."""
        return self.all.has(*faults)

    @cached_property
    def entries(self) -> list[AuditEntry]:
        """The audit, oldest first."""
        with closing(self.all.place.reader()) as reader:
            return [one.entry for one in reader.audit(since=None, limit=None) if one.entry is not None]

    @cached_property
    def by_token(self) -> dict[str, list[AuditEntry]]:
        """The entries whose words tell which message they are about."""
        found: dict[str, list[AuditEntry]] = {}
        for entry in self.entries:
            for token in set(_TOKEN.findall(entry.command)):
                found.setdefault(token, []).append(entry)
        return found

    @cached_property
    def calls(self) -> dict[str, list[CommandCall]]:
        """The calls by what tells which message asked for them."""
        found: dict[str, list[CommandCall]] = {}
        for call in self.chat.stage.calls:
            found.setdefault(call.token, []).append(call)
        return found

    @cached_property
    def records(self) -> dict[int, list[Record]]:
        """The records of runs that people asked for, by their numbers."""
        found: dict[int, list[Record]] = {}
        for line in self.all.lines:
            if line.record.asked_by is not None and line.record.run:
                found.setdefault(line.record.run, []).append(line.record)
        return found

    @cached_property
    def asked(self) -> list[Written]:
        """What asked for a command."""
        return [one for one in self.chat.people.written if one.is_asked]

    @cached_property
    def claimed(self) -> frozenset[str]:
        """The ids of what the program has taken within the last day."""
        return frozenset(self.all.snapshot.inbound)

    @cached_property
    def posts(self) -> dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]]:
        """What was posted in each thread, by channel and message, with the time."""
        found: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
        for at, content in self.all.place.service.accepted:
            if content["method"] == "chat.postMessage" and content.get("thread_ts"):
                found.setdefault((str(content["channel"]), str(content["thread_ts"])), []).append((at, content))
        return found

    @cached_property
    def edits(self) -> dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]]:
        """The edits of each message."""
        found: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
        for at, content in self.all.place.service.accepted:
            if content["method"] == "chat.update":
                found.setdefault((str(content["channel"]), str(content["ts"])), []).append((at, content))
        return found

    @cached_property
    def collapsed(self) -> frozenset[str]:
        """The threads of answers that were told in a common message, as too much waited."""
        return frozenset(one.message.thread for one in self.all.outbox if one.status is Status.COLLAPSED)

    def must_be_taken(self, one: Written) -> bool:
        """Return whether the program has promised to take it: it was acknowledged, or has to be read."""
        if one.acknowledged is not None:
            return True
        since = self.chat.people.polled.get(one.channel)
        is_polled = since is not None and not one.is_slash and one.changed is None
        return is_polled and float(one.ts) > float(str(since))

    def was_taken(self, one: Written) -> bool:
        """Return whether the program has it; what was taken more than a day ago is not known any more."""
        prefix = f"slack:slash/{one.number}." if one.is_slash else f"slack:T0TEST/{one.channel}/{one.ts}"
        return prefix in self.claimed or (one.is_slash and any(each.startswith(prefix) for each in self.claimed))

    @property
    def is_short(self) -> bool:
        """Whether all that was taken is still known as such."""
        return not self.has("long_downtimes", "clock_steps")


Law = Callable[[ChatEvidence], Iterator[str]]


def check_chat(evidence: Evidence, chat: SimulatedChat, met: Counter[str]) -> list[str]:
    """Return what is wrong with commands; count what was met."""
    found = ChatEvidence(evidence, chat)
    for entry in found.entries:
        met[f"audit {entry.verdict.value}"] += 1
    for one in found.asked:
        met[f"asked {one.kind}"] += 1
        met["acknowledged"] += one.acknowledged is not None
    _count_ends(found, met)
    return [*chat.faults, *(f"{law.__name__}: {wrong}" for law in LAWS for wrong in law(found))][:20]


def _count_ends(found: ChatEvidence, met: Counter[str]) -> None:
    for call in found.chat.stage.calls:
        met["command cut off by a kill"] += call.ended is None
        met["command heeds its cancellation"] += call.heeded is not None
    for one in found.asked:
        calls, entries = found.calls.get(one.token, ()), found.by_token.get(one.token, ())
        met["command waited over a kill"] += any(call.life > _life_at(found, one.reached) for call in calls)
        met["command canceled before it began"] += not calls and any(
            entry.verdict is AuditVerdict.CANCELED for entry in entries
        )
        met["right lost before a run began"] += any(
            entry.verdict is AuditVerdict.DENIED and entry.run is not None for entry in entries
        )


def what_is_acknowledged_is_taken(evidence: ChatEvidence) -> Iterator[str]:
    """Whatever the program acknowledged, or had to read, it has taken, and with it an entry of the audit."""
    if not evidence.is_short:
        return
    taken = Counter(one.user for one in evidence.asked if evidence.was_taken(one))
    for one in evidence.asked:
        if evidence.must_be_taken(one) and not evidence.was_taken(one):
            yield f"{_shown(one)} was {'acknowledged' if one.acknowledged else 'there to be read'} and not taken"
    entries = Counter(entry.by.rpartition("/")[2] for entry in evidence.entries)
    for user in taken | entries:
        if taken[user] != entries[user]:
            yield f"{user}: {taken[user]} commands were taken, and {entries[user]} are in the audit"


def what_is_no_command_is_not_taken(evidence: ChatEvidence) -> Iterator[str]:
    """Neither edits nor what bots write, nor other text, is a command."""
    for one in evidence.chat.people.written:
        token = f"app-{one.number}-"
        if not one.is_asked and (token in evidence.calls or token in evidence.by_token):
            yield f"{_shown(one)} is no command"


def runs_once(evidence: ChatEvidence) -> Iterator[str]:
    """No command is called twice, by whichever doors and how often it came, and whatever ended in between."""
    for token, calls in evidence.calls.items():
        if len(calls) > 1:
            yield f"{token} was called {len(calls)} times, in lives {[call.life for call in calls]}"


def one_entry_each(evidence: ChatEvidence) -> Iterator[str]:
    """Each command has one entry in the audit, and each of its runs a record that agrees with it."""
    for token, entries in evidence.by_token.items():
        if len(entries) > 1:
            yield f"{token} is in the audit as {[entry.verdict.value for entry in entries]}"
    of_runs = {entry.run: entry for entry in evidence.entries if entry.run is not None}
    for run, entry in of_runs.items():
        records = evidence.records.get(run, [])
        if not records and entry.verdict not in _NOT_RUN:
            yield f"{entry.command} ({run}) is {entry.verdict.value} and has no record"
    for run, records in evidence.records.items():
        audited = of_runs.get(run)
        is_refused = audited is not None and audited.verdict is AuditVerdict.REFUSED
        expected = _AUDITED.get(records[0].verdict)
        if len(records) > 1 or audited is None or (audited.verdict is not expected and not is_refused):
            yield f"run {run} has {[one.verdict.value for one in records]}, audit {audited and audited.verdict.value}"


def every_call_is_recorded(evidence: ChatEvidence) -> Iterator[str]:
    """What began has a record of how it ended: `interrupted` where the program ended before, and else never."""
    is_prompt = not evidence.has("full_disk", "slow_disk", "freezes", "interleavings")
    for call in evidence.chat.stage.calls:
        records = evidence.records.get(call.run, [])
        verdicts = [record.verdict for record in records]
        end = evidence.all.ends[call.life]
        has_ended = call.ended is not None and end - call.ended > _UNCOMMITTED
        if not records:
            yield f"{_called(call)} has no record"
        elif call.ended is None and Verdict.INTERRUPTED not in verdicts:
            if call.command != "limited" and end != evidence.all.place.world.micros:
                yield f"{_called(call)} was cut off and is {verdicts[0].value}"
        elif has_ended and is_prompt and Verdict.INTERRUPTED in verdicts:
            yield f"{_called(call)} ended by itself and is interrupted"


def runs_for_who_asked(evidence: ChatEvidence) -> Iterator[str]:
    """A function runs only for a message that asks for it, in the name of who wrote it, and never before its time."""
    written = {one.token: one for one in evidence.asked if one.token}
    for call in evidence.chat.stage.calls:
        one = written.get(call.token)
        if one is None or (call.by, call.command, call.env) != (one.user, one.command, one.env):
            yield f"{_called(call)} of {call.by} is not what was written: {one and _shown(one)}"
        elif one.delay and call.began < one.at + one.delay * _SECOND - _SECOND and not evidence.has("clock_steps"):
            yield f"{_called(call)} began {(call.began - one.at) / _SECOND:.0f} s after {_shown(one)}"


def what_is_not_permitted_never_runs(evidence: ChatEvidence) -> Iterator[str]:
    """Nobody runs what he may not, as far as an answer about him may be remembered; what a guard refuses runs never."""
    # Between the decision and the call, a start waits to be committed.
    is_slow = evidence.has("full_disk", "slow_disk", "freezes", "interleavings")
    people = evidence.chat.people
    written = {one.token: one for one in evidence.asked if one.token}
    for call in evidence.chat.stage.calls:
        one = written.get(call.token)
        if one is not None and not people.may(one, call.began, is_ever=is_slow):
            yield f"{_called(call)} began, and {one.user} might not: {_shown(one)}"


def expired_ones_never_run(evidence: ChatEvidence) -> Iterator[str]:
    """What came more than ten minutes after it was written does not run, and nothing else is called expired."""
    if evidence.has("clock_steps", "freezes"):
        return
    written = {one.token: one for one in evidence.asked if one.token}
    for token in evidence.calls:
        one = written.get(token)
        if one is not None and one.reached is not None and (one.reached - one.at) / _SECOND > _EXPIRES:
            yield f"{token} came {(one.reached - one.at) / _SECOND:.0f} s late, and ran"
    expired = Counter(
        entry.by.rpartition("/")[2] for entry in evidence.entries if entry.verdict is AuditVerdict.EXPIRED
    )
    late = Counter(
        one.user for one in evidence.asked
        if one.reached is not None and _life_after(evidence, one.at + int(_EXPIRES * _SECOND))
    )  # fmt: skip
    for user, times in expired.items():
        if times > late[user]:
            yield f"{user} is told {times} times that it expired, and {late[user]} came late"


def the_queue_keeps_its_order(evidence: ChatEvidence) -> Iterator[str]:
    """Whoever was told that he waits in line begins before those of the same queue who asked after him."""
    waiting = [
        (told, one, calls[0])
        for one in evidence.asked
        if one.kind == "command" and (calls := evidence.calls.get(one.token)) and (told := _told(evidence, one))
    ]
    for call in evidence.chat.stage.calls:
        other = next((one for one in evidence.asked if one.token == call.token), None)
        if other is None or other.delay:
            continue
        for told, one, own in waiting:
            is_same = QUEUES[one.command] == QUEUES[call.command] and told < call.began < own.began
            if is_same and float(other.ts) > float(one.ts) and not _may_be_unsure(evidence, one, call.life):
                yield f"{_called(call)} began before {_called(own)}, which waited since {told / _SECOND:.1f}"


def no_more_than_its_queue_allows(evidence: ChatEvidence) -> Iterator[str]:
    """No more runs of a queue go on at once than are allowed, and none of one lock beside another."""
    going: list[CommandCall] = []
    for call in evidence.chat.stage.calls:
        going = [
            each for each in going
            if each.life == call.life and (each.ended is None or each.ended > call.began) and each.command != "limited"
        ]  # fmt: skip
        queue = QUEUES[call.command]
        beside = [each for each in going if QUEUES[each.command] == queue]
        if len(beside) >= LIMITS.get(queue, 1):
            yield f"{_called(call)} began beside {[_called(each) for each in beside]}"
        locked = [each for each in going if {each.command, call.command} <= LOCKED and each.env == call.env]
        if locked:
            yield f"{_called(call)} began beside {_called(locked[0])}, which has its lock"
        going.append(call)


def everybody_is_answered(evidence: ChatEvidence) -> Iterator[str]:
    """Each command that was taken is answered where it was asked, by one message, which tells its end in the end."""
    if evidence.has("revoked"):
        return
    for one in evidence.asked:
        # The answer to a slash command is in no thread.
        if one.is_slash or f"{one.channel}/{one.ts}" in evidence.collapsed:
            continue
        if evidence.is_short and evidence.must_be_taken(one):
            yield from _wrong_answer(evidence, one)
        for entry in evidence.by_token.get(one.token, ()) if one.token else ():
            yield from _wrong_end(evidence, one, entry)


def _wrong_answer(evidence: ChatEvidence, one: Written) -> Iterator[str]:
    posts = [_plain(content) for _, content in evidence.posts.get((one.channel, one.ts), [])]
    if not posts:
        yield f"{_shown(one)} has no answer"
    elif one.kind in ("command", "later") and sum(_STATUS.match(post) is not None for post in posts) != 1:
        yield f"{_shown(one)} is answered by {[post[:60] for post in posts]}"


def _wrong_end(evidence: ChatEvidence, one: Written, entry: AuditEntry) -> Iterator[str]:
    records = evidence.records.get(entry.run or 0)
    posts = [content for _, content in evidence.posts.get((one.channel, one.ts), [])]
    # What a run says on its way may come before its own message.
    first = next((content for content in posts if _STATUS.match(_plain(content))), None)
    if first is None:
        yield f"{_shown(one)} is {entry.verdict.value}, and has no answer"
        return
    edits = evidence.edits.get((one.channel, str(first["ts"])), [])
    last = _plain(edits[-1][1] if edits else first)
    expected = _LAST.get(records[0].verdict, "") if records else _words_of(entry.verdict)
    if not last.startswith(expected):
        yield f"{_shown(one)} is {expected}, and its message says {last[:80]!r}"


def what_is_said_is_said_once(evidence: ChatEvidence) -> Iterator[str]:
    """What a run says on its way is posted once, and all of it where it was not cut off."""
    # Whoever asks for the history reads it there again.
    asked = {(one.channel, one.ts) for one in evidence.asked if one.kind == "verb"}
    posted = Counter(
        token
        for _, content in evidence.all.place.service.accepted
        if content["method"] == "chat.postMessage" and (content["channel"], content.get("thread_ts")) not in asked
        for token in set(_TEXT.findall(str(content)))
    )
    for token, times in posted.items():
        if times > 1:
            yield f"{token} was posted {times} times"
    if evidence.has("revoked"):
        return
    for call in evidence.chat.stage.calls:
        verdicts = [record.verdict for record in evidence.records.get(call.run, [])]
        if call.ended is None or Verdict.INTERRUPTED in verdicts or call.command == "limited":
            continue
        yield from (f"{text} of {_called(call)} was not posted" for text in call.said if not posted[text])


def a_cancellation_ends(evidence: ChatEvidence) -> Iterator[str]:
    """Who is told that a run was taken out of the queue can rely on it; a run that is asked to end learns of it."""
    for one in evidence.asked:
        if one.kind != "cancel":
            continue
        for at, content in evidence.posts.get((one.channel, one.ts), []):
            calls = [call for call in evidence.chat.stage.calls if call.run == one.run]
            if "is taken out of the queue" in _plain(content):
                yield from (
                    f"{_called(call)} began after it was taken out of the queue" for call in calls if call.began > at
                )
            elif "is asked to end" in _plain(content):
                yield from (wrong for call in calls if (wrong := _unheeded(evidence, call, at)))


def _unheeded(evidence: ChatEvidence, call: CommandCall, told: int) -> str:
    if call.command == "patient" or call.does != "wait" or evidence.has("freezes", "interleavings", "slow_disk"):
        return ""
    last = min(call.ended or evidence.all.ends[call.life], evidence.all.ends[call.life])
    is_over = last < told + _HEEDS
    return "" if is_over else f"{_called(call)} was asked to end, and went on for {(last - told) / _SECOND:.0f} s"


def nothing_is_open(evidence: ChatEvidence) -> Iterator[str]:
    """In the end nothing waits, but for its time where a clock was set back."""
    now = evidence.all.now
    if left := [one for one in evidence.all.snapshot.asked if one.not_before is None or one.not_before <= now]:
        yield f"{[(one.text, one.run) for one in left]} still wait"


LAWS: tuple[Law, ...] = (
    what_is_acknowledged_is_taken,
    what_is_no_command_is_not_taken,
    runs_once,
    one_entry_each,
    every_call_is_recorded,
    runs_for_who_asked,
    what_is_not_permitted_never_runs,
    expired_ones_never_run,
    the_queue_keeps_its_order,
    no_more_than_its_queue_allows,
    everybody_is_answered,
    what_is_said_is_said_once,
    a_cancellation_ends,
    nothing_is_open,
)


def _may_be_unsure(evidence: ChatEvidence, one: Written, life: int) -> bool:
    """Return whether a program that has found a command may not learn who asked for it, and so has to pass over it."""
    is_silent = evidence.has("refused", "lost_before", "lost_after", "garbage", "slow_service", "revoked", "freezes")
    return is_silent and _life_at(evidence, one.reached) < life


def _told(evidence: ChatEvidence, one: Written) -> int | None:
    """Return when somebody was told that he waits in line."""
    posts = evidence.posts.get((one.channel, one.ts), [])
    return next((at for at, content in posts if _plain(content).startswith("queued, ")), None)


def _plain(content: Mapping[str, Any]) -> str:
    return str(content.get("text", "")).lstrip("\u200b")


def _words_of(verdict: AuditVerdict) -> str:
    return "not run" if verdict is AuditVerdict.REFUSED else verdict.value


def _life_at(evidence: ChatEvidence, micros: int | None) -> int:
    """Return the number of the life at a time."""
    lives = [span.number for span in evidence.all.spans if micros is not None and span.began <= micros]
    return lives[-1] if lives else len(evidence.all.spans)


def _life_after(evidence: ChatEvidence, micros: int) -> bool:
    """Return whether some program ran after a time."""
    return any((span.ended or evidence.all.place.world.micros) > micros for span in evidence.all.spans)


def _shown(one: Written) -> str:
    how = "/" if one.is_slash else ""
    return f"{one.user} at {one.at / _SECOND:.3f} in {one.channel}/{one.ts}: {how}{one.text!r}"


def _called(call: CommandCall) -> str:
    return f"{call.command} {call.token} ({call.run}, life {call.life}, {call.began / _SECOND:.3f})"
