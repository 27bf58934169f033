"""The lock that gives each database one owner."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from slack_alert.core.errors import StoreError
from slack_alert.stores import DatabaseLock, DatabaseOwner, holder, is_held, lock_path
from slack_alert.stores import owner as owner_of

_OWNER = """
import sys
from pathlib import Path
from slack_alert.stores.files.lock import DatabaseLock
lock = DatabaseLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""
_PARENT = """
import os, sys, time
from pathlib import Path
from slack_alert.stores.files.lock import DatabaseLock
lock = DatabaseLock(Path(sys.argv[1]))
assert lock.acquire()
if os.fork() == 0:
    print("True", flush=True)
    time.sleep(20)
    os._exit(0)
sys.stdin.read()
"""


@contextmanager
def owner(database: Path, program: str = _OWNER) -> Iterator[subprocess.Popen[str]]:
    """Start another process that owns the database."""
    command = [sys.executable, "-c", program, str(database)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_the_first_gets_it_and_its_process_is_named(database: Path) -> None:
    lock = DatabaseLock(database)

    assert lock.acquire()

    assert (is_held(database), lock.holder(), holder(database)) == (True, os.getpid(), os.getpid())
    lock.release()


def test_what_the_owner_notes_is_read_by_others(database: Path) -> None:
    lock = DatabaseLock(database)
    lock.acquire(note='{"zone": "Europe/Berlin"}')

    assert owner_of(database) == DatabaseOwner(os.getpid(), '{"zone": "Europe/Berlin"}')

    lock.release()
    assert owner_of(database) is None


@pytest.mark.parametrize("text", ["", "12345\n", "x" * 10_000])
def test_text_that_somebody_wrote_over_the_owners_is_put_right(text: str, database: Path) -> None:
    lock = DatabaseLock(database)
    lock.acquire(note="mine")
    lock_path(database).write_text(text)

    assert lock.is_intact()

    assert owner_of(database) == DatabaseOwner(os.getpid(), "mine")
    lock.release()


def remove_file(database: Path) -> None:
    lock_path(database).unlink()


def remove_folder(database: Path) -> None:
    shutil.rmtree(database.parent)


def make_anew(database: Path) -> None:
    remove_file(database)
    other = DatabaseLock(database)
    assert other.acquire()
    other.release()


def put_file_in_place_of_folder(database: Path) -> None:
    remove_folder(database)
    database.parent.write_text("")


@pytest.mark.parametrize("harm", [remove_file, remove_folder, make_anew, put_file_in_place_of_folder])
def test_it_is_intact_until_others_could_take_it_as_well(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    database = tmp_path / "folder" / "state.db"
    lock = DatabaseLock(database)
    assert not lock.is_intact()
    assert lock.acquire()
    assert lock.is_intact()

    harm(database)

    assert not lock.is_intact()
    lock.release()


def test_a_second_one_in_the_same_process_is_refused(database: Path) -> None:
    first, second = DatabaseLock(database), DatabaseLock(database)
    first.acquire()

    assert not second.acquire()
    assert not first.acquire()

    first.release()
    assert second.acquire()
    second.release()


def test_release_frees_it_and_may_be_repeated(database: Path) -> None:
    lock = DatabaseLock(database)
    lock.acquire()
    lock.release()
    lock.release()

    assert (is_held(database), lock.holder()) == (False, None)
    assert lock.acquire()
    lock.release()


def test_nobody_holds_what_was_never_locked_and_looking_makes_no_file(database: Path) -> None:
    assert (is_held(database), holder(database)) == (False, None)
    assert not lock_path(database).exists()


def test_looking_frees_nothing(database: Path) -> None:
    lock = DatabaseLock(database)
    lock.acquire()

    assert [is_held(database) for _ in range(3)] == [True] * 3
    assert not DatabaseLock(database).acquire()
    lock.release()


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db.lock").mkdir()

    with pytest.raises(StoreError, match=r"state\.db\.lock: the database cannot be locked: .*directory"):
        DatabaseLock(tmp_path / "state.db").acquire()


@pytest.mark.slow
def test_another_process_is_refused_until_the_owner_is_killed(database: Path) -> None:
    lock = DatabaseLock(database)
    with owner(database) as process:
        assert not lock.acquire()
        assert (is_held(database), holder(database)) == (True, process.pid)

    assert process.returncode == -signal.SIGKILL
    assert holder(database) is None
    assert lock.acquire()
    lock.release()


@pytest.mark.slow
def test_who_waits_gets_it_when_the_owner_ends(database: Path) -> None:
    lock = DatabaseLock(database)
    with owner(database) as process:
        assert process.stdin is not None
        process.stdin.close()

        assert lock.acquire(timedelta(seconds=10))
    lock.release()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_does_not_keep_it_from_the_next_owner(database: Path) -> None:
    lock = DatabaseLock(database)
    with owner(database, _PARENT) as process:
        process.kill()
        process.wait()

        assert lock.acquire(timedelta(seconds=5))
    lock.release()


def test_who_owns_it_briefly_is_no_holder(tmp_path: Path) -> None:
    lock = DatabaseLock(tmp_path / "state.db")

    assert lock.acquire(is_brief=True)

    assert (is_held(tmp_path / "state.db"), lock.holder()) == (True, None)
    lock.release()
