"""What people asked for may hold secrets: others cannot read the files, and nothing of it is left when it has ended."""

from __future__ import annotations

import os
import stat
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.model.request import Emit, Request
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch
from slack_alert.stores import FileJournal, SqliteInbox, SqliteStore, inbox_path, journal_path
from tests.contract.store_kit import Kit, T

TOKEN = "tok-Zebra-4711"
TO = ReplyTo(Address("slack", "C0OPS"), "1.000001")
#: In one row, and over several pages.
LINES = {"short": f"deploy shop {TOKEN}", "long": f"deploy {'x' * 9000} {TOKEN} {'y' * 9000}"}


def asked(number: int, text: str) -> AskedCommand:
    return AskedCommand((f"{number}.0",), T, Identity("slack", "T1", "U0ANN", "ann"), TO, text, "slack.socket", number)


def files_with_the_token(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes())


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of POSIX")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize(
    ("above", "folder", "file"),
    [(0o755, 0o700, 0o600), (0o775, 0o770, 0o660), (0o2775, 0o2770, 0o660), (0o777, 0o777, 0o666)],
)
def test_only_who_may_write_in_the_folder_can_read_the_files(
    tmp_path: Path, mask: int, above: int, folder: int, file: int
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(above)
    place = home / ".slack_alert" / "state.db"
    before = os.umask(mask)
    try:
        store = SqliteStore(place)
        store.open()
        store.commit(Batch(asked=[asked(1, "deploy shop")]))
        SqliteInbox(inbox_path(place)).add(Request.of(Emit("backup.done", {}), T))
        journal = FileJournal(journal_path(place))
        journal.append(Batch(asked=[asked(2, "deploy shop")]))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.parent.glob("state.db*")}
        journal.close()
        store.close()
    finally:
        os.umask(before)
    names = ("state.db", "state.db-shm", "state.db-wal", "state.db.inbox")

    assert modes == {**dict.fromkeys(names, file), "state.db.said": 0o600}
    assert stat.S_IMODE(place.parent.stat().st_mode) == folder


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of POSIX")
def test_what_is_rescued_is_as_private(tmp_path: Path) -> None:
    kit = Kit(tmp_path / "state.db")
    (tmp_path / "state.db").rename(tmp_path / "moved")
    assert isinstance(kit.store, SqliteStore)
    rescued = kit.store.rescue(datetime.now(timezone.utc))

    assert rescued.path is not None
    assert stat.S_IMODE(rescued.path.stat().st_mode) == 0o600


@pytest.mark.parametrize("line", LINES.values(), ids=list(LINES))
def test_what_was_asked_for_is_nowhere_in_the_file_once_it_has_ended(tmp_path: Path, line: str) -> None:
    kit = Kit(tmp_path / "state.db")
    others = [asked(number, "deploy shop") for number in (1, 3)]
    kit.store.commit(Batch(asked=[others[0], asked(2, line), others[1]]))
    kit.reopen()
    written = files_with_the_token(tmp_path)
    kit.store.commit(Batch(settled=[2]))
    kit.close()

    assert written == ["state.db"]
    assert files_with_the_token(tmp_path) == []


@pytest.mark.parametrize("line", LINES.values(), ids=list(LINES))
def test_what_was_asked_for_is_nowhere_in_the_file_once_it_is_replaced(tmp_path: Path, line: str) -> None:
    kit = Kit(tmp_path / "state.db")
    kit.store.commit(Batch(asked=[asked(2, line)]))
    kit.store.commit(Batch(asked=[replace(asked(2, line), text="deploy shop ***")]))
    kit.close()

    assert files_with_the_token(tmp_path) == []


@pytest.mark.parametrize("line", LINES.values(), ids=list(LINES))
def test_what_was_left_in_the_inbox_is_nowhere_in_the_file_once_it_is_taken(tmp_path: Path, line: str) -> None:
    inbox = SqliteInbox(tmp_path / "state.db.inbox")
    inbox.add(Request.of(Emit("said", {"text": line}), T), Request.of(Emit("kept", {}), T))
    (said, _) = inbox.peek()
    inbox.remove([said.id])

    assert files_with_the_token(tmp_path) == []


def test_what_was_journaled_is_nowhere_in_the_file_once_it_is_committed(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "state.db.said")
    journal.append(Batch(asked=[asked(1, LINES["short"])]))
    journal.append(Batch(asked=[asked(2, LINES["long"])]))
    journal.release(2)

    assert files_with_the_token(tmp_path) == []
