"""`slack-alert run`."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.session import begin_log, configured, own_output
from slack_alert.settings import LoadedSettings, encode_published

if TYPE_CHECKING:
    from slack_alert.core.redaction.redaction import Redaction
    from slack_alert.engine.app.components import Components


@click.command()
@common
@click.option("--standby", is_flag=True, default=None, help="Wait for the database's lock instead of giving up.")
@click.pass_context
def run(ctx: click.Context, /, **flags: object) -> int:
    """Start: print the jobs with their next runs, run them until Ctrl+C or SIGTERM, then drain."""
    given = remember(ctx, flags)
    loaded = configured(given)
    if loaded.settings.scheduler == "GeventScheduler":
        # Before everything that could keep an unpatched socket, lock or thread: all imports below come after it.
        from gevent import monkey

        monkey.patch_all()
    redaction = begin_log(loaded)
    if lack := loaded.settings.missing():
        raise lack
    with own_output(loaded.settings, redaction=redaction, is_lasting=True) as out:
        return _run(loaded, redaction, out, is_standby=bool(given.get("standby")))


_NOTHING = (
    "there is nothing to run: no function in plugins/ is a job. "
    "Put @deco(minutes=5) over one, or let `slack-alert init` write an example."
)

_ONLY_COMMANDS = "No jobs: it does what people ask for. Ctrl+C ends."


def _show(text: str, out: TextIO) -> None:
    """Print the text if possible: with a full disk or a closed terminal, alerts are needed most."""
    try:
        click.echo(text, file=out)
    except OSError as error:
        import logging

        logging.getLogger(__name__).warning(
            "standard output takes nothing, the jobs run", extra={"reason": error.strerror}
        )


def _run(loaded: LoadedSettings, redaction: Redaction, out: TextIO, *, is_standby: bool) -> int:
    with _without_collection() as collect:
        return _start(loaded, redaction, out, collect, is_standby=is_standby)


@contextmanager
def _without_collection() -> Iterator[Callable[[], None]]:
    """Disable the garbage collector; yield the function that enables it again.

    A start makes many objects, none of which is garbage; they are not scanned later either.
    """

    def collect() -> None:
        gc.freeze()
        gc.enable()

    gc.disable()
    try:
        yield collect
    finally:
        gc.unfreeze()
        gc.enable()


def _start(
    loaded: LoadedSettings, redaction: Redaction, out: TextIO, collect: Callable[[], None], *, is_standby: bool
) -> int:
    from slack_alert.bootstrap import plugin_files

    settings = loaded.settings
    # The imports below overlap with the reading of new files; a standby finds the files only after its wait.
    found = None if is_standby else plugin_files.find(settings)
    from slack_alert.bootstrap import addresses, database, run
    from slack_alert.cli.logs import report_error, report_problem
    from slack_alert.cli.output.progress_bar import loading
    from slack_alert.cli.query.job_table import plan

    def ready(parts: Components) -> None:
        collect()
        catalog = parts.plugins.catalog
        for problem in catalog.problems:
            report_problem(problem)
        if catalog.jobs or parts.has_doors:
            shown = plan(parts.engine, settings, out, muted_until=parts.muted_until, catalog=catalog)
            _show(shown, out)
        elif catalog.bindings or parts.has_doors:
            _show(_ONLY_COMMANDS, out)
        else:
            report_error(_NOTHING)

    with loading() as progress:
        note = encode_published(loaded, addresses.service(settings))
        code = run.run(
            settings, found, redaction, out=out, standby=is_standby, progress=progress, ready=ready, note=note
        )
    if code == exit_codes.HELD:
        holder = database.running_pid(settings)
        who = f"process {holder}" if holder else "another process"
        report_error(
            f"{who} is running with {settings.database} already. Stop it, or start with --standby to take over when it "
            "ends."
        )
    return code
