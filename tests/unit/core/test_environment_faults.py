"""Errors of the environment are explained with a remedy; errors of a plugin are not."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from slack_alert.core import environment_faults
from slack_alert.core.environment_faults import machine_lack
from slack_alert.core.errors import BadValue, StoreError
from slack_alert.core.model.run import Action
from slack_alert.executors.calling.failures import failure_of
from slack_alert.loader.files.discovery import find_files
from slack_alert.settings.timezones import parse_zone
from slack_alert.stores import DatabaseLock
from slack_alert.stores.files.paths import prepare_folder
from slack_alert.stores.sqlite.connection import translated_errors

PIP = f"`{sys.executable} -m pip install "


class ZoneInfoNotFoundError(KeyError):
    """As `zoneinfo` has it."""


def raised(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - it is what is looked at
        return error
    raise AssertionError("nothing was raised")


def raised_in(module: str, error: BaseException) -> BaseException:
    """Raise an error as if a module of this name did."""
    space: dict[str, object] = {"__name__": module, "error": error}
    return raised(lambda: exec("raise error", space))


def missing(name: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (missing("_sqlite3"), "This Python was built without sqlite3: take the system's Python, or install libsqlite3"),
        (missing("_ssl"), "This Python was built without ssl: "),
        (ImportError("cannot import name 'x' from 'lzma'", name="_lzma"), "This Python was built without lzma"),
        (missing("nobody_has_this"), f"is not installed for this Python: {PIP}nobody_has_this`"),
        (missing("sklearn.svm"), f"The module sklearn is not installed for this Python: {PIP}scikit-learn`"),
        (
            ImportError("libGL.so.1: cannot open shared object file: No such file or directory"),
            "The system's library libGL.so.1 is missing: install the package that has it",
        ),
        (ImportError("/lib/libc.so.6: version `GLIBC_2.34' not found"), "A package was built for another system"),
        (ImportError("This platform lacks a functioning sem_open implementation"), "mount /dev/shm"),
        (RuntimeError("can't start new thread"), "No thread can be started any more: raise the limit"),
        (OSError(errno.EMFILE, "Too many open files"), "No file descriptor is left for this process: raise the limit"),
        (OSError(errno.ENFILE, "Too many open files in system"), "No file descriptor is left on this machine"),
        (OSError(errno.ENOSPC, "No space left on device"), "The disk is full: make room there."),
        (OSError(errno.EROFS, "Read-only file system"), "The file system is read-only"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "has no memory left"),
        (raised_in("multiprocessing.synchronize", OSError(errno.ENOSYS, "Function not implemented")), "mount /dev/shm"),
        (
            raised_in("multiprocessing.synchronize", FileNotFoundError(2, "No such file")),
            "gives no semaphores or shared memory",
        ),
        (raised_in("multiprocessing.shared_memory", OSError(errno.ENOSPC, "No space left")), "--shm-size"),
        (raised_in("multiprocessing.popen_fork", BlockingIOError(11, "unavailable")), "No process can be started"),
        (raised_in("subprocess", BlockingIOError(errno.EAGAIN, "Resource unavailable")), "No process can be started"),
        (raised_in("subprocess", OSError(errno.ENOEXEC, "Exec format error", "./x")), "is for another processor"),
    ],
    ids=lambda value: repr(value) if isinstance(value, BaseException) else "",
)
def test_what_is_missing_is_named(error: BaseException, said: str) -> None:
    sentence = machine_lack(error)

    assert said in sentence
    assert sentence.endswith(".")


def test_a_program_that_is_not_installed_is_named() -> None:
    error = raised(lambda: subprocess.run(["no-such-git", "log"], check=False))

    assert machine_lack(error) == (
        "The program no-such-git is not installed here, or not in PATH: install it, or write its whole path."
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("can't start new thread"),
        RuntimeError("of the plugin's own"),
        KeyError("Europe/Berlin"),
        FileNotFoundError(2, "No such file or directory", "report.txt"),
        PermissionError(13, "Permission denied", "report.txt"),
        BlockingIOError(11, "Resource temporarily unavailable"),
        ConnectionRefusedError(111, "Connection refused"),
        raised_in("multiprocessing.shared_memory", FileNotFoundError(2, "No such file or directory", "/psm_1")),
        missing("os.nothing"),
        missing("plugins.other"),
        ImportError("cannot import name 'x' from 'y'", name="y"),
        ZoneInfoNotFoundError("No time zone found with key Europe/Berlim"),
    ],
    ids=repr,
)
def test_what_is_nothing_of_the_kind_is_left_as_it_is(error: BaseException) -> None:
    assert machine_lack(error) == ""


def test_a_folder_that_is_missing_is_no_program_that_is() -> None:
    error = raised(lambda: subprocess.run(["true"], cwd="/no/such/folder", check=False))

    assert machine_lack(error) == ""


def test_a_machine_without_time_zones_is_named_wherever_one_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slack_alert.settings.timezones.has_zones", lambda: False)
    monkeypatch.setattr(environment_faults, "has_zones", lambda: False)

    with pytest.raises(BadValue) as refused:
        parse_zone("Europe/Berlim")

    assert (
        refused.value.hint == machine_lack(ZoneInfoNotFoundError("No time zone found")) == environment_faults.NO_ZONES
    )
    assert "install its package tzdata" in environment_faults.NO_ZONES


def test_the_card_of_a_failed_run_says_what_is_missing() -> None:
    action = Action("jobs.watch", "plugins/jobs.py", 3)
    error = raised(lambda: subprocess.run(["no-such-git"], check=False))

    failure = failure_of(error, action)

    assert failure.message.startswith("[Errno 2] No such file or directory: 'no-such-git'. The program no-such-git is")


@pytest.mark.parametrize(
    ("said", "name", "advice"),
    [
        ("disk I/O error", "SQLITE_IOERR_SHMMAP", "This file system has no shared memory or locks for the database"),
        ("disk I/O error", "SQLITE_IOERR_SHMOPEN", "This file system has no shared memory or locks"),
        ("locking protocol", "SQLITE_PROTOCOL", "This file system has no shared memory or locks"),
        ("disk I/O error", "SQLITE_IOERR_WRITE", "the disk may be full, or failing"),
        ("disk I/O error", "", "set `database` to a local disk"),
        ("unable to open database file", "SQLITE_CANTOPEN", "Give this user the right to read and write the file"),
    ],
)
def test_what_sqlite_lacks_is_named(said: str, name: str, advice: str) -> None:
    error = sqlite3.OperationalError(said)
    error.sqlite_errorname = name

    with pytest.raises(StoreError, match=r"state\.db") as told, translated_errors(Path("state.db")):
        raise error

    assert advice in str(told.value)


def test_a_database_that_cannot_be_opened_for_want_of_descriptors_is_no_matter_of_rights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(
        "slack_alert.stores.sqlite.connection.os", SimpleNamespace(open=refuse, close=os.close, devnull="", O_RDONLY=0)
    )

    with (
        pytest.raises(StoreError, match="No file descriptor is left for this process"),
        translated_errors(Path("state.db")),
    ):
        raise sqlite3.OperationalError("unable to open database file")


def test_a_file_system_that_is_read_only_is_no_matter_of_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "statvfs"):
        pytest.skip("nobody can tell here")
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))

    for said in ("attempt to write a readonly database", "unable to open database file"):
        with (
            pytest.raises(StoreError, match="The file system is read-only: mount it"),
            translated_errors(Path("state.db")),
        ):
            raise sqlite3.OperationalError(said)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOSPC, errno.EROFS])
def test_rights_are_spoken_of_where_they_are_what_is_wrong(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise OSError(number, os.strerror(number))

    lack = machine_lack(OSError(number, ""))
    (tmp_path / "plugins").mkdir()
    file = tmp_path / "state.db"
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuse)
        _, problems = find_files(tmp_path / "plugins")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        with pytest.raises(StoreError) as folder:
            prepare_folder(tmp_path / "new" / "state.db")
    with monkeypatch.context() as patch:
        patch.setattr("slack_alert.stores.files.lock.os.open", refuse)
        with pytest.raises(StoreError) as lock:
            DatabaseLock(file).acquire()

    for told in (problems[0].hint, str(folder.value), str(lock.value)):
        assert lack in told
        assert "the right" not in told
