"""What the programs of a command print is there as it comes."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from slack_alert.core.model.address import Address
from slack_alert.core.model.run import LOOKED_AT, Run, output_of
from slack_alert.executors.calling.output import keep
from tests.fakes.stage import Stage, run_of


def python(*lines: str) -> list[str]:
    return [sys.executable, "-I", "-c", "\n".join(lines)]


def following(tmp_path: Path, *lines: str, **options: Any) -> tuple[Run, threading.Thread, list[object]]:
    """Start a program of a command on a thread of its own; its result, or what it raised, comes into the list."""
    run, ended = run_of(print, reply_to=Address("slack", "C1")), list[object]()
    ctx = Stage(tmp_path).context(run)

    def go() -> None:
        try:
            ended.append(ctx.run(python(*lines), **options))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            ended.append(error)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    return run, thread, ended


def recent(run: Run) -> str:
    output = run.progress.output
    return output.recent.text() if output is not None and output.recent is not None else ""


@pytest.mark.slow
def test_output_is_passed_on_before_the_end(tmp_path: Path) -> None:
    waiting = ("import pathlib, time", "while not pathlib.Path('go').exists():", "    time.sleep(0.01)")
    run, thread, ended = following(tmp_path, "print('pulling', flush=True)", *waiting, "print('done')")
    while recent(run) != "pulling\n":
        assert thread.is_alive()
        time.sleep(0.01)
    assert ended == []
    (tmp_path / "go").touch()
    thread.join(20)

    assert ended == ["pulling\ndone\n"]
    assert recent(run) == "pulling\ndone\n"
    assert run.printed is None


def test_what_a_function_prints_and_what_its_programs_print_stands_in_order() -> None:
    run = run_of(print, reply_to=Address("slack", "C1"))
    keep(output_of(run), "before\n")
    Stage().context(run).run(python("print('program')"))
    keep(output_of(run), "after\n")

    assert recent(run) == "before\nprogram\nafter\n"
    assert run.printed == "before\nafter\n"


def test_of_a_large_output_the_last_is_kept_apart_and_all_is_returned() -> None:
    run = run_of(print, reply_to=Address("slack", "C1"))
    shown = Stage().context(run).run(python("import sys", "sys.stdout.write('x' * 3_000_000 + 'end')"))

    assert (len(shown), shown[-3:]) == (3_000_003, "end")
    assert recent(run) == "x" * (LOOKED_AT - 3) + "end"


def test_input_and_output_larger_than_a_pipe_do_not_wait_for_each_other() -> None:
    run = run_of(print, reply_to=Address("slack", "C1"))
    text = "ü" * 400_000
    echo = python("import sys", "b = sys.stdin.buffer", "o = sys.stdout.buffer", "while c := b.read(1000): o.write(c)")

    assert Stage().context(run).run(echo, stdin=text) == text


def test_a_program_that_does_not_read_its_input_ends_all_the_same() -> None:
    run = run_of(print, reply_to=Address("slack", "C1"))

    assert Stage().context(run).run(python("print('done')"), stdin="x" * 1_000_000) == "done\n"
