"""Tell whether the program is alive, by its last sign of life and by what it left in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from slack_alert.core.structs import Struct, field
from slack_alert.engine.app.liveness import is_fresh, last_alive, read_pulse, stalled_since
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.ports import ExecutorLoad


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
    )  # fmt: skip
