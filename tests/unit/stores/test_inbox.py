"""The inbox, in which other processes leave requests for the owner of the database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slack_alert.core.errors import SetAside, StoreError
from slack_alert.core.model.request import Request
from slack_alert.engine.ports import Inbox
from slack_alert.stores import MemoryInbox, SqliteInbox, inbox_path

T = datetime(2026, 11, 21, 9, 30, tzinfo=timezone.utc)

Opening = Callable[[], Inbox]


@pytest.fixture(params=["memory", "sqlite"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Return a function that opens the same inbox as another process."""
    shared = MemoryInbox()
    return (lambda: shared) if request.param == "memory" else (lambda: SqliteInbox(tmp_path / "state.db.inbox"))


def pause(job: str, at: datetime = T) -> Request:
    return Request("pause", {"job": job}, at)


def jobs(inbox: Inbox) -> list[object]:
    return [request.payload["job"] for request in inbox.peek()]


def test_an_inbox_nobody_wrote_to_is_empty(opening: Opening) -> None:
    inbox = opening()

    assert inbox.peek() == []
    inbox.remove([1, 2])
    assert inbox.peek() == []


def test_a_request_comes_back_as_it_was_left(opening: Opening) -> None:
    payload = {"text": "ä \0 \U0001f600 \ud800", "for": None, "deep": {"list": [1, 2.5, True]}}
    opening().add(Request("send", payload, T))

    (request,) = opening().peek()

    assert (request.kind, request.payload, request.at) == ("send", payload, T)
    assert request.id > 0


def test_requests_come_in_the_order_they_were_left(opening: Opening) -> None:
    owner = opening()
    for n in range(5):
        opening().add(pause(str(n), T - n * timedelta(days=1)))

    assert jobs(owner) == ["0", "1", "2", "3", "4"]


def test_looking_takes_nothing_away(opening: Opening) -> None:
    owner = opening()
    owner.add(pause("a"))

    assert jobs(owner) == jobs(owner) == ["a"]


def test_each_request_is_seen_however_quickly_one_follows_the_other(opening: Opening) -> None:
    owner, other = opening(), opening()

    for n in range(30):
        other.add(pause(str(n)))
        assert jobs(owner) == [str(n)]
        owner.remove([request.id for request in owner.peek()])
        assert jobs(owner) == []


def test_what_is_left_together_is_written_at_once(opening: Opening) -> None:
    inbox = opening()
    inbox.add()
    inbox.add(pause("a"), pause("b"))

    assert jobs(inbox) == ["a", "b"]


def test_ids_are_never_given_again(opening: Opening) -> None:
    inbox = opening()
    given: list[int] = []
    for n in range(4):
        inbox.add(pause(str(n)))
        (request,) = inbox.peek()
        given.append(request.id)
        inbox.remove([request.id])

    assert given == sorted(set(given))


def test_only_what_was_named_is_removed(opening: Opening) -> None:
    inbox = opening()
    for job in "abc":
        inbox.add(pause(job))
    _, second, _ = inbox.peek()

    inbox.remove(iter([second.id, second.id + 1000]))

    assert jobs(inbox) == ["a", "c"]


def test_a_file_made_anew_goes_on_above_the_ids_that_were_given(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "inbox")
    inbox.add(pause("a"))
    (before,) = inbox.peek()
    (tmp_path / "inbox").unlink()

    inbox.add(pause("b", T + timedelta(seconds=1)))

    (after,) = inbox.peek()
    assert after.payload == {"job": "b"}
    assert after.id > before.id


def test_an_unchanged_file_is_not_opened(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "inbox")
    inbox.add(pause("a"))
    assert jobs(inbox) == ["a"]
    found = (tmp_path / "inbox").stat()
    (tmp_path / "inbox").write_bytes(b"\xff" * found.st_size)
    os.utime(tmp_path / "inbox", ns=(found.st_atime_ns, found.st_mtime_ns))

    assert jobs(inbox) == ["a"]


def test_its_time_grows_with_each_change_whatever_the_clock_says(tmp_path: Path) -> None:
    path = tmp_path / "inbox"
    inbox = SqliteInbox(path)
    inbox.add(pause("a"))
    ahead = path.stat().st_mtime_ns + 10**15
    os.utime(path, ns=(ahead, ahead))

    inbox.add(pause("b"))
    assert path.stat().st_mtime_ns == ahead + 1

    inbox.remove([request.id for request in inbox.peek()])
    assert path.stat().st_mtime_ns == ahead + 2


def test_now_and_then_it_is_opened_whatever_its_time_says(tmp_path: Path) -> None:
    inbox = SqliteInbox(tmp_path / "inbox")
    inbox.add(pause("a"))
    assert jobs(inbox) == ["a"]
    found = (tmp_path / "inbox").stat()
    SqliteInbox(tmp_path / "inbox").add(pause("b"))
    os.utime(tmp_path / "inbox", ns=(found.st_atime_ns, found.st_mtime_ns))

    assert ["a", "b"] in [jobs(inbox) for _ in range(25)]


def test_it_is_kept_in_rollback_mode(tmp_path: Path) -> None:
    SqliteInbox(tmp_path / "inbox").add(pause("a"))

    with closing(sqlite3.connect(tmp_path / "inbox")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert [path.name for path in tmp_path.iterdir()] == ["inbox"]


def garbage(path: Path) -> None:
    path.write_text("something else entirely " * 100)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(12288))


def cut_off(path: Path) -> None:
    SqliteInbox(path).add(pause("a"))
    path.write_bytes(path.read_bytes()[:5000])


def spoiled_pages(path: Path) -> None:
    SqliteInbox(path).add(pause("a"))
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 8192)


def other_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE request (url TEXT)")


def folder(path: Path) -> None:
    path.mkdir()
    (path / "file").write_text("")


def pipe(path: Path) -> None:
    os.mkfifo(path)


DAMAGES = (garbage, zeros, cut_off, spoiled_pages, other_table, folder, pipe)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_set_aside_by_its_owner_and_told_once(damage: Callable[[Path], None], tmp_path: Path) -> None:
    damage(tmp_path / "inbox")
    owner = SqliteInbox(tmp_path / "inbox")

    with pytest.raises(SetAside, match=r"damaged and is kept as .*/inbox\.damaged-2.* has to be asked for again"):
        owner.peek()

    assert owner.peek() == []
    SqliteInbox(tmp_path / "inbox").add(pause("b"))
    assert jobs(owner) == ["b"]
    assert [path.name[:15] for path in tmp_path.iterdir() if path.name != "inbox"] == ["inbox.damaged-2"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_keeps_nobody_from_leaving_a_request(
    damage: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damage(tmp_path / "inbox")

    SqliteInbox(tmp_path / "inbox").add(pause("b"))

    assert jobs(SqliteInbox(tmp_path / "inbox")) == ["b"]
    assert [record.message for record in caplog.records] == ["a damaged inbox was set aside"]


def test_a_damaged_file_that_cannot_be_set_aside_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    garbage(tmp_path / "inbox")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)

    with pytest.raises(StoreError, match="inbox: it is damaged, and cannot be set aside: Permission denied"):
        SqliteInbox(tmp_path / "inbox").peek()


def test_the_inbox_lies_beside_the_database() -> None:
    assert inbox_path(Path("a/state.db")) == Path("a/state.db.inbox")


def spoil(path: Path, column: str, value: object, where: str = "TRUE") -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE request SET {column} = ? WHERE {where}", (value,))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("payload", "{not json"),
        ("payload", "[1]"),
        ("payload", "[" * 100_000),
        ("payload", b"\xff"),
        ("at", "yesterday"),
        ("at", 2**62),
        ("at", 253_402_300_799_000_000),
        ("kind", b"\xff"),
    ],
)
def test_a_request_nobody_can_read_is_told_and_taken_away(
    tmp_path: Path, column: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "inbox"
    inbox = SqliteInbox(path)
    for job in "abc":
        inbox.add(pause(job))
    second = inbox.peek()[1].id
    spoil(path, column, value, f"id = {second}")

    assert jobs(SqliteInbox(path)) == ["a", "c"]
    assert [(record.levelname, record.message, vars(record)["id"]) for record in caplog.records] == [
        ("WARNING", "left out a request that cannot be read", second)
    ]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM request").fetchone() == (2,)


def test_text_that_is_no_utf_8_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "inbox"
    inbox = SqliteInbox(path)
    inbox.add(pause("a"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("""UPDATE request SET payload = CAST(x'7b226a6f62223a2261ff227d' AS TEXT)""")

    assert jobs(inbox) == ["a\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(116, "Stale file handle")])
def test_a_file_that_cannot_be_looked_at_is_named(
    tmp_path: Path, error: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = SqliteInbox(tmp_path / "inbox")
    inbox.add(pause("a"))

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "stat", refuse)

    for use in (inbox.peek, lambda: inbox.remove([1])):
        with pytest.raises(StoreError, match=f"inbox: {error.strerror}"):
            use()


def test_what_was_written_counts_though_its_time_cannot_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = SqliteInbox(tmp_path / "inbox")
    inbox.add(pause("a"))
    ahead = (tmp_path / "inbox").stat().st_mtime_ns + 10**15
    os.utime(tmp_path / "inbox", ns=(ahead, ahead))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    inbox.add(pause("b"))

    assert jobs(SqliteInbox(tmp_path / "inbox")) == ["a", "b"]


def test_a_folder_that_is_a_file_holds_no_requests(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")

    assert SqliteInbox(tmp_path / "folder" / "inbox").peek() == []
