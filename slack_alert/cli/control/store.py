"""`slack-alert store get|set|list|delete`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_change, echo_json_line
from slack_alert.cli.running_program import REQUEST_SETTINGS, effective_settings
from slack_alert.core.errors import BadValue
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from slack_alert.engine.batches import StoredValue
    from slack_alert.engine.context.key_value import KeyValueStore
    from slack_alert.operations.store import ValueLine
    from slack_alert.settings import Settings

_ENCRYPTED = "[encrypted]"

_pack = click.option("--pack", metavar="NAME", help="The pack, or the file or folder of plugins, that keeps it.")


class _StoreGroup(click.Group):
    """A group that names its subcommands where another is typed, or none."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Raise UsageError where there is nothing that says what to do."""
        return super().parse_args(ctx, args) if args else self._refuse(ctx, "`slack-alert store` needs to know what")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raise UsageError with the subcommands for an unknown one."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            self._refuse(ctx, f"There is no `store {args[0]}`")
        return super().resolve_command(ctx, args)

    def _refuse(self, ctx: click.Context, said: str) -> NoReturn:
        raise click.UsageError(f"{said}. Write one of: {', '.join(self.commands)}.", ctx)


@click.group(cls=_StoreGroup)
@common
@click.pass_context
def store(ctx: click.Context, /, **flags: object) -> None:
    """Read and change what functions keep in ctx.store, beside a running program as well."""
    remember(ctx, flags)


@store.command("list")
@common
@click.argument("pack", metavar="[NAME]", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON line per value.")
@click.pass_context
def list_(ctx: click.Context, /, *, pack: str | None, as_json: bool, **flags: object) -> int:
    """List the values of all packs, files and folders, or of the one with this name."""
    from slack_alert.operations.store import list_values

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    lines = list_values(_entries(settings), _now(), pack)
    if as_json:
        for line in lines:
            echo_json_line(_json(line, settings.timezone))
    else:
        _show(lines, settings.timezone)
    return exit_codes.FINE


@store.command()
@common
@click.argument("key")
@_pack
@click.option("--decrypt", is_flag=True, help="Print an encrypted value as it is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def get(ctx: click.Context, /, *, key: str, pack: str | None, decrypt: bool, as_json: bool, **flags: object) -> int:
    """Print a value: a text as it is, anything else as JSON."""
    from slack_alert.core.structs import replace
    from slack_alert.operations.store import find_value

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    line = find_value(_entries(settings), _now(), key, pack)
    is_shown = decrypt or not line.is_encrypted
    if is_shown and line.is_encrypted:
        line = replace(line, value=_stores(settings)(line.pack).get(key))
    if as_json:
        # What was asked for in so many words is not redacted.
        click.echo(json.dumps(_json(line, settings.timezone), ensure_ascii=False))
    elif is_shown:
        click.echo(_text(line.value))
    else:
        echo(_ENCRYPTED)
        click.echo("With --decrypt it is printed as it is.", err=True)
    return exit_codes.FINE


@store.command("set")
@common
@click.argument("key")
@click.argument("value")
@_pack
@click.option("--expires", metavar="D", help="How long it lasts: 90s, 1h30m, 2d; for ever by itself.")
@click.option("--encrypt", is_flag=True, help="Nobody reads it in the database without the key file.")
@click.option("--expected", metavar="VALUE", help="Only if this is the present value; exit 1 if it is not.")
@click.option("--from-json", is_flag=True, help="VALUE is JSON, not a text.")
@click.pass_context
def set_(
    ctx: click.Context,
    /,
    *,
    key: str,
    value: str,
    pack: str | None,
    expires: str | None,
    encrypt: bool,
    expected: str | None,
    from_json: bool,
    **flags: object,
) -> int:
    """Set a value; `-` reads it from standard input, so that a secret is in no list of processes."""
    from slack_alert.bootstrap.plugin_loading import survey_plugins
    from slack_alert.operations.store import place_of

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    meant = _parse(sys.stdin.read().removesuffix("\n") if value == "-" else value, is_json=from_json)
    place = place_of(_entries(settings), _now(), key, pack, lambda: survey_plugins(settings))
    values = _stores(settings)(place)
    if expected is None:
        values.set(key, meant, expires=expires, encrypt=encrypt or None)
    else:
        before = _parse(expected, is_json=from_json)
        if not values.compare_and_set(key, before, meant, expires=expires, encrypt=encrypt or None):
            click.echo(f"{key} of {place} has another value; nothing is changed.", err=True)
            return exit_codes.FOUND
    echo_change(f"{key} of {place} is set.", settings)
    return exit_codes.FINE


@store.command()
@common
@click.argument("key")
@_pack
@click.pass_context
def delete(ctx: click.Context, /, *, key: str, pack: str | None, **flags: object) -> int:
    """Delete a value."""
    from slack_alert.operations.store import find_value

    settings = effective_settings(remember(ctx, flags), concerns=REQUEST_SETTINGS)
    line = find_value(_entries(settings), _now(), key, pack)
    _stores(settings)(line.pack).delete(key)
    echo_change(f"{key} of {line.pack} is deleted.", settings)
    return exit_codes.FINE


def _entries(settings: Settings) -> Iterable[StoredValue]:
    from slack_alert.bootstrap.plugin_files import database
    from slack_alert.loader import plugins_folder
    from slack_alert.stores import read_shared_values

    plugins_folder(settings.path)
    return read_shared_values(database(settings), is_traceless=settings.dry_run)


def _stores(settings: Settings) -> Callable[[str], KeyValueStore]:
    from slack_alert.bootstrap.stored_values import foreign_values
    from slack_alert.core.redaction.redaction import Redaction
    from slack_alert.engine.clock import SystemClock

    return foreign_values(settings, Redaction(), SystemClock(), (lambda _: None) if settings.dry_run else None)


def _now() -> Any:  # Any: importing the type would cost as much as the clock
    from slack_alert.engine.clock import SystemClock

    return SystemClock().now()


def _parse(text: str, *, is_json: bool) -> object:
    if not is_json:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        hint = 'Write a number, true, null, "text", a list or an object; without --from-json it is a text.'
        raise BadValue(f"That is no JSON: {error}.", hint=hint) from error


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(line: ValueLine, zone: tzinfo) -> dict[str, object]:
    return {
        "pack": line.pack,
        "key": line.key,
        "value": line.value,
        "encrypted": line.is_encrypted,
        "expires": instant(line.expires, zone),
    }


def _show(lines: Sequence[ValueLine], zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import Cell, shortened, table
    from slack_alert.core.units.humanize import format_stamp

    if not lines:
        echo("No values: functions keep them with ctx.store.set(KEY, VALUE).")
        return
    rows = [
        (
            line.pack,
            Cell(line.key, "bold"),
            shortened(_ENCRYPTED if line.is_encrypted else _text(line.value), sys.stdout),
            format_stamp(line.expires, zone) if line.expires else "-",
        )
        for line in lines
    ]
    echo(table(("OF", "KEY", "VALUE", "EXPIRES"), rows, sys.stdout, flexible=(2,)))
