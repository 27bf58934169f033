"""One plugin does to the process what it can: the others run, speak and end as if it were not there."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from slack_alert.core.model.message import Status
from tests.fakes.program import Program, running

#: Each starts programs; the rules themselves are held by tests of the parts.
pytestmark = pytest.mark.thorough

SCHEDULERS = ("AsyncIOScheduler", "BackgroundScheduler", "TornadoScheduler", "GeventScheduler")

#: What is independent of each other is done by one file.
AT_LOAD = """
    import asyncio, builtins, gc, json, logging.config, os, signal, socket, subprocess, sys, threading, time, warnings

    class Policy(asyncio.DefaultEventLoopPolicy):
        def get_child_watcher(self):
            raise NotImplementedError

    asyncio.set_event_loop_policy(Policy())
    os.chdir("/")
    os.umask(0)
    os.environ["PATH"] = ""
    os.closerange(3, 1024)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.alarm(1)
    sys.setrecursionlimit(120)
    sys.setswitchinterval(10)
    sys.stdout = sys.stderr = None
    logging.disable()
    logging.basicConfig(force=True)
    warnings.simplefilter("error")
    gc.disable()
    socket.setdefaulttimeout(0.000001)
    time.sleep = time.monotonic = socket.socket = threading.Thread = subprocess.Popen = json.dumps = None

    @deco(seconds=1, max_alert=0)
    def guilty():
        return "runs all the same"
"""

#: Once: until it is looked, within half a second, others meet what it did.
IN_A_FUNCTION = """
    @deco(days=365, at_start=True)
    async def guilty():
        import asyncio, logging, signal, socket, threading, time, json

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.alarm(1)
        logging.disable()
        logging.basicConfig(force=True)
        time.sleep = socket.socket = threading.Thread = json.dumps = None
        return "did it"
"""

OTHER = """
    @deco(seconds=1, max_alert=0)
    def speaks(ctx):
        return ctx.run(["echo", "spoken"]).strip()

    @deco(seconds=1, max_alert=0)
    async def is_absence():
        import asyncio

        process = await asyncio.create_subprocess_exec("true")
        return f"awaited {await process.wait()}"
"""


def delivered(program: Program, text: str) -> int:
    return sum(one.status is Status.SENT and text in str(one.message.piece) for one in program.outbox())


#: The default runs always; all of it with --thorough.
USUAL = {("AsyncIOScheduler", "at load", signal.SIGINT), ("AsyncIOScheduler", "in a function", signal.SIGTERM)}
ROUNDS = [
    pytest.param(
        scheduler,
        source,
        number,
        id=f"{scheduler} {where} {number.name}",
        marks=pytest.mark.slow if (scheduler, where, number) in USUAL else [pytest.mark.slow, pytest.mark.thorough],
    )
    for scheduler in SCHEDULERS
    for where, source in (("at load", AT_LOAD), ("in a function", IN_A_FUNCTION))
    for number in (signal.SIGTERM, signal.SIGINT)
]


@pytest.mark.parametrize(("scheduler", "source", "number"), ROUNDS)
def test_whatever_one_plugin_does_the_others_run_and_speak_and_the_program_ends(
    tmp_path: Path, scheduler: str, source: str, number: signal.Signals
) -> None:
    (tmp_path / "plugins").mkdir()
    other = Program(tmp_path / "other", OTHER)
    (tmp_path / "plugins" / "other.py").write_text((other.folder / "plugins" / "jobs.py").read_text())
    with running(tmp_path, source, "max_alert = 0", "-s", scheduler) as program:
        program.wait_until(lambda: delivered(program, "spoken") > 1, "the other plugin speaks")
        program.wait_until(lambda: delivered(program, "awaited 0") > 1, "the other plugin awaits")

        assert program.stop(number) == 0
        assert "stopped" in program.errors


BUSY, WAITING = "while True: pass", "import time\nwhile True: time.sleep(60)"
#: Where a thread is a greenlet it is the hardest.
USUALLY = ("GeventScheduler", BUSY)
HANGING = [
    pytest.param(
        scheduler, never, marks=() if (scheduler, never) == ("GeventScheduler", BUSY) else pytest.mark.thorough
    )
    for scheduler in SCHEDULERS
    for never in (BUSY, WAITING)
]


@pytest.mark.slow
@pytest.mark.parametrize(("scheduler", "never"), HANGING)
def test_file_that_never_loads_is_told_and_the_others_run(tmp_path: Path, scheduler: str, never: str) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "hangs.py").write_text(f"{never}\n@deco(seconds=1)\ndef f(): pass\n")
    conf = "load_timeout = 1s\nmax_alert = 0"
    with running(tmp_path, OTHER, conf, "-s", scheduler) as program:
        program.wait_until(lambda: delivered(program, "plugins/hangs.py") > 0, "the fault is told")
        program.wait_until(lambda: delivered(program, "spoken") > 0, "the others run")

        assert program.stop() == 0


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["GeventScheduler", pytest.param("AsyncIOScheduler", marks=pytest.mark.thorough)])
def test_ctrl_c_ends_a_start_that_hangs(tmp_path: Path, scheduler: str) -> None:
    source = "import pathlib\npathlib.Path('begun').touch()\nwhile True: pass\n@deco(seconds=1)\ndef f(): pass\n"
    program = Program(tmp_path, source)
    program.start("-s", scheduler, is_awaited=False)
    program.wait_until((tmp_path / "begun").exists, "it is loading")

    assert program.stop(signal.SIGINT) == 130
