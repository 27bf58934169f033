"""The two signals, whatever the loop is doing."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

_PROGRAM = """
import asyncio, time
from datetime import timedelta
from slack_alert.engine.ending import Ending

async def main():
    ending = Ending(limit=LIMIT, last=lambda: print("last", flush=True))
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
