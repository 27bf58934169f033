"""`ctx.store` is one store, whoever reads and writes it: a running program, `trigger` beside it, or `trigger` alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from slack_alert.engine.batches import Batch, StoredValue, keep_request
from slack_alert.engine.durable_values import number_entry
from slack_alert.stores import FileJournal, SqliteInbox, SqliteStore, inbox_path, journal_path
from tests.fakes.program import running
from tests.fakes.project import Project, now

pytestmark = [pytest.mark.slow, pytest.mark.thorough]

PLUGIN = """
    @deco(minutes=5)
    def count(ctx):
        ctx.store.set("count", ctx.store.get("count", 0) + 1)
        return f"{ctx.store.get('count')} {ctx.store.keys()}"


    @deco(minutes=5)
    def forget(ctx):
        ctx.store.delete("count")
        return f"{ctx.store.get('count')} {ctx.store.keys()}"


    @deco(minutes=5, emits="seen")
    def notice(ctx):
        ctx.store.set("count", ctx.store.get("count", 0) + 1)
        return ctx.store.get("count")


    @deco(minutes=5)
    def watch(ctx):
        before = ctx.store.get("lag")
        with open("asked", "w") as asked:
            asked.write("now")
        for _ in range(10_000):
            if (lag := ctx.store.get("lag")) != before:
                break
        return f"{before} then {lag}"
"""


@pytest.fixture(autouse=True)
def _plugin(project: Project) -> None:
    project.write("plugins/db.py", PLUGIN)


def said(project: Project, job: str, *words: str) -> str:
    done = project.run(*words, "trigger", job)
    assert done.code == 0, done.err
    return done.out.strip()


def test_one_after_the_other_sees_what_was_set(project: Project) -> None:
    assert [said(project, "count") for _ in range(3)] == ["1 ['count']", "2 ['count']", "3 ['count']"]
    assert said(project, "forget") == "None []"
    assert said(project, "count") == "1 ['count']"


def test_what_lies_in_the_inbox_of_a_running_program_counts_already(project: Project) -> None:
    with project.owned():
        assert [said(project, "count") for _ in range(3)] == ["1 ['count']", "2 ['count']", "3 ['count']"]
        assert said(project, "forget") == "None []"
        assert said(project, "count") == "1 ['count']"


def test_what_was_carried_out_is_not_read_from_the_inbox_again(project: Project) -> None:
    with project.owned():
        said(project, "count")
        (kept, *_) = SqliteInbox(inbox_path(project.database)).peek()
        project.remember(Batch(entries=[StoredValue("db", "count", "7")], taken=kept.id, at=now()))

        assert said(project, "count") == "8 ['count']"


def test_what_a_running_program_has_set_and_not_committed_counts_already(project: Project) -> None:
    journal = FileJournal(journal_path(project.database))
    with project.owned():
        project.remember(Batch(entries=[StoredValue("db", "count", "2"), number_entry(4)], at=now()))
        journal.append(Batch(entries=[StoredValue("db", "count", "1"), number_entry(4)], at=now()))
        assert said(project, "count") == "3 ['count']"
        journal.append(Batch(entries=[StoredValue("db", "other", "7"), number_entry(5)], at=now()))
        assert said(project, "count") == "4 ['count', 'other']"
    journal.close()


def test_a_sensor_sees_what_it_set_and_leaves_it_with_what_it_noticed(project: Project) -> None:
    with project.owned():
        assert said(project, "notice") == 'seen {"value": 1}'
        kinds = [request.kind for request in SqliteInbox(inbox_path(project.database)).peek()]
        assert kinds == ["record", "keep", "emit"]
        assert said(project, "notice") == 'seen {"value": 2}'


def test_a_rehearsal_sees_its_own_and_keeps_nothing(project: Project) -> None:
    said(project, "count")

    assert [said(project, "count", "--dry-run") for _ in range(2)] == ["2 ['count']", "2 ['count']"]
    assert said(project, "forget", "--dry-run") == "None []"
    assert said(project, "count") == "2 ['count']"


@pytest.mark.parametrize("is_left", [False, True], ids=["committed", "left in the inbox"])
def test_a_value_that_comes_while_it_goes_on_is_seen(is_left: bool, project: Project) -> None:
    store, inbox = SqliteStore(project.database), SqliteInbox(inbox_path(project.database))
    store.open()
    late = StoredValue("db", "lag", "9")

    def answer() -> None:
        if is_left:
            inbox.add(keep_request(late, now()))
        else:
            store.commit(Batch(entries=[late], at=now()))

    with project.owned(), _once_there(project.path / "asked", answer):
        assert said(project, "watch") == "None then 9"
    store.close()


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_a_running_program_and_trigger_see_each_others_values(isolation: str, project: Project, tmp_path: Path) -> None:
    plugins = f"""
        @deco(seconds=0.1, max_alert=0, isolation={isolation!r})
        def beat(ctx):
            ctx.store.set("beats", ctx.store.get("beats", 0) + 1)
            return ctx.store.get("asked")


        @deco(days=1)
        def ask(ctx):
            ctx.store.set("asked", f"asked at {{ctx.store.get('beats')}}")
            return ctx.store.get("asked")
    """
    with running(tmp_path / "program", plugins) as program:
        program.wait_until(lambda: len(program.history("beat")) > 1, "it beats")
        asked = project.run("--path", str(program.folder), "trigger", "ask").out.strip()
        program.wait_until(lambda: asked in program.out, "it reads what was set")

    assert int(asked.removeprefix("asked at ")) > 0


@contextmanager
def _once_there(path: Path, call: Callable[[], None]) -> Iterator[None]:
    """Call something on another thread as soon as there is a file."""
    is_over = threading.Event()

    def wait() -> None:
        while not path.exists() and not is_over.wait(0.01):
            pass
        call()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
