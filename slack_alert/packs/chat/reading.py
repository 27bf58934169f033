"""Verbs that change nothing; every member may use them unless the configuration says otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from slack_alert import deco
from slack_alert.core.commands.answers import RunView
from slack_alert.core.commands.queue_view import concealed as concealed_run
from slack_alert.core.commands.queue_view import queue_text
from slack_alert.core.commands.suggestions import BUILT_IN
from slack_alert.core.commands.visibility import concealed, may_see
from slack_alert.core.content.pieces import Text
from slack_alert.core.content.render import Piece
from slack_alert.core.model.record import Record
from slack_alert.core.pipeline.reasons import record_reasons
from slack_alert.core.report.layout import percent
from slack_alert.core.report.statistics import Period, Summary
from slack_alert.core.structs import replace
from slack_alert.core.units.humanize import format_time
from slack_alert.engine.commands.past_runs import PastRuns
from slack_alert.operations import history as history_operation
from slack_alert.operations import report as report_operation
from slack_alert.operations.jobs import last_text, list_jobs, next_text, state_text
from slack_alert.operations.queue import view_of
from slack_alert.operations.status import status_rows, status_title
from slack_alert.packs.chat._asking import asker_of, program_of, viewer_of

if TYPE_CHECKING:
    from slack_alert import Context

#: The most lines of a list: it is read on a phone.
_LINES = 10
_JOBS = 30
#: In characters: a text in a table is cut.
_TEXT = 60
_DAY = timedelta(days=1)


@deco(command="whoami")
def whoami(ctx: Context) -> dict[str, str]:
    """Say who you are here, and which roles you have."""
    by = asker_of(ctx)
    return {"id": by.key, "name": by.name, "roles": ", ".join(by.roles) or "none"}


@deco(command="jobs")
def jobs(ctx: Context, job: str = "") -> list[dict[str, str]] | str:
    """List the jobs, their state and their runs.

    Example: jobs
        jobs db.*
    """
    program = program_of(ctx)
    zone, now = program.zone, program.now()
    wanted = {each.name for each in program.lookup().jobs(job)} if job else None
    with program.read() as reader:
        snapshot = reader.snapshot()
        lines = list_jobs(program.catalog(), reader, snapshot, program.mutes(snapshot), now=now)
    lines = [line for line in lines if wanted is None or line.job.name in wanted]
    shown = [
        {
            "job": line.job.name,
            "next": next_text(line.job, line.outlook, zone, now),
            "state": state_text(line.outlook, zone, now),
            "last": last_text(line, zone, now),
        }
        for line in lines[:_JOBS]
    ]
    if len(lines) > _JOBS:
        ctx.say(f"{len(lines):,} jobs, of which the first {_JOBS} are here; `jobs db.*` lists some of them.")
    return shown or "There are no jobs."


@deco(command="status")
def status(ctx: Context) -> dict[str, str]:
    """Tell whether the program is well.

    Example: status
    """
    program = program_of(ctx)
    if program.is_without_jobs:
        return {"state": "it runs for this terminal alone, without jobs: `slack-alert run` starts them"}
    vitals = program.vitals()
    rows = {name: said if mark == "ok" else f"{mark}: {said}" for name, mark, said in status_rows(vitals, program.zone)}
    if vitals.store.fault is None:
        rows["database"] = "ok"  # Its path is of no use in a chat.
    return {"state": status_title(vitals), **rows}


@deco(command="queue")
def queue(ctx: Context) -> Text:
    """Show the commands that run, wait in line, or are for later.

    Example: queue
    """
    program, viewer = program_of(ctx), viewer_of(ctx)
    homes = {asked.run: asked.reply_to.to.shown for asked in program.open()}
    with program.read() as reader:
        usual = PastRuns(reader).usual
        now, state = program.now(), program.queue()
        view = view_of(state, usual, now, limits=program.limits, progress=program.progress())

    def shown(views: tuple[RunView, ...]) -> tuple[RunView, ...]:
        return tuple(each if may_see(viewer, homes.get(each.run.run, "")) else concealed_run(each) for each in views)

    shown_view = replace(view, running=shown(view.running), waiting=shown(view.waiting), later=shown(view.later))
    return queue_text(shown_view, program.answers)


@deco(command="history")
def history(ctx: Context, job: str | None = None, *, since_: timedelta | None = None) -> list[dict[str, str]] | str:
    """Show the last runs.

    Example: history
        history disk
        history db.* since 2h
    """
    program = program_of(ctx)
    now = program.now()
    with program.read() as reader:
        since = None if since_ is None else now - since_
        # Nobody is interested in questions such as this one.
        most = _LINES if job else 10 * _LINES
        found = history_operation.history(job, reader, program.lookup(), since=since, limit=most)
        told = [line.record for line in found if job or not line.record.binding.startswith(BUILT_IN)]
        records = [_shown(ctx, record) for record in told[-_LINES:]]
    names = {record.binding for record in records}
    rows = [
        {
            "at": format_time(record.slot, program.zone, now, seconds="never"),
            **({} if job and len(names) == 1 else {"job": record.binding}),
            "verdict": f"{record.verdict} x{record.count}" if record.count > 1 else str(record.verdict),
            "text": _first_line(record, record_reasons(record, program.zone)),
        }
        for record in records
    ]
    return rows or "No runs."


@deco(command="report")
def report(ctx: Context, job: str | None = None, *, since_: timedelta | None = None) -> list[dict[str, str]] | Piece:
    """Sum up the runs of a day, or since when you say.

    Example: report
        report disk since 7d
    """
    program = program_of(ctx)
    now = program.now()
    span = Period(now - (since_ or _DAY), now)
    with program.read() as reader:
        made = report_operation.report(job, reader, program.lookup(), span=span, zone=program.zone)
    if job is None:
        made = replace(made, found=[each for each in made.found if not each.job.startswith(BUILT_IN)])
    if made.found and not made.is_of_one:
        return [_summary_row(each) for each in made.found[:_JOBS]]
    homes = {each.name: each.to.shown for each in program.catalog().jobs}
    if not all(may_see(viewer_of(ctx), homes.get(each.job, "")) for each in made.found):
        made = replace(made, found=[replace(each, errors={}) for each in made.found])
    return Text(report_operation.report_text(made, program.answers.mark.escape))


def _summary_row(each: Summary) -> dict[str, str]:
    ok = percent(each.success) if each.success is not None else "-"
    return {"job": each.job, "runs": f"{each.runs:,}", "ok": ok, "alerts": f"{each.alerts:,}"}


def _shown(ctx: Context, record: Record) -> Record:
    """Return a record as it may be shown where it is asked for."""
    job = next((each for each in program_of(ctx).catalog().jobs if each.name == record.binding), None)
    homes = record.to or (job.to.shown if job is not None else "")
    return record if may_see(viewer_of(ctx), homes) else concealed(record, homes)


def _first_line(record: Record, reasons: str) -> str:
    error = (record.error or "").strip().rpartition("\n")[2]
    said = " ".join(next(iter(record.text.strip().splitlines()), "").split()) or error or reasons
    return said if len(said) <= _TEXT else f"{said[:_TEXT].rstrip()}…"
