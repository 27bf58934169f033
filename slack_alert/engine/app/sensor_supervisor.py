"""Starts the sensors that run for ever, starts them again after failures, and ends them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from queue import SimpleQueue

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.content.pieces import Piece
from slack_alert.core.errors import StoreError
from slack_alert.core.model.address import Address
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.run import Failure, Result, Run, output_of
from slack_alert.core.rules.built_in import SENSOR_EXITED
from slack_alert.core.sensors import SensorPhase, Supervision, first_start
from slack_alert.core.structs import replace
from slack_alert.core.units.allowance import Allowance
from slack_alert.engine.context.context import Context
from slack_alert.engine.engine import Engine
from slack_alert.engine.ports import Clock, SensorExecutor
from slack_alert.engine.runs.job_state import JobState

log = logging.getLogger(__name__)

#: How long the process of a sensor has to end when it is asked to.
END_GRACE = timedelta(seconds=5)
#: A sensor is held back while more events than this wait for a job: they are all in memory.
_MOST_WAITING = 10_000
#: So many events may come at once from a sensor, and in each second from then on: others use the processor as well.
_BURST, _PER_SECOND = 1_000, 1_000
#: Seconds between two looks at what holds a sensor back.
_LOOK = 0.05
_GIVEN_UP = (
    "Given up at the third failure within a minute. `slack-alert resume` or a change of its file starts it again."
)


class Sensor:
    """A sensor that runs for ever, with its process."""

    def __init__(self, job: Job, version: object, supervision: Supervision) -> None:
        self.job = job
        #: The contents of the files that its process was started with.
        self.version = version
        self.supervision = supervision
        #: The run of its process; None: it has none.
        self.run: Run | None = None
        #: Why its process was asked to end; empty: it was not.
        self.ending = ""
        self.events = 0
        self.is_held_back = False
        self.failure: Failure | None = None
        self.allowance = Allowance(_BURST, _PER_SECOND)


class SensorSupervisor:
    """Runs the sensors of the engine's catalog, and is the host of their runs.

    Everything is decided in `poll`, on a single thread; a host's methods are called on the thread of each sensor.
    """

    def __init__(self, engine: Engine, executor: SensorExecutor, clock: Clock, *, grace: timedelta = END_GRACE) -> None:
        self._engine = engine
        self._executor = executor
        self._clock = clock
        self._grace = grace
        self._sensors: dict[str, Sensor] = {}
        #: The sensors by the numbers of their runs.
        self._running: dict[int, Sensor] = {}
        self._over: SimpleQueue[tuple[Run, Result, datetime]] = SimpleQueue()
        self._ended = threading.Condition()
        self._stopping = threading.Event()

    def poll(self, now: datetime) -> None:
        """Take the ends of processes, and start and end what has to be."""
        self._take_ends()
        wanted = {job_state.job.name: job_state for job_state in self._engine.jobs() if job_state.job.is_endless}
        for name in self._sensors.keys() - wanted.keys():
            self._drop(name)
        for name, job_state in wanted.items():
            self._follow(name, job_state, now)

    def stop(self) -> None:
        """End all sensors, and return when that is done: within little more than the time they have for that."""
        self._stopping.set()
        for sensor in list(self._sensors.values()):
            self._end(sensor, "the program ends")
        with self._ended:
            self._ended.wait_for(lambda: not self._running, self._grace.total_seconds() + 1)
        self._take_ends()

    def states(self) -> list[Mapping[str, object]]:
        """Return what a sign of life has of the sensors."""
        return [self._state(name, sensor) for name, sensor in list(self._sensors.items())]

    def done(self, run: Run, result: Result) -> None:
        """Take the end of a process."""
        self._over.put((run, result, self._clock.now()))
        with self._ended:
            self._running.pop(run.id, None)
            self._ended.notify_all()

    def say(self, run: Run, pieces: tuple[Piece, ...], to: Address | None = None) -> None:
        """Post pieces."""
        self._engine.say(run, pieces, to)

    def emit(self, run: Run, value: object) -> None:
        """Handle a value as an event, and return once it is kept and more may come."""
        self._engine.emit(run, value)
        self._wait_until_kept(output_of(run).keep_values())
        if (sensor := self._running.get(run.id)) is not None:
            sensor.events += 1
            self._hold_back(sensor)

    def context(self, run: Run) -> Context:
        """Return the context of a run."""
        return self._engine.context(run)

    def ended(self, run: Run) -> None:
        """End the subprocesses of a run."""
        self._engine.ended(run)

    def _wait_until_kept(self, wait: Callable[[], None] | None) -> None:
        while wait is not None and not self._is_kept(wait):
            pass

    def _is_kept(self, wait: Callable[[], None]) -> bool:
        """Return whether something is on disk; where the disk takes nothing at present, the sensor waits as well."""
        try:
            wait()
        except StoreError:
            if self._stopping.is_set():
                raise
            return False
        return True

    def _hold_back(self, sensor: Sensor) -> None:
        """Wait while the sensor emits faster than events may come, or are answered."""
        delay = sensor.allowance.wait(1, self._clock.monotonic())
        if delay > _LOOK:  # Shorter ones add up.
            self._stopping.wait(delay)
        while self._engine.most_waiting() > _MOST_WAITING and not (sensor.ending or self._stopping.is_set()):
            sensor.is_held_back = True
            self._stopping.wait(_LOOK)
        sensor.is_held_back = False

    def _follow(self, name: str, job_state: JobState, now: datetime) -> None:
        """Start or end the process of a sensor, where its job, its file or a pause wants it."""
        is_paused = job_state.hold is not None and not job_state.hold.is_over(now)
        is_resumed, job_state.is_resumed = job_state.is_resumed, False
        sensor = self._sensors.get(name)
        version = self._executor.version(name)
        if sensor is not None and (sensor.job != job_state.job or sensor.version != version):
            self._end(sensor, "its file was changed")
            if sensor.run is not None:
                return
            sensor = None
        if sensor is None:
            sensor = self._sensors[name] = Sensor(job_state.job, version, first_start(now, is_paused=is_paused))
            if not is_paused:
                self._begin(sensor, now)
            return
        self._follow_pause(sensor, now, is_paused=is_paused, is_resumed=is_resumed)
        if sensor.run is None and sensor.supervision.is_due(now):
            sensor.supervision = sensor.supervision.started(now)
            self._begin(sensor, now)

    def _follow_pause(self, sensor: Sensor, now: datetime, *, is_paused: bool, is_resumed: bool) -> None:
        phase = sensor.supervision.phase
        if is_paused and phase is not SensorPhase.PAUSED:
            self._end(sensor, "it was paused")
            sensor.supervision = sensor.supervision.paused(now)
        elif not is_paused and sensor.run is None and (phase is SensorPhase.PAUSED or is_resumed):
            sensor.supervision = replace(first_start(now), restarts=sensor.supervision.restarts)
            self._begin(sensor, now)

    def _begin(self, sensor: Sensor, now: datetime) -> None:
        sensor.ending = ""
        run = sensor.run = self._engine.begin_sensor(sensor.job.name, now)
        self._running[run.id] = sensor
        log.info("sensor started", extra={"job": run.binding, "run": run.id})
        self._executor.submit((run,), self)

    def _end(self, sensor: Sensor, why: str) -> None:
        """Ask the process of a sensor to end; that it has is taken later."""
        run = sensor.run
        if run is None or sensor.ending:
            return
        sensor.ending = why
        threading.Thread(target=self._cancel, args=(run,), name="sensor", daemon=True).start()

    def _cancel(self, run: Run) -> None:
        self._executor.cancel(run, grace=self._grace)

    def _drop(self, name: str) -> None:
        """End a sensor whose file, or place in it, is gone, and forget it once it has ended."""
        self._end(self._sensors[name], "it is gone")
        if self._sensors[name].run is None:
            del self._sensors[name]

    def _take_ends(self) -> None:
        while not self._over.empty():
            run, result, now = self._over.get()
            sensor = self._sensors.get(run.binding)
            if sensor is not None and sensor.run is run:
                sensor.run = None
                self._settle(sensor, run, result, now)

    def _settle(self, sensor: Sensor, run: Run, result: Result, now: datetime) -> None:
        """Record the end of a process, and decide what follows."""
        if sensor.ending:
            run.progress.remarks += (Reason(ReasonCode.ENDED, what=sensor.ending),)
            self._engine.end_sensor(run, result._replace(failure=None))
            return
        before, failure = sensor.supervision, result.failure
        sensor.failure = failure or sensor.failure
        sensor.supervision = before.returned(now) if failure is None else before.failed(now)
        phase = sensor.supervision.phase
        if phase is SensorPhase.GIVEN_UP and failure is not None:
            run.progress.remarks += (Reason(ReasonCode.GIVEN_UP, count=len(sensor.supervision.failures)),)
            self._engine.done(run, result._replace(failure=_given_up(failure)))
        else:
            run.progress.remarks += _remarks(sensor.supervision, now)
            self._engine.end_sensor(run, result)
        self._announce(sensor, run)

    def _announce(self, sensor: Sensor, run: Run) -> None:
        """Log the end of a process, and emit it as an event where a rule waits for it."""
        phase, failure = sensor.supervision.phase, sensor.failure
        log.info("sensor ended", extra={"job": run.binding, "run": run.id, "phase": str(phase)})
        said = "" if phase is SensorPhase.EXITED or failure is None else f"{failure.kind}: {failure.message}"
        fields = {"sensor": run.binding, "state": str(phase), "error": said, "restarts": sensor.supervision.restarts}
        self._engine.occurred(SENSOR_EXITED, fields, by=run.binding)

    def _state(self, name: str, sensor: Sensor) -> Mapping[str, object]:
        supervision, failure, run = sensor.supervision, sensor.failure, sensor.run
        return {
            "name": name,
            "state": str(supervision.phase),
            "pid": None if run is None else self._executor.pid(run),
            "since": supervision.since.isoformat(),
            "restarts": supervision.restarts,
            "events": sensor.events,
            "held_back": sensor.is_held_back,
            "failure": None if failure is None else f"{failure.kind}: {failure.message}",
        }


def are_sensors_among(catalog: Catalog) -> bool:
    """Return whether there is a sensor that runs for ever."""
    return any(job.is_endless for job in catalog.jobs)


def _remarks(supervision: Supervision, now: datetime) -> tuple[Reason, ...]:
    return () if supervision.due is None else (Reason(ReasonCode.RESTARTED, length=supervision.due - now),)


def _given_up(failure: Failure) -> Failure:
    said = f"{failure.message}. " if failure.message else ""
    return replace(failure, message=f"{said}{_GIVEN_UP}")
