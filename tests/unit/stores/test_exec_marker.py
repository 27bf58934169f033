from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from slack_alert.core.model.request import Request
from slack_alert.stores import ExecMarker, SqliteInbox

T = datetime(2026, 11, 21, 2, 30, tzinfo=timezone.utc)
REQUEST = Request("exec", {"job": "nightly"}, T)


def place(tmp_path: Path) -> Path:
    return tmp_path / "state.db.inbox"


def killed(note: ExecMarker) -> None:
    """Release the lock as the end of a process does."""
    os.close(note._file)


def test_a_note_is_taken_in_once_when_whoever_wrote_it_is_gone(tmp_path: Path) -> None:
    killed(ExecMarker(place(tmp_path), REQUEST))

    first, second = (SqliteInbox(place(tmp_path)).peek() for _ in range(2))

    assert [(request.kind, request.payload, request.at) for request in first] == [("exec", {"job": "nightly"}, T)]
    assert first == second
    assert not list(tmp_path.glob("*.exec-*"))


def test_a_note_says_nothing_while_whoever_wrote_it_lives(tmp_path: Path) -> None:
    note = ExecMarker(place(tmp_path), REQUEST)

    assert SqliteInbox(place(tmp_path)).peek() == []
    note.remove()


def test_a_note_that_was_taken_back_says_nothing(tmp_path: Path) -> None:
    ExecMarker(place(tmp_path), REQUEST).remove()

    assert SqliteInbox(place(tmp_path)).peek() == []
    assert not list(tmp_path.glob("*.exec-*"))


@pytest.mark.parametrize("job", ["nightly", "nightly (exec)"])
def test_a_note_that_a_kill_left_beside_the_end_of_its_run_says_nothing(tmp_path: Path, job: str) -> None:
    """After a kill between the two, the command would be reported as ended and as interrupted."""
    note = ExecMarker(place(tmp_path), REQUEST)
    SqliteInbox(place(tmp_path)).add(Request("exec", {"job": job, "typed": "nightly", "seconds": 3}, T))
    killed(note)

    assert [request.payload["job"] for request in SqliteInbox(place(tmp_path)).peek()] == [job]
    assert not list(tmp_path.glob("*.exec-*"))


@pytest.mark.parametrize(
    "other",
    [Request("exec", {"job": "nightly"}, T + timedelta(microseconds=1)), Request("exec", {"job": "hourly"}, T)],
)
def test_a_note_of_another_run_is_taken_in(tmp_path: Path, other: Request) -> None:
    SqliteInbox(place(tmp_path)).add(other)
    killed(ExecMarker(place(tmp_path), REQUEST))

    assert len(SqliteInbox(place(tmp_path)).peek()) == 2


def test_an_inbox_that_is_open_finds_it_after_a_while(tmp_path: Path) -> None:
    inbox = SqliteInbox(place(tmp_path))
    inbox.peek()
    killed(ExecMarker(place(tmp_path), REQUEST))

    assert [request.kind for _ in range(20) for request in inbox.peek()] == ["exec"]


def test_a_note_that_cannot_be_read_holds_up_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state.db.inbox.exec-0").write_text("{half")
    killed(ExecMarker(place(tmp_path), REQUEST))

    assert [request.kind for request in SqliteInbox(place(tmp_path)).peek()] == ["exec"]
    assert "a note that cannot be read" in caplog.text


def test_a_note_that_cannot_be_read_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state.db.inbox.exec-0").write_text("{half")
    (tmp_path / "state.db.inbox.exec-1").mkdir()
    (tmp_path / "state.db.inbox.exec-2").write_text("[]")
    (tmp_path / "state.db.inbox.exec-3").write_text('{"kind": 5, "payload": {}, "at": "2026-11-16T12:00:00+00:00"}')
    (tmp_path / "state.db.inbox.exec-4").write_text('{"kind": "exec", "payload": {}, "at": "2026-11-16T12:00:00"}')
    inbox = SqliteInbox(place(tmp_path))
    for _ in range(50):
        inbox.peek()

    assert [record.__dict__["note"][-6:] for record in caplog.records] == [f"exec-{number}" for number in range(5)]
