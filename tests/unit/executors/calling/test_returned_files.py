"""Returned paths and open files: read while they exist, without blocking on what is not a regular file."""

from __future__ import annotations

import io
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from slack_alert.core.content.render import Upload, fallback
from slack_alert.core.model.run import Failure, Result
from tests.fakes.stage import Stage, run_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kinds of files are the system's")


def called(value: Callable[[], object]) -> Result:
    return Stage().call(run_of(value))


def failure(value: object) -> Failure:
    result = called(lambda: value)
    assert result.failure is not None, result.pieces
    return result.failure


def file(value: object) -> Upload:
    [piece] = called(lambda: value).pieces
    assert isinstance(piece, Upload)
    return piece


def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    told = failure(tmp_path / "pipe").message

    assert told == f"{tmp_path / 'pipe'} is a pipe, which may never end: read it, and return what came"


def test_a_pipe_that_somebody_writes_into_is_told_as_well(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        assert "is a pipe" in failure(tmp_path / "pipe").message
        assert "is a pipe" in failure([tmp_path / "pipe"]).message
    finally:
        os.close(writer)


def test_a_pipe_that_took_the_place_of_a_file_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("slack_alert.executors.calling.uploads.os.stat", lambda _: os.lstat(__file__))

    assert "is a pipe" in failure(tmp_path / "pipe").message


def test_a_socket_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))

        assert "is a socket: ask it" in failure(tmp_path / "s").message


def test_a_folder_is_told(tmp_path: Path) -> None:
    found = failure(tmp_path)

    assert (found.kind, found.message.partition(" is ")[2]) == (
        "IsADirectoryError",
        "a folder: send one of its files, or an archive of it",
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone has it")
def test_a_file_without_a_size_is_read_to_its_end() -> None:
    assert b"Name:" in bytes(file(Path("/proc/self/status")).content)


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()

    assert [fallback(piece) for piece in called(lambda: tmp_path / "empty.csv").pieces] == ["empty.csv: an empty file"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").touch(mode=0)

    assert failure(tmp_path / "key").kind == "PermissionError"


def test_a_path_of_somebodys_own_is_opened_as_that_wants() -> None:
    class Elsewhere(type(Path())):  # type: ignore[misc]  # the system's own
        def open(self, mode: str) -> io.BytesIO:
            assert mode == "rb"
            return io.BytesIO(b"a,b" if self.name == "report.csv" else b"")

    assert file(Elsewhere("report.csv")).content == b"a,b"
    assert [fallback(piece) for piece in called(lambda: Elsewhere("gone")).pieces] == ["gone: an empty file"]


def test_nothing_of_this_program_is_in_the_traceback(tmp_path: Path) -> None:
    trace = failure(tmp_path / "gone").traceback

    assert trace == f"FileNotFoundError: [Errno 2] No such file or directory: '{tmp_path / 'gone'}'\n"


def test_an_open_file_is_the_file(tmp_path: Path) -> None:
    with (tmp_path / "report.csv").open("w") as opened:
        opened.write("a,b")

        assert (file(opened).name, file(opened).content) == ("report.csv", b"a,b")


def test_a_closed_file_is_the_file(tmp_path: Path) -> None:
    with (tmp_path / "report.csv").open("w") as opened:
        opened.write("a,b")

    assert (file(opened).name, file(opened).content) == ("report.csv", b"a,b")


def test_a_named_temporary_file_is_read_while_it_is_there() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as opened:
        opened.write("a,b")

        assert file(opened).content == b"a,b"


def test_an_open_pipe_is_told_and_not_waited_for() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as opened, os.fdopen(writing, "w"):
        assert failure(opened).message.startswith("returned an open pipe or connection, which may never end")


def test_a_connection_is_told_and_not_waited_for() -> None:
    one, other = socket.socketpair()
    with one, other, one.makefile("rb") as opened:
        assert failure(opened).message.startswith("returned an open pipe or connection, which may never end")
