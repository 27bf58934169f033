"""The program is killed while thousands of events wait for a slow rule: none is forgotten."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from slack_alert.core.model.record import Verdict
from slack_alert.core.model.request import Emit, Request
from slack_alert.stores import SqliteInbox, SqliteReader, inbox_path
from tests.fakes.program import Program
from tests.fakes.project import now

JOBS = """
    import os, time

    HERE = os.path.dirname(os.path.abspath(__file__))

    @deco(on="order.*")
    def slow(ctx):
        time.sleep(0.002)
        file = os.open(f"{HERE}/../answered", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, f"{ctx.event['n']}\\n".encode())
        os.close(file)
"""
MANY = 3000

pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.timeout(300)]


def test_no_event_that_was_emitted_is_forgotten(tmp_path: Path) -> None:
    chance, program = random.Random(3000), Program(tmp_path / "program", JOBS)
    try:
        program.start()
        for number in range(5):
            emit(program, number)
        inbox = SqliteInbox(inbox_path(program.database))
        for first in range(5, MANY, 599):
            numbers = range(first, min(MANY, first + 599))
            inbox.add(*(Request.of(Emit("order.new", {"n": number}), now()) for number in numbers))
        for _ in range(4):
            goal = len(answered(program)) + chance.randrange(50, 400)
            program.wait_until(partial(has, program, goal), "it answers", step=0.01)
            program.kill()
            assert program.integrity == "ok"
            program.start(is_awaited=False)
        program.wait_until(partial(is_done, program), "it has answered all", 200)
        assert program.stop() == 0
    finally:
        program.kill()

    counts = answered(program)
    ended = Counter(line.record.run for line in program.history("slow") if line.record.verdict is Verdict.QUIET)
    assert sorted(counts) == list(range(MANY))
    # A kill in the middle of an answer, or just before it was written that it had ended, makes it twice.
    assert sum(counts.values()) <= MANY + 4
    assert (len(ended), set(ended.values())) == (MANY, {1})
    assert "Traceback" not in program.errors


def emit(program: Program, number: int) -> None:
    """Emit an event as a person does."""
    command = [sys.executable, "-m", "slack_alert", "emit", "order.new", f"n={number}", "--path", str(program.folder)]
    root = Path(__file__).parents[3]
    settings = ["-c", str(program.folder / "slack_alert.conf")]
    subprocess.run([*command, *settings], check=True, cwd=root, env={**os.environ, "HOME": str(program.folder)})


def answered(program: Program) -> Counter[int]:
    """Return how often each event was answered; a kill may leave half a line."""
    file = program.folder / "answered"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    return Counter(int(line) for line in lines if line.endswith("\n"))


def has(program: Program, goal: int) -> bool:
    return len(answered(program)) >= goal


def is_done(program: Program) -> bool:
    if len(answered(program)) < MANY:
        return False
    reader = SqliteReader(program.database)
    try:
        return not reader.snapshot().events
    finally:
        reader.close()
