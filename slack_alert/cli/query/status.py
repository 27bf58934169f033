"""`slack-alert status`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slack_alert.cli import exit_codes
from slack_alert.cli.options import common, remember
from slack_alert.cli.output.format import instant
from slack_alert.cli.output.streams import echo, echo_json
from slack_alert.cli.running_program import effective_settings
from slack_alert.core.errors import NotAllowed, StoreError
from slack_alert.core.structs import Struct, asdict
from slack_alert.core.units.humanize import counted, format_distance, format_time

if TYPE_CHECKING:
    from slack_alert.cli.output.text_tables import Style
    from slack_alert.engine.ports import ExecutorLoad
    from slack_alert.settings import Settings

_UNSEEN = "cannot be seen by this user"
#: Messages that were given up within this time are counted separately.
_LATELY = timedelta(hours=1)


@click.command()
@common
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.pass_context
def status(ctx: click.Context, /, *, as_json: bool, **flags: object) -> int:
    """Tell whether it is alive: clock, delivery, pool, queue, database; exit 1 when not."""
    from slack_alert.engine.clock import SystemClock
    from slack_alert.loader import plugins_folder

    settings = effective_settings(remember(ctx, flags))
    plugins_folder(settings.path)
    vitals = read_vitals(settings, SystemClock().now())
    if as_json:
        echo_json(vitals.json(settings.timezone))
    else:
        _show(vitals, settings.timezone)
    return exit_codes.FINE if vitals.is_alive else exit_codes.FOUND


class Vitals(Struct, frozen=True):
    """The state of the running program as seen from outside."""

    now: datetime
    #: The process that owns the database.
    pid: int | None
    #: The time of the last liveness pulse.
    at: datetime | None
    is_ticking: bool
    #: The time since which its main loop is blocked; None if it is not.
    still_since: datetime | None
    #: Channels that refuse our credentials.
    refused: tuple[str, ...]
    #: Addresses that take no messages, with the duration and the reason.
    stalled: tuple[str, ...]
    runs: int
    pool: ExecutorLoad
    queued: int
    dead: int
    #: The number of these that were given up lately.
    died: int
    database: Path
    #: Whether that file exists.
    is_made: bool
    #: Why the database cannot be read or written; None if it can.
    fault: str | None
    #: Why `heartbeat_url` did not take the last heartbeat.
    heartbeat: str | None = None
    #: What this user may not do with the database, though the program may; empty if nothing.
    limits: str = ""
    #: Whether this user cannot find out if it runs.
    is_hidden: bool = False

    @property
    def is_delivering(self) -> bool:
        """Whether messages can be sent."""
        return self.is_turning and not self.refused and not self.stalled

    @property
    def is_turning(self) -> bool:
        """Whether the clock ticks and the main loop turns."""
        return self.is_ticking and self.still_since is None

    @property
    def is_roomy(self) -> bool:
        """Whether runs find a thread, and no thread is stuck."""
        return not (self.pool.stuck or (self.pool.waiting and self.pool.busy >= self.pool.threads))

    @property
    def is_alive(self) -> bool:
        """Whether clock, delivery and database work."""
        return self.is_delivering and self.fault is None

    def json(self, zone: tzinfo) -> dict[str, object]:
        """Return the document of `status --json`."""
        return {
            "alive": self.is_alive,
            "pid": self.pid,
            "clock": {
                "ok": self.is_turning, "at": instant(self.at, zone), "still_since": instant(self.still_since, zone),
            },
            "delivery": {"ok": self.is_delivering, "refused": list(self.refused), "stalled": list(self.stalled)},
            "queue": {
                "ok": not self.dead, "queued": self.queued, "dead": self.dead, "died": self.died, "runs": self.runs,
            },
            "pool": {"ok": self.is_roomy, **asdict(self.pool)},
            "heartbeat": {"ok": self.heartbeat is None, "error": self.heartbeat},
            "database": {
                "ok": self.fault is None, "path": str(self.database), "made": self.is_made, "error": self.fault,
            },
        }  # fmt: skip


def read_vitals(settings: Settings, now: datetime) -> Vitals:
    """Return the state of the program from its lock, its last liveness pulse, the outbox and the database."""
    from slack_alert.bootstrap import plugin_files
    from slack_alert.bootstrap.database import reading, running_pid
    from slack_alert.engine.app.liveness import STALE, last_alive, read_pulse, stalled_since
    from slack_alert.engine.ports import ExecutorLoad
    from slack_alert.stores.files.access_errors import is_there
    from slack_alert.stores.sqlite.integrity import count_given_up, count_undelivered, stalled_addresses

    path = plugin_files.database(settings)
    pulse: Mapping[str, Any] = {}  # Any: JSON that the running program wrote
    counts: Mapping[str, int] = {}
    died = 0
    limits = ""
    pid = at = fault = None
    is_made, is_hidden = True, False
    try:
        is_made = is_there(path)
        pid = running_pid(settings)
        with reading(settings) as reader:
            snapshot = reader.snapshot()
        pulse, at = read_pulse(snapshot), last_alive(snapshot)
        counts = count_undelivered(path, is_traceless=settings.dry_run)
        died = count_given_up(path, now - _LATELY, is_traceless=settings.dry_run)
        fault, limits = _write_access(path, is_made=is_made)
    except StoreError as error:
        fault, is_hidden = str(error), isinstance(error, NotAllowed)
    # A pulse that a run left at an orderly end does not count, however fresh.
    is_ticking = pid is not None and at is not None and abs(now - at) < STALE and not pulse.get("clean")
    pool = ExecutorLoad(**pulse.get("pool", {})) if is_ticking else ExecutorLoad()
    seen = pulse if is_ticking else {}
    stalled = list(seen.get("stalled", ()))
    if not (fault or stalled) and "began" in seen:
        # Checked from here as well: a program that does not notice its own stall does not report it.
        stalled = stalled_addresses(path, began=datetime.fromisoformat(seen["began"]), now=now)
    return Vitals(
        now, pid, at, is_ticking, stalled_since(seen), tuple(seen.get("refused", ())), tuple(stalled),
        seen.get("runs", 0), pool, counts.get("queued", 0), counts.get("dead", 0), died, path, is_made, fault,
        seen.get("heartbeat"), limits, is_hidden,
    )  # fmt: skip


def _write_access(path: Path, *, is_made: bool) -> tuple[str | None, str]:
    """Return why the database cannot be written, or None, and what this user may not do with it."""
    from slack_alert.stores.files.access_errors import owner_of, user_name
    from slack_alert.stores.sqlite.integrity import find_unwritable, find_write_error

    if (blocked := find_unwritable(path)) is not None:
        # A user who only reads need not be able to write.
        if is_made and owner_of(path) != user_name():
            return None, f"this user ({user_name()}) may only read it"
        return f"{blocked} cannot be written: `slack-alert doctor` says what to do", ""
    if (reason := find_write_error(path)) is not None:
        return f"{path.parent} takes nothing more ({reason}): make room, what is said waits meanwhile", ""
    return None, ""


def _show(vitals: Vitals, zone: tzinfo) -> None:
    from slack_alert.cli.output.text_tables import Cell, paint, table

    rows = [
        ("clock", _mark(is_fine=vitals.is_turning), _clock(vitals, zone)),
        ("delivery", _mark(is_fine=vitals.is_delivering), _delivery(vitals)),
        ("pool", "ok" if vitals.is_roomy else "warn", _pool(vitals)),
        ("queue", "warn" if vitals.dead else "ok", _queue(vitals)),
        ("database", _mark(is_fine=vitals.fault is None), _database(vitals)),
    ]
    if vitals.is_hidden:
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
        return f"slack-alert is alive, process {vitals.pid}"
    if vitals.pid is not None:
        return "slack-alert is not well"
    return f"Whether slack-alert is running {_UNSEEN}" if vitals.is_hidden else "slack-alert is not running"


def _mark(*, is_fine: bool) -> str:
    return "ok" if is_fine else "fail"


def _clock(vitals: Vitals, zone: tzinfo) -> str:
    if vitals.at is None and vitals.fault is not None:
        return "no sign of life can be read: see the database"
    if vitals.at is None:
        return "no sign of life: it never ran with this database"
    ago = f"last sign of life {format_distance(vitals.now - vitals.at)} ago"
    if vitals.pid is None:
        return f"{ago}; start it with `slack-alert run`"
    if vitals.still_since is not None:
        since = format_time(vitals.still_since, zone, vitals.still_since, seconds="always")
        return f"it ticks, and nothing comes of it since {since}: an `async def` that does not await keeps the loop"
    return ago if vitals.is_ticking else f"{ago}: process {vitals.pid} is starting, or stands still"


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
    lately = f" ({vitals.died:,} in the last hour)" if vitals.died else ""
    said = f"{vitals.queued:,} queued, {vitals.dead:,} dead{lately}, {counted(vitals.runs, 'run')} going on"
    return f"{said}: see `slack-alert outbox`" if vitals.dead else said


def _database(vitals: Vitals) -> str:
    remarks = ["" if vitals.is_made else "not made yet", vitals.limits]
    return vitals.fault or ", ".join([str(vitals.database), *filter(None, remarks)])
