"""Convert records to rows and back: instants and durations are whole microseconds, text is what any database keeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any  # A row's columns have the types the schema says.

from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.events import AcceptedEvent, Answer, Emitted, KeptEvent
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand
from slack_alert.core.model.former_messages import former_is_answer, former_origin, former_severity
from slack_alert.core.model.message import (
    Button,
    Delivery,
    DeliveryMode,
    Message,
    MessageSeverity,
    Notice,
    Origin,
    RunPart,
    Status,
)
from slack_alert.core.model.reason import Reason
from slack_alert.core.model.record import Outcome, Record, Usage, Verdict
from slack_alert.core.patterns import lazy_pattern
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import Quota, State
from slack_alert.core.rules.matching import Decision
from slack_alert.core.structs import Unreadable, asdict, astuple, from_json, replace, to_json, to_plain
from slack_alert.engine.batches import HistoryLine
from slack_alert.stores.old_reasons import with_sentence

Row = Sequence[Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_VERDICT_VALUES = {verdict: verdict.value for verdict in Verdict}
_VERDICTS = {verdict.value: verdict for verdict in Verdict}
_MANNERS = {manner.value: manner for manner in DeliveryMode}
_SEVERITIES = {severity.value: severity for severity in MessageSeverity}
_STATUSES = {status.value: status for status in Status}
_UNKEEPABLE = lazy_pattern("[\0\ud800-\udfff]")


def micros(at: datetime) -> int:
    """Return an aware instant in microseconds since 1970; raise TypeError for a naive one."""
    return (at - _EPOCH) // _MICROSECOND


def moment(count: int) -> datetime:
    """Return the instant in UTC for microseconds since 1970."""
    return _EPOCH + timedelta(0, 0, count)  # microseconds; as a keyword argument it takes half as long again


def span(duration: timedelta) -> int:
    """Return a duration in microseconds."""
    return duration // _MICROSECOND


def maybe_micros(at: datetime | None) -> int | None:
    """Return an instant in microseconds since 1970, or None for None."""
    return None if at is None else micros(at)


def maybe_moment(count: int | None) -> datetime | None:
    """Return the instant in UTC for microseconds since 1970, or None for None."""
    return None if count is None else moment(count)


def clean(text: str) -> str:
    """Return the text as any database keeps it: NUL and halves of surrogate pairs become U+FFFD."""
    return text if text.isascii() and "\0" not in text else _UNKEEPABLE.sub("\ufffd", text)


def maybe_clean(text: str | None) -> str | None:
    """Return the text as any database keeps it, or None for None."""
    return None if text is None else clean(text)


# --- history


def record_rows(records: Iterable[Record], first: int) -> Iterator[Row]:
    """Yield rows of an id, counted from `first`, and `RECORD_COLUMNS`; one flat loop, as a million records pass."""
    known: datetime | None = None
    at = 0
    for number, record in enumerate(records, first):
        (
            run, job, slot, verdict, started, duration, text, to, alerts, rests, error, printed, count, until, who,
            reasons, numbers, usage, _, outcome,
        ) = record  # fmt: skip
        if slot is not known:  # Jobs come due together.
            known, at = slot, micros(slot)
        yield (
            number,
            run,
            clean(job),
            at,
            _VERDICT_VALUES[verdict],
            None if started is None else (started - _EPOCH) // _MICROSECOND,
            None if duration is None else duration // _MICROSECOND,
            clean(text) if text else "",
            None if to is None else clean(to),
            alerts,
            None if rests is None else micros(rests),
            None if error is None else clean(error),
            None if printed is None else clean(printed),
            count,
            at if until is None else micros(until),
            None if who is None else clean(who),
            None if numbers is None else _json(numbers),
            None if usage is None else span(usage.cpu),
            None if usage is None else usage.memory,
            _reasons_json(reasons) if reasons else "",
            None if outcome is None else _struct_json(outcome),
        )


def end_of(record: Record) -> int:
    """Return the last slot of a record in microseconds."""
    return micros(record.until or record.slot)


def record_of(row: Row) -> Record:
    """Return the record in a row of `RECORD_COLUMNS` and a sentence of a former version."""
    (
        run, job, slot, verdict, started, duration, text, to, alerts, paused_until, error, printed, count, until, who,
        numbers, cpu, memory, reasons, outcome, sentence,
    ) = row  # fmt: skip
    record = Record(
        run=run,
        binding=job,
        slot=moment(slot),
        verdict=_VERDICTS[verdict],
        started=maybe_moment(started),
        duration=None if duration is None else timedelta(microseconds=duration),
        text=text,
        to=to,
        alerts=alerts,
        paused_until=maybe_moment(paused_until),
        error=error,
        printed=printed,
        count=count,
        until=moment(until) if count > 1 else None,
        asked_by=who,
        reasons=from_json(reasons, tuple[Reason, ...]) if reasons else (),
        numbers=None if numbers is None else json.loads(numbers),
        usage=None if cpu is None else Usage(timedelta(microseconds=cpu), memory),
        outcome=None if outcome is None else from_json(outcome, Outcome),
    )
    return with_sentence(record, sentence) if reasons is None else record


@lru_cache(maxsize=1024)  # Of a paused job, and of jobs that were due together.
def _reasons_json(reasons: tuple[Reason, ...]) -> str:
    return f"[{','.join(map(_struct_json, reasons))}]"


def _struct_json(told: Reason | Outcome) -> str:
    try:
        return clean(to_json(told).decode())
    except UnicodeEncodeError:  # Half of a surrogate pair.
        texts = {name: clean(text) for name, text in asdict(told).items() if type(text) is str}
        return to_json(replace(told, **texts)).decode()


_WORST_FIRST = (Status.DEAD, Status.QUEUED, Status.COLLAPSED, Status.SENT)


def line_of(record: Record, parts: Iterable[tuple[Status, int, str | None]]) -> HistoryLine:
    """Return a line of history from a record and status, attempts and receipt of each of its messages, in order."""
    told = list(parts)
    if not told:
        return HistoryLine(record)
    delivery = min((status for status, _, _ in told), key=_WORST_FIRST.index)
    receipt = next((receipt for _, _, receipt in told if receipt is not None), None)
    return HistoryLine(record, delivery.value, max(attempts for _, attempts, _ in told), receipt)


# --- outbox


def message_rows(messages: Iterable[Message], at: datetime | None) -> list[Row]:
    """Return the rows of new deliveries, created at `at`; raise TypeError for a file that was not read yet."""
    told = list(messages)
    if told and at is None:
        raise ValueError("a batch with messages says when it was made: `at` is missing")
    return [_message_row(message, at) for message in told if at is not None]


def _message_row(message: Message, created: datetime) -> Row:
    kind, body, content = _piece_row(message.piece)
    origin = message.origin
    notice = (None, None) if isinstance(origin, RunPart) else (clean(origin.kind), clean(origin.id))
    return (
        clean(message.key),
        clean(str(message.to)),
        kind,
        body,
        content,
        maybe_micros(origin.slot),
        origin.run,
        message.manner.value,
        clean(message.root) if message.root else "",
        clean(origin.job) if isinstance(origin, RunPart) else None,
        *notice,
        origin.n,
        message.severity.value,
        clean(message.thread) if message.thread else "",
        _buttons_json(message.buttons) if message.buttons else "",
        clean(message.response_url) if message.response_url else "",
        int(message.is_private),
        micros(created),
    )


def delivery_of(row: Row) -> Delivery:
    """Return the delivery in a row of `DELIVERY_COLUMNS`."""
    (
        number, key, address, kind, body, content, slot, run, manner, root, job, notice, about, part, severity,
        thread, buttons, response_url, is_private, created, status, attempts, receipt, reason, answer,
    ) = row  # fmt: skip
    channel, _, conversation = address.partition(":")
    piece = _piece_of(kind, body, content)
    to = Address(channel, conversation)
    origin: Origin
    if job is not None:
        origin = RunPart(job, maybe_moment(slot), run, part)
    elif notice is not None:
        origin = Notice(notice, about, part)
    else:
        origin, severity = former_origin(key, maybe_moment(slot), run), former_severity(body)
    pressed = from_json(buttons, tuple[Button, ...]) if buttons else ()
    message = Message(
        key, to, piece, origin, _MANNERS[manner], root, _SEVERITIES[severity], thread, pressed, response_url,
        bool(is_private),
    )  # fmt: skip
    is_answer = former_is_answer(reason) if answer is None else bool(answer)
    return Delivery(number, message, moment(created), attempts, _STATUSES[status], receipt, reason, is_answer)


def queued_of(number: int, row: Row) -> Delivery:
    """Return the new, queued delivery with this id for a row of `message_rows`."""
    return delivery_of((number, *row, Status.QUEUED.value, 0, None, None, 0))


@lru_cache(maxsize=256)  # Of a job, the same for each of its alerts.
def _buttons_json(buttons: tuple[Button, ...]) -> str:
    texts = [[clean(text) for text in astuple(button)] for button in buttons]
    return to_json(texts).decode()


def _piece_row(piece: Piece) -> tuple[str, str, bytes | None]:
    if isinstance(piece, Text):
        return "text", clean(piece.text), None
    if isinstance(piece, Blocks):
        return "blocks", _json(piece.payload), None
    if isinstance(piece.content, Path):
        raise TypeError(f"{piece.content}: a file is read into bytes before it is stored, so that it cannot change")
    names = {"name": piece.name, "title": piece.title, "comment": piece.comment}
    return "upload", _json(names), bytes(piece.content)


def _piece_of(kind: str, body: str, content: bytes | None) -> Piece:
    if kind == "text":
        return Text(body)
    read = json.loads(body)
    return Blocks(read) if kind == "blocks" else Upload(read["name"], content or b"", read["title"], read["comment"])


def _json(value: Mapping[str, object]) -> str:
    return clean(json.dumps(value, ensure_ascii=False))


# --- policy

#: The fields of an incident that are instants.
_INSTANTS = ("since", "last", "told", "acknowledged_at", "over")


def state_row(job: str, state: State) -> Row:
    """Return the row of a job's state."""
    incident = None if state.incident is None else _incident_json(state.incident)
    quotas = (*_quota_row(state.alerts), *_quota_row(state.errors))
    return (clean(job), *quotas, incident, state.withheld, maybe_micros(state.withheld_since))


def state_of(row: Row) -> tuple[str, State]:
    """Return the job and the state in a row."""
    job, alerts, alerts_until, errors, errors_until, incident, withheld, since = row
    open_one = None if incident is None else _incident_of(json.loads(incident))
    quotas = _quota_of(alerts, alerts_until), _quota_of(errors, errors_until)
    return job, State(*quotas, open_one, withheld, maybe_moment(since))


def _incident_json(incident: Incident) -> str:
    fields = asdict(incident)
    for name in _INSTANTS:
        fields[name] = maybe_micros(fields[name])
    try:
        return to_json(fields).decode()
    except (UnicodeEncodeError, TypeError):  # Half of a surrogate pair, or a subclass of str.
        return _json(fields)


def _incident_of(read: dict[str, Any]) -> Incident:
    instants = {name: maybe_moment(read.get(name)) for name in _INSTANTS}
    entries = tuple((key, text) for key, text in read["entries"])
    return Incident(**{**read, **instants, "entries": entries})


def _quota_row(quota: Quota) -> tuple[str, int | None]:
    return to_json([micros(at) for at in quota.spent]).decode(), maybe_micros(quota.until)


def _quota_of(spent: str, until: int | None) -> Quota:
    return Quota(tuple(moment(count) for count in json.loads(spent)), maybe_moment(until))


def event_row(accepted: AcceptedEvent) -> Row:
    """Return the row of an event."""
    event = accepted.event
    return (
        event.id,
        clean(event.name),
        micros(event.at),
        json.dumps(dict(event.fields)),
        clean(event.by),
        clean(event.reply_to),
        event.cause,
        event.depth,
        event.attempts,
        "".join(map(job_line, accepted.jobs)),
        _decisions_text(accepted.decisions),
    )


def event_of(row: Row) -> AcceptedEvent:
    """Return the event in a row."""
    number, name, at, fields, by, reply_to, cause, depth, attempts, jobs, decisions = row
    event = Emitted(name, moment(at), json.loads(fields), by, reply_to, cause, depth, number, attempts)
    return AcceptedEvent(event, tuple(jobs.split("\n")[1::2]), _decisions_of(decisions))


def kept_event_of(row: Row) -> KeptEvent:
    """Return the event in a row, with what has become of it."""
    *first, answers = row
    accepted = event_of(tuple(first))
    lines = [line.partition(" ") for line in answers.splitlines()]
    answered = tuple(Answer(accepted.event.id, job, int(run)) for run, _, job in lines)
    return KeptEvent(accepted.event, accepted.jobs, answered, accepted.decisions)


def answer_line(answer: Answer) -> str:
    """Return which job has answered an event, and by which run, as a line."""
    return f"{answer.run} {clean(answer.job)}\n"


def _decisions_text(decisions: tuple[Decision, ...]) -> str:
    if not decisions:
        return ""
    try:
        return clean(to_json(decisions).decode())
    except UnicodeEncodeError:  # A name or a value has half of a surrogate pair.
        return to_json(_clean_texts(to_plain(decisions))).decode()


def _decisions_of(text: str) -> tuple[Decision, ...]:
    """Return the decisions in a row; none where another version has written them."""
    try:
        return from_json(text, tuple[Decision, ...]) if text else ()
    except Unreadable:
        return ()


def asked_row(asked: AskedCommand) -> Row:
    """Return the row of a command that a person asked for."""
    try:
        fields = to_json(asked)
    except UnicodeEncodeError:  # A name, an id or the line has half of a surrogate pair.
        fields = to_json(_clean_texts(to_plain(asked)))
    return asked.id, micros(asked.at), fields.decode(), clean(asked.by.key)


def _clean_texts(plain: object) -> object:
    """Return JSON values with all their texts cleaned."""
    if isinstance(plain, str):
        return clean(plain)
    if isinstance(plain, Mapping):
        return {name: _clean_texts(value) for name, value in plain.items()}
    return [_clean_texts(each) for each in plain] if isinstance(plain, (list, tuple)) else plain


def asked_of(fields: str) -> AskedCommand:
    """Return the command in a row's fields."""
    return from_json(fields, AskedCommand)


def job_line(job: str) -> str:
    """Return the name of a job as it stands in the row of an event, where it can be taken out alone."""
    return f"\n{clean(job)}\n"
