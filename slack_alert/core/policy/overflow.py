"""Overflow: select the messages that exceed an address's rate, and summarize them in one message."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from math import inf
from typing import NamedTuple

from slack_alert.core.content.markup import entities
from slack_alert.core.content.pieces import PARTS
from slack_alert.core.model.message import (
    ANSWERS,
    Delivery,
    DeliveryMode,
    MessageSeverity,
    Notice,
    Origin,
    RunPart,
    job_of,
    may_continue,
)
from slack_alert.core.model.record import Verdict
from slack_alert.core.structs import Struct, field, replace
from slack_alert.core.units.humanize import counted, format_stamp

#: Time within which all queued messages are to be sent.
MINUTE = timedelta(minutes=1)
#: Reason of a delivery that a person has queued again; like an attempted one it is never collapsed.
AGAIN = "sent again"
#: Maximum length of the list of jobs in a summary; the remaining jobs are counted.
_ROOM = 2000
#: Of runs that ended alike, so many ranges of numbers are told.
_SPANS = 40


class WaitingDelivery(NamedTuple):
    """A queued delivery, with the properties that decide whether it is collapsed."""

    id: int
    #: Empty if no job caused it.
    job: str
    #: The same for all messages of a run.
    turn: Origin
    #: It is so long that the run's next message is probably the rest of the same text.
    may_continue: bool
    is_error: bool
    #: It is sent in any case.
    is_fixed: bool
    at: datetime
    #: It answers a person who asked for its run.
    is_answer: bool = False
    #: The message that it edits; empty: it is one of its own.
    edits: str = ""


class OverflowCount(Struct, frozen=True):
    """Number of one job's messages that were collapsed."""

    count: int = 0
    errors: int = 0


class OverflowSummary(Struct, frozen=True):
    """The collapsed messages that one summary stands for."""

    origin: Notice
    since: datetime
    until: datetime
    tallies: dict[str, OverflowCount] = field(default_factory=dict)
    #: The runs that people asked for, by their numbers, and how many that did not run, whose answers were collapsed.
    answers: dict[int, RunPart] = field(default_factory=dict)
    refused: int = 0


def capacity(rate: float, burst: int) -> float:
    """Return how many messages can be sent to one address in a minute; infinite without a rate limit."""
    # At least the summary and one message.
    return max(2, int(rate * MINUTE.total_seconds() + burst)) if rate else inf


def to_waiting(delivery: Delivery, *, is_followed: bool) -> WaitingDelivery:
    """Return what decides about a delivery.

    `is_followed`: the message that it continues, replies to or edits was sent, or will be.
    """
    message = delivery.message
    job = job_of(message)
    is_error = message.severity is MessageSeverity.ERROR
    is_fixed = not job or delivery.attempts > 0 or delivery.reason is not None or is_followed
    at = message.origin.slot or delivery.created
    is_answer = bool(job) and isinstance(message.origin, RunPart) and message.origin.n >= ANSWERS
    edits = message.root if message.manner is DeliveryMode.EDIT and not delivery.attempts else ""
    return WaitingDelivery(
        delivery.id, job, message.origin.whole, may_continue(message), is_error, is_fixed, at, is_answer, edits
    )


def superseded(line: Iterable[WaitingDelivery]) -> list[WaitingDelivery]:
    """Return the edits of a message that a later one in the line edits as well: nobody misses them."""
    latest: dict[str, WaitingDelivery] = {}
    gone: list[WaitingDelivery] = []
    for one in line:
        if one.edits:
            if one.edits in latest:
                gone.append(latest[one.edits])
            latest[one.edits] = one
    return gone


def select_overflow(
    line: Sequence[WaitingDelivery], size: float, *, has_summary: bool = False
) -> list[WaitingDelivery]:
    """Return the deliveries to collapse, so that no more than `size` are left, the summary included.

    The jobs share the remaining places in turn, beginning with their oldest messages; a text in parts is sent as a
    whole or not at all.
    """
    if len(line) <= size:
        return []
    turns = _group_by_text(line)
    fixed = sum(len(turn) for turn in turns if _is_fixed(turn))
    left = size - fixed - (not has_summary)
    gone: list[WaitingDelivery] = []
    for turn in _round_robin(turn for turn in turns if not _is_fixed(turn)):
        if len(turn) <= left:
            left -= len(turn)
        else:
            gone.extend(turn)
    return sorted(gone)


def add_to_summary(storm: OverflowSummary | None, gone: Sequence[WaitingDelivery]) -> OverflowSummary:
    """Return the summary with more deliveries counted; it is named after the first one. None is counted twice."""
    first, last = min(one.at for one in gone), max(one.at for one in gone)
    if storm is None:
        storm = OverflowSummary(Notice("storm", str(gone[0].id)), first, last)
    tallies, answers, refused = dict(storm.tallies), dict(storm.answers), storm.refused
    for one in gone:
        if one.is_answer and isinstance(one.turn, RunPart):
            if one.turn.run:
                answers[one.turn.run] = one.turn
            refused += not one.turn.run
            continue
        tally = tallies.get(one.job, OverflowCount())
        tallies[one.job] = OverflowCount(tally.count + 1, tally.errors + one.is_error)
    return replace(
        storm, since=min(storm.since, first), until=max(storm.until, last), tallies=tallies, answers=answers,
        refused=refused,
    )  # fmt: skip


def summary_text(storm: OverflowSummary, zone: tzinfo, ended: Mapping[int, Verdict] | None = None) -> str:
    """Return the text of a summary: the number of messages of each job, those with errors first.

    Of runs that people asked for it tells how each has ended, by what is `ended` so far.
    """
    told = "More waited here than can be said in a minute. Counted instead of said: "
    what: list[str] = []
    if storm.answers or storm.refused:
        what.append(_answers_text(storm, ended or {}))
    if storm.tallies:
        what.append(_jobs_text(storm, zone))
        where = "has them all"
    else:
        where = f"has those that ran ({_format_span(storm, zone)}), `slack-alert audit` all"
    return f"{told}{'; '.join(what)}. `slack-alert history` {where}."


#: How runs that people asked for ended, in the order in which it is told; None: they have not ended.
_ENDS: dict[str, tuple[Verdict | None, ...]] = {
    "failed": (Verdict.ERROR, Verdict.TIMED_OUT),
    "interrupted": (Verdict.INTERRUPTED,),
    "canceled": (Verdict.CANCELED,),
    "done": (Verdict.SAID, Verdict.QUIET),
    "to be told when they end": (None,),
}


def _answers_text(storm: OverflowSummary, ended: Mapping[int, Verdict]) -> str:
    total = len(storm.answers) + storm.refused
    parts = []
    for words, verdicts in _ENDS.items():
        if runs := [run for run in sorted(storm.answers) if ended.get(run) in verdicts]:
            parts.append(f"{len(runs):,} {words} ({_format_runs(runs)})")
    if storm.refused:
        parts.append(f"{storm.refused:,} not run")
    return f"the answers to {counted(total, 'command')}: {', '.join(parts)}"


def _format_runs(runs: Sequence[int]) -> str:
    """Return numbers with their ranges, as many as there is room for."""
    spans: list[list[int]] = []
    for run in runs:
        if spans and run == spans[-1][1] + 1:
            spans[-1][1] = run
        else:
            spans.append([run, run])
    shown = [f"{first}" if first == last else f"{first}-{last}" for first, last in spans[:_SPANS]]
    left = sum(last - first + 1 for first, last in spans[_SPANS:])
    return ", ".join([*shown, *([f"and {left:,} more"] if left else [])])


def _jobs_text(storm: OverflowSummary, zone: tzinfo) -> str:
    ranked = sorted(storm.tallies.items(), key=lambda item: (not item[1].errors, -item[1].count, item[0]))
    parts: list[str] = []
    length = 0
    for name, tally in ranked:
        length += len(part := _format_count(name, tally)) + 2
        if length > _ROOM:
            break
        parts.append(part)
    if rest := ranked[len(parts) :]:
        parts.append(_format_count(f"{counted(len(rest), 'more job')}:", _sum(tally for _, tally in rest)))
    what = f"{counted(_sum(storm.tallies.values()).count, 'message')} of {counted(len(ranked), 'job')}"
    return f"{what} ({_format_span(storm, zone)}): {', '.join(parts)}"


def _group_by_text(line: Iterable[WaitingDelivery]) -> list[list[WaitingDelivery]]:
    """Return the deliveries in groups that have to be sent together: the parts of a text."""
    turns: list[list[WaitingDelivery]] = []
    latest: dict[Origin, list[WaitingDelivery]] = {}
    for one in line:
        turn = latest.get(one.turn)
        if turn is None or not turn[-1].may_continue or len(turn) == PARTS:
            latest[one.turn] = turn = []
            turns.append(turn)
        turn.append(one)
    return turns


def _is_fixed(turn: Iterable[WaitingDelivery]) -> bool:
    return any(one.is_fixed for one in turn)


def _round_robin(turns: Iterable[list[WaitingDelivery]]) -> Iterator[list[WaitingDelivery]]:
    """Yield the groups of all jobs in turn, in the order in which the jobs began to wait."""
    of_job: dict[str, deque[list[WaitingDelivery]]] = {}
    for turn in turns:
        of_job.setdefault(turn[0].job, deque()).append(turn)
    waiting_jobs = deque(of_job.values())
    while waiting_jobs:
        mine = waiting_jobs.popleft()
        yield mine.popleft()
        if mine:
            waiting_jobs.append(mine)


def _format_count(name: str, tally: OverflowCount) -> str:
    errors = f" ({counted(tally.errors, 'error')})" if tally.errors else ""
    return f"{entities(name)} {tally.count:,}{errors}"


def _sum(tallies: Iterable[OverflowCount]) -> OverflowCount:
    told = list(tallies)
    return OverflowCount(sum(tally.count for tally in told), sum(tally.errors for tally in told))


def _format_span(storm: OverflowSummary, zone: tzinfo) -> str:
    begin = format_stamp(storm.since, zone, storm.until)
    return begin if storm.since == storm.until else f"{begin}-{format_stamp(storm.until, zone, storm.until)}"
