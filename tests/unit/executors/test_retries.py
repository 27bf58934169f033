from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from slack_alert.core.model.run import Result, Run, RunOptions
from slack_alert.engine.ports import RunHost
from slack_alert.executors.retries import Retries
from tests.fakes.engine_rig import Held, at, failed, said
from tests.fakes.reasons import why
from tests.fakes.stage import Stage, run_of
from tests.fakes.virtual_loop import VirtualLoop, run_virtually


class Rig:
    """Retries of an executor whose results the test sets, with a clock of its own."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.held = Held()
        self.reports: list[Result] = []
        self.retries = Retries(self.held.submit, self._report, loop=self.loop, chance=lambda: 0.0)
        self.stage = Stage(done=self._done)

    def submit(self, retries: int) -> Run:
        run = run_of(print, run_options=RunOptions(retries=retries, retry_delay=timedelta(seconds=10)))
        self.held.submit([run], self.stage)
        return run

    def _done(self, run: Run, result: Result) -> None:
        self.retries.add(run, self.stage, result)

    def _report(self, _run: Run, _host: RunHost, result: Result) -> None:
        self.reports.append(result)

    def play(self, *steps: Callable[[], object]) -> None:
        """Run the steps, each once nothing is left to wait for."""

        async def main() -> None:
            for step in steps:
                step()
                await asyncio.sleep(1000)

        run_virtually(self.loop, main())

    def fail(self) -> None:
        self.held.finish(failed())

    def succeed(self) -> None:
        self.held.finish(said("up"))


def test_a_run_that_succeeds_on_the_third_attempt_is_reported_once() -> None:
    rig = Rig()
    run = rig.submit(2)
    rig.play(rig.fail, rig.fail, rig.succeed)

    assert [result.pieces for result in rig.reports] == [said("up").pieces]
    assert why(run.progress.remarks) == "attempt 3 of 3"


def test_the_last_failure_is_reported_and_says_which_attempt_it_was() -> None:
    rig = Rig()
    rig.submit(1)
    rig.play(rig.fail, rig.fail)

    [result] = rig.reports
    assert result.failure is not None
    assert result.failure.traceback == "Traceback: no route\n(attempt 2 of 2)\n"
    assert rig.held.runs == []


def test_each_attempt_waits_longer() -> None:
    rig = Rig()
    rig.submit(3)
    delays: list[float] = []

    async def main() -> None:
        for expected in (10, 20, 40):
            rig.fail()
            await asyncio.sleep(expected - 0.1)
            delays.append(len(rig.held.runs))
            await asyncio.sleep(0.2)
            delays.append(len(rig.held.runs))

    run_virtually(rig.loop, main())

    assert delays == [0, 1] * 3


def test_the_whole_of_it_has_the_start_of_the_first_attempt() -> None:
    rig = Rig()
    run = rig.submit(1)

    def first() -> None:
        run.progress.started = at("16 09:00")
        rig.fail()

    def second() -> None:
        run.progress.started = at("16 09:30")
        rig.succeed()

    rig.play(first, second)

    assert run.progress.started == at("16 09:00")


def test_a_canceled_run_is_not_tried_again() -> None:
    rig = Rig()
    run = rig.submit(5)
    run.progress.is_canceled = True
    rig.play(rig.fail)

    assert len(rig.reports) == 1
    assert rig.held.runs == []


def test_a_run_canceled_while_it_waits_is_not_tried_again() -> None:
    rig = Rig()
    run = rig.submit(5)

    async def main() -> None:
        rig.fail()
        await asyncio.sleep(1)
        run.progress.is_canceled = True
        await asyncio.sleep(100)

    run_virtually(rig.loop, main())

    assert len(rig.reports) == 1
    assert rig.held.runs == []


@pytest.mark.parametrize("waits", [0.0, 1.0], ids=["at once", "while it waits"])
def test_the_end_of_the_program_does_not_wait_for_another_attempt(waits: float) -> None:
    rig = Rig()
    rig.submit(5)

    async def main() -> None:
        rig.fail()
        await asyncio.sleep(waits)
        rig.retries.stop()
        assert len(rig.reports) == 1
        await asyncio.sleep(100)

    run_virtually(rig.loop, main())

    assert len(rig.reports) == 1
    assert rig.reports[0].failure is not None


def test_what_fails_during_the_drain_is_reported_at_once() -> None:
    rig = Rig()
    rig.submit(5)
    rig.play(rig.retries.stop, rig.fail)

    assert len(rig.reports) == 1
