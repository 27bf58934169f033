"""What stands in standard error: with `log_format = json` one object a line, whoever writes it and however."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.program import running
from tests.fakes.project import Project

pytestmark = pytest.mark.slow

#: Each way of writing, and what is seen of it.
WAYS = {
    'print("a print")': "a print",
    'print("to the error stream", file=sys.stderr)': "to the error stream",
    'print("of two", "\\nlines")': "lines",
    'print("as it was", file=sys.__stderr__, flush=True)': "as it was",
    'sys.stdout.buffer.write("bytés\\n".encode())': "bytés",
    'os.write(2, b"a descriptor\\n")': "a descriptor",
    'os.write(1, b"the other descriptor\\n")': "the other descriptor",
    'os.write(2, b"\\xff no utf-8\\n")': "\ufffd no utf-8",
    'os.system("echo a shell")': "a shell",
    'subprocess.run([sys.executable, "-c", "import sys; sys.exit(\'a program\')"])': "a program",
    'subprocess.run(["echo", "its error stream"], stdout=sys.stderr)': "its error stream",
    'warnings.simplefilter("always"); warnings.warn("an old api", DeprecationWarning)': "an old api",
    'threading.Thread(target=lambda: {}["lost in a thread"]).start()': "exception in a thread",
    'logging.getLogger("a.library").warning("of a library")': "of a library",
    'logging.basicConfig(force=False); logging.warning("of nobody")': "of nobody",
    'logging.StreamHandler().emit(logging.makeLogRecord({"msg": "its own handler"}))': "its own handler",
    "traceback.print_stack()": "  File ",
    "faulthandler.dump_traceback(file=2)": "Current thread",
    'print(json.dumps({"ts": 1}))': '{"ts": 1}',
    "Dropped()": "exception ignored",
}

PLUGIN = """
import asyncio, faulthandler, json, logging, os, subprocess, sys, threading, traceback, warnings
print("while it loads")

class Dropped:
    def __del__(self):
        raise ValueError("dropped")

@deco(hours=1, at_start=True)
def noisy(ctx):
{ways}
    ctx.log.warning("its log")

@deco(hours=1, at_start=True, isolation="process")
def apart(ctx):
    print("a print, apart")
    os.system("echo a shell, apart")
    ctx.log.warning("its log, apart")

async def boom():
    raise KeyError("lost in a task")

@deco(hours=1, at_start=True)
async def task():
    asyncio.create_task(boom())
    await asyncio.sleep(0)

@deco(hours=1, at_start=True)
def fails():
    raise OSError("on purpose")

@deco(minuts=5)
def typo():
    return 1
"""


#: Of each job, what it writes last.
LAST = ('"event": "its log", ', '"event": "its log, apart", ', "run failed", "lost in a task", "lost in a thread")


def noisy() -> str:
    return PLUGIN.replace("{ways}", "\n".join(f"    {way}" for way in WAYS))


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    "scheduler",
    [
        "AsyncIOScheduler",
        pytest.param("GeventScheduler", marks=pytest.mark.thorough),
        pytest.param("BackgroundScheduler", marks=pytest.mark.thorough),
    ],
)
def test_every_line_is_json_whoever_writes_it(tmp_path: Path, scheduler: str) -> None:
    conf = f"log_format = json\ntimezone = Asia/Tokyo\nscheduler = {scheduler}\n"
    with running(tmp_path, noisy(), conf) as program:
        program.wait_until(lambda: all(word in program.errors for word in LAST), "all is said")
    lines = lines_of(program.errors)
    said = "\n".join(f"{line['event']}{line.get('traceback', '')}" for line in lines)

    assert [word for word in (*WAYS.values(), "while it loads", "its log", "lost in a task") if word not in said] == []
    assert {line["ts"][-6:] for line in lines} == {"+09:00"}
    (printed,) = [line for line in lines if line["event"] == "a print"]
    assert (printed["job"], printed["logger"]) == ("jobs.noisy", "stderr")
    assert isinstance(printed["run"], int)
    (apart,) = [line for line in lines if line["event"] == "a print, apart"]
    assert apart["job"] == "jobs.apart"
    (fault,) = [
        line for line in lines if "minuts" in line["event"] and line["logger"] != "slack_alert.engine.runs.run_messages"
    ]
    assert (fault["file"], fault["code"], fault["level"]) == ("plugins/jobs.py", "SA202", "error")
    (failed,) = [line for line in lines if line["event"] == "run failed"]
    assert (failed["job"], failed["error"], failed["level"]) == ("jobs.fails", "OSError: on purpose", "error")
    assert isinstance(failed["run"], int)
    assert "jobs.py" in failed["traceback"]


@pytest.mark.parametrize(
    ("words", "event"),
    [
        (["trigger", "nobody"], "There is no job 'nobody'."),
        (["trigger", "jobs.fails"], "run failed"),
        (["check", "--load"], "while it loads"),
        (["pause", "jobs.fails", "--for", "1m"], "slack-alert is not running: this holds when it starts."),
        (["simulate"], "a marker knows no keyword `minuts`"),
        (["trigger", "jobs.fails", "--post"], "no channel to send to"),
    ],
)
def test_every_command_writes_so(project: Project, words: list[str], event: str) -> None:
    project.write("plugins/jobs.py", noisy())
    project.write("slack_alert.conf", "[slack]\nlog_format = json\ntoken = xoxb-1\n")
    ended = project.run(*words)

    assert event in "\n".join(line["event"] for line in lines_of(ended.err))


def test_text_is_left_as_it_is(tmp_path: Path) -> None:
    with running(tmp_path, noisy(), "timezone = Asia/Tokyo\n") as program:
        program.wait_until(lambda: "run failed" in program.errors and "apart" in program.errors, "all is said")

    assert "\njobs.noisy | a print\n" in program.errors
    (failed,) = [line for line in program.errors.splitlines() if "run failed" in line]
    assert re.search(r'^..:..:.. error run failed  job=jobs.fails run=\d+ error="OSError: on purpose" place=', failed)
