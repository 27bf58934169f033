"""`slack-alert status`."""

from __future__ import annotations

import sys
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.format import instant
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.structs import asdict
from slack_alert.core.units.humanize import counted, format_distance, format_time

if TYPE_CHECKING:
    from slack_alert.cli.output.text_tables import Style
    from slack_alert.operations.status import Vitals

_UNSEEN = "cannot be seen by this user"


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def status(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """Tell whether it is alive: clock, delivery, pool, queue, database; exit 1 when not."""
    from slack_alert.bootstrap.oneshot.status import read_vitals
    from slack_alert.loader import plugins_folder

    settings = effective_settings(remember(ctx, flags))
    plugins_folder(settings.path)
    vitals = read_vitals(settings)
    if as_json:
        echo_json(_json(vitals, settings.timezone))
    else:
        _show(vitals, settings.timezone)
    return exit_codes.FINE if vitals.is_alive else exit_codes.FOUND


def _json(vitals: Vitals, zone: tzinfo) -> dict[str, object]:
    store = vitals.store
    return {
        "alive": vitals.is_alive,
        "pid": store.pid,
        "clock": {
            "ok": vitals.is_turning, "at": instant(vitals.at, zone), "still_since": instant(vitals.still_since, zone),
        },
        "delivery": {"ok": vitals.is_delivering, "refused": list(vitals.refused), "stalled": list(vitals.stalled)},
        "queue": {
            "ok": not store.dead, "queued": store.queued, "dead": store.dead, "died": store.died, "runs": vitals.runs,
        },
        "pool": {"ok": vitals.is_roomy, **asdict(vitals.pool)},
        "heartbeat": {"ok": vitals.heartbeat is None, "error": vitals.heartbeat},
        "database": {
            "ok": store.fault is None, "path": str(store.path), "made": store.is_made, "error": store.fault,
        },
    }  # fmt: skip


def _show(vitals: Vitals, zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import Cell, paint, table

    rows = [
        ("clock", "ok" if vitals.is_turning else "fail", _clock(vitals, zone)),
        ("delivery", "ok" if vitals.is_delivering else "fail", _delivery(vitals)),
        ("pool", "ok" if vitals.is_roomy else "warn", _pool(vitals)),
        ("queue", "warn" if vitals.store.dead else "ok", _queue(vitals)),
        ("database", "ok" if vitals.store.fault is None else "fail", _database(vitals)),
    ]
    if vitals.store.is_hidden:
        rows = rows[-1:]
    if vitals.heartbeat is not None:
        # The service behind the URL alerts by itself; everything else may be well here.
        said = f"`heartbeat_url` did not take the last one: {vitals.heartbeat}"
        rows.append(("heartbeat", "warn", said))
    styles: dict[str, Style] = {"ok": "green", "warn": "yellow", "fail": "red"}
    cells = [(Cell(name, "bold"), Cell(mark, styles[mark]), said) for name, mark, said in rows]
    echo(paint(f"{_title(vitals)}.", "bold", sys.stdout))
    echo(table(("PART", "STATE", ""), cells, sys.stdout, flexible=()))


def _title(vitals: Vitals) -> str:
    if vitals.is_alive:
        return f"slack-alert is alive, process {vitals.store.pid}"
    if vitals.store.pid is not None:
        return "slack-alert is not well"
    return f"Whether slack-alert is running {_UNSEEN}" if vitals.store.is_hidden else "slack-alert is not running"


def _clock(vitals: Vitals, zone: tzinfo) -> str:
    if vitals.at is None and vitals.store.fault is not None:
        return "no sign of life can be read: see the database"
    if vitals.at is None:
        return "no sign of life: it never ran with this database"
    ago = f"last sign of life {format_distance(vitals.now - vitals.at)} ago"
    if vitals.store.pid is None:
        return f"{ago}; start it with `slack-alert run`"
    if vitals.still_since is not None:
        since = format_time(vitals.still_since, zone, vitals.still_since, seconds="always")
        return f"it ticks, and nothing comes of it since {since}: an `async def` that does not await keeps the loop"
    return ago if vitals.is_ticking else f"{ago}: process {vitals.store.pid} is starting, or stands still"


def _delivery(vitals: Vitals) -> str:
    if vitals.refused:
        return f"{', '.join(vitals.refused)} refuses our token: `slack-alert doctor` says what to do"
    if vitals.stalled:
        return f"{'; '.join(vitals.stalled)}. `slack-alert doctor` looks for the cause; what is said waits meanwhile"
    if vitals.still_since is not None:
        return "nothing is sent while the main loop stands still"
    return "messages go out" if vitals.is_ticking else "nothing is sent while it is not running"


def _pool(vitals: Vitals) -> str:
    pool = vitals.pool
    if not vitals.is_ticking:
        return "no function is called while it is not running"
    said = f"{pool.busy} of {counted(pool.threads, 'thread')} busy, {counted(pool.waiting, 'run')} waiting"
    if not pool.stuck:
        return said if vitals.is_roomy else f"{said}: raise `threads`, or make the functions quicker"
    stuck = f"{counted(pool.stuck, 'function')} given up and going on"
    return f"{said}, {stuck}: `isolation = process` lets them be killed"


def _queue(vitals: Vitals) -> str:
    lately = f" ({vitals.store.died:,} in the last hour)" if vitals.store.died else ""
    said = f"{vitals.store.queued:,} queued, {vitals.store.dead:,} dead{lately}, {counted(vitals.runs, 'run')} going on"
    return f"{said}: see `slack-alert outbox`" if vitals.store.dead else said


def _database(vitals: Vitals) -> str:
    remarks = ["" if vitals.store.is_made else "not made yet", vitals.store.limits]
    return vitals.store.fault or ", ".join([str(vitals.store.path), *filter(None, remarks)])
