"""List the sensors: what they emit, and what the processes of those that run for ever are at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from slack_alert.core.bindings import Binding, Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.explain.job_status import JobStatus
from slack_alert.core.sensors import SensorPhase
from slack_alert.core.structs import Struct
from slack_alert.core.units.humanize import counted, format_time
from slack_alert.engine.app.liveness import is_fresh, read_pulse
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.ports import Reader
from slack_alert.operations.jobs import JobLine, list_jobs

#: The state of a sensor that runs for ever while the program does not run.
_NOT_RUNNING = "not running"


class SensorVitals(Struct, frozen=True):
    """The process of a sensor that runs for ever, as the program has seen it last."""

    name: str
    phase: SensorPhase
    since: datetime
    pid: int | None = None
    #: How often it was started again after a failure.
    restarts: int = 0
    #: How many events it has emitted since the program was started.
    events: int = 0
    #: It emits faster than its events are answered, and waits.
    is_held_back: bool = False
    #: The last failure; empty: there was none.
    failure: str = ""


class SensorLine(Struct, frozen=True):
    """A sensor with all bindings of its function; without vitals it runs at times, or the program does not run."""

    bindings: Sequence[Binding]
    job: Job
    state: str
    vitals: SensorVitals | None = None
    failure: str = ""

    @property
    def kind(self) -> str:
        """Whether it runs for ever, `passive`, or at times, `polling`."""
        return "passive" if self.job.is_endless else "polling"


def list_sensors(
    catalog: Catalog, reader: Reader, snapshot: Snapshot, mutes: Mutes, *, now: datetime, is_running: bool
) -> list[SensorLine]:
    """Return the sensors in the order of the files."""
    lines = [line for line in list_jobs(catalog, reader, snapshot, mutes, now=now) if line.job.emits]
    pulse = read_pulse(snapshot)
    vitals = sensor_vitals(pulse) if is_running and is_fresh(pulse, now) else {}
    return [_line(line, vitals.get(line.job.name), is_running=is_running) for line in lines]


def sensor_vitals(pulse: Mapping[str, Any]) -> dict[str, SensorVitals]:  # Any: JSON that the running program wrote
    """Return what a sign of life has of the sensors that run for ever, by their names."""
    return {seen["name"]: _vitals(seen) for seen in pulse.get("sensors", ())}


def state_text(line: SensorLine, zone: tzinfo, now: datetime) -> str:
    """Return what a sensor is at, in words: `running since 14:32, process 4711`."""
    if line.vitals is None:
        return line.state
    said = f"{line.state} since {format_time(line.vitals.since, zone, now, seconds='today')}"
    said += f", process {line.vitals.pid}" if line.vitals.pid else ""
    return f"{said}, waits until its events are answered" if line.vitals.is_held_back else said


def sensors_status(vitals: Sequence[SensorVitals]) -> tuple[str, str]:
    """Return the state of all sensors that run for ever, `ok` or `warn`, and what is to be said about it."""
    running = [each for each in vitals if each.phase is SensorPhase.RUNNING]
    others = [f"{each.name} {_words(each.phase)}" for each in vitals if each.phase is not SensorPhase.RUNNING]
    held_back = [f"{each.name} waits until its events are answered" for each in running if each.is_held_back]
    is_bad = held_back or any(each.phase in (SensorPhase.RESTARTING, SensorPhase.GIVEN_UP) for each in vitals)
    said = ", ".join([f"{len(running):,} of {counted(len(vitals), 'sensor')} running", *others, *held_back])
    return ("warn", f"{said}: see `slack-alert sensors`") if is_bad else ("ok", said)


def _vitals(seen: Mapping[str, Any]) -> SensorVitals:  # Any: as above
    return SensorVitals(
        seen["name"],
        SensorPhase(seen["state"]),
        datetime.fromisoformat(seen["since"]),
        seen["pid"],
        seen["restarts"],
        seen["events"],
        seen["held_back"],
        seen["failure"] or "",
    )


def _line(line: JobLine, vitals: SensorVitals | None, *, is_running: bool) -> SensorLine:
    state = str(line.outlook.state)
    if line.job.is_endless and line.outlook.state is not JobStatus.PAUSED:
        state = _words(vitals.phase) if vitals else "starting" if is_running else _NOT_RUNNING
    return SensorLine(line.bindings, line.job, state, vitals, vitals.failure if vitals else _failure(line))


def _words(phase: SensorPhase) -> str:
    return str(phase).replace("_", " ")


def _failure(line: JobLine) -> str:
    """Return how the last run failed; empty if it did not."""
    outcome = line.last.outcome if line.last is not None else None
    if outcome is None or outcome.failed is None:
        return ""
    return f"{outcome.kind}: {outcome.message}" if outcome.message else outcome.kind
