"""Sensors that run for ever: when their processes are started, started again and ended, and what becomes of that."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest

from slack_alert.core.bindings import Job
from slack_alert.core.catalog import Catalog
from slack_alert.core.model.reason import ReasonCode
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import QUIET, Isolation, Result, Run, RunOptions
from slack_alert.core.policy.quota import Pause
from slack_alert.core.schedule.triggers import Never
from slack_alert.core.structs import replace
from slack_alert.engine.app import sensor_supervisor
from slack_alert.engine.app.sensor_supervisor import SensorSupervisor
from slack_alert.engine.batches import Snapshot
from slack_alert.engine.ports import RunHost
from tests.fakes.engine_rig import Rig, failed, make_job, make_rule

SECOND = timedelta(seconds=1)


class Processes:
    """Processes that end when the test says so, or when they are asked to."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.hosts: dict[int, tuple[Run, RunHost]] = {}

    def submit(self, runs: Sequence[Run], host: RunHost) -> None:
        self.hosts.update({run.id: (run, host) for run in runs})

    def stop(self) -> None:
        pass

    def cancel(self, run: Run, *, grace: timedelta) -> None:
        assert grace > timedelta()
        self.end(QUIET, run.id)

    def pid(self, run: Run) -> int | None:
        return 7000 + run.id if run.id in self.hosts else None

    def version(self, name: str) -> object:
        assert name
        return dict(self.contents)

    def end(self, result: Result, number: int | None = None) -> None:
        """End the process of a run, by default the oldest."""
        run, host = self.hosts.pop(next(iter(self.hosts)) if number is None else number)
        host.done(run, result)


class SensorRig(Rig):
    """An engine with sensors that run for ever, and what runs them."""

    def __init__(self, *jobs: Job) -> None:
        super().__init__(*(jobs or (sensor(),)))
        self.processes = Processes()
        self.supervisor = SensorSupervisor(self.engine, self.processes, self.clock, grace=SECOND)
        self.supervisor.poll(self.clock.now())

    def wait(self, seconds: float = 0.0) -> None:
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))
        self.supervisor.poll(self.clock.now())

    def end(self, result: Result, seconds: float = 1.0) -> None:
        """Let a process run for some seconds and end."""
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))
        self.processes.end(result)
        self.supervisor.poll(self.clock.now())

    def end_asked(self) -> None:
        """Wait for the processes that are asked to end, each on a thread of its own."""
        for thread in threading.enumerate():
            if thread.name == "sensor":
                thread.join(10)
        self.wait()

    def adopt(self, *jobs: Job) -> None:
        self.engine.adopt(Catalog(jobs), Snapshot(), self.clock.now())

    @property
    def running(self) -> int:
        return len(self.processes.hosts)

    @property
    def phases(self) -> list[object]:
        return [state["state"] for state in self.supervisor.states()]


def sensor(name: str = "files.watch", *, emits: tuple[str, ...] = ("seen",)) -> Job:
    endless = RunOptions(isolation=Isolation.PROCESS, is_endless=True)
    return replace(make_job(name), trigger=Never(), emits=emits, run_options=endless)


def test_a_sensor_is_started_once() -> None:
    rig = SensorRig()
    rig.wait(60)

    (state,) = rig.supervisor.states()
    assert rig.running == 1
    assert (state["name"], state["state"], state["pid"], state["restarts"]) == ("files.watch", "running", 7001, 0)


def test_a_sensor_that_fails_is_started_again_later_each_time_and_given_up_at_the_third_failure() -> None:
    rig, starts = SensorRig(), list[float]()
    for delay in (2.5, 5.0):
        rig.end(failed("boom"))
        rig.wait(delay - 0.1)
        assert (rig.running, rig.phases) == (0, ["restarting"])
        rig.wait(0.1)
        assert (rig.running, rig.phases) == (1, ["running"])
        starts.append(delay)
    assert rig.texts == []

    rig.end(failed("boom"))
    rig.wait(600)

    (told,) = rig.texts
    assert (rig.running, rig.phases) == (0, ["given_up"])
    assert "OSError: boom. Given up at the third failure within a minute." in told
    rows = rig.rows()
    assert [row.verdict for row in rows] == [Verdict.ERROR] * 3
    assert [row.reasons[0].code for row in rows] == [ReasonCode.RESTARTED, ReasonCode.RESTARTED, ReasonCode.GIVEN_UP]


def test_a_sensor_that_returns_is_not_started_again() -> None:
    rig = SensorRig()
    rig.end(QUIET)
    rig.wait(600)

    assert (rig.running, rig.phases, rig.texts) == (0, ["exited"], [])
    assert [row.verdict for row in rig.rows()] == [Verdict.QUIET]


@pytest.mark.parametrize("result", [QUIET, failed()])
def test_the_end_of_a_process_is_an_event(result: Result) -> None:
    rig = SensorRig(sensor(), make_rule("ops.exited", on="sensor.exited"))
    rig.end(result)

    (run,) = rig.executor.runs
    assert run.event == {
        "sensor": "files.watch",
        "state": "exited" if result is QUIET else "restarting",
        "error": "" if result is QUIET else "OSError: no route",
        "restarts": 0,
    }


def test_a_sensor_whose_file_is_changed_is_started_anew_once_it_has_ended() -> None:
    rig = SensorRig()
    rig.processes.contents = {"plugins/files.py": b"new"}
    rig.supervisor.poll(rig.clock.now())
    ending = rig.supervisor._sensors["files.watch"]
    assert ending.ending == "its file was changed"

    rig.end_asked()

    assert (rig.running, rig.phases) == (1, ["running"])
    (row,) = rig.rows()
    assert (row.verdict, row.reasons[0].what) == (Verdict.QUIET, "its file was changed")


@pytest.mark.parametrize("end", [QUIET, failed()])
def test_a_sensor_that_has_ended_is_started_when_its_file_is_changed(end: Result) -> None:
    rig = SensorRig()
    for _ in range(1 if end is QUIET else 3):
        rig.end(end)
        rig.wait(5)
    assert rig.running == 0
    rig.processes.contents = {"plugins/files.py": b"new"}
    rig.wait()

    assert (rig.running, rig.phases) == (1, ["running"])


def test_a_sensor_of_which_the_job_is_gone_is_ended_and_forgotten() -> None:
    rig = SensorRig()
    rig.adopt(make_job("db.lag"))
    rig.wait()
    rig.end_asked()

    assert rig.supervisor.states() == []
    assert rig.engine.runs() == []


def test_a_paused_sensor_has_no_process_until_it_is_resumed() -> None:
    rig = SensorRig()
    rig.pause("files.watch", Pause(None, "ann"))
    rig.wait()
    rig.end_asked()
    rig.wait(600)
    assert (rig.running, rig.phases) == (0, ["paused"])

    rig.pause("files.watch", None)
    rig.wait()

    assert (rig.running, rig.phases) == (1, ["running"])


def test_a_sensor_that_was_given_up_is_started_by_resume() -> None:
    rig = SensorRig()
    for _ in range(3):
        rig.end(failed())
        rig.wait(5)
    assert rig.phases == ["given_up"]
    rig.pause("files.watch", None)
    rig.wait()

    assert (rig.running, rig.phases) == (1, ["running"])


def test_what_a_sensor_yields_is_an_event_that_is_counted() -> None:
    rig = SensorRig(sensor(), make_rule("ops.seen", on="seen"))
    ((run, host),) = rig.processes.hosts.values()
    host.emit(run, {"path": "/a"})

    assert rig.supervisor.states()[0]["events"] == 1
    assert [run.event for run in rig.executor.runs] == [{"path": "/a"}]


def test_several_kinds_are_named() -> None:
    rig = SensorRig(sensor(emits=("created", "deleted")), make_rule("ops.gone", on="deleted"))
    ((run, host),) = rig.processes.hosts.values()
    host.emit(run, ("created", {"path": "/a"}))
    host.emit(run, ("deleted", {"path": "/b"}))

    assert [run.event for run in rig.executor.runs] == [{"path": "/b"}]


def test_the_end_of_the_program_ends_the_sensors_and_records_that() -> None:
    rig = SensorRig(sensor(), sensor("mail.watch"))
    rig.supervisor.stop()

    assert rig.running == 0
    assert [(row.verdict, row.reasons[0].what) for row in rig.rows()] == [(Verdict.QUIET, "the program ends")] * 2
    assert rig.engine.interrupt_runs() == 0


def test_a_sensor_is_held_back_while_too_many_events_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensor_supervisor, "_MOST_WAITING", 3)
    rig = SensorRig(sensor(), make_rule("ops.seen", on="seen"))
    ((run, host),) = rig.processes.hosts.values()
    emitting = [threading.Thread(target=partial(host.emit, run, {"n": number}), daemon=True) for number in range(5)]
    for thread in emitting[:4]:
        thread.start()
        thread.join(10)
    emitting[4].start()
    emitting[4].join(0.05)
    assert [thread.is_alive() for thread in emitting] == [False] * 4 + [True]

    rig.executor.finish(QUIET)
    emitting[4].join(10)

    assert not emitting[4].is_alive()
    assert rig.supervisor.states()[0]["held_back"] is False
