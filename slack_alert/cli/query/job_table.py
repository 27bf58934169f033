"""The table of jobs with their next runs, shared by `run` and `jobs`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, TextIO

from slack_alert.cli.output.text_tables import Cell, paint, table
from slack_alert.core.commands.command import Command
from slack_alert.core.units.humanize import counted

if TYPE_CHECKING:
    from slack_alert.core.bindings import Job
    from slack_alert.core.catalog import Catalog
    from slack_alert.core.explain.job_status import Outlook
    from slack_alert.engine.engine import Engine
    from slack_alert.engine.runs.job_state import JobState
    from slack_alert.settings import Settings

#: The number of jobs that are shown at the start.
MOST_PLANNED = 100
#: The number of commands that are named.
_NAMED = 5


def plan(
    engine: Engine,
    settings: Settings,
    out: TextIO | None = None,
    *,
    muted_until: Callable[[str, datetime], datetime | None],
    catalog: Catalog | None = None,
) -> str:
    """Return the text that `run` shows at its start: the jobs with their next runs, and the messages' destination."""
    from slack_alert.engine.clock import SystemClock

    stream = out or sys.stdout
    now = SystemClock().now()
    every = engine.jobs()
    rows = [_row(job_state, settings.timezone, now, muted_until) for job_state in every[:MOST_PLANNED]]
    jobs = table(("JOB", "TRIGGER", "NEXT RUN", "STATE"), rows, stream, flexible=(1,))
    title = f"slack-alert: {counted(len(every), 'job')}, times in {settings.timezone}"
    more = [f"… and {len(every) - len(rows):,} more: see `slack-alert jobs`."] if len(every) > len(rows) else []
    commands = [each.words for each in catalog.bindings if isinstance(each, Command)] if catalog else []
    told = [
        *more,
        f"Messages go to {destination(settings)}. Ctrl+C ends.",
        *([_command_line(commands, settings)] if commands else []),
    ]
    shown = [jobs, ""] if every else []  # There may be commands only.
    return "\n".join((paint(title, "bold", stream), "", *shown, *(paint(line, "dim", stream) for line in told), ""))


def _command_line(commands: Sequence[str], settings: Settings) -> str:
    """Return which commands there are, and how people reach them."""
    shown = ", ".join(f"`{words}`" for words in commands[:_NAMED])
    more = f" and {len(commands) - _NAMED} more" if len(commands) > _NAMED else ""
    chats = ["Slack"] if settings.has_slack_doors else []
    chats += ["DingTalk"] if any(robot.door for robot in settings.dingtalk) else []
    where = f"in {' and '.join(chats)} and with `slack-alert chat`"
    if not settings.has_doors:
        where = "with `slack-alert chat`; `app_token` lets people in from Slack"
    return f"{counted(len(commands), 'command')}: {shown}{more}, {where}."


def next_cells(job: Job, seen: Outlook, zone: tzinfo, now: datetime) -> tuple[Cell, Cell]:
    """Return the cells with the next run and the state of a job."""
    from slack_alert.operations.jobs import next_text, state_text

    when, state = next_text(job, seen, zone, now), state_text(seen, zone, now)
    is_idle = seen.next_run is None and job.rule is None and not job.is_endless
    return Cell(when, "yellow" if is_idle else ""), Cell(state, "green" if state == "active" else "yellow")


def destination(settings: Settings) -> str:
    """Return the destination of messages in words."""
    if settings.dry_run:
        return "the terminal: --dry-run"
    from slack_alert.bootstrap.addresses import address

    to = address(settings)
    return to.shown if to.channel != "console" else "the terminal: no token is set"


def _row(
    job_state: JobState, zone: tzinfo, now: datetime, muted_until: Callable[[str, datetime], datetime | None]
) -> tuple[Cell | str, ...]:
    from slack_alert.core.explain.job_status import outlook

    job, pause, first, last = job_state.job, job_state.hold, job_state.anchor, job_state.last
    muted = muted_until(job.name, now)
    seen = outlook(job, job_state.state, pause=pause, first_seen=first, last=last, now=now, muted_until=muted)
    return (Cell(job.name, "bold"), job.shown, *next_cells(job, seen, zone, now))
