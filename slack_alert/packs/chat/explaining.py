"""Verbs that explain: which commands there are, and why something was or was not done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slack_alert import deco
from slack_alert.core.commands.decision import Refused
from slack_alert.core.commands.visibility import may_see
from slack_alert.core.errors import BadValue
from slack_alert.core.model.asked import AskedCommand, ReplyTo
from slack_alert.core.model.audit import AuditEntry, AuditVerdict
from slack_alert.core.model.record import Record
from slack_alert.core.units.humanize import format_time
from slack_alert.engine.commands.past_runs import PastRuns
from slack_alert.operations import command_help
from slack_alert.operations.audit import list_audit
from slack_alert.operations.explain import ExplainQuestion, answer, answer_without_texts, end_of_second
from slack_alert.operations.explain_run import find_run, run_number, told_run
from slack_alert.packs.chat._asking import asker_of, conversation_of, place_of, program_of, viewer_of

if TYPE_CHECKING:
    from slack_alert import Context

#: What somebody asked for lately says what is useful to him.
_LATELY, _ENTRIES = timedelta(days=30), 300
#: So many runs of a command are listed, and entries of the audit.
_RUNS, _LINES = 3, 10
#: A denial is explained again for so long.
_DENIED = timedelta(days=1)


@deco(command="help", name="help")
def help_(ctx: Context, *word: str) -> str:
    """List what you may run, or explain a command.

    Example: help
        help deploy
    """
    program, by = program_of(ctx), asker_of(ctx)
    commands = list(program.commands())
    assert by.asker is not None, "it was decided whether the person may"
    mine = command_help.runnable_commands(commands, program.permissions, by.asker, conversation_of(ctx))
    if not word:
        with program.read() as reader:
            lately = list_audit(reader, since=program.now() - _LATELY, limit=_ENTRIES, by=by.key).entries
        lines = [each.entry.command for each in lately if each.entry is not None]
        return command_help.overview(mine, command_help.often_used(lines, commands))
    found = command_help.found_by(" ".join(word), mine)
    if isinstance(found, list):
        return command_help.listed(found, mine)
    with program.read() as reader:
        last = [line.record for line in reader.history(job=found.name, since=None, limit=_RUNS)]
        former = PastRuns(reader).former(found.name)
    return command_help.details(
        found, program.permissions, commands, former=former, last=last, zone=program.zone, now=program.now()
    )


@deco(command="why")
def why(ctx: Context, *job: str, at_: datetime | None = None) -> list[str]:
    """Say why a job spoke or not, or why you may not.

    Example: why disk
        why disk at 9:00
        why deploy
        why E-412
    """
    text = " ".join(job)
    if (number := run_number(text)) is not None:
        if at_ is not None:
            raise BadValue(f"E-{number} is a run, which was once.", hint=f"Write `why E-{number}`.")
        return _run(ctx, number)
    denied = _denied(ctx, text) if at_ is None else None
    if denied is not None:
        return _decided_again(ctx, denied)
    if not text:
        raise BadValue("You were denied nothing lately.", hint="Write `why JOB` to ask about a job.")
    program = program_of(ctx)
    with program.read() as reader:
        snapshot = reader.snapshot()
        name, declared = program.lookup().recorded_job(text, snapshot)
        if declared is None and any(each.name == name for each in program.commands()):
            if at_ is not None:
                raise BadValue(f"{name} is a command, which is never due.", hint=f"`history {text}` has its runs.")
            last = [line.record for line in reader.history(job=name, since=None, limit=_RUNS)]
            return [f"{name} is a command: it runs when somebody asks for it.", *_told(ctx, last)]
        mutes, now = program.mutes(snapshot), program.now()
        question = ExplainQuestion(name, declared, None if at_ is None else end_of_second(at_, now=now))
        if may_see(viewer_of(ctx), declared.to.shown if declared is not None else ""):
            return list(answer(question, reader, mutes, now=now, is_running=True).sentences)
        return list(answer_without_texts(question, reader, mutes, now=now).sentences)


@deco(command="audit")
def audit(
    ctx: Context, *command: str, by_: str | None = None, since_: timedelta | None = None
) -> list[dict[str, str]] | str:
    """Show what people asked for last.

    Example: audit
        audit deploy since 7d
        audit by ann
    """
    program = program_of(ctx)
    since = None if since_ is None else program.now() - since_
    with program.read() as reader:
        found = list_audit(reader, since=since, limit=_LINES, by=by_, command=" ".join(command)).entries
    rows = [_row(ctx, each.entry) for each in found if each.entry is not None]
    return rows or "Nobody asked for that."


def _run(ctx: Context, number: int) -> list[str]:
    """Return what became of a run; its traceback is for the terminal."""
    program = program_of(ctx)
    with program.read() as reader:
        run = find_run(number, reader)
    has_words = may_see(viewer_of(ctx), run.home)
    return told_run(run, zone=program.zone, now=program.now(), has_words=has_words)


def _told(ctx: Context, records: Iterable[Record]) -> Iterator[str]:
    zone, now = program_of(ctx).zone, program_of(ctx).now()
    for record in records:
        by = f", asked by {record.asked_by}" if record.asked_by else ""
        yield f"{format_time(record.slot, zone, now, seconds='today')}: {record.verdict}{by}"


def _row(ctx: Context, entry: AuditEntry) -> dict[str, str]:
    program = program_of(ctx)
    home = entry.channel if entry.chat == "slack" else f"{entry.chat}:{entry.channel}"
    words = entry.command if may_see(viewer_of(ctx), home) else f"{entry.command.partition(' ')[0]} …"
    at = format_time(entry.at, program.zone, program.now(), seconds="never")
    run = f" ({entry.run})" if entry.run else ""
    return {"at": at, "by": entry.name or entry.by, "command": words, "verdict": f"{entry.verdict}{run}"}


def _denied(ctx: Context, text: str) -> AuditEntry | None:
    """Return the last command that was denied to this person, of those that begin with some words."""
    program = program_of(ctx)
    with program.read() as reader:
        since = program.now() - _DENIED
        lately = list_audit(reader, since=since, limit=_ENTRIES, by=asker_of(ctx).key, command=text).entries
    entries = [each.entry for each in lately if each.entry is not None]
    return next((entry for entry in reversed(entries) if entry.verdict is AuditVerdict.DENIED), None)


def _decided_again(ctx: Context, denied: AuditEntry) -> list[str]:
    """Return what was denied, and what is decided about it now, here."""
    program, by = program_of(ctx), asker_of(ctx)
    assert by.asker is not None, "it was decided whether the person may"
    now = program.now()
    asked = AskedCommand((), now, by.asker.identity, ReplyTo(place_of(ctx)), denied.command, denied.door)
    decided = program.decide(asked, by.asker)
    then = f"`{denied.command}` was denied at {format_time(denied.at, program.zone, now, seconds='today')}."
    if not isinstance(decided, Refused):
        return [then, "Now it would run."]
    if decided.verdict is AuditVerdict.DENIED:
        return [then, decided.reason]
    return [then, denied.reason]
