"""Tell whether the program is alive, by its last sign of life and by what it left in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from slack_alert.core.structs import Struct, field
from slack_alert.core.units.humanize import counted, format_distance, format_time
from slack_alert.engine.app.liveness import is_fresh, last_alive, read_pulse, stalled_since
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.ports import ExecutorLoad
from slack_alert.operations.sensors import SensorVitals, sensor_vitals, sensors_status


class StoreState(Struct):
    """The database and its owner, as far as they can be seen from outside."""

    path: Path
    #: Whether that file exists.
    is_made: bool = True
    #: The process that owns the database.
    pid: int | None = None
    snapshot: Snapshot = field(default_factory=Snapshot)
    queued: int = 0
    dead: int = 0
    #: The number of these that were given up lately.
    died: int = 0
    #: Why the database cannot be read or written; None if it can.
    fault: str | None = None
    #: What this user may not do with the database, though the program may; empty if nothing.
    limits: str = ""
    #: Whether this user cannot find out if it runs.
    is_hidden: bool = False


class DoorVitals(Struct, frozen=True):
    """A door by which people come in, as the program has seen it last."""

    name: str
    is_open: bool
    since: datetime
    #: Why it is closed.
    reason: str = ""


class Vitals(Struct, frozen=True):
    """The state of the running program as seen from outside."""

    now: datetime
    store: StoreState
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
    #: Why `heartbeat_url` did not take the last heartbeat.
    heartbeat: str | None
    #: The doors by which people come in; empty while it does not run, and where there are none.
    doors: tuple[DoorVitals, ...] = ()
    #: The sensors that run for ever; empty while it does not run, and where there are none.
    sensors: tuple[SensorVitals, ...] = ()

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
        return self.is_delivering and self.store.fault is None


def status(store: StoreState, stalled_addresses: Callable[[datetime], list[str]], *, now: datetime) -> Vitals:
    """Return the state of the program; `stalled_addresses` is asked for those stalled since its start.

    A program that does not notice its own stall does not report it.
    """
    pulse = read_pulse(store.snapshot)
    is_ticking = store.pid is not None and is_fresh(pulse, now)
    # What was true when it ticked last says nothing of now.
    seen: Mapping[str, Any] = pulse if is_ticking else {}  # Any: JSON that the running program wrote
    stalled = list(seen.get("stalled", ()))
    if not (store.fault or stalled) and "began" in seen:
        stalled = stalled_addresses(datetime.fromisoformat(seen["began"]))
    return Vitals(
        now, store, last_alive(store.snapshot), is_ticking, stalled_since(seen), tuple(seen.get("refused", ())),
        tuple(stalled), seen.get("runs", 0), ExecutorLoad(**seen.get("pool", {})), seen.get("heartbeat"),
        tuple(map(_door, seen.get("doors", ()))), tuple(sensor_vitals(seen).values()),
    )  # fmt: skip


def _door(seen: Mapping[str, Any]) -> DoorVitals:  # Any: JSON, as above
    return DoorVitals(seen["name"], seen["open"], datetime.fromisoformat(seen["since"]), seen["reason"])


def status_title(vitals: Vitals) -> str:
    """Return the state in a few words, without a full stop."""
    if vitals.is_alive:
        return f"slack-alert is alive, process {vitals.store.pid}"
    if vitals.store.pid is not None:
        return "slack-alert is not well"
    return f"Whether slack-alert is running {_UNSEEN}" if vitals.store.is_hidden else "slack-alert is not running"


def status_rows(vitals: Vitals, zone: tzinfo) -> list[tuple[str, str, str]]:
    """Return each part with `ok`, `warn` or `fail`, and what is to be said about it."""
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
    if vitals.doors:
        rows.append(_doors(vitals, zone))
    if vitals.sensors:
        rows.append(("sensors", *sensors_status(vitals.sensors)))
    return rows


_UNSEEN = "cannot be seen by this user"


def _doors(vitals: Vitals, zone: tzinfo) -> tuple[str, str, str]:
    said = [
        f"{door.name} {'open' if door.is_open else 'closed'} since "
        f"{format_time(door.since, zone, vitals.now, seconds='never')}{f' ({door.reason})' if door.reason else ''}"
        for door in vitals.doors
    ]
    closed = [door for door in vitals.doors if not door.is_open]
    mark = "fail" if len(closed) == len(vitals.doors) else "warn" if closed else "ok"
    return "doors", mark, "; ".join(said)


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
