"""As process 1 of a container: orphans of any origin are reaped, and each command can be asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Makes the process it starts number 1 of a namespace of its own, with the numbers of that in /proc.
_AS_ROOT = ["unshare", "--pid", "--fork", "--mount-proc"]
_AS_ANYBODY = ["unshare", "--user", "--map-root-user", *_AS_ROOT[1:]]


def _works(words: list[str]) -> bool:
    try:
        return subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


UNSHARE = next(filter(_works, [_AS_ROOT, _AS_ANYBODY]), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.thorough,
    pytest.mark.skipif(UNSHARE is None, reason="this user cannot make a namespace of processes"),
]

PLUGIN = """
    import os, subprocess, time
    from pathlib import Path

    def zombies():
        stats = [Path(f"/proc/{pid}/stat") for pid in os.listdir("/proc") if pid.isdigit()]
        lines = [stat.read_text().rpartition(")")[2].split() for stat in stats if stat.exists()]
        return [line for line in lines if line[:2] == ["Z", "1"]]

    def gone():
        until = time.monotonic() + 10
        while zombies() and time.monotonic() < until:
            time.sleep(0.02)
        return f"{len(zombies())} left"

    @deco(hours=1)
    def program():
        done = subprocess.run(["sh", "-c", "for i in 1 2 3; do sleep 0.05 & done; exit 3"])
        time.sleep(0.2)
        return f"code {done.returncode}, {gone()}"

    @deco(hours=1)
    def helped(ctx):
        ctx.run(["sh", "-c", "(setsid sleep 0.05 >/dev/null 2>&1 &) ; exit 0"])
        time.sleep(0.2)
        return gone()

    @deco(hours=1)
    def forked():
        if not os.fork():
            if not os.fork():
                time.sleep(0.05)
            os._exit(0)
        os.wait()
        time.sleep(0.2)
        return gone()

    @deco(hours=1)
    def waits():
        Path("begun").touch()
        time.sleep(60)
"""


class Started:
    """A command that is process 1 in a namespace of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        plugin = folder / "plugins" / "one.py"
        plugin.parent.mkdir(exist_ok=True)
        plugin.write_text("\n".join(line[4:] for line in PLUGIN.splitlines()), encoding="utf-8")
        assert UNSHARE is not None
        self.folder = folder
        self.process = subprocess.Popen(
            [*UNSHARE, sys.executable, "-m", "slack_alert", *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ended(self) -> tuple[int, str]:
        said, _ = self.process.communicate(timeout=20)
        return self.process.returncode, said

    def send(self, number: signal.Signals) -> None:
        """Send a signal to process 1, as whoever runs the container does."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        os.kill(int(children.split()[0]), number)

    def wait_for(self, name: str) -> None:
        until = time.monotonic() + 15
        while not (self.folder / name).exists():
            assert time.monotonic() < until, f"there is no {name}"
            time.sleep(0.02)


@contextmanager
def started(folder: Path, *words: str) -> Iterator[Started]:
    command = Started(folder, *words)
    try:
        yield command
    finally:
        with command.process:
            if command.process.poll() is None:
                command.send(signal.SIGKILL)


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("program", "code 3, 0 left"),
        pytest.param("helped", "0 left", marks=pytest.mark.thorough),
        ("forked", "0 left"),
    ],
)
def test_orphans_are_reaped_and_nobody_s_exit_code_is_taken(job: str, said: str, tmp_path: Path) -> None:
    with started(tmp_path, "trigger", job) as command:
        assert command.ended() == (0, f"{said}\n")


def test_what_a_command_under_exec_leaves_behind_is_reaped(tmp_path: Path) -> None:
    count = "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z 1 '"
    script = f"(sleep 0.05 &) ; (sleep 0.05 &) ; sleep 0.3; {count}; exit 3"

    with started(tmp_path, "exec", "nightly", "--", "sh", "-c", script) as command:
        code, said = command.ended()

    assert (code, said.splitlines()[0]) == (3, "0")


@pytest.mark.parametrize(
    ("words", "number", "code"),
    [
        (("run",), signal.SIGTERM, 0),
        pytest.param(("run",), signal.SIGINT, 0, marks=pytest.mark.thorough),
        pytest.param(("trigger", "waits"), signal.SIGTERM, 143, marks=pytest.mark.thorough),
        (("trigger", "waits"), signal.SIGINT, 130),
        (("exec", "nightly", "--", "sh", "-c", "touch begun; sleep 60"), signal.SIGTERM, 143),
    ],
    ids=str,
)
def test_each_command_ends_when_it_is_asked_to(
    words: tuple[str, ...], number: signal.Signals, code: int, tmp_path: Path
) -> None:
    with started(tmp_path, *words) as command:
        if words == ("run",):
            assert command.process.stdout is not None
            assert any("Ctrl+C ends." in line for line in command.process.stdout)
        else:
            command.wait_for("begun")
        command.send(number)

        assert command.ended()[0] == code
