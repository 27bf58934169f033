"""`slack-alert simulate`."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TextIO

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.logs import report_problem
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.text_tables import history_table
from slack_alert.cli.plan.budget import worst_minutes
from slack_alert.cli.plan.replay import print_replay, replay_span
from slack_alert.cli.running_program import effective_settings
from slack_alert.cli.session import own_output
from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.markup import Markup
from slack_alert.core.errors import BadValue
from slack_alert.core.model.record import Record
from slack_alert.core.units.moments import parse_moment
from slack_alert.engine.simulation.doubles import MemoryRecorder
from slack_alert.engine.simulation.forecast import planned_message
from slack_alert.engine.simulation.simulation import simulate as simulated
from slack_alert.operations.as_json import record_json
from slack_alert.settings import Settings

_OUTCOMES = ("alert", "quiet", "error")
_DAY = timedelta(days=1)
#: The number of lines that are written together; a single line would be flushed.
_AT_ONCE = 1_000


@click.command()
@common
@click.option("--since", metavar="T", help="The first moment, inclusive (now).")
@click.option("--until", metavar="T", help="The end, exclusive (24 hours after --since).")
@click.option(
    "--outcome",
    "outcomes",
    metavar="JOB=alert|quiet|error",
    multiple=True,
    help="What a job's runs do (alert; quiet for a sensor).",
)
@click.option("--execute", is_flag=True, help="Really call the functions; nothing is sent.")
@click.option("--replay", is_flag=True, help="Take what was recorded from --since (a day ago) on; show the difference.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per slot.")
@click.pass_context
def simulate(
    ctx: click.Context,
    /,
    *,
    since: str | None,
    until: str | None,
    outcomes: tuple[str, ...],
    execute: bool,
    replay: bool,
    as_json: bool,
    **flags: object,
) -> int:
    """Show what would run and be said, as if started at --since with nothing remembered; no plugin is executed."""
    settings = effective_settings(remember(ctx, flags), concerns=None, plans=True)
    if replay:
        if outcomes or execute:
            raise BadValue("--replay takes the recorded outcomes.", hint="Leave out --outcome and --execute.")
        return print_replay(settings, *replay_span(since, until, settings), as_json=as_json)
    begin, end = _span(since, until, settings)
    with own_output(settings) as out:
        from slack_alert.bootstrap import current_mutes, plugin_loading
        from slack_alert.bootstrap.oneshot import simulate

        catalog = plugin_loading.load_plugins(settings) if execute else plugin_loading.survey_plugins(settings)
        for problem in catalog.problems:
            report_problem(problem)
        script = _script(outcomes, catalog)
        recorder = MemoryRecorder(keeps_messages=not as_json)
        if execute:
            records = simulate.rehearse(settings, catalog, begin, end, recorder=recorder)
        else:
            mark, mute = Markup(secrets.token_hex(4)), current_mutes.make_mutes(settings).reason
            records = list(simulated(catalog, begin, end, outcomes=script, mark=mark, mute=mute, recorder=recorder))
        _show(records, settings, out, as_json=as_json)
        if not as_json:
            lines = worst_minutes(filter(None, map(planned_message, recorder.messages)), settings)
            out.writelines(f"{line}\n" for line in (["", *lines] if lines else ()))
    return exit_codes.FINE if catalog.jobs else exit_codes.FOUND


def _span(since: str | None, until: str | None, settings: Settings) -> tuple[datetime, datetime]:
    now = datetime.now(timezone.utc)
    begin = parse_moment(since, zone=settings.timezone, now=now) if since is not None else now
    end = parse_moment(until, zone=settings.timezone, now=begin, ahead=True) if until else begin + _DAY
    if end <= begin:
        raise BadValue(f"--until {until} is not after --since {since or 'now'}.", hint="Exchange them.")
    return begin, end


def _script(outcomes: tuple[str, ...], catalog: Catalog) -> dict[str, str]:
    script = {}
    for said in outcomes:
        job, equals, outcome = said.rpartition("=")
        if not equals or outcome not in _OUTCOMES:
            raise BadValue(f"--outcome {said!r} is not JOB=alert, JOB=quiet or JOB=error.")
        binding = catalog.lookup(job)
        if isinstance(binding, Job) and binding.is_endless:
            raise BadValue(
                f"{binding.name} runs for ever: nobody knows when it would notice something.",
                hint="Give an outcome to the rules that answer it, or `slack-alert emit` an event.",
            )
        script[binding.name] = outcome
    return script


def _show(records: list[Record], settings: Settings, out: TextIO, *, as_json: bool) -> None:
    if as_json:
        write = json.JSONEncoder(ensure_ascii=False).encode  # `dumps` would make one for each line
        lines = (write(record_json(record, settings.timezone)) + "\n" for record in records)
        while some := "".join(islice(lines, _AT_ONCE)):
            out.write(some)
        return
    click.echo(history_table(records, settings.timezone, out, at=f"AT ({settings.timezone})"), file=out)
