"""Functions that take longer than their timeout in the program's own process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Failure, Result, Run, RunOptions, output_of
from slack_alert.executors.calling.awaiting import loop_bridge as on_main_loop
from slack_alert.executors.calling.failures import timeout_failure, with_generator_frames
from slack_alert.executors.pool import PoolExecutor
from slack_alert.executors.timeouts import TimedCalls
from tests.fakes.stage import Stage, plugin, run_of

PATIENCE = 20.0
BRIEF = RunOptions(timeout=timedelta(seconds=0.02))
LONG = RunOptions(timeout=timedelta(minutes=5))


class Reports:
    """The reported results, in their order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.all: list[tuple[int, Result]] = []

    def take(self, run: Run, result: Result) -> None:
        with self._changed:
            self.all.append((run.id, result))
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.all) >= count, PATIENCE)

    @property
    def failure(self) -> Failure:
        """The first one."""
        failure = self.all[0][1].failure
        assert failure is not None
        return failure


def looked_after(
    function: Callable[..., Any], run_options: RunOptions = BRIEF, *, number: int = 1, is_async: bool = False
) -> Run:
    return run_of(function, number=number, is_async=is_async, run_options=run_options)


def loop_bridge(main: Callable[[PoolExecutor, Reports], Awaitable[None]], *, threads: int = 4) -> Reports:
    reports = Reports()

    async def run() -> None:
        inline = PoolExecutor(Stage().caller, threads=threads, loop=asyncio.get_running_loop())
        try:
            await main(inline, reports)
        finally:
            inline.stop()

    asyncio.run(run())
    return reports


@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_generator_that_stands_between_two_values_tells_where(keyword: str) -> None:
    function = plugin(f"{keyword} job():\n    if True:\n        yield 1\n    yield 2")
    run, values = looked_after(function), function()
    output_of(run).values = values
    if keyword == "def":
        next(values)
    else:
        asyncio.run(values.__anext__())
    late = timeout_failure(run.action, run.run_options, with_generator_frames([], run))

    assert late.place == "plugins/db.py:3"
    assert late.traceback.startswith("It was here (most recent call last):\n")


def test_an_endless_generator_that_is_given_up_tells_where_it_was() -> None:
    async def main(inline: PoolExecutor, reports: Reports) -> None:
        inline.submit(
            [looked_after(plugin("def job():\n    while True:\n        yield None"))], Stage(done=reports.take)
        )
        await asyncio.to_thread(reports.wait_for, 1)

    assert "in job\n" in loop_bridge(main).failure.traceback


def test_a_plain_function_that_hangs_is_given_up_and_its_place_is_told() -> None:
    gate, released = threading.Event(), threading.Event()
    job = plugin("def job(gate=None):\n    gate.wait(20)")

    async def main(inline: PoolExecutor, reports: Reports) -> None:
        run = looked_after(lambda: job(gate))
        run.progress.released = released.set
        inline.submit([run], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 1)
        assert (run.progress.is_stuck, run.progress.is_canceled, inline.load().stuck) == (True, True, 1)
        gate.set()
        assert await asyncio.to_thread(released.wait, PATIENCE)
        assert (run.progress.is_stuck, inline.load().stuck) == (False, 0)

    reports = loop_bridge(main)
    assert (reports.failure.kind, reports.failure.verdict) == ("TimeoutError", Verdict.TIMED_OUT)
    assert reports.failure.message == "took longer than 0.02s (timeout)"
    assert reports.failure.place == "plugins/db.py:2"
    assert "gate.wait(20)" not in reports.failure.message
    assert reports.failure.traceback.startswith("It was here (most recent call last):\n")


def test_what_a_function_that_was_given_up_returns_later_is_nobody_s() -> None:
    async def main(inline: PoolExecutor, reports: Reports) -> None:
        gate, released = threading.Event(), threading.Event()
        run = looked_after(lambda: gate.wait(PATIENCE) and "late")
        run.progress.released = released.set
        inline.submit([run], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 1)
        gate.set()
        assert await asyncio.to_thread(released.wait, PATIENCE)

    assert [result.pieces for _, result in loop_bridge(main).all] == [()]


def test_hung_functions_do_not_stop_the_others() -> None:
    async def main(inline: PoolExecutor, reports: Reports) -> None:
        gate, released = threading.Event(), threading.Semaphore(0)
        hung = [looked_after(lambda: gate.wait(PATIENCE), number=number) for number in (1, 2)]
        for run in hung:
            run.progress.released = released.release
        inline.submit(hung, Stage(done=reports.take))
        inline.submit([run_of(lambda: "up", number=3)], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 3)
        assert inline.load().stuck == 2
        gate.set()
        for _ in hung:
            assert await asyncio.to_thread(released.acquire, timeout=PATIENCE)
        assert inline.load().stuck == 0
        inline.submit([run_of(lambda: "up", number=4)], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 4)

    assert {number for number, _ in loop_bridge(main, threads=2).all} == {1, 2, 3, 4}


def test_no_more_threads_are_lost_than_twice_as_many_as_there_may_be() -> None:
    async def main(inline: PoolExecutor, reports: Reports) -> None:
        gate = threading.Event()
        for number in (1, 2):
            inline.submit([looked_after(lambda: gate.wait(PATIENCE), number=number)], Stage(done=reports.take))
            await asyncio.to_thread(reports.wait_for, number)
        inline.submit([run_of(lambda: "up", number=3)], Stage(done=reports.take))
        load = inline.load()
        assert (load.stuck, load.threads, load.waiting, len(reports.all)) == (2, 1, 1, 2)
        gate.set()
        await asyncio.to_thread(reports.wait_for, 3)

    assert [number for number, _ in loop_bridge(main, threads=1).all] == [1, 2, 3]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_function_that_ends_in_time_is_reported_as_ever(is_async: bool) -> None:
    job = plugin(f"{'async ' if is_async else ''}def job():\n    return 'up'")

    async def main(inline: PoolExecutor, reports: Reports) -> None:
        inline.submit([looked_after(job, LONG, is_async=is_async)], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 1)

    [(_, result)] = loop_bridge(main).all
    assert result.failure is None
    assert len(result.pieces) == 1


def test_a_coroutine_that_hangs_is_cancelled_and_its_place_is_told() -> None:
    job = plugin(
        "import asyncio\nasync def job():\n    await deeper()\nasync def deeper():\n    await asyncio.sleep(9)"
    )

    async def main(inline: PoolExecutor, reports: Reports) -> None:
        run = looked_after(job, is_async=True)
        inline.submit([run], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 1)
        assert (run.progress.is_stuck, inline.load().stuck) == (False, 0)

    reports = loop_bridge(main)
    assert (reports.failure.verdict, reports.failure.place) == (Verdict.TIMED_OUT, "plugins/db.py:5")


def test_a_coroutine_that_will_not_be_cancelled_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slack_alert.executors.timeouts._GRACE", 0.01)

    async def main(inline: PoolExecutor, reports: Reports) -> None:
        gate, released = asyncio.Event(), asyncio.Event()

        async def stubborn() -> str:
            with suppress(asyncio.CancelledError):
                await gate.wait()
            await gate.wait()
            return "late"

        run = looked_after(stubborn, is_async=True)
        run.progress.released = released.set
        inline.submit([run], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 1)
        assert (run.progress.is_stuck, run.progress.is_canceled, inline.load().stuck) == (True, True, 1)
        gate.set()
        await asyncio.wait_for(released.wait(), PATIENCE)
        assert (run.progress.is_stuck, inline.load().stuck) == (False, 0)

    assert [result.failure is None for _, result in loop_bridge(main).all] == [False]


def test_a_coroutine_under_a_timeout_that_the_end_of_the_loop_cancels_is_reported() -> None:
    async def main(inline: PoolExecutor, reports: Reports) -> None:
        begun = asyncio.Event()

        async def job() -> None:
            begun.set()
            await asyncio.Event().wait()

        inline.submit([looked_after(job, LONG, is_async=True)], Stage(done=reports.take))
        await begun.wait()

    assert loop_bridge(main).failure.kind == "CancelledError"


def test_a_run_the_program_gave_up_at_its_end_is_not_reported_as_late() -> None:
    reported: list[Result] = []
    run = looked_after(print)
    run.progress.is_canceled = True

    timed = TimedCalls(Stage().caller, lambda _run, _host, result: reported.append(result), lambda: None)
    timed._expire(run, Stage(), timedelta(seconds=1), 0)

    assert (reported, run.progress.is_stuck) == ([], False)


@pytest.mark.parametrize("head", ["async def job():", "def job():\n    return pages()\nasync def pages():"])
def test_where_an_asynchronous_generator_waits_for_its_first_value_is_told(head: str) -> None:
    source = f"import asyncio\n{head}\n    await asyncio.sleep(60)\n    yield 1\n"

    async def main(inline: PoolExecutor, reports: Reports) -> None:
        inline._caller._bridge = on_main_loop(asyncio.get_running_loop())
        inline.submit([looked_after(plugin(source), is_async=head.startswith("async"))], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 1)

    line = source.splitlines().index("    await asyncio.sleep(60)") + 1

    assert loop_bridge(main).failure.place == f"plugins/db.py:{line}"


def test_what_a_plain_function_hands_back_to_be_awaited_is_ended_at_the_timeout() -> None:
    ended = threading.Event()
    source = """
        import asyncio
        async def fetch(ended):
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
        def job():
            return fetch(ENDED)
    """
    function = plugin(source)
    function.__globals__["ENDED"] = ended

    async def main(inline: PoolExecutor, reports: Reports) -> None:
        inline._caller._bridge = on_main_loop(asyncio.get_running_loop())
        run = looked_after(function)
        released = threading.Event()
        run.progress.released = released.set
        inline.submit([run], Stage(done=reports.take))
        await asyncio.to_thread(reports.wait_for, 1)
        # The thread is free again, as nothing is waited for any more.
        assert await asyncio.to_thread(released.wait, PATIENCE)
        assert await asyncio.to_thread(ended.wait, PATIENCE)

    reports = loop_bridge(main)

    assert (reports.failure.verdict, reports.failure.place) == (Verdict.TIMED_OUT, "plugins/db.py:5")
    assert len(reports.all) == 1
