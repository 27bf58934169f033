"""Functions in processes of their own: what they may do, and how they are ended."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import dedent
from time import sleep
from zoneinfo import ZoneInfo

import pytest

from slack_alert.bootstrap.runtime import make_program
from slack_alert.core.content.render import fallback
from slack_alert.core.model.record import Verdict
from slack_alert.core.model.run import Action, Arguments, Failure, Isolation, Result, Run, RunOptions
from slack_alert.core.redaction.redaction import Redaction
from slack_alert.core.structs import replace
from slack_alert.engine.context.key_value import KeyValueStore
from slack_alert.executors.isolated import process
from slack_alert.executors.isolated.process_pool import ProcessPool
from slack_alert.executors.isolated.protocol import PluginSources
from slack_alert.loader import JobSnapshots
from tests.fakes.engine_rig import at
from tests.fakes.returned import EXPECTED, SOURCE
from tests.fakes.stage import Stage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals and limits are the system's"),
]
MEGABYTE = 1024 * 1024


class Rig:
    """A folder with a plugin file, and processes that call the functions in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stage = Stage(path)
        self.snapshots = JobSnapshots({})
        #: Of the plugin files, what was taken up; the last one is the one that is called.
        self._contents: dict[str, bytes] = {}
        self.name = "db"
        self.processes = ProcessPool(
            lambda python: make_program(path, python=python),
            sources=PluginSources(self.snapshots.contents_for, self.snapshots.add_found),
            redaction=Redaction(["s3cret"]),
            children=self.stage.services.children,
            clock=self.stage.clock,
        )

    def forget(self) -> None:
        """Know nothing of what the functions of another test did."""
        for noted in (self.stage.noticed, self.stage.said, self.stage.kept, self.stage.held):
            noted.clear()
        (self.path / "pids").unlink(missing_ok=True)

    def write(self, source: str) -> None:
        """Write a new file, so that a process that has the former ones can be used again."""
        self.name = f"db{len(self._contents)}"
        self.rewrite(source)

    def rewrite(self, source: str) -> None:
        """Edit the file, and accept the new content."""
        self.edit(source)
        self._contents[str(self.path / self.file)] = dedent(source).encode()
        self.snapshots.renew(self._contents)

    def edit(self, source: str, name: str = "") -> None:
        """Write the file without accepting the new content."""
        (self.path / "plugins").mkdir(exist_ok=True)
        (self.path / "plugins" / (name or f"{self.name}.py")).write_text(dedent(source))

    @property
    def file(self) -> str:
        """The path of the file, as shown to people."""
        return f"plugins/{self.name}.py"

    def run(
        self,
        name: str = "job",
        *,
        timeout: float | None = None,
        memory: int | None = None,
        cpu: float | None = None,
        takes_context: bool = False,
        is_async: bool = False,
        emits: tuple[str, ...] = (),
        arguments: Arguments | None = None,
    ) -> tuple[Run, Result]:
        """Call a function of the file."""
        run_options = RunOptions(
            None if timeout is None else timedelta(seconds=timeout),
            isolation=Isolation.PROCESS,
            memory=memory,
            cpu=None if cpu is None else timedelta(seconds=cpu),
        )
        job = f"{self.name}.{name}"
        action = Action(job, self.file, 3, None, None, takes_context, is_async)
        run = Run(1, job, action, at("16 09:10"), emits=emits, run_options=run_options, arguments=arguments)
        return run, self.processes.call(run, self.stage)

    def text(self, name: str = "job", **run_options: float) -> str:
        _, result = self.run(name, **run_options)  # type: ignore[arg-type]  # a timeout, or a limit
        assert result.failure is None, result.failure
        return "\n".join(fallback(piece) for piece in result.pieces)

    def failure(self, name: str = "job", **run_options: float) -> Failure:
        _, result = self.run(name, **run_options)  # type: ignore[arg-type]  # a timeout, or a limit
        assert result.failure is not None
        return result.failure


@contextmanager
def made(path: Path) -> Iterator[Rig]:
    rig = Rig(path)
    yield rig
    rig.processes.stop()
    rig.stage.services.children.end_all()


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with made(tmp_path_factory.mktemp("warm")) as rig:
        yield rig


@pytest.fixture
def rig(warm: Rig) -> Rig:
    """Keep a process for the next test, because its start takes time."""
    warm.forget()
    return warm


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Rig]:
    """Start without a process, and leave none."""
    with made(tmp_path) as rig:
        yield rig


def is_going_on(pid: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def survivors(pids: list[int]) -> list[int]:
    """Return the processes that still exist after a while: a killed process may need time to end on a busy machine."""
    for _ in range(100):
        if not any(map(is_going_on, pids)):
            return []
        sleep(0.05)
    return [pid for pid in pids if is_going_on(pid)]


# --- what a function may do there


def test_a_value_is_said_and_what_it_used_is_known(rig: Rig) -> None:
    rig.write("@deco(hours=1)\ndef job():\n    return ['a<b', 2]")
    run, result = rig.run()

    assert [fallback(piece) for piece in result.pieces] == ["a&lt;b\n2"]
    assert run.progress.started == at("16 09:11")
    assert result.usage is not None
    assert result.usage.memory > MEGABYTE


def test_what_it_measures_is_kept_under_names_without_secrets(rig: Rig) -> None:
    rig.write("@deco(hours=1)\ndef job():\n    return {'of s3cret': 2.5}")
    _, result = rig.run()

    assert result.numbers == {"of [secret]": 2.5}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone begins to measure anew")
def test_a_run_does_not_answer_for_the_memory_of_the_one_before(rig: Rig) -> None:
    rig.write(
        """
        @deco(hours=1)
        def big():
            bytearray(100_000_000)

        @deco(hours=1)
        def small():
            pass
        """
    )
    (_, big), (_, small) = rig.run("big"), rig.run("small")

    assert big.usage is not None
    assert small.usage is not None
    assert big.usage.memory > small.usage.memory + 50 * MEGABYTE


def test_context_reaches_the_program(rig: Rig) -> None:
    rig.write(
        """
        @deco(hours=1)
        def job(ctx):
            ctx.say("half", to="#other")
            ctx.store.set("seen", {"n": 1})
            ctx.pause("db.lag")
            ctx.resume("db.lag")
            return ctx.run(["echo", "run"]) + str(ctx.store.get("gone", "default")) + str(ctx.store.keys())
        """
    )
    _, result = rig.run(takes_context=True)

    assert [fallback(piece) for piece in result.pieces] == ["run\ndefault['seen']"]
    assert rig.stage.said == [("half", "#other")]
    assert [(entry.key, entry.value) for entry in rig.stage.kept] == [("seen", '{"n": 1}')]
    assert [job for job, _ in rig.stage.held] == ["db.lag", "db.lag"]


def test_what_the_program_refuses_is_raised_where_it_was_asked(rig: Rig) -> None:
    rig.write(
        """
        @deco(hours=1)
        def job(ctx):
            try:
                ctx.store.set(5, 1)
            except TypeError as error:
                return str(error)
        """
    )
    _, result = rig.run(takes_context=True)

    assert [fallback(piece) for piece in result.pieces] == ["a key of ctx.store must be a string, got 5"]


@pytest.mark.parametrize("is_async", [False, True])
def test_each_yielded_value_is_said_as_it_comes(rig: Rig, is_async: bool) -> None:
    rig.write(f"@deco(hours=1)\n{'async ' if is_async else ''}def job():\n    yield 'one'\n    yield 'two'")
    _, result = rig.run(is_async=is_async)

    assert (result.pieces, rig.stage.texts) == ((), ["one", "two"])


def test_what_a_sensor_notices_are_the_fields_of_its_values(rig: Rig) -> None:
    rig.write("@deco(hours=1, emits='x')\ndef job():\n    return [{'path': '/a'}, 7]")
    rig.run(emits=("x",))

    assert rig.stage.noticed == [{"path": "/a"}, {"value": 7}]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("set('n', 1); yield get('n'); set('n', 2)", [{"value": 1}, "1", "2"]),
        ("set('n', 1); return ['a', 'b']", [{"value": "a"}, {"value": "b"}, "1"]),
        ("set('n', 1); return map(str, (1, 2))", [{"value": "1"}, {"value": "2"}, "1"]),
        ("set('n', 1); raise OSError", []),
        ("set('n', 1); yield 'a'; set('n', 2); raise OSError", [{"value": "a"}, "1"]),
        ("set('n', 1); yield 'a'; set('n', 2); __import__('os')._exit(3)", [{"value": "a"}, "1"]),
    ],
)
def test_what_a_sensor_sets_is_kept_once_it_has_noticed(rig: Rig, source: str, expected: list[object]) -> None:
    rig.write(f"@deco(hours=1, emits='x')\ndef job(ctx): set, get = ctx.store.set, ctx.store.get; {source}")
    kept: list[object] = rig.stage.noticed
    kept.clear()
    services = rig.stage.services
    key_value_store = KeyValueStore(
        "db", (), write=lambda new: kept.extend(one.value for one in new), now=rig.stage.clock.now
    )
    rig.stage.services = replace(services, key_value_store=lambda _: key_value_store)
    try:
        rig.run(emits=("x",), takes_context=True)
    finally:
        rig.stage.services = services

    assert kept == expected


def test_what_it_prints_and_logs_is_the_program_s(
    rig: Rig, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    rig.write(
        """
        import logging, os, sys

        @deco(hours=1)
        def job():
            print("one")
            sys.stderr.write("two")
            logging.getLogger("lib").warning("%d left", 3, extra={"disk": "sda"})
        """
    )
    with caplog.at_level(logging.INFO):
        rig.run()

    assert capsys.readouterr().out == "one\ntwo"
    assert [(each.name, each.getMessage(), vars(each)["disk"]) for each in caplog.records] == [("lib", "3 left", "sda")]


def test_it_does_not_see_the_secrets_of_the_program(fresh: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    monkeypatch.setenv("HARMLESS", "yes")
    fresh.write(
        """
        import os

        @deco(hours=1)
        def job():
            return [name for name in ("SLACK_BOT_TOKEN", "DB_PASSWORD", "HARMLESS") if name in os.environ]
        """
    )

    assert fresh.text() == "HARMLESS"


def test_secrets_of_the_configuration_are_taken_out_of_what_it_says(rig: Rig) -> None:
    rig.write(
        "@deco(hours=1)\ndef job():\n    return 's3cret'\n@deco(hours=1)\ndef bad():\n    raise ValueError('s3cret')"
    )

    assert rig.text() == "[secret]"
    assert rig.failure("bad").message == "[secret]"


def test_what_is_too_much_is_cut_before_it_is_handed_over(rig: Rig) -> None:
    rig.write(
        """
        @deco(hours=1)
        def job():
            return "\U0001f600" * 4_000_001

        @deco(hours=1)
        def bad():
            raise ValueError("x" * 4_000_001)
        """
    )

    assert rig.text().splitlines()[1:] == ["… cut: the first 4,000,000 of 4,000,001 characters"]
    assert len(rig.failure("bad").message) == 20_000


# --- how long a process lives


_PID = "import os\n@deco(hours=1)\ndef job():\n    return os.getpid()\n"


def test_a_process_is_kept_for_the_next_run(rig: Rig) -> None:
    rig.write(_PID)

    assert rig.text() == rig.text()


def test_a_process_is_replaced_after_many_runs(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.write(_PID)
    first = rig.text()
    monkeypatch.setattr(process, "_RUNS", rig.processes._idle[0]._runs + 2)
    used = [rig.text() for _ in range(3)]

    assert used[:2] == [first, first]
    assert used[2] != first


def test_a_process_that_has_grown_is_replaced(fresh: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GROWTH", 32 * MEGABYTE)
    fresh.write(f"{_PID}\n@deco(hours=1)\ndef big():\n    return len(bytearray(64 << 20))")
    first = fresh.text()
    second = fresh.text()
    fresh.text("big")

    assert second == first
    assert fresh.text() != first


def test_a_process_that_died_meanwhile_is_replaced(rig: Rig) -> None:
    rig.write(_PID)
    first = rig.text()
    os.kill(int(first), signal.SIGKILL)
    rig.processes._idle[0].popen.wait()

    assert rig.text() != first


def test_a_file_that_changed_is_loaded_anew(rig: Rig) -> None:
    rig.write("@deco(hours=1)\ndef job():\n    return 'old'")
    before = rig.text()
    rig.rewrite("@deco(hours=1)\ndef job():\n    return 'quite new'")

    assert (before, rig.text()) == ("old", "quite new")


def test_process_is_replaced_where_a_file_is_another_and_not_where_one_is_new(rig: Rig) -> None:
    rig.write(_PID)
    first = rig.text()
    rig.write(f"{_PID}# another file\n")
    assert rig.text() == first
    rig.rewrite(f"{_PID}# edited\n")

    assert rig.text() != first


def test_what_a_library_has_only_once_is_no_hindrance_to_an_edit(rig: Rig) -> None:
    once = "import sys\nif hasattr(sys, 'mine'): raise ValueError('twice')\nsys.mine = 1\n"
    rig.write(f"{once}@deco(hours=1)\ndef job(): return 1")
    before = rig.text()
    rig.rewrite(f"{once}@deco(hours=1)\ndef job(): return 2")

    assert (before, rig.text()) == ("1", "2")


@pytest.mark.parametrize(
    "edited",
    [pytest.param("def (", marks=pytest.mark.thorough), "@deco(hours=1)\ndef job():\n    return 'too new'"],
)
def test_an_edit_that_nobody_has_taken_up_is_not_seen(rig: Rig, edited: str) -> None:
    rig.write("@deco(hours=1)\ndef job():\n    return 'old'")
    rig.text()
    rig.edit(edited)
    before = rig.text()
    rig.processes.renew()

    assert (before, rig.text()) == ("old", "old")


def test_it_runs_while_the_folder_is_away(rig: Rig) -> None:
    rig.write("@deco(hours=1)\ndef job():\n    return 'here'")
    (rig.path / "plugins").rename(rig.path / "elsewhere")
    rig.processes.renew()
    said = rig.text()
    (rig.path / "elsewhere").rename(rig.path / "plugins")

    assert said == "here"


def test_what_one_process_has_imported_itself_every_other_sees_the_same(rig: Rig) -> None:
    rig.write("@deco(hours=1)\ndef job():\n    import _late\n    return _late.V")
    rig.edit("V = 1", "_late.py")
    before = rig.text()
    rig.edit("V = 2", "_late.py")
    rig.processes.renew()

    assert (before, rig.text()) == ("1", "1")
    assert rig.snapshots.drain_found() == {str(rig.path / "plugins" / "_late.py"): b"V = 1"}


def test_a_function_that_is_no_longer_there_is_told(rig: Rig) -> None:
    rig.write("@deco(hours=1)\ndef other():\n    return 1")

    assert rig.failure().message.startswith(f"{rig.file} has no function {rig.name}.job any more")


def test_a_file_that_became_faulty_is_told(rig: Rig) -> None:
    rig.write("import nothing_of_that_name\n@deco(hours=1)\ndef job():\n    return 1")

    assert rig.failure().kind == "ModuleNotFoundError"


def test_no_process_is_left_when_the_program_stops(fresh: Rig) -> None:
    fresh.write(_PID)
    first = int(fresh.text())
    fresh.processes.stop()

    assert not is_going_on(first)
    assert not is_going_on(int(fresh.text()))


# --- how it is ended


@contextmanager
def witnessed(rig: Rig, source: str) -> Iterator[list[int]]:
    """Return the process ids that a function writes into a file."""
    rig.write(source)
    pids: list[int] = []
    yield pids
    pids += [int(word) for word in (rig.path / "pids").read_text().split()]


_ORPHAN = "subprocess.run(['sh', '-c', 'sleep 0.01 &']); time.sleep(0.2)"

_FAMILY = """
    import os, subprocess, time
    from pathlib import Path

    @deco(hours=1)
    def job(ctx):
        a = subprocess.Popen(["sleep", "60"])
        b = subprocess.Popen(["sleep", "60"], start_new_session=True)
        Path("{path}/pids").write_text(f"{{os.getpid()}} {{a.pid}} {{b.pid}}")
        {end}
"""


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("ctx.run(['sleep', '60'])", id="in a program of its own"),
        pytest.param("time.sleep(60)", id="in Python", marks=pytest.mark.thorough),
        pytest.param(
            "import signal; signal.signal(15, signal.SIG_IGN); time.sleep(60)",
            id="though it ignores the polite signal",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_a_function_that_takes_too_long_is_killed_with_all_it_has_started(rig: Rig, end: str) -> None:
    with witnessed(rig, _FAMILY.format(path=rig.path, end=end)) as pids:
        _, result = rig.run(timeout=1, takes_context=True)

    assert result.failure is not None
    assert (result.failure.kind, result.failure.verdict) == ("TimeoutError", Verdict.TIMED_OUT)
    assert result.failure.message == "took longer than 1s (timeout)"
    assert survivors(pids) == []
    assert len(pids) == 3


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells whose children they are")
@pytest.mark.parametrize(
    "polite",
    [
        pytest.param("signal.SIG_DFL", id="told to end", marks=pytest.mark.thorough),
        pytest.param("signal.SIG_IGN", id="deaf"),
    ],
)
def test_what_hides_from_a_killed_run_is_killed_as_well(rig: Rig, polite: str) -> None:
    source = f"""
        import signal
        from pathlib import Path

        @deco(hours=1)
        def job(ctx):
            if {polite} == signal.SIG_IGN:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
            away = "setsid sleep 60 & echo $! > pids; env -i setsid sleep 60 & echo $! >> pids"
            ctx.run(["sh", "-c", away + "; sleep 60"])
    """
    with witnessed(rig, source) as pids:
        rig.run(timeout=1, takes_context=True)

    assert survivors(pids) == []
    assert len(pids) == 2


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells whose children they are")
@pytest.mark.parametrize("end", ["end_all", pytest.param("kill_all", marks=pytest.mark.thorough)])
def test_what_hides_is_killed_at_the_end_of_the_program_as_well(rig: Rig, end: str) -> None:
    source = f"""
        import signal, subprocess, time
        from pathlib import Path

        @deco(hours=1)
        def job():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            hidden = subprocess.Popen(["env", "-i", "setsid", "sleep", "60"])
            Path("{rig.path}/pids").write_text(str(hidden.pid))
            time.sleep(60)
    """
    with witnessed(rig, source) as pids:
        call = threading.Thread(target=rig.run)
        call.start()
        while not (rig.path / "pids").exists():
            call.join(0.02)
        getattr(rig.stage.services.children, end)()
        call.join()

    assert survivors(pids) == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux gives the dead to those who adopt them")
def test_a_process_with_dead_children_of_others_is_replaced(rig: Rig) -> None:
    rig.write(f"import subprocess, time\n{_PID}\n@deco(hours=1)\ndef orphan():\n    {_ORPHAN}")
    first = rig.text()
    rig.run("orphan")

    assert rig.text() != first


@pytest.mark.parametrize(
    "act", [pytest.param("os.closerange(3, 99)", marks=pytest.mark.thorough), "[os.write(fd, b'x') for fd in pipes()]"]
)
def test_a_function_that_meddles_with_the_pipe_is_told_so(rig: Rig, act: str) -> None:
    rig.write(
        f"""
        import os, stat, time

        def pipes():
            for fd in range(3, 20):
                try:
                    if stat.S_ISFIFO(os.fstat(fd).st_mode):
                        os.write(fd, b"")
                        yield fd
                except OSError:
                    pass

        @deco(hours=1)
        def job():
            {act}
        """
    )

    assert rig.failure().message == (
        "its process was killed: something in it closed the pipe to this program, or wrote into it"
    )


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("os._exit(3)", "its process ended with exit code 3 before the function did: something in it called os._exit"),
        (
            "os.kill(os.getpid(), 9)",
            "its process ended with signal 9 (SIGKILL): the system kills the greatest process when memory runs out",
        ),
    ],
)
def test_a_process_that_dies_is_the_failure_of_its_run_and_what_it_has_started_is_killed(
    rig: Rig, end: str, message: str
) -> None:
    with witnessed(rig, _FAMILY.format(path=rig.path, end=end)) as pids:
        _, result = rig.run(takes_context=True)

    assert result.failure is not None
    assert (result.failure.kind, result.failure.message) == ("ProcessEnded", message)
    assert result.failure.verdict is Verdict.ERROR
    assert survivors(pids) == []


def test_where_it_hung_is_told_and_the_next_run_has_a_process_of_its_own(rig: Rig) -> None:
    rig.write(f"import time\n{_PID}\n@deco(hours=1)\ndef hung():\n    deeper()\ndef deeper():\n    time.sleep(60)\n")
    first = rig.text()
    found = rig.failure("hung", timeout=0.2)

    assert found.place == f"{rig.file}:11"
    assert "in deeper\n    time.sleep(60)" in found.traceback
    assert rig.text() != first


def test_more_memory_than_the_limit_is_an_error_that_names_it(rig: Rig) -> None:
    rig.write(
        "@deco(hours=1)\ndef job():\n    return len(bytearray(900 << 20))\n@deco(hours=1)\ndef ok():\n    return 1"
    )
    found = rig.failure(memory=300 * MEGABYTE)

    assert (found.kind, found.message) == ("MemoryError", "needed more than 300MB (memory_limit)")
    assert rig.text("ok") == "1"


def test_a_run_has_a_limit_of_the_processor_and_the_end_at_it_is_an_error_that_names_it(rig: Rig) -> None:
    rig.write(
        """
        import os, resource, signal

        @deco(hours=1)
        def limited():
            used = resource.getrusage(resource.RUSAGE_SELF)
            left = resource.getrlimit(resource.RLIMIT_CPU)[0] - used.ru_utime - used.ru_stime
            return "a minute" if 50 < left <= 61 else f"{left} s"

        @deco(hours=1)
        def free():
            soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
            return "as before" if soft == hard else f"{soft} s"

        @deco(hours=1)
        def beyond():
            os.kill(os.getpid(), signal.SIGXCPU)
        """
    )

    assert rig.text("limited", cpu=60) == "a minute"
    assert rig.text("free") == "as before"
    assert rig.failure("beyond", cpu=60).message == "used more than 1m of the processor (cpu_limit)"


@pytest.mark.thorough
def test_more_time_of_the_processor_than_the_limit_is_an_error_that_names_it(rig: Rig) -> None:
    rig.write("@deco(hours=1)\ndef job():\n    while True:\n        pass")

    assert rig.failure(cpu=1).message == "used more than 1s of the processor (cpu_limit)"


def test_a_function_that_forks_and_comes_back_twice_is_reported_once(rig: Rig) -> None:
    rig.write(
        """
        import os

        @deco(hours=1)
        def job():
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                return "parent"
            return "child"
        """
    )

    assert [rig.text(), rig.text()] == ["parent", "parent"]


@pytest.mark.parametrize(
    "hello",
    [pytest.param("", id="nothing", marks=pytest.mark.thorough), pytest.param('{"path": "/half', id="half a document")],
)
def test_a_process_whose_program_was_killed_before_it_was_told_anything_ends_without_a_word(hello: str) -> None:
    words = [sys.executable, "-c", "from slack_alert.bootstrap.child_main import main; main()"]
    done = subprocess.run(words, input=hello, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


# --- what a function hands back


@pytest.mark.parametrize("is_async", [False, True])
def test_what_is_handed_back_is_what_it_is_elsewhere(rig: Rig, is_async: bool) -> None:
    """All of the table in one process, whose functions are those that the unit tests call in this one."""
    begin = "async def" if is_async else "def"
    names = [name for name in EXPECTED if not (is_async and name == "own_loop")]
    jobs = "".join(f"\n\n@deco(hours=1)\n{begin} job_{name}():\n    return job({name!r})\n" for name in names)
    rig.write(SOURCE + jobs)
    found: dict[str, list[str] | str] = {}
    for name in names:
        rig.stage.said.clear()
        _, result = rig.run(f"job_{name}", is_async=is_async)
        texts = [*rig.stage.texts, *(fallback(piece) for piece in result.pieces)]
        failure = result.failure
        told = texts if failure is None else f"{failure.kind}: {failure.message}"
        expected = EXPECTED[name]
        is_begun = isinstance(expected, str) and isinstance(told, str) and told.startswith(expected)
        # The file's name is that of the function here.
        plain = (
            [text.replace(f"job_{name}", "job").replace(f"plugins.{rig.name}.", "plugins.db.") for text in told]
            if isinstance(told, list)
            else told
        )
        found[name] = expected if is_begun else plain

    assert found == {name: EXPECTED[name] for name in names}


def test_what_is_awaited_too_long_says_where(rig: Rig) -> None:
    rig.write(
        """
        import asyncio

        async def fetch():
            await asyncio.sleep(60)

        @deco(hours=1)
        def job():
            return fetch()
        """
    )
    failed = rig.failure(timeout=0.5)

    assert (failed.verdict, failed.place) == (Verdict.TIMED_OUT, f"{rig.file}:5")


def test_what_was_typed_reaches_the_function_as_it_takes_it(rig: Rig) -> None:
    rig.write("""
    import datetime, enum
    class Env(enum.Enum):
        PROD = 1
    @deco(command="job")
    def job(ctx, env: Env, when: datetime.datetime, wait: datetime.timedelta, *rest: str):
        return f"{env} {when:%H:%M} {wait} {rest}"
    """)
    moment = datetime(2026, 12, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    values = {"env": "PROD", "when": moment, "wait": timedelta(minutes=5)}

    _, result = rig.run(takes_context=True, arguments=Arguments(values, ("a", "$(id)"), {"env": "Env"}))

    assert result.failure is None, result.failure
    assert [fallback(piece) for piece in result.pieces] == ["Env.PROD 09:00 0:05:00 ('a', '$(id)')"]
