"""`slack-alert exec NAME -- CMD...`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from slack_alert.cli.control.crash_note import CrashNote
from slack_alert.cli.option_order import PassThroughCommand
from slack_alert.cli.options import common, remember
from slack_alert.cli.running_program import effective_config
from slack_alert.cli.session import begin_log
from slack_alert.core.errors import BadValue, SlackAlertError
from slack_alert.core.excerpts import abridged
from slack_alert.core.units.names import composed

if TYPE_CHECKING:
    from datetime import timedelta

    from slack_alert.executors.external_program import ProgramExit
    from slack_alert.settings import Settings
    from slack_alert.stores import ExecMarker

_EXAMPLE = "Write `slack-alert exec nightly-backup -- /srv/backup.sh --all`."
_LONGEST = 200


@click.command(cls=PassThroughCommand)
@common
@click.argument("name")
@click.argument("command", nargs=-1, metavar="[--] CMD...", type=click.UNPROCESSED)
@click.option("--to", metavar="CHANNEL", help="Where a failure is told, instead of where errors go.")
@click.option("--timeout", metavar="D", help="End it when it runs longer, such as 30m; the exit code is 124 then.")
@click.option("--quiet-output", is_flag=True, help="Keep what it writes for the history only, and pass nothing on.")
@click.pass_context
def execute(
    ctx: click.Context,
    /,
    *,
    name: str,
    command: tuple[str, ...],
    to: str | None,
    timeout: str | None,
    quiet_output: bool,
    **flags: object,
) -> int:
    """Run a command as a job: what it writes and its exit code are recorded under NAME, and a failure is told.

    Options stand before CMD; all behind its first word is its own. `--` is for one that begins with a dash.

    It is run whatever is wrong with the telling, and its exit code is the one given: 128 and the signal's number where
    a signal ended it, 127 or 126 where it could not be started.
    """
    from slack_alert.engine.clock import SystemClock
    from slack_alert.executors.external_program import call

    name = composed(name)
    limit = _check_arguments(name, command, timeout)
    given = remember(ctx, flags)
    started = SystemClock().now()
    out, errors = (None, None) if quiet_output else (1, 2)
    note = CrashNote(partial(_write_note, given, name, started, to))
    ended = call(command, timeout=limit, out=out, errors=errors, before=note.begin)
    if ended.start_error:
        click.echo(f"slack-alert: {abridged(command[0])}: {ended.start_error}", err=True)
    if ended.output_error:
        said = f"what {abridged(command[0])} wrote could not be passed on: {ended.output_error}. The history has it."
        click.echo(f"slack-alert: {said}", err=True)
    try:
        _record(given, name, ended, started, to, then=note.take_back)
    except Exception as error:  # noqa: BLE001 - the caller needs the command's exit code and no other
        unsaid = f"{name} is not recorded, and nobody is told how it ended"
        click.echo(f"slack-alert: {unsaid}: {_error_text(error)}", err=True)
    note.take_back()
    return ended.code


def _check_arguments(name: str, command: tuple[str, ...], timeout: str | None) -> timedelta | None:
    """Return the time limit; raise BadValue for a name, command or limit that cannot be used."""
    from slack_alert.core.units.quantities import parse_duration

    if not name.strip() or not name.isprintable() or len(name) > _LONGEST:
        raise BadValue(f"{name[:_LONGEST]!r} is no name for a job.", hint=_EXAMPLE)
    if not command:
        raise BadValue("There is no command to run.", hint=_EXAMPLE)
    if timeout is None:
        return None
    try:
        limit = parse_duration(timeout)
    except BadValue as error:
        raise BadValue(f"--timeout: {error}", hint=error.hint) from error
    if not limit:
        raise BadValue("--timeout 0 is no time at all.", hint="Leave it out for no limit.")
    return limit


def _error_text(error: Exception) -> str:
    """Return an error and its hint as sentences."""
    if not isinstance(error, SlackAlertError):
        return f"{type(error).__name__}: {error}"
    return f"{error.sentences.rstrip('.')}."


def _write_note(flags: Mapping[str, object], name: str, started: datetime, to: str | None) -> ExecMarker | None:
    from slack_alert.bootstrap.oneshot.crash_notes import write_exec_marker

    return write_exec_marker(effective_config(flags).loaded.settings, name, started=started, to=to)


def _record(
    flags: Mapping[str, object],
    name: str,
    ended: ProgramExit,
    started: datetime,
    to: str | None,
    *,
    then: Callable[[], object],
) -> None:
    from slack_alert.bootstrap import addresses, plugin_loading
    from slack_alert.bootstrap.oneshot import exec_program
    from slack_alert.cli.output.streams import redacted
    from slack_alert.cli.sending import report_unsent
    from slack_alert.engine.requests.external_runs import external_name

    loaded = effective_config(flags).loaded
    begin_log(loaded)
    settings: Settings = loaded.settings
    if to is not None and (wrong := addresses.address_error(settings, to)) is not None:
        click.echo(f"slack-alert: --to {_error_text(wrong)} A failure is told where errors go.", err=True)
        to = None
    if to is None and (lack := settings.missing()):
        raise lack
    name = redacted(name)  # As it is recorded and posted.
    kept = external_name(name, plugin_loading.job_names(settings))
    if kept != name:
        click.echo(f"slack-alert: a plugin has a job that {name!r} may mean; this is recorded as {kept!r}.", err=True)
    is_taken = exec_program.record_execution(settings, kept, ended, typed=name, started=started, to=to, then=then)
    if ended.code and not is_taken:
        report_unsent(settings, lambda each: (each.message.origin.job, each.message.origin.slot) == (kept, started))
