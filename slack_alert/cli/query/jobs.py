"""`slack-alert jobs`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.format import instant
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.plan.check import functions, job_json, trigger
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import counted, format_time

if TYPE_CHECKING:
    from slack_alert.core.bindings import Binding, Job
    from slack_alert.core.catalog import Catalog
    from slack_alert.core.explain.job_status import Outlook
    from slack_alert.core.model.record import Record
    from slack_alert.engine.ports import Reader
    from slack_alert.settings import Settings


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def jobs(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """List the jobs with their triggers, next runs and state."""
    from slack_alert.bootstrap import database, plugin_loading
    from slack_alert.engine.clock import SystemClock

    settings = effective_settings(remember(ctx, flags), concerns=None)
    catalog = plugin_loading.survey_plugins(settings)
    now = SystemClock().now()
    with database.reading(settings) as reader:
        lines = _lines(catalog, reader, settings, now)
    if as_json:
        echo_json({"jobs": [line.json(settings.timezone) for line in lines]})
    else:
        _show(lines, catalog, settings, now)
    return exit_codes.FINE


class _Line(Struct, frozen=True):
    """A row of the table: a job, its outlook, and its last run."""

    bindings: Sequence[Binding]
    job: Job
    seen: Outlook
    last: Record | None

    @property
    def last_run(self) -> datetime | None:
        return (self.last.until or self.last.slot) if self.last else None

    def json(self, zone: tzinfo) -> dict[str, object]:
        return {
            **job_json(self.bindings),
            "next_run": instant(self.seen.next_run, zone),
            "last_run": instant(self.last_run, zone),
            "state": str(self.seen.state),
            "paused_until": instant(self.seen.paused_until, zone),
            "alerts": self.seen.alerts,
            "incident": self._incident_json(zone),
        }

    def _incident_json(self, zone: tzinfo) -> dict[str, object] | None:
        incident = self.seen.incident
        if incident is None:
            return None
        return {
            "since": instant(incident.since, zone),
            "alerts": incident.count,
            "acknowledged_by": incident.acknowledged_by or None,
            "acknowledged_at": instant(incident.acknowledged_at, zone),
        }


def _lines(catalog: Catalog, reader: Reader, settings: Settings, now: datetime) -> list[_Line]:
    from slack_alert.bootstrap import current_mutes
    from slack_alert.core.bindings import Job
    from slack_alert.core.explain.job_status import outlook
    from slack_alert.core.policy.quota import State

    snapshot = reader.snapshot()
    mutes = current_mutes.make_mutes(settings, snapshot.entries)
    lines = []
    for bindings in functions(catalog.bindings):
        job = next((binding for binding in bindings if isinstance(binding, Job)), None)
        if job is None:
            continue
        seen = snapshot.seen.get(job.name)
        ahead = outlook(
            job,
            snapshot.states.get(job.name, State()),
            pause=snapshot.holds.get(job.name),
            first_seen=seen.first if seen else None,
            last=seen.last if seen else None,
            now=now,
            muted_until=mutes.until(job.name, now),
        )
        lines.append(_Line(bindings, job, ahead, _last_run(reader, job.name)))
    return lines


def _last_run(reader: Reader, job: str) -> Record | None:
    """Return the last slot that ran; slots that did not run are few, so it is mostly among the newest."""
    from slack_alert.core.model.record import NOT_RUN

    for limit in (1, 10, 1000):
        newest = [line.record for line in reader.history(job=job, since=None, limit=limit)]
        found = next((record for record in reversed(newest) if record.verdict not in NOT_RUN), None)
        if found or len(newest) < limit:
            return found
    return None


def _show(lines: Sequence[_Line], catalog: Catalog, settings: Settings, now: datetime) -> None:
    from slack_alert.bootstrap import database
    from slack_alert.cli.output.text_tables import Cell, table
    from slack_alert.cli.query.job_table import next_cells

    zone = settings.timezone
    rows = [
        (
            Cell(line.bindings[0].name, "bold"),
            trigger(line.bindings),
            *next_cells(line.job, line.seen, zone, now),
            f"{format_time(line.last_run, zone, now, seconds='today')} {line.last.verdict}"
            if line.last and line.last_run
            else "-",
        )
        for line in lines
    ]
    if rows:
        head = ("JOB", "TRIGGER", "NEXT RUN", "STATE", "LAST RUN")
        echo(table(head, rows, sys.stdout, flexible=(1,)))
    else:
        echo(f"No jobs in {settings.path / 'plugins'}. `slack-alert init` writes an example.")
    for remark in _remarks(lines, catalog, is_running=database.running_pid(settings) is not None):
        click.echo(remark, err=True)


def _remarks(lines: Sequence[_Line], catalog: Catalog, *, is_running: bool) -> list[str]:
    listed = {line.bindings[0].name for line in lines}
    others = Counter(each[0].kind for each in functions(catalog.bindings) if each[0].name not in listed)
    remarks = []
    if others:
        what = " and ".join(counted(number, kind) for kind, number in others.items())
        remarks.append(f"{what} without a time: `slack-alert check` lists them.")
    if catalog.problems:
        remarks.append(f"{counted(len(catalog.problems), 'problem')} in plugin files: see `slack-alert check`.")
    if lines and not is_running:
        remarks.append("slack-alert is not running: next runs are as if it were started now.")
    return remarks
