"""`slack-alert outbox`, `outbox retry ID`, `outbox drop ID`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_change, echo_json_line
from slack_alert.cli.running_program import effective_settings
from slack_alert.cli.sending import report_refused, report_unsent
from slack_alert.core.units.humanize import counted, format_distance
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from slack_alert.cli.output.text_tables import Style
    from slack_alert.core.model.message import Delivery, Status
    from slack_alert.settings import Settings

#: The number of sent messages, and of collapsed ones, that are shown without `--all`.
SENT_SHOWN = 5
#: A reason is cut to this width, so that there is room for the text; `--json` has all of it.
REASON_WIDTH = 40


class _SubcommandGroup(click.Group):
    """A group that names its subcommands where another is typed."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raise UsageError with the subcommands for an unknown one."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(f"There is no `outbox {args[0]}`. Write one of: {', '.join(self.commands)}.", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_SubcommandGroup, invoke_without_command=True)
@common
@click.option("--all", "is_all", is_flag=True, help=f"All that are done with as well, not only the last {SENT_SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per message, all of them.")
@click.pass_context
def outbox(ctx: click.Context, /, *, is_all: bool, as_json: bool, **flags: object) -> int:
    """List queued, sent, dead and collapsed messages; with `retry` or `drop`, do something about them."""
    given = remember(ctx, flags)
    if ctx.invoked_subcommand is not None:
        return exit_codes.FINE
    from slack_alert.bootstrap import database
    from slack_alert.engine.clock import SystemClock
    from slack_alert.loader import plugins_folder

    settings = effective_settings(given)
    plugins_folder(settings.path)
    with database.reading(settings) as reader:
        if as_json:
            for delivery in reader.deliveries():
                echo_json_line(delivery_json(delivery, settings.timezone))
        else:
            _show(reader.deliveries(), SystemClock().now(), is_all=is_all)
    return exit_codes.FINE


@outbox.command()
@common
@click.argument("ids", metavar="ID...", type=int, nargs=-1, required=True)
@click.pass_context
def retry(ctx: click.Context, /, *, ids: tuple[int, ...], **flags: object) -> int:
    """Send dead messages again, or what another message only counted."""
    return _change(effective_settings(remember(ctx, flags)), "retry", ids)


@outbox.command()
@common
@click.argument("ids", metavar="ID...", type=int, nargs=-1, required=True)
@click.pass_context
def drop(ctx: click.Context, /, *, ids: tuple[int, ...], **flags: object) -> int:
    """Take messages out that were not sent."""
    return _change(effective_settings(remember(ctx, flags)), "drop", ids)


def delivery_json(delivery: Delivery, zone: tzinfo) -> dict[str, object]:
    """Return one line of `outbox --json`."""
    message = delivery.message
    return {
        "id": delivery.id,
        "created": instant(delivery.created, zone),
        "to": message.to.shown,
        "status": delivery.status.value,
        "attempts": delivery.attempts,
        "text": _text(delivery),
        "reason": delivery.reason,
        "receipt": delivery.receipt,
        "run": message.origin.run,
        "slot": instant(message.origin.slot, zone),
        "key": message.key,
    }


def _show(deliveries: Iterable[Delivery], now: datetime, *, is_all: bool) -> None:
    from slack_alert.cli.output.text_tables import Cell, shortened, table
    from slack_alert.core.content.tables import cut
    from slack_alert.core.model.message import Status
    from slack_alert.operations.outbox import list_outbox

    styles: dict[Status, Style] = {Status.QUEUED: "yellow", Status.SENT: "green", Status.DEAD: "red"}
    styles[Status.COLLAPSED] = "dim"
    shown, left_out = list_outbox(deliveries, done=None if is_all else SENT_SHOWN)
    rows = [
        (
            str(delivery.id),
            delivery.message.to.shown,
            Cell(delivery.status.value, styles[delivery.status]),
            str(delivery.attempts),
            format_distance(now - delivery.created),
            cut(delivery.reason or "", REASON_WIDTH),
            shortened(" | ".join(line for line in _text(delivery).splitlines() if line.strip()), sys.stdout),
        )
        for delivery in shown
    ]
    if rows:
        head = ("ID", "TO", "STATUS", "ATTEMPTS", "AGE", "REASON", "TEXT")
        echo(table(head, rows, sys.stdout, flexible=(5, 6)))
    else:
        echo("The outbox is empty.")
    for status, number in left_out.items():
        click.echo(f"{counted(number, 'message')} {status} before: --all lists them.", err=True)
    statuses = {delivery.status for delivery in shown}
    if Status.DEAD in statuses:
        click.echo("`slack-alert outbox retry ID` sends a dead one again, `outbox drop ID` takes it out.", err=True)
    if Status.COLLAPSED in statuses:
        click.echo("`slack-alert outbox retry ID` says a collapsed one after all.", err=True)


def _change(settings: Settings, verb: Literal["retry", "drop"], ids: tuple[int, ...]) -> int:
    from slack_alert.bootstrap.oneshot.requests import requester
    from slack_alert.loader import plugins_folder
    from slack_alert.operations.outbox import drop, retry

    plugins_folder(settings.path)
    change = retry if verb == "retry" else drop
    changed = change(ids, _find(settings, ids).values(), requester(settings))
    return max(_print_result(settings, verb, number, is_taken=is_taken) for number, is_taken in changed)


def _print_result(settings: Settings, verb: str, number: int, *, is_taken: bool) -> int:
    """Print the result; return the exit code."""
    if verb == "drop":
        echo_change(f"{number} is dropped.", settings)
    elif is_taken:
        echo_change(f"{number} is sent again.", settings)
        return report_refused(settings, (_find(settings, (number,))[number].message.to,))
    elif _find(settings, (number,))[number].status.value == "sent":
        echo(f"{number} is sent.")
    else:
        return report_unsent(settings, lambda delivery: delivery.id == number)
    return exit_codes.FINE


def _find(settings: Settings, ids: tuple[int, ...]) -> dict[int, Delivery]:
    from slack_alert.bootstrap import database

    with database.reading(settings) as reader:
        return {delivery.id: delivery for delivery in reader.deliveries() if delivery.id in ids}


def _text(delivery: Delivery) -> str:
    from slack_alert.core.content.render import fallback, plain

    return plain(fallback(delivery.message.piece))
