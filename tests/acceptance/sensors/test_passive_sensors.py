"""Sensors that run for ever, in a real program: they fail, hang, flood, leak and print, and jobs beside them go on."""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from slack_alert.stores import SqliteReader
from tests.fakes.program import Program, running

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.name != "posix", reason="signals and limits are the system's"),
]

#: What each file begins with.
HEAD = """
import itertools, os, signal, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))

def note(name, text=None):
    with open(f"{HERE}/../{name}", "a") as file:
        file.write(f"{os.getpid() if text is None else text}\\n")

@deco(seconds=0.2)
def beat():
    note("beats")

@deco(on="*", max_alert=0, to="console:")
def answer(ctx):
    note("answers", " ".join(f"{name}={value}" for name, value in ctx.event.items()))
"""


def lines(program: Program, name: str) -> list[str]:
    """Return the whole lines of a file that the functions write."""
    file = program.folder / name
    return file.read_text(encoding="utf-8").split("\n")[:-1] if file.exists() else []


def is_alive(pid: str) -> bool:
    with suppress(OSError):
        os.kill(int(pid), 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


def write(program: Program, source: str) -> None:
    program.write(HEAD + source)


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_what_a_generator_yields_reaches_a_rule_and_it_is_closed_at_the_end(tmp_path: Path, kind: str) -> None:
    rest = "await asyncio.sleep(60)" if kind == "async def" else "time.sleep(60)"
    source = f"""
import asyncio

@deco(emits=["seen", "gone"])
{kind} watch(ctx):
    try:
        for n in range(3):
            yield "seen", {{"n": n}}
        yield "gone", {{"n": 3}}
        {rest}
    finally:
        note("closed")
"""
    with running(tmp_path, HEAD + source) as program:
        program.wait_until(lambda: len(lines(program, "answers")) == 4, "the rule has answered")
        assert program.stop() == 0

    assert lines(program, "answers") == ["n=0", "n=1", "n=2", "n=3"]
    assert len(lines(program, "closed")) == 1
    assert program.verdicts("watch") == {Verdict.QUIET}
    assert "Traceback" not in program.errors


def test_what_crashes_hangs_leaks_and_prints_hurts_nobody(tmp_path: Path) -> None:
    source = """
@deco(emits="crashed")
def crash():
    print("it will crash")
    os.write(2, b"last words\\n")
    os.kill(os.getpid(), signal.SIGSEGV)
    yield

@deco(emits="hung")
def hang():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("hanging")
    while True:
        time.sleep(60)
    yield

@deco(emits="leaked", memory_limit="80MB")
def leak():
    kept = []
    while True:
        kept.append(bytearray(1_000_000))
    yield

@deco(emits="printed")
def talk():
    for _ in range(500_000):
        print("x" * 99)
    subprocess.run("head -c 50000000 /dev/zero >&2", shell=True)
    yield {"is": "done"}
"""
    with running(tmp_path, HEAD + source, "drain_timeout = 2s") as program:
        program.wait_until(lambda: program.out.count("Given up at the third failure") == 2, "two are given up", 60)
        program.wait_until(lambda: "is=done" in lines(program, "answers"), "all is printed", 60)
        (hanging,) = lines(program, "hanging")
        assert is_alive(hanging)
        assert program.stop() == 0
        assert not is_alive(hanging)

    assert "memory_limit" in program.out
    assert "signal 11" in program.out
    assert "last words" in program.out
    assert "jobs.crash | it will crash" in program.errors
    assert "characters more were printed" in program.errors
    assert "bytes more were written" in program.errors
    assert len(program.errors) < 4_000_000
    assert [program.verdicts("beat"), program.verdicts("hang")] == [{Verdict.QUIET}] * 2
    assert Counter(line.record.verdict for line in program.history("crash")) == {Verdict.ERROR: 3}


def test_none_of_a_flood_of_events_is_lost(tmp_path: Path) -> None:
    source = """
@deco(emits="flooded")
def flood():
    for n in range(10_000):
        yield {"n": n}
"""
    with running(tmp_path, HEAD + source) as program:
        program.wait_until(lambda: len(lines(program, "answers")) >= 10_000, "all are answered", 150, step=0.5)
        assert program.stop() == 0

    numbers = [int(line.removeprefix("n=")) for line in lines(program, "answers") if line.startswith("n=")]
    assert numbers == list(range(10_000))
    assert program.verdicts("beat") == {Verdict.QUIET}


def test_the_process_of_a_sensor_ends_with_a_program_that_is_killed(tmp_path: Path) -> None:
    source = """
@deco(emits="seen")
def watch():
    note("pids")
    child = subprocess.Popen(["sleep", "600"])
    note("pids", child.pid)
    try:
        while True:
            time.sleep(60)
            yield
    finally:
        note("closed")

@deco(emits="seen")
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("pids")
    while True:
        time.sleep(60)
    yield
"""
    with running(tmp_path, HEAD + source) as program:
        program.wait_until(lambda: len(lines(program, "pids")) == 3, "they run")
        program.kill()
        program.wait_until(lambda: not any(map(is_alive, lines(program, "pids"))), "all processes have ended")

    assert len(lines(program, "closed")) == 1


def test_a_sensor_whose_file_is_changed_is_started_anew(tmp_path: Path) -> None:
    source = """
@deco(emits="seen")
def watch():
    try:
        while True:
            yield {"version": 1}
            time.sleep(0.1)
    finally:
        note("closed", "1")
"""
    with running(tmp_path, HEAD + source) as program:
        program.wait_until(lambda: "version=1" in lines(program, "answers"), "the first version runs")
        write(program, source.replace("1", "2"))
        program.wait_until(lambda: "version=2" in lines(program, "answers"), "the second version runs")
        assert lines(program, "closed") == ["1"]
        assert lines(program, "answers")[-1] == "version=2"
        write(program, "")
        program.wait_until(lambda: lines(program, "closed") == ["1", "2"], "it is gone")
        assert program.stop() == 0


def test_what_a_sensor_has_yielded_is_answered_whenever_the_program_is_killed(tmp_path: Path) -> None:
    """A sensor notes what it has yielded once it goes on: by then the event is kept."""
    source = """
@deco(emits="seen")
def watch(ctx):
    for n in itertools.count(ctx.store.get("next", 0)):
        ctx.store.set("next", n + 1)
        yield {"n": n}
        note("yielded", n)
        time.sleep(0.005)
"""
    program = Program(tmp_path, HEAD + source)
    try:
        program.start()
        for round_ in range(4):
            goal = len(lines(program, "yielded")) + 30 + 17 * round_
            program.wait_until(partial(has_yielded, program, goal), "it yields", step=0.01)
            program.kill()
            assert program.integrity == "ok"
            program.start(is_awaited=False)
        program.kill()
        write(program, "")
        program.start()
        program.wait_until(partial(is_answered, program), "all events are answered")
        assert program.stop() == 0
    finally:
        program.kill()

    answers = Counter(lines(program, "answers"))
    interrupted = sum(line.record.verdict is Verdict.INTERRUPTED for line in program.history("answer"))
    missing = [n for n in map(int, lines(program, "yielded")) if not answers[f"n={n}"]]
    assert len(missing) <= interrupted <= 4
    assert "Traceback" not in program.errors


def is_answered(program: Program) -> bool:
    with closing(SqliteReader(program.database)) as reader:
        return not reader.snapshot().events


def has_yielded(program: Program, goal: int) -> bool:
    return len(lines(program, "yielded")) >= goal


def test_a_hung_sensor_is_killed_when_it_is_paused(tmp_path: Path) -> None:
    source = """
@deco(emits="hung")
def hang():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note("pids")
    while True:
        time.sleep(60)
    yield

@deco(on="stop")
def stop(ctx):
    ctx.pause("hang")

@deco(seconds=0.5)
def start(ctx):
    if lines := os.path.exists(f"{HERE}/../pids"):
        ctx.pause("hang")
"""
    with running(tmp_path, HEAD + source) as program:
        program.wait_until(lambda: lines(program, "pids") != [], "it runs")
        (pid,) = lines(program, "pids")
        program.wait_until(lambda: not is_alive(pid), "it is killed")
        program.send(signal.SIGTERM)
        assert program.ended() == 0


def test_what_a_sensor_notices_again_within_a_day_is_no_event(tmp_path: Path) -> None:
    source = """
@deco(emits="seen", dedup="{n}")
def watch():
    for n in (1, 2, 1, 2, 3):
        yield {"n": n}
"""
    with running(tmp_path, HEAD + source) as program:
        program.wait_until(lambda: "n=3" in lines(program, "answers"), "the last one is answered")
        assert program.stop() == 0

    assert [line for line in lines(program, "answers") if line.startswith("n=")] == ["n=1", "n=2", "n=3"]


def test_an_end_without_an_error_is_final_and_any_other_one_is_a_failure(tmp_path: Path) -> None:
    """As in StackStorm (st2reactor's process_container): exit code 0 is final, whichever way it comes about."""
    ends = {
        "returning": "return",
        "leaving": "sys.exit()",
        "vanishing": "os._exit(0)",
        "failing": "sys.exit('no room')",
        "aborting": "os._exit(3)",
        "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    }
    source = (
        '\n@deco(on="sensor.exited", max_alert=0)\ndef exited(sensor, state):\n    note("ends", f"{sensor} {state}")\n'
    )
    source += "".join(
        f'\n@deco(emits="seen")\ndef {name}():\n    yield {{"by": "{name}"}}\n    {end}\n' for name, end in ends.items()
    )
    with running(tmp_path, HEAD + source) as program:
        program.wait_until(lambda: len(set(lines(program, "ends"))) >= len(ends), "all have ended", 30)
        assert program.stop() == 0

    first = dict(reversed([line.split() for line in lines(program, "ends")]))
    assert first == {
        f"jobs.{name}": "exited" if name in ("returning", "leaving", "vanishing") else "restarting" for name in ends
    }
