"""The program is killed while functions set values: the next start never gives an older one than was set."""

from __future__ import annotations

import json
import random
import time
from functools import partial
from pathlib import Path

import pytest

from tests.fakes.program import Program

JOBS = """
    import os

    HERE = os.path.dirname(os.path.abspath(__file__))

    def note(job, **said):
        import json
        file = os.open(f"{HERE}/../{job}.truth", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(file, (json.dumps(said) + "\\n").encode())
        os.close(file)

    def step(ctx, job):
        for _ in range(3):
            got = ctx.store.get(job, 0)
            note(job, got=got)
            ctx.store.set(job, got + 1)
            note(job, set=got + 1)

    @deco(seconds=0.1)
    def plain(ctx):
        step(ctx, "plain")

    @deco(seconds=0.1)
    async def awaited(ctx):
        step(ctx, "awaited")

    @deco(seconds=0.1, isolation="process")
    def isolated(ctx):
        step(ctx, "isolated")
"""
NAMES = ("plain", "awaited", "isolated")
SCHEDULERS = [
    "AsyncIOScheduler",
    pytest.param("GeventScheduler", marks=pytest.mark.thorough),
    pytest.param("BackgroundScheduler", marks=pytest.mark.thorough),
    pytest.param("TornadoScheduler", marks=pytest.mark.thorough),
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90), pytest.mark.thorough]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_value_that_was_set_is_there_after_a_kill(tmp_path: Path, scheduler: str) -> None:
    chance = random.Random(scheduler)
    program = Program(tmp_path / "program", JOBS)
    try:
        for _ in range(3):
            before = [len(noted(program, name)) for name in NAMES]
            program.start("--scheduler", scheduler, is_awaited=False)
            program.wait_until(partial(has_more, program, before), "all of them set values", step=0.01)
            time.sleep(chance.uniform(0, 0.05))  # The moment of the kill is what is tried here.
            program.kill()
            assert program.integrity == "ok"
    finally:
        program.kill()

    for name in NAMES:
        older = [
            (set_to, got["got"])
            for said, got in zip(noted(program, name), noted(program, name)[1:], strict=False)
            if "got" in got and got["got"] < (set_to := said.get("set", 0))
        ]
        assert older == [], name
    assert "Traceback" not in program.errors


def noted(program: Program, name: str) -> list[dict[str, int]]:
    """Return what a function got and set, in all lives; a kill may leave half a line."""
    file = program.folder / f"{name}.truth"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def has_more(program: Program, before: list[int]) -> bool:
    return all(len(noted(program, name)) > count for name, count in zip(NAMES, before, strict=True))
