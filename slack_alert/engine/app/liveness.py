"""The sign of life that `status` reads, and from which a restart learns how the last run ended."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_alert.core.sensors import SensorPhase
from slack_alert.core.structs import asdict
from slack_alert.engine.app.components import Components
from slack_alert.engine.batches import Batch, Snapshot
from slack_alert.engine.ports import Door, DoorState
from slack_alert.engine.runs.run_records import going_on, submit_with_starts

log = logging.getLogger(__name__)

#: How often the scheduler fires a slot of its own as a sign of life.
EVERY = timedelta(seconds=5)
#: A sign of life older than this is not valid.
STALE = 4 * EVERY
#: Looking for runs to note may take long; at most this part of the time is spent on it.
_LOOKING = 0.02
#: Seconds between two checks of waiting messages.
_LOOK_SECONDS = 30.0
#: The name of the scheduler's own slots; no job can have it.
PULSE_NAME = "(pulse)"


class Liveness:
    """Records signs of life, and which runs are in progress."""

    def __init__(
        self,
        components: Components,
        doors: Callable[[], Sequence[Door]] = tuple,
        sensors: Callable[[], Sequence[Mapping[str, object]]] = tuple,
    ) -> None:
        self._components = components
        #: Returns what is to be told of the sensors that run for ever; most programs have none.
        self._sensors = sensors
        #: Returns the doors by which people come in; most programs have none.
        self._doors = doors
        self._ticked: datetime | None = None
        self._stopped: datetime | None = None
        #: The runs of which `record_running` recorded the start, and not yet the end.
        self._running: set[int] = set()
        self._look_again = 0.0
        self._began = components.clock.now()
        #: When the main loop ran its checks last.
        self._turned = self._began
        self._looked: float | None = None
        #: Addresses where delivery is stalled, with the time since when.
        self._still: list[str] = []

    def tick(self, now: datetime) -> None:
        """Record that the scheduler fired."""
        self._ticked = now
        # After slots of jobs with rules that came due before.
        self._components.engine.post(partial(self._write, now, is_clean=False))

    def record_running(self, now: datetime) -> None:
        """Record changes of the runs in progress, so that a restart can report those that a crash cut off."""
        began = self._components.clock.monotonic()
        if began < self._look_again:
            return
        runs = self._components.engine.runs()
        new = [run for run in going_on(runs, now) if run.id not in self._running]
        ended = self._running.difference([run.id for run in runs])
        if new or ended:
            self._running = self._running - ended | {run.id for run in new}
            submit_with_starts(self._components.writer, Batch(ended=sorted(ended)), new)
        self._look_again = began + (self._components.clock.monotonic() - began) / _LOOKING

    def turn(self, now: datetime) -> None:
        """Record that the main loop runs, and check from time to time whether waiting messages are sent."""
        self._turned = now
        passed = self._components.clock.monotonic()
        if self._looked is None or passed - self._looked >= _LOOK_SECONDS:
            self._looked = passed
            still = list(self._components.stalled_addresses(self._began, now))
            for each in still:
                if not self._still:
                    log.error("nothing goes out", extra={"address": each})
            self._still = still

    def is_well(self, now: datetime) -> bool:
        """Return whether the scheduler fires, all channels accept messages, and commits succeed."""
        is_ticking = self._ticked is not None and abs(now - self._ticked) < STALE
        sender, writer = self._components.sender, self._components.writer
        is_sending = not (sender.troubles or sender.stalls or self._still)
        return is_ticking and is_sending and writer.trouble is None and not writer.is_stuck

    def stop(self, now: datetime) -> None:
        """Record that slots end here: the drain begins."""
        self._stopped = now

    def write_last(self, now: datetime) -> None:
        """Record that the program ended cleanly."""
        self._write(now, is_clean=True)

    @staticmethod
    def pulse_of_doors(doors: Sequence[Door]) -> Mapping[str, object]:
        """Return what a sign of life has of doors; nothing where there are none."""
        return {"doors": [_door(door.name, door.state()) for door in doors]} if doors else {}

    def _write(self, now: datetime, *, is_clean: bool) -> None:
        components = self._components
        if not components.keeps_pulse:
            return
        runs = components.engine.runs()
        pulse = {
            "at": now.isoformat(),
            "ticked": self._ticked.isoformat() if self._ticked else None,
            "began": self._began.isoformat(),
            "turned": self._turned.isoformat(),
            "stopped": self._stopped.isoformat() if self._stopped else None,
            "pid": os.getpid(),
            "clean": is_clean,
            "runs": sum(not run.run_options.is_endless for run in runs),
            "pool": asdict(components.load()),
            "outbox": components.sender.queued,
            "heartbeat": components.heartbeat.trouble if components.heartbeat else None,
            "refused": components.sender.troubles,
            "stalled": [*components.sender.stalls, *self._still],
            **self.pulse_of_doors(self._doors()),
            **({"sensors": sensors} if (sensors := self._sensors()) else {}),
        }
        # It implies that the outcome of all slots before it is recorded.
        submit_with_starts(components.writer, Batch(pulse=json.dumps(pulse)), going_on(runs, now))


def _door(name: str, state: DoorState) -> Mapping[str, object]:
    return {"name": name, "open": state.is_open, "since": state.since.isoformat(), "reason": state.reason}


def stalled_since(pulse: Mapping[str, Any]) -> datetime | None:
    """Return since when the main loop has stood still while the scheduler fires; None: it runs."""
    if "turned" not in pulse:  # It was written by an older version.
        return None
    at, turned = datetime.fromisoformat(pulse["at"]), datetime.fromisoformat(pulse["turned"])
    return turned if at - turned >= STALE else None


def read_pulse(snapshot: Snapshot) -> Mapping[str, Any]:
    """Return the last sign of life; empty where there is none."""
    pulse: Mapping[str, Any] = json.loads(snapshot.pulse) if snapshot.pulse else {}
    return pulse


def is_fresh(pulse: Mapping[str, Any], now: datetime) -> bool:
    """Return whether a sign of life is from a program that runs now."""
    at = pulse.get("at")
    return at is not None and not pulse.get("clean") and abs(now - datetime.fromisoformat(at)) < STALE


def sensor_phases(snapshot: Snapshot, now: datetime) -> Mapping[str, SensorPhase]:
    """Return what the sensors that run for ever are at, by their names; empty where the program does not run."""
    pulse = read_pulse(snapshot)
    seen = pulse.get("sensors", ()) if is_fresh(pulse, now) else ()
    return {each["name"]: SensorPhase(each["state"]) for each in seen}


def last_alive(snapshot: Snapshot) -> datetime | None:
    """Return the time of the last sign of life, or None."""
    at = read_pulse(snapshot).get("at")
    return datetime.fromisoformat(at) if at else None


def last_slots(snapshot: Snapshot) -> datetime | None:
    """Return until when slots fired, or None: the drain, however long, is part of the downtime."""
    stopped = read_pulse(snapshot).get("stopped")
    return datetime.fromisoformat(stopped) if stopped else last_alive(snapshot)


def down_since(snapshot: Snapshot) -> datetime | None:
    """Return until when the outcome of all slots is certainly recorded, or None."""
    pulse = read_pulse(snapshot)
    if pulse.get("clean") and pulse.get("ticked"):
        # The slots end before the drain does.
        return datetime.fromisoformat(pulse["ticked"])
    at = last_alive(snapshot)
    return None if at is None or pulse.get("clean") else at - EVERY
