"""`slack-alert explain JOB`, `explain E-412`, and `explain --event 12`."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.job_names import complete_job
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.pipeline.reasons import record_reasons
from slack_alert.core.units.moments import parse_moment
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from slack_alert.core.explain.why import Explanation
    from slack_alert.settings import Settings


@click.command()
@common
@click.argument("job", required=False, shell_complete=complete_job)
@click.option("--at", metavar="T", help="The slot at or before T: 2026-11-21T09:00, 9:00, or 2h (ago).")
@click.option(
    "--event", "event", metavar="N", type=click.IntRange(min=1), help="An event: its rules, runs and messages."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def explain(
    ctx: click.Context, /, *, job: str | None, at: str | None, event: int | None, as_json: bool, **flags: object
) -> int:
    """Say in sentences why a job spoke, or why it did not: now, or at a time that has passed or is to come.

    JOB may be the number of a run that a person asked for, such as E-412: what became of it, with its traceback.
    """
    from slack_alert.bootstrap import current_mutes, database, plugin_loading
    from slack_alert.engine.clock import SystemClock
    from slack_alert.operations.explain import ExplainQuestion, answer, end_of_second
    from slack_alert.operations.explain_run import run_number

    settings = effective_settings(remember(ctx, flags), concerns=None)
    now = SystemClock().now()
    if event is not None:
        if job is not None or at is not None:
            raise click.UsageError("An event is explained by its number alone: leave JOB and --at out.")
        return _explain_event(event, settings, now, as_json=as_json)
    if job is None:
        raise click.UsageError("Name a job, a run such as E-412, or an event: --event 12.")
    if (number := run_number(job)) is not None:
        return _explain_run(number, settings, now, at=at, as_json=as_json)
    moment = end_of_second(parse_moment(at, zone=settings.timezone, now=now), now=now) if at is not None else None
    is_running = database.running_pid(settings) is not None
    with database.reading(settings) as reader:
        snapshot = reader.snapshot()
        name, binding = plugin_loading.job_lookup(settings).recorded_job(job, snapshot)
        mutes = current_mutes.make_mutes(settings, snapshot.entries)
        said = answer(ExplainQuestion(name, binding, moment), reader, mutes, now=now, is_running=is_running)
    if as_json:
        echo_json(_json(name, said, settings.timezone))
    else:
        echo("\n".join(said.sentences))
    return exit_codes.FINE


def _explain_run(number: int, settings: Settings, now: datetime, *, at: str | None, as_json: bool) -> int:
    from slack_alert.bootstrap import database
    from slack_alert.operations.explain_run import find_run, told_run

    if at is not None:
        raise click.UsageError(f"E-{number} is a run, which was once: leave --at out.")
    with database.reading(settings) as reader:
        run = find_run(number, reader)
    sentences = told_run(run, zone=settings.timezone, now=now)
    record, entry = run.record, run.entry
    said, printed, error = (record.text, record.printed, record.error) if record is not None else ("", None, None)
    if as_json:
        echo_json(
            {
                "run": number,
                "by": entry.by if entry is not None else run.asked.by.key if run.asked is not None else None,
                "command": entry.command if entry is not None else run.asked.words if run.asked is not None else None,
                "verdict": entry.verdict.value if entry is not None else None,
                "at": instant(entry.at if entry is not None else None, settings.timezone),
                "sentences": sentences,
                "said": said,
                "printed": printed,
                "error": error,
            }
        )
        return exit_codes.FINE
    echo("\n".join(sentences))
    for title, text in (("It said:", said), ("It printed:", printed), ("It raised:", error)):
        if text:
            echo(f"\n{title}\n{text.rstrip()}")
    return exit_codes.FINE


def _explain_event(number: int, settings: Settings, now: datetime, *, as_json: bool) -> int:
    from slack_alert.bootstrap import database
    from slack_alert.cli.query.events import event_json
    from slack_alert.core.explain.events import explain_event
    from slack_alert.core.structs import to_plain
    from slack_alert.operations.events import find_event

    with database.reading(settings) as reader:
        facts = find_event(number, reader)
    sentences = explain_event(facts, zone=settings.timezone, now=now)
    if as_json:
        echo_json(
            {
                **event_json(facts.kept, settings.timezone),
                "decisions": to_plain(facts.kept.decisions),
                "led_to": [further.kept.event.id for further in facts.led_to],
                "sentences": sentences,
            }
        )
    else:
        echo("\n".join(sentences))
    return exit_codes.FINE


def _json(name: str, said: Explanation, zone: tzinfo) -> dict[str, object]:
    record = said.told.record if said.told is not None else None
    posted = said.told.posted if said.told is not None else ()
    return {
        "job": name,
        "at": instant(said.slot, zone),
        "verdict": record.verdict.value if record is not None else None,
        "reason": record_reasons(record, zone) or None if record is not None else None,
        "run": record.run or None if record is not None else None,
        "messages": [
            {
                "id": one.delivery.id,
                "to": one.delivery.message.to.shown,
                "status": one.delivery.status.value,
                "attempts": one.delivery.attempts,
                "reason": one.delivery.reason,
                "receipt": one.delivery.receipt,
                "in_front": one.in_front,
            }
            for one in posted
        ],
        "sentences": list(said.sentences),
    }
