"""The programs that functions start, of jobs, and of commands whose output somebody follows."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slack_alert.core.model.address import Address
from slack_alert.core.model.run import Run
from slack_alert.engine.context.context import Context
from slack_alert.engine.context.streamed_program import StreamedProgram
from tests.fakes.stage import Stage, run_of

ASKED: dict[str, Address | None] = {}


@pytest.fixture(params=[None, Address("slack", "C1")], ids=["job", "command"], autouse=True)
def _asked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ASKED, "from", request.param)


def a_run() -> Run:
    return run_of(print, reply_to=ASKED["from"])


def context(path: Path = Path()) -> Context:
    return Stage(path).context(a_run())


def python(*lines: str) -> list[str]:
    return [sys.executable, "-I", "-c", "\n".join(lines)]


def test_run_gives_what_was_printed_on_both_streams() -> None:
    lines = ("import sys", "print('ü', flush=True)", "print('wrong', file=sys.stderr)")

    assert context().run(python(*lines), env={"PYTHONIOENCODING": "utf-8"}).splitlines()[-1] == "wrong"


def test_run_works_in_the_folder_of_the_project(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    ctx = context(tmp_path)
    where = python("import os", "print(os.getcwd())")

    assert Path(ctx.run(where).strip()) == tmp_path.resolve()
    assert Path(ctx.run(where, cwd=other).strip()) == other.resolve()


def test_run_reads_what_it_is_given_and_nothing_else() -> None:
    ctx = context()
    echo = python("import sys", "print(sys.stdin.read().upper())")

    assert ctx.run(echo, stdin="abc").strip() == "ABC"
    assert ctx.run(echo).strip() == ""


def test_run_that_fails_raises_with_the_output_unless_told_otherwise() -> None:
    ctx = context()
    fails = python("print('why')", "raise SystemExit(3)")

    with pytest.raises(subprocess.CalledProcessError) as raised:
        ctx.run(fails)
    assert (raised.value.returncode, raised.value.output.strip()) == (3, "why")
    assert ctx.run(fails, check=False).strip() == "why"


@pytest.mark.parametrize("timeout", [0.05, "0.05s", timedelta(seconds=0.05)])
@pytest.mark.slow
def test_run_ends_with_its_time(timeout: float | str | timedelta) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        context().run(python("import time", "time.sleep(60)"), timeout=timeout)


def test_run_does_not_see_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_BOT_TOKEN", "SLACK_ALERT_TOKEN", "SLACK_ALERT_DATABASE"):
        monkeypatch.setenv(name, "xoxb-secret")
    monkeypatch.setenv("REGION", "eu")
    shown = context().run(python("import os", "print(dict(os.environ))"), env={"MORE": "1"})

    assert "xoxb-secret" not in shown
    assert "'REGION': 'eu'" in shown
    assert "'MORE': '1'" in shown


def test_run_takes_words_and_no_command_line() -> None:
    with pytest.raises(TypeError, match="argv must be a list of words"):
        context().run("df -h")


def test_run_writes_its_words_as_text(tmp_path: Path) -> None:
    shown = python("import sys", "print(sys.argv[1:])")

    assert context().run([*shown, tmp_path, 3]).strip() == str([str(tmp_path), "3"])  # type: ignore[list-item]


class Going:
    """A run on a thread of its own that has started a program."""

    def __init__(self, folder: Path, argv: list[str], **options: Any) -> None:
        self.stage = Stage(folder)
        self.run = a_run()
        self.context = self.stage.context(self.run)
        self.error: Exception | None = None
        self._flag = folder / "up"
        self._argv, self._options = argv, options
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()
        # Beside many others, the program may be up before the thread that has started it goes on.
        while self._thread.is_alive() and not (self._flag.exists() and self.stage.services.children._running):
            time.sleep(0.01)
        assert self._flag.exists(), self.error

    def _go(self) -> None:
        try:
            self.context.run(self._argv, **self._options)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def join(self) -> Exception | None:
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.error

    @property
    def child(self) -> int:
        return int(self._flag.read_text())


def flagging(*more: str) -> list[str]:
    """Write the id of the innermost process to `up` once all processes run."""
    return python(
        "import os, signal, subprocess, sys, time",
        "from pathlib import Path",
        *more,
        "Path('new').write_text(str(os.getpid()))",
        "Path('new').rename('up')",
        "time.sleep(60)",
    )


FORKED = ("if os.fork():", "    os.wait()", "    sys.exit(3)")
STUBBORN = ("signal.signal(signal.SIGTERM, signal.SIG_IGN)",)


def is_alive(process: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] not in {"", "Z"}


def is_gone(process: int) -> bool:
    """Return whether a process ends within a moment, as signals take time."""
    for _ in range(500):
        if not is_alive(process):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.slow
@pytest.mark.parametrize("kind", [(), FORKED, STUBBORN, (*STUBBORN, *FORKED)])
@pytest.mark.parametrize("ends", ["all", "its own"])
def test_programs_end_when_their_run_is_given_up(tmp_path: Path, kind: tuple[str, ...], ends: str) -> None:
    going = Going(tmp_path, flagging(*kind))

    going.run.progress.is_canceled = True
    if ends == "all":
        going.stage.services.children.end_all()
    else:
        going.stage.services.children.terminate(going.run.id)

    assert isinstance(going.join(), subprocess.CalledProcessError)
    assert is_gone(going.child)


@pytest.mark.slow
def test_programs_are_killed_at_once_where_the_program_itself_is(tmp_path: Path) -> None:
    going = Going(tmp_path, flagging(*STUBBORN))

    going.stage.services.children.kill_all()

    assert isinstance(going.join(), subprocess.CalledProcessError)
    assert is_gone(going.child)


@pytest.mark.slow
def test_program_of_another_run_goes_on(tmp_path: Path) -> None:
    going = Going(tmp_path, flagging())
    going.stage.services.children.terminate(going.run.id + 1)

    assert is_alive(going.child)
    going.stage.services.children.terminate(going.run.id)
    going.join()


@pytest.mark.slow
@pytest.mark.parametrize("kind", [FORKED, (*STUBBORN, *FORKED)])
def test_timeout_ends_what_the_program_started_as_well(tmp_path: Path, kind: tuple[str, ...]) -> None:
    going = Going(tmp_path, flagging(*kind), timeout=0.5)

    assert isinstance(going.join(), subprocess.TimeoutExpired)
    assert is_gone(going.child)


#: What has a session of its own: with its parent there; with nothing in its environment; with its parent gone.
HIDDEN = {
    "apart": "setsid sleep 60 & echo $! > new; mv new up; wait",
    "nameless": "env -i setsid sleep 60 & echo $! > new; mv new up; wait",
    "orphaned": "setsid sh -c 'sleep 60 & echo $! > new; mv new up'; sleep 60",
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells whose children they are")
@pytest.mark.parametrize("script", HIDDEN.values(), ids=list(HIDDEN))
@pytest.mark.parametrize("ends", ["timeout", "given up"])
def test_what_has_moved_into_a_session_of_its_own_ends_as_well(tmp_path: Path, script: str, ends: str) -> None:
    going = Going(tmp_path, ["sh", "-c", script], timeout=0.3 if ends == "timeout" else None)
    if ends == "given up":
        going.run.progress.is_canceled = True
        going.stage.services.children.terminate(going.run.id)

    assert going.join() is not None
    assert is_gone(going.child)


@pytest.mark.slow
def test_exception_while_waiting_ends_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        monkeypatch.undo()
        while not (tmp_path / "up").exists():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupt)
    monkeypatch.setattr(StreamedProgram, "communicate", interrupt)
    ctx = context(tmp_path)

    with pytest.raises(KeyboardInterrupt):
        ctx.run(flagging())
    assert not is_alive(int((tmp_path / "up").read_text()))


def test_program_has_a_session_of_its_own_that_no_ctrl_c_reaches() -> None:
    shown = context().run(python("import os", "print(os.getsid(0) == os.getpid() == os.getpgrp())"))

    assert shown.strip() == "True"


def test_run_that_was_given_up_starts_nothing_further() -> None:
    stage = Stage()
    run = a_run()
    run.progress.is_canceled = True

    with pytest.raises(RuntimeError, match=r"run 1 of db\.job was given up"):
        stage.context(run).run(python("print(1)"))


def test_line_ends_and_half_characters_are_as_without_somebody_who_follows() -> None:
    lines = ("import os", r"os.write(1, b'a\r\nb\rc\n\xc3')", r"os.write(1, b'\xbc\xff')")

    assert context().run(python(*lines)) == "a\nb\nc\nü\ufffd"
