"""The shutdown signals, also while the loop is blocked."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from slack_alert.engine.app.shutdown import ShutdownSignals

_PROGRAM = """
import asyncio, time
from datetime import timedelta
from slack_alert.engine.app.shutdown import ShutdownSignals

async def main():
    ending = ShutdownSignals(limit=LIMIT, last=lambda: print("last", flush=True))
    ending.listen()
    async def blocks():
        print("ready", flush=True)
        for _ in range(100):
            time.sleep(0.1)
    if BLOCKS:
        asyncio.create_task(blocks())
    else:
        print("ready", flush=True)
    await ending.begun()
    print("begun", flush=True)

asyncio.run(main())
"""


def program(*, limit: str, blocks: bool) -> subprocess.Popen[str]:
    source = _PROGRAM.replace("LIMIT", limit).replace("BLOCKS", str(blocks))
    return subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str], *signals: int) -> tuple[int, str]:
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for number in signals:
            process.send_signal(number)
            time.sleep(0.2)
        said, _ = process.communicate(timeout=8)
        return process.returncode, said


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_loop_that_stands_still_is_ended_at_the_limit(number: int) -> None:
    process = program(limit="timedelta(seconds=0.3)", blocks=True)

    assert ended(process, number) == (128 + number, "last\n")


@pytest.mark.slow
def test_second_signal_ends_it_at_once_whatever_the_limit() -> None:
    process = program(limit="None", blocks=True)

    assert ended(process, signal.SIGTERM, signal.SIGINT) == (128 + signal.SIGINT, "last\n")


@pytest.mark.slow
def test_what_ends_in_time_ends_in_order() -> None:
    process = program(limit="timedelta(seconds=30)", blocks=False)

    assert ended(process, signal.SIGTERM) == (0, "begun\n")


# --- a hang-up, which says that the terminal is closed, or asks for a reload


@pytest.fixture
def _signals() -> Iterator[None]:
    taken = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in taken}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, action in before.items():
        signal.signal(number, action)


def begins(
    *signals: int, reload: Callable[[], None] | None = None, has_terminal: Callable[[], bool] = lambda: False
) -> bool:
    """Return whether these signals begin the drain."""

    async def main() -> bool:
        ending = ShutdownSignals(has_terminal=has_terminal)
        ending.listen(reload)
        for number in signals:
            os.kill(os.getpid(), number)
        begun = asyncio.ensure_future(ending.begun())
        for _ in range(3):
            await asyncio.sleep(0)
        begun.cancel()
        return begun.done() and not begun.cancelled()

    return asyncio.run(main())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signal")
@pytest.mark.usefixtures("_signals")
class TestHangUp:
    """The meaning of SIGHUP depends on whether reload is on, and on how the program was started."""

    def test_drains_where_nobody_wants_a_reload(self) -> None:
        assert begins(signal.SIGHUP) is True

    def test_comes_twice_from_a_closed_terminal_and_cuts_nothing_off(self) -> None:
        assert begins(signal.SIGHUP, signal.SIGHUP) is True

    def test_that_is_ignored_from_the_start_stays_ignored(self) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

        assert begins(signal.SIGHUP) is False

    @pytest.mark.parametrize("at_start", [signal.SIG_DFL, signal.SIG_IGN])
    def test_asks_for_a_reload_where_that_is_wanted(self, at_start: signal.Handlers) -> None:
        signal.signal(signal.SIGHUP, at_start)
        asked: list[str] = []

        assert begins(signal.SIGHUP, reload=lambda: asked.append("reload")) is False
        assert asked == ["reload"]

    def test_of_a_closed_terminal_drains_whoever_wants_a_reload(self) -> None:
        there = iter([True, False])

        assert begins(signal.SIGHUP, reload=lambda: None, has_terminal=lambda: next(there)) is True

    def test_of_a_closed_terminal_ends_nothing_that_was_to_outlive_it(self) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        there = iter([True, False])

        assert begins(signal.SIGHUP, reload=lambda: None, has_terminal=lambda: next(there)) is False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signals")
@pytest.mark.usefixtures("_signals")
def test_signals_that_a_plugin_takes_are_taken_again_and_told_once() -> None:
    async def main() -> list[list[str]]:
        ending = ShutdownSignals(has_terminal=lambda: False)
        ending.listen()
        told = [ending.restore()]
        for _ in range(2):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            told.append(ending.restore())
        os.kill(os.getpid(), signal.SIGALRM)
        os.kill(os.getpid(), signal.SIGTERM)
        await ending.begun()
        # The alarm is the end's now.
        assert ending.restore() == []
        return told

    names = ("SIGTERM", "SIGALRM")
    assert asyncio.run(main()) == [
        [], [f"a plugin has taken {name}, which is the program's: undone" for name in names], []
    ]  # fmt: skip
