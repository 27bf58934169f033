from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from slack_alert.core.content.render import fallback
from slack_alert.core.model.run import Failure, Result, Run, RunOptions
from slack_alert.engine.ports import RunHost
from slack_alert.executors.calling.call import Caller
from slack_alert.executors.direct import DirectExecutor
from slack_alert.executors.pool import PoolExecutor
from tests.fakes.stage import Stage, plugin, run_of

T = TypeVar("T")
#: Long enough for any machine; nothing here waits so long unless something is broken.
PATIENCE = 20.0


class Results:
    """The reported results by run, in the order of the reports."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._all: list[tuple[int, Result]] = []

    def take(self, run: Run, result: Result) -> None:
        with self._changed:
            self._all.append((run.id, result))
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[int]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._all) >= count, PATIENCE)
            return [number for number, _ in self._all]

    def of(self, number: int) -> Result:
        [result] = [result for run, result in self._all if run == number]
        return result

    def text(self, number: int) -> str:
        result = self.of(number)
        if result.failure is not None:
            return result.failure.kind
        return "\n".join(fallback(piece) for piece in result.pieces)


def on_loop(main: Callable[[PoolExecutor, Results], Awaitable[T]], *, threads: int = 4) -> T:
    """Run a test on a loop that executes coroutine functions, as the main one does."""

    async def run() -> T:
        inline = PoolExecutor(Stage().caller, threads=threads, loop=asyncio.get_running_loop())
        try:
            return await main(inline, Results())
        finally:
            inline.stop()

    return asyncio.run(run())


def run(function: Callable[..., Any], number: int, *, is_async: bool = False) -> Run:
    return run_of(function, number=number, is_async=is_async)


def test_blocking_function_delays_nobody() -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[int]:
        gate = threading.Event()
        inline.submit([run(lambda: gate.wait(PATIENCE), 1)], Stage(done=results.take))
        inline.submit([run(lambda: 2, 2)], Stage(done=results.take))
        await asyncio.to_thread(results.wait_for, 1)
        gate.set()
        return await asyncio.to_thread(results.wait_for, 2)

    assert on_loop(main) == [2, 1]


def test_as_many_functions_block_as_there_are_threads() -> None:
    """The barrier opens only where all of them are inside at once."""

    async def main(inline: PoolExecutor, results: Results) -> list[int]:
        barrier = threading.Barrier(4)
        for number in range(4):
            inline.submit([run(lambda: barrier.wait(PATIENCE) and None, number)], Stage(done=results.take))
        return await asyncio.to_thread(results.wait_for, 4)

    assert sorted(on_loop(main)) == [0, 1, 2, 3]


def test_no_more_functions_run_at_once_than_there_are_threads() -> None:
    async def main(inline: PoolExecutor, results: Results) -> int:
        gate, inside = threading.Event(), threading.Semaphore(0)

        def job() -> None:
            inside.release()
            gate.wait(PATIENCE)

        for number in range(5):
            inline.submit([run(job, number)], Stage(done=results.take))
        for _ in range(2):
            assert await asyncio.to_thread(inside.acquire, timeout=PATIENCE)
        queued = inline.load().waiting
        gate.set()
        await asyncio.to_thread(results.wait_for, 5)
        return queued

    assert on_loop(main, threads=2) == 3


def test_quick_functions_share_a_thread_in_their_order() -> None:
    async def main(inline: PoolExecutor, results: Results) -> tuple[list[int], int]:
        names: set[str] = set()
        for number in range(50):
            inline.submit([run(lambda: names.add(threading.current_thread().name), number)], Stage(done=results.take))
        return await asyncio.to_thread(results.wait_for, 50), len(names)

    order, used = on_loop(main, threads=1)
    assert (order, used) == (list(range(50)), 1)


def test_coroutine_function_runs_on_the_loop() -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[int]:
        async def job() -> None:
            assert asyncio.get_running_loop() is home

        home = asyncio.get_running_loop()
        inline.submit([run(job, 1, is_async=True)], Stage(done=results.take))
        order = await asyncio.to_thread(results.wait_for, 1)
        assert results.text(1) == ""
        return order

    assert on_loop(main) == [1]


def test_coroutine_functions_wait_side_by_side_and_beside_a_blocked_one() -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[int]:
        gate, opened = threading.Event(), asyncio.Event()

        async def waits() -> None:
            await opened.wait()

        async def opens() -> None:
            opened.set()

        inline.submit([run(lambda: gate.wait(PATIENCE), 1)], Stage(done=results.take))
        inline.submit([run(waits, 2, is_async=True)], Stage(done=results.take))
        inline.submit([run(opens, 3, is_async=True)], Stage(done=results.take))
        await asyncio.to_thread(results.wait_for, 2)
        gate.set()
        return await asyncio.to_thread(results.wait_for, 3)

    assert on_loop(main) == [3, 2, 1]


@pytest.mark.parametrize("error", ["SystemExit(1)", "KeyboardInterrupt()", "GeneratorExit()", "ValueError('no')"])
@pytest.mark.parametrize("is_async", [False, True])
def test_nothing_a_function_raises_ends_its_thread_or_the_loop(error: str, is_async: bool) -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[str]:
        prefix = "async " if is_async else ""
        inline.submit(
            [run(plugin(f"{prefix}def job():\n    raise {error}"), 1, is_async=is_async)], Stage(done=results.take)
        )
        await asyncio.to_thread(results.wait_for, 1)
        inline.submit(
            [run(plugin(f"{prefix}def job():\n    return 'up'"), 2, is_async=is_async)], Stage(done=results.take)
        )
        await asyncio.to_thread(results.wait_for, 2)
        return [results.text(1), results.text(2)]

    assert on_loop(main, threads=1) == [error.partition("(")[0], "up"]


def test_what_is_queued_still_runs_after_stop() -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[int]:
        gate = threading.Event()
        inline.submit([run(lambda: gate.wait(PATIENCE) and None, 1)], Stage(done=results.take))
        inline.submit([run(lambda: None, 2)], Stage(done=results.take))
        inline.stop()
        gate.set()
        return await asyncio.to_thread(results.wait_for, 2)

    assert on_loop(main, threads=1) == [1, 2]


def test_run_that_the_end_of_the_loop_cancels_is_reported() -> None:
    results = Results()

    async def main(inline: PoolExecutor, _: Results) -> None:
        begun = asyncio.Event()

        async def job() -> None:
            begun.set()
            await asyncio.Event().wait()

        inline.submit([run(job, 1, is_async=True)], Stage(done=results.take))
        await begun.wait()

    on_loop(main)

    assert results.wait_for(1) == [1]
    assert results.text(1) == "CancelledError"


# --- on the caller's own thread


@pytest.mark.parametrize("is_async", [False, True])
def test_direct_call_reports_before_it_returns(is_async: bool) -> None:
    results = Results()
    job = plugin(f"{'async ' if is_async else ''}def job():\n    return 'up'")
    direct = DirectExecutor(Stage().caller)
    direct.submit([run(job, 1, is_async=is_async)], Stage(done=results.take))
    direct.stop()

    assert results.text(1) == "up"


def test_direct_call_survives_what_a_function_raises() -> None:
    result = DirectExecutor(Stage().caller).call(run(plugin("def job():\n    raise SystemExit(1)"), 1), Stage())

    assert result.failure is not None
    assert result.failure.kind == "SystemExit"


_PRESS = "import signal\n\n{kind} job():\n    {way}"
_CAUGHT = "try:\n        signal.raise_signal(signal.SIGINT)\n    except BaseException:\n        return 1"


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("way", ["signal.raise_signal(signal.SIGINT)", _CAUGHT], ids=["passed on", "caught"])
def test_ctrl_c_ends_the_caller_of_a_direct_call_as_well(way: str, is_async: bool) -> None:
    source = _PRESS.format(kind="async def" if is_async else "def", way=way)
    before = signal.getsignal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        DirectExecutor(Stage().caller).call(run(plugin(source), 1, is_async=is_async), Stage())

    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("is_async", [False, True])
def test_an_interrupt_nobody_pressed_is_the_functions_own_failure(is_async: bool) -> None:
    source = f"{'async ' if is_async else ''}def job():\n    raise KeyboardInterrupt"
    result = DirectExecutor(Stage().caller).call(run(plugin(source), 1, is_async=is_async), Stage())

    assert result.failure is not None
    assert result.failure.kind == "KeyboardInterrupt"


def test_a_direct_call_on_another_thread_leaves_signals_alone() -> None:
    results: list[object] = []
    job = run(plugin("def job():\n    raise KeyboardInterrupt"), 1)
    thread = threading.Thread(target=lambda: results.append(DirectExecutor(Stage().caller).call(job, Stage()).failure))
    thread.start()
    thread.join()

    assert isinstance(results[0], Failure)


# --- what goes wrong outside the function


class Broken(Caller):
    """A caller that fails outside of the function."""

    def __init__(self, caller: Caller) -> None:
        vars(self).update(vars(caller))

    def call(self, run: Run, host: RunHost) -> Result:
        if run.id == 1:
            raise SystemExit(9)
        return super().call(run, host)

    async def await_(self, run: Run, host: RunHost) -> Result:
        if run.id == 1:
            raise ValueError("I/O operation on closed file")
        return await super().await_(run, host)


@pytest.mark.parametrize(("is_async", "kind"), [(False, "SystemExit"), (True, "ValueError")])
def test_call_that_breaks_is_a_failure_and_the_next_one_runs(
    is_async: bool, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[str]:
        inline._caller = Broken(inline._caller)
        prefix = "async " if is_async else ""
        for number in (1, 2):
            job = plugin(f"{prefix}def job():\n    return 'up'")
            inline.submit([run(job, number, is_async=is_async)], Stage(done=results.take))
        await asyncio.to_thread(results.wait_for, 2)
        return [results.text(1), results.text(2)]

    assert on_loop(main, threads=1) == [kind, "up"]
    assert [record.message for record in caplog.records] == ["call broke"]


@pytest.mark.parametrize("is_async", [False, True])
def test_report_that_breaks_ends_neither_thread_nor_loop(is_async: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[int]:
        def broken(*_: object) -> None:
            raise KeyError("db.job")

        job = plugin(f"{'async ' if is_async else ''}def job():\n    return 'up'")
        inline.submit([run(job, 1, is_async=is_async)], Stage(done=broken))
        inline.submit([run(job, 2, is_async=is_async)], Stage(done=results.take))
        return await asyncio.to_thread(results.wait_for, 1)

    assert on_loop(main, threads=1) == [2]
    assert [record.message for record in caplog.records] == ["report broke"]


def test_idle_threads_leave_at_the_stop() -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[threading.Thread]:
        used: set[threading.Thread] = set()
        inline.submit([run(lambda: used.add(threading.current_thread()), 1)], Stage(done=results.take))
        await asyncio.to_thread(results.wait_for, 1)
        inline.stop()
        for thread in used:
            await asyncio.to_thread(thread.join, PATIENCE)
        inline.submit([run(lambda: used.add(threading.current_thread()), 2)], Stage(done=results.take))
        await asyncio.to_thread(results.wait_for, 2)
        for thread in used:
            await asyncio.to_thread(thread.join, PATIENCE)
        return [thread for thread in used if thread.is_alive()]

    assert on_loop(main) == []


def test_thread_that_cannot_be_had_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(inline: PoolExecutor, results: Results) -> list[int]:
        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            inline.submit([run(lambda: None, 1)], Stage(done=results.take))
        inline.submit([run(lambda: None, 2)], Stage(done=results.take))
        return await asyncio.to_thread(results.wait_for, 2)

    assert on_loop(main, threads=1) == [1, 2]


@pytest.mark.parametrize(("retries", "calls"), [(0, 1), (2, 3)])
def test_a_failed_run_is_called_again_as_often_as_its_options_say_and_reported_once(retries: int, calls: int) -> None:
    called: list[int] = []

    def job() -> None:
        called.append(1)
        raise OSError

    async def main(inline: PoolExecutor, results: Results) -> str:
        failing = run_of(job, run_options=RunOptions(retries=retries, retry_delay=timedelta(0)))
        inline.submit([failing], Stage(done=results.take))
        await asyncio.to_thread(results.wait_for, 1)
        return results.text(1)

    assert on_loop(main) == "OSError"
    assert len(called) == calls


def test_an_end_while_a_retry_waits_reports_the_failure_once_with_one_note_of_the_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def job() -> None:
        raise OSError

    async def main(inline: PoolExecutor, results: Results) -> Failure | None:
        failing = run_of(job, run_options=RunOptions(retries=2, retry_delay=timedelta(hours=1)))
        inline.submit([failing], Stage(done=results.take))
        while "is tried again" not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.001)
        inline.stop()
        await asyncio.to_thread(results.wait_for, 1)
        return results.of(1).failure

    failure = on_loop(main)

    assert failure is not None
    assert failure.traceback.count("attempt") == 1


FORKING = """
import asyncio, os, sys, threading
from slack_alert.executors.pool import PoolExecutor
from tests.fakes.stage import Stage, run_of

def job():
    child = os.fork()
    if child:
        os.waitpid(child, 0)

async def ajob():
    job()

async def main():
    inline = PoolExecutor(Stage().caller, threads=1, loop=asyncio.get_running_loop())
    is_async = sys.argv[1] == "async"
    ended = threading.Event()
    def done(run, result):
        print("done", run.id, result.failure, flush=True)
        ended.set()
    inline.submit([run_of(ajob if is_async else job, is_async=is_async)], Stage(done=done))
    while not ended.is_set():
        await asyncio.sleep(0.01)
    print("end", flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("kind", ["plain", pytest.param("async", marks=pytest.mark.thorough)])
def test_forked_child_ends_where_its_function_does(kind: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FORKING, kind], capture_output=True, text=True, check=True, timeout=PATIENCE
    )

    assert ended.stdout == "done 1 None\nend\n"
