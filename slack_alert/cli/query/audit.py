"""`slack-alert audit`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.streams import echo, echo_change, echo_json, echo_json_line
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.errors import StoreError
from slack_alert.core.units.humanize import format_stamp, plural
from slack_alert.core.units.moments import parse_moment
from slack_alert.operations.as_json import instant

if TYPE_CHECKING:
    from slack_alert.cli.output.text_tables import Cell
    from slack_alert.core.commands.audit_verification import Verification
    from slack_alert.core.model.audit import ChainedEntry
    from slack_alert.engine.ports import AuditReader
    from slack_alert.settings import Settings

_HEADLESS = "Give a head that was posted: --head N:HASH."
#: The default limit of lines for people.
SHOWN = 50


@click.command()
@common
@click.option("--since", metavar="T", help="The first moment: 2026-11-21T09:00, 9:00, or 2h (ago).")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(min=1),
    help=f"The newest N entries ({SHOWN}; all with --json and --export).",
)
@click.option("--verify", is_flag=True, help="Verify all of it against the key: exit 1 where anything was changed.")
@click.option("--head", metavar="N:HASH", help="With --verify: also against a head that was posted or written down.")
@click.option(
    "--export", metavar="FILE", type=click.Path(path_type=Path), help="Write it to a file that only you may read."
)
@click.option("--who-may", metavar="TEXT", help="Who may do that, such as 'deploy env:prod': each person, each role.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per entry; with --verify, one document.")
@click.pass_context
def audit(
    ctx: click.Context,
    /,
    *,
    since: str | None,
    limit: int | None,
    verify: bool,
    head: str | None,
    export: Path | None,
    who_may: str | None,
    as_json: bool,
    **flags: object,
) -> int:
    """List what people asked for and what became of it, the newest last; prove that nothing of it was changed."""
    from slack_alert.bootstrap import database
    from slack_alert.engine.clock import SystemClock

    _refuse_odd_options(verify=verify, head=head, export=export, is_part=bool(since or limit))
    settings = effective_settings(remember(ctx, flags))
    if who_may is not None:
        return _who_may(settings, who_may, as_json=as_json)
    begin = parse_moment(since, zone=settings.timezone, now=SystemClock().now()) if since else None
    with database.reading(settings) as reader:
        if verify:
            return _verify(reader, settings, head, as_json=as_json)
        if export is not None:
            return _export(reader, settings, export, since=begin, limit=limit)
        _list(reader, settings.timezone, since=begin, limit=limit if as_json else limit or SHOWN, as_json=as_json)
    return exit_codes.FINE


def _who_may(settings: Settings, text: str, *, as_json: bool) -> int:
    from slack_alert.bootstrap.plugin_loading import survey_plugins
    from slack_alert.cli.query.who_may import who_may_json, who_may_table

    catalog = survey_plugins(settings)
    if as_json:
        echo_json(who_may_json(settings, catalog, text))
    else:
        echo(who_may_table(settings, catalog, text, sys.stdout))
    return exit_codes.FINE


def _refuse_odd_options(*, verify: bool, head: str | None, export: Path | None, is_part: bool) -> None:
    if head is not None and not verify:
        raise click.UsageError("--head is what --verify compares with: give both.")
    if verify and export is not None:
        raise click.UsageError("--verify verifies and --export writes a file: choose either.")
    if verify and is_part:
        raise click.UsageError("--verify looks at all of it: leave out --since and --limit.")


def _list(reader: AuditReader, zone: tzinfo, *, since: datetime | None, limit: int | None, as_json: bool) -> None:
    from slack_alert.operations.audit import entry_json, list_audit

    found = list_audit(reader, since=since, limit=limit)
    if as_json:
        for one in found.entries:
            echo_json_line(entry_json(one, zone))
    else:
        echo(_table(found.entries, zone))
    for number in found.unreadable:
        click.echo(f"slack-alert: entry {number} cannot be read; `slack-alert audit --verify` says more.", err=True)


def _table(entries: Iterable[ChainedEntry], zone: tzinfo) -> str:
    from slack_alert.cli.output.text_tables import table

    rows = [_row(one, zone) for one in entries]
    head = ("ID", "AT", "BY", "IN", "COMMAND", "VERDICT", "REASON")
    return table(head, rows, sys.stdout, flexible=(6, 4, 3, 2)) if rows else "Nobody has asked for anything."


def _row(one: ChainedEntry, zone: tzinfo) -> tuple[str | Cell, ...]:
    from slack_alert.cli.output.text_tables import Cell, shortened

    entry = one.entry
    assert entry is not None, "what cannot be read is left out"
    return (
        str(one.id),
        Cell(format_stamp(entry.at, zone), "dim"),
        entry.name or entry.by,
        entry.door if entry.chat == "web" else entry.channel or entry.door,
        shortened(entry.command, sys.stdout),
        Cell(entry.verdict.value, "green" if entry.verdict in _GOOD else "red" if entry.verdict in _BAD else "yellow"),
        shortened(entry.reason, sys.stdout),
    )


#: The verdicts that are shown in green and in red.
_GOOD = frozenset({"ran", "approved", "answered"})
_BAD = frozenset({"failed", "denied", "rejected", "interrupted"})


def _verify(reader: AuditReader, settings: Settings, posted: str | None, *, as_json: bool) -> int:
    from slack_alert.bootstrap.audit import audit_key
    from slack_alert.operations.audit import audit_head, parse_head, verify_audit

    heads = [parse_head(posted)] if posted is not None else []
    outside = audit_key(settings)
    # Before the entries: the program may write more meanwhile.
    if (kept := outside.head()) is not None:
        heads.append(kept)
    key = outside.read()
    if key is None and audit_head(reader) is not None:
        raise StoreError(
            f"{settings.audit_key_file}: the key of the audit is not there, and without it nothing can be verified. "
            "Put it back, or set `key_file` in [audit]."
        )
    found = verify_audit(reader, key or b"", heads)
    is_headless = not heads and found.head is not None
    if as_json:
        echo_json({**_verification_json(found, settings.timezone), "is_headless": is_headless})
    else:
        echo("\n".join(_told(found, settings)))
        if is_headless:
            echo(
                f"{settings.audit_key_file}.head is not there: nobody can tell whether the end was cut off. {_HEADLESS}"
            )
    return exit_codes.FOUND if found.faults or is_headless else exit_codes.FINE


def _told(found: Verification, settings: Settings) -> Iterable[str]:
    from slack_alert.core.commands.audit_notices import shown_head

    zone = settings.timezone
    number = f"{found.count:,} {plural(found.count, 'entry', 'entries')}"
    if found.faults:
        if found.is_other_key:
            yield f"No entry fits the key in {settings.audit_key_file}: it is another one, or all were changed."
        yield from (fault.describe(zone) for fault in found.faults)
        yield f"{number} {plural(found.count, 'was', 'were')} verified."
        return
    if found.head is None:
        yield "There is nothing to verify: nobody has asked for anything."
        return
    since = f", up to {format_stamp(found.head.at, zone)}," if found.head.at is not None else ""
    yield f"{number}{since} {plural(found.count, 'is as it was', 'are as they were')} written."
    yield f"head {shown_head(found.head)}"


def _verification_json(found: Verification, zone: tzinfo) -> dict[str, object]:
    return {
        "whole": not found.faults,
        "entries": found.count,
        "head": None if found.head is None else {"id": found.head.id, "hash": found.head.hash},
        "faults": [
            {
                "kind": fault.kind.value,
                "first": fault.first,
                "last": fault.last,
                "at": instant(fault.at, zone),
                "until": instant(fault.until, zone),
                "text": fault.describe(zone),
            }
            for fault in found.faults
        ],
    }


def _export(reader: AuditReader, settings: Settings, path: Path, *, since: datetime | None, limit: int | None) -> int:
    from slack_alert.operations.audit import export_audit

    entries = reader.audit(since=since, limit=limit)
    count = sum(1 for _ in entries) if settings.dry_run else export_audit(entries, path, settings.timezone)
    echo_change(f"{count:,} {plural(count, 'entry', 'entries')} written to {path}.", settings)
    return exit_codes.FINE
