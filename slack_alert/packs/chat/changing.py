"""Verbs that change jobs: as on the command line, and in the same sentences."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from slack_alert import deco
from slack_alert.core.commands.meant_jobs import parse_field
from slack_alert.core.errors import BadValue
from slack_alert.operations import ack as ack_operation
from slack_alert.operations import emit as emit_operation
from slack_alert.operations import mute as mute_operation
from slack_alert.operations import pause as pause_operation
from slack_alert.packs.chat._asking import program_of, requester_of

if TYPE_CHECKING:
    from slack_alert import Context

#: How long a job is muted where that is not said: as by the button of an alert.
_MUTED = timedelta(hours=1)


@deco(command="pause")
def pause(ctx: Context, job: str, *, for_: timedelta | None = None, until_: datetime | None = None) -> str:
    """Let a job rest, for a while or until `resume`.

    Example: pause disk for 2h
        pause db.*
        pause disk until tomorrow 9:00
    """
    program, by = program_of(ctx), requester_of(ctx)
    until = _end(for_, until_, by.at)
    done = pause_operation.pause(job, program.lookup(), by, until=until)
    again = done.names[0] if len(done.names) == 1 else job
    return pause_operation.paused_text(done, f"resume {again}", until=until, zone=program.zone, now=by.at)


@deco(command="resume")
def resume(ctx: Context, job: str) -> str:
    """Let a paused job run again.

    Example: resume disk
    """
    program = program_of(ctx)
    with program.read() as reader:
        snapshot = reader.snapshot()
    done = pause_operation.resume(job, program.lookup(), requester_of(ctx), snapshot=snapshot)
    return pause_operation.resumed_text(done)


@deco(command="mute")
def mute(ctx: Context, job: str, *, for_: timedelta | None = None, until_: datetime | None = None) -> str:
    """Let a job run and say nothing, for an hour or as you say.

    Example: mute disk
        mute db.* for 30m
        mute disk until 18:00
    """
    program, by = program_of(ctx), requester_of(ctx)
    until = _end(for_, until_, by.at) or by.at + _MUTED
    done = mute_operation.mute(job, program.lookup(), by, until=until)
    return mute_operation.muted_text(done, until=until, zone=program.zone, now=by.at)


@deco(command="unmute")
def unmute(ctx: Context, job: str | None = None) -> list[str]:
    """Let a muted job speak again; without a name all of them.

    Example: unmute disk
        unmute
    """
    program, by = program_of(ctx), requester_of(ctx)
    with program.read() as reader:
        mutes = program.mutes(reader.snapshot())
    done = mute_operation.unmute(job, program.lookup(), by, mutes=mutes)
    still = mute_operation.still_silent(mutes, "unmute", is_all=job is None, now=by.at)
    return [mute_operation.unmuted_text(done), *still]


@deco(command="ack")
def ack(ctx: Context, job: str) -> list[str]:
    """Say that you take care: quiet until the recovery.

    Example: ack disk
    """
    program, by = program_of(ctx), requester_of(ctx)
    with program.read() as reader:
        snapshot = reader.snapshot()
    done = ack_operation.ack(job, program.lookup(), by, snapshot=snapshot)
    return list(ack_operation.acknowledged_text(done, by.by, zone=program.zone, now=by.at))


def _end(length: timedelta | None, end: datetime | None, now: datetime) -> datetime | None:
    if length is not None and end is not None:
        raise BadValue("`for` and `until` contradict each other.", hint="Write `for 2h` or `until 9:00`.")
    until = now + length if length is not None else end
    if until is not None and until <= now:
        raise BadValue("That is no time ahead.", hint="Write `for 2h` or `until tomorrow 9:00`.")
    return until


@deco(command="emit")
def emit(ctx: Context, event: str, *fields: str) -> str:
    """Tell the rules that something was noticed.

    Example: emit backup.done size=12
    """
    program, by = program_of(ctx), requester_of(ctx)
    done = emit_operation.emit(event, dict(map(parse_field, fields)), program.catalog(), by)
    return emit_operation.emitted_text(done, program.catalog())
