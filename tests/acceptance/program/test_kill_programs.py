"""The program is killed while its functions have programs running: the next start ends what is left of them."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from slack_alert.core.model.request import AskLine, Request
from slack_alert.engine.system import process_tree
from slack_alert.stores import SqliteInbox, inbox_path
from tests.fakes.program import Program
from tests.fakes.project import now

COMMANDS = """
    import os

    @deco(command="deploy", queue=None)
    def deploy(ctx, script: str):
        ctx.run(["sh", "-c", script])

    @deco(command="serve", queue=None)
    def serve(ctx):
        ctx.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $! > daemon.new; mv daemon.new daemon"])
"""
#: What says when it is up; the last ignores SIGTERM, and the second has a session of its own.
SCRIPTS = {
    "plain": "echo $$ > new; mv new plain; sleep 60",
    "apart": "setsid sh -c 'echo $$ > new2; mv new2 apart; sleep 60'",
    "stubborn": "trap '' TERM; echo $$ > new3; mv new3 stubborn; while :; do sleep 1; done",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/environ").exists(), reason="only Linux tells what a process was started with"
    ),
]


def test_what_a_kill_left_running_is_ended_before_it_is_called_interrupted(tmp_path: Path) -> None:
    program = Program(tmp_path / "program", COMMANDS)
    try:
        program.start()
        for script in SCRIPTS.values():
            ask(program, f'deploy "{script}"')
        ask(program, "serve")
        files = [program.folder / name for name in (*SCRIPTS, "daemon")]
        program.wait_until(lambda: all(file.exists() for file in files), "all of them run")
        program.wait_until(partial(has_ended, program, "jobs.serve"), "the run with the daemon has ended")
        left, daemon = [int(file.read_text()) for file in files[:-1]], int(files[-1].read_text())
        program.kill()
        assert all(map(is_alive, [*left, daemon]))

        program.start()
        program.wait_until(lambda: len(interrupted(program)) == len(SCRIPTS), "they are called interrupted")

        assert not any(map(is_alive, left))
        assert is_alive(daemon)  # Its run had ended, and left it on purpose.
        assert "programs of interrupted runs ended" in program.errors
        assert program.stop() == 0
    finally:
        program.kill()
        for file in program.folder.glob("daemon"):
            os.kill(int(file.read_text()), 9)


def test_what_carries_a_sign_ends_with_its_descendants_and_nothing_else_does() -> None:
    def started(sign: str) -> subprocess.Popen[str]:
        code = "import subprocess, sys; print(subprocess.Popen(['env', '-i', 'sleep', '60']).pid, flush=True); input()"
        environ = process_tree.signed_environ(os.environ, sign)
        return subprocess.Popen(
            ["setsid", sys.executable, "-c", code],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with started("aa.1 x") as one, started("aa.11 y") as other:
        assert one.stdout is not None
        assert other.stdout is not None
        nameless, others = int(one.stdout.readline()), int(other.stdout.readline())

        # They are ours, and what is ours goes on: another process does it, as the next start would.
        code = "from slack_alert.engine.system.process_tree import end_signed; print(end_signed(['aa.1'], 5))"
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert int(ended.stdout) == 2
        assert not is_alive(nameless)
        assert is_alive(others)
        assert other.poll() is None
        process_tree.end_signed(["aa.11"], 0)
        assert other.poll() is None
        os.kill(others, 9)
        other.kill()


def ask(program: Program, line: str) -> None:
    """Ask as somebody at the terminal does."""
    SqliteInbox(inbox_path(program.database)).add(Request.of(AskLine(line, "ann", "1-gone"), now()))


def interrupted(program: Program) -> list[int]:
    return [line.record.run for line in program.history() if line.record.verdict is Verdict.INTERRUPTED]


def has_ended(program: Program, command: str) -> bool:
    return any(line.record.binding == command for line in program.history())


def is_alive(process: int) -> bool:
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] not in {"", "Z"}
