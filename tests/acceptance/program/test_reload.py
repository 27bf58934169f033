"""Plugin files edited while the real program runs: what takes effect, what is told, and that no slot is lost."""

from __future__ import annotations

import shutil
import signal
import time
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from slack_alert.core.model.record import Verdict
from tests.fakes.program import Program, running

SCHEDULERS = [
    "AsyncIOScheduler",
    *(
        pytest.param(other, marks=pytest.mark.thorough)
        for other in ("BackgroundScheduler", "GeventScheduler", "TornadoScheduler")
    ),
]
INTERVAL = timedelta(seconds=0.2)

JOBS = """
    from common import word

    KEPT = []

    @deco(seconds=0.2)
    def quick():
        KEPT.append(1)

    @deco(seconds=0.4, max_alert=0)
    def says():
        return f"{word} says one"
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "common.py").write_text("word = 'she'\n", encoding="utf-8")
    return tmp_path


def says(program: Program, text: str) -> None:
    """Wait until something is said that was not said before."""
    before = program.out.count(text)
    program.wait_until(lambda: program.out.count(text) > before, text)


def slots(program: Program, job: str) -> list[datetime]:
    """Return every slot that history accounts for, in order."""
    found: list[datetime] = []
    for line in program.history(job):
        record = line.record
        found += [record.slot + number * INTERVAL for number in range(record.count)]
    return sorted(found)


def assert_no_slot_is_lost(program: Program) -> None:
    found = slots(program, "quick")
    expected = [found[0] + number * INTERVAL for number in range(len(found))]
    assert expected == found
    assert [line.record.error for line in program.history("quick") if line.record.error] == []
    assert program.verdicts("quick") <= {Verdict.QUIET, Verdict.MISSED, Verdict.OVERLAPPED}


def test_edited_function_edited_import_and_swapped_link_take_effect_and_a_neighbour_goes_on(tmp_path: Path) -> None:
    # As configuration is mounted; under gevent's patch, where what watches the files is a greenlet.
    for version in ("one", "two"):
        (tmp_path / version / "plugins").mkdir(parents=True)
        (tmp_path / version / "plugins" / "common.py").write_text("word = 'she'\n", encoding="utf-8")
    (tmp_path / "..data").symlink_to("one")
    (tmp_path / "plugins").symlink_to("..data/plugins")
    with running(tmp_path, JOBS, "scheduler = GeventScheduler") as program:
        says(program, "she says one")
        program.write(JOBS.replace("says one", "says two"))
        says(program, "she says two")
        assert "reloaded" in program.errors
        assert "replaced=jobs.says kept=1" in program.errors

        (tmp_path / "plugins" / "common.py").write_text("word = 'he'\n", encoding="utf-8")
        says(program, "he says two")

        (tmp_path / "two" / "plugins" / "jobs.py").write_text(dedent(JOBS.replace("one", "three")), encoding="utf-8")
        (tmp_path / "..new").symlink_to("two")
        (tmp_path / "..new").replace(tmp_path / "..data")
        says(program, "she says three")

        assert program.stop() == 0
        assert_no_slot_is_lost(program)


def test_turned_link_that_path_names_takes_effect_and_no_slot_is_lost(tmp_path: Path) -> None:
    """As deployments turn `current` to the next release, and take the former one away later."""
    for number, word in (("1", "one"), ("2", "two")):
        (tmp_path / "releases" / number / "plugins").mkdir(parents=True)
        (tmp_path / "releases" / number / "plugins" / "common.py").write_text("word = 'she'\n", encoding="utf-8")
        jobs = dedent(JOBS.replace("one", word))
        (tmp_path / "releases" / number / "plugins" / "jobs.py").write_text(jobs, encoding="utf-8")
    (tmp_path / "current").symlink_to("releases/1")
    program = Program(tmp_path, "", f"database = sqlite:///{tmp_path}/.slack_alert/state.db")
    program.start("--path", str(tmp_path / "current"))
    try:
        says(program, "she says one")
        (tmp_path / "next").symlink_to("releases/2")
        (tmp_path / "next").replace(tmp_path / "current")
        says(program, "she says two")
        shutil.rmtree(tmp_path / "releases" / "1")
        program.send(signal.SIGHUP)
        says(program, "she says two")

        assert "problem in edited" not in program.out
        assert program.stop() == 0
        assert_no_slot_is_lost(program)
    finally:
        program.kill()


def test_new_file_begins_and_deleted_file_ends_and_a_broken_one_runs_as_before_until_it_is_mended(folder: Path) -> None:
    with running(folder, JOBS) as program:
        new = folder / "plugins" / "new.py"
        new.write_text("@deco(seconds=0.3, max_alert=0)\ndef f():\n    return 'I am new'\n", encoding="utf-8")
        says(program, "I am new")
        new.unlink()
        program.wait_until(lambda: "removed=new.f" in program.errors, "its end is in the log")
        said = program.out.count("I am new")

        program.write(JOBS + "\ndef broken(:\n")
        says(program, "SA101")
        says(program, "she says one")
        program.write(JOBS + "\ndef broken(:  # still\n")
        says(program, "she says one")
        program.write(JOBS.replace("says one", "says three"))
        says(program, "she says three")

        assert program.stop() == 0
        assert program.out.count("I am new") <= said + 1
        assert program.out.count("SA101") == 1
        assert_no_slot_is_lost(program)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no such signal")
def test_signal_alone_reloads_where_that_is_wanted(folder: Path) -> None:
    with running(folder, JOBS, "reload = signal") as program:
        says(program, "she says one")
        program.write(JOBS.replace("says one", "says two"))
        says(program, "she says one")
        says(program, "she says one")
        assert "she says two" not in program.out
        program.send(signal.SIGHUP)

        says(program, "she says two")


APART = """
    @deco(seconds=0.4, max_alert=0, isolation="process")
    def apart():
        return f"{word} says one apart"
"""


@pytest.mark.thorough
def test_nothing_is_reloaded_where_it_is_off_nor_in_a_process_of_its_own(folder: Path) -> None:
    with running(folder, JOBS + APART, "reload = off") as program:
        says(program, "she says one apart")
        program.write((JOBS + APART).replace("says one", "says two") + "\n    def (")
        for _ in range(4):
            says(program, "she says one\n")
            says(program, "she says one apart")

        assert program.stop() == 0
        assert "she says two" not in program.out
        assert "SyntaxError" not in program.out


@pytest.mark.thorough
@pytest.mark.timeout(120)
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_two_hundred_edits_lose_no_slot(folder: Path, scheduler: str) -> None:
    with running(folder, JOBS, f"scheduler = {scheduler}") as program:
        says(program, "she says one")
        for number in range(200):
            edit(folder / "plugins" / "jobs.py", JOBS.replace("one", f"edit {number}"), number)
            # Now and then it is left alone for long enough to be taken up.
            time.sleep(0.7 if number % 40 == 20 else 0.01)
        says(program, "she says edit 199")

        assert program.stop() == 0
        assert program.errors.count("reloaded") > 3
        assert program.out.count("SA1") == 0
        assert "cannot be watched" not in program.errors
        assert "Traceback" not in program.errors
        assert_no_slot_is_lost(program)


def edit(path: Path, text: str, number: int) -> None:
    """Write a file as editors do: in place, half of it first, in its place at once, or away and back."""
    text = "".join(line.removeprefix("    ") for line in text.splitlines(keepends=True)).lstrip("\n")
    if number % 4 == 0:
        half = text[: len(text) * number // 200]
        path.write_text(half, encoding="utf-8")
        time.sleep(0.01)
    if number % 4 == 1:
        beside = path.with_suffix(".tmp")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    elif number % 4 == 2:
        path.rename(path.with_suffix(".py~"))
        time.sleep(0.01)
        path.write_text(text, encoding="utf-8")
    else:
        path.write_text(text, encoding="utf-8")


BOUND = """
    import atexit
    import sqlite3
    import threading
    from pathlib import Path

    HERE = Path(__file__).parents[1]
    DATA = sqlite3.connect(":memory:")
    LOCK = threading.Lock()  # two threads that step through the same statement take each other's rows
    LOCAL = threading.local()
    LOCAL.word = "one"

    @atexit.register
    def end():
        (HERE / "ended.txt").open("a").write(LOCAL.word)

    def word():
        with LOCK:
            return DATA.execute("select ?", (LOCAL.word,)).fetchone()[0]

    @deco(seconds=0.2, max_alert=0)
    def plain():
        return f"plain {word()}"

    @deco(seconds=0.2, max_alert=0)
    async def awaited():
        return f"awaited {word()}"

    @deco(seconds=0.2)
    def long():
        if LOCAL.word == "one":
            while not (HERE / "go").exists():
                (HERE / "begun").touch()
"""


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_the_top_level_made_works_alike_after_a_start_an_edit_and_by_hand_and_ends_with_its_last_run(
    folder: Path, scheduler: str
) -> None:
    ended = folder / "ended.txt"
    spinning = BOUND.replace('(HERE / "begun").touch()', "(HERE / \"begun\").touch(); __import__('time').sleep(0.02)")
    with running(folder, spinning, f"scheduler = {scheduler}") as program:
        says(program, "plain one")
        says(program, "awaited one")
        program.wait_until((folder / "begun").exists, "the long one runs")
        program.write(spinning.replace('= "one"', '= "two"'))
        says(program, "plain two")
        says(program, "awaited two")
        # The former version is still at work.
        assert not ended.exists()
        (folder / "go").touch()
        program.wait_until(lambda: ended.exists() and ended.read_text() == "one", "its end")
        assert program.stop() == 0
        assert ended.read_text() == "onetwo"
        failed = [line.record for line in program.history() if line.record.error]
        assert [(each.binding, each.verdict, each.error) for each in failed] == [], program.errors
        program.start()
        says(program, "plain two")
        says(program, "awaited two")
        assert program.stop() == 0
