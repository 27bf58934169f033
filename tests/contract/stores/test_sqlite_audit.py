"""The audit in an SQLite file, with its key in a file of its own: what somebody does to them is noticed."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slack_alert.core.commands.audit_chain import head_of
from slack_alert.core.commands.audit_verification import AuditFaultKind, verify
from slack_alert.core.errors import StoreError
from slack_alert.core.model.audit import AuditHead
from slack_alert.core.structs import replace
from slack_alert.engine.batches import Batch, HistoryLimits, Snapshot
from slack_alert.engine.durable_values import number_entry
from slack_alert.stores import FileJournal, SqliteReader, SqliteStore, journal_path
from slack_alert.stores.files.audit_key_file import AuditKeyFile
from slack_alert.stores.files.paths import audit_key_path
from slack_alert.stores.sql.schema import VERSION
from tests.contract.store_kit import Kit, T, message
from tests.contract.stores.test_sqlite_versions import file_of_version
from tests.fakes.audit import AT, entry

COUNT = 7
#: Other values of each column, also such as no entry has.
COLUMNS: dict[str, tuple[object, ...]] = {
    "at": (0, "soon", 2**62), "author": ("slack:T1/U2", 7), "name": ("bob", b"x"), "chat": ("web",),
    "channel": ("#dev",), "door": ("web",), "session": ("s",), "ip": ("192.0.2.1",), "command": ("deploy",),
    "params": ("{}", "{", "[" * 10_000, 7), "verdict": ("denied", "sang"), "reason": ("no",), "run": (99, None, "one"),
    "duration": (1, None, "long"), "hash": ("f" * 64, "", 7),
}  # fmt: skip


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    """A database with entries."""
    kit = Kit(tmp_path / "state.db")
    kit.store.commit(Batch(audit=[entry(number) for number in range(1, COUNT + 1)]))
    yield kit
    kit.close()


def place_of(kit: Kit) -> Path:
    assert kit.path is not None
    return kit.path


def execute(kit: Kit, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Do something to the file behind the program's back."""
    kit.close()
    with closing(sqlite3.connect(place_of(kit))) as connection:
        for statement in statements:
            connection.execute(statement, values if "?" in statement else ())
        connection.commit()


def wrong(kit: Kit) -> list[tuple[str, int, int]]:
    place = place_of(kit)
    outside, reader = AuditKeyFile(audit_key_path(place)), SqliteReader(place)
    head, key = outside.head(), outside.read()
    assert key is not None
    found = verify(key, *reader.audit_chain(), [head] if head else [])
    reader.close()
    return [(fault.kind, fault.first, fault.last) for fault in found.faults]


def test_the_columns_are_those_of_the_table(kit: Kit) -> None:
    with closing(sqlite3.connect(place_of(kit))) as connection:
        names = {row[1] for row in connection.execute("PRAGMA table_info(audit)")}

    assert names - {"id"} == set(COLUMNS)


@pytest.mark.parametrize("number", [1, 4, COUNT])
@pytest.mark.parametrize(
    ("column", "value"),
    [(name, value) for name, each in COLUMNS.items() for value in each],
    ids=lambda each: str(each)[:9],
)
def test_a_changed_column_is_named(kit: Kit, column: str, value: object, number: int) -> None:
    changed = f"UPDATE audit SET {column} = ? WHERE id = {number}"
    execute(kit, changed, values=(value,))

    assert wrong(kit) == [(AuditFaultKind.CHANGED, number, number)]


_SHIFT_UP = ("UPDATE audit SET id = -id - 1 WHERE id > 3", "UPDATE audit SET id = -id WHERE id < 0")
_COPY = "INSERT INTO audit SELECT {}, at, author, name, chat, channel, door, session, ip, command, params, verdict, reason, run, duration, hash FROM audit WHERE id = 2"  # noqa: E501 - a statement


@pytest.mark.parametrize(
    ("statements", "faults"),
    [
        (["DELETE FROM audit WHERE id = 1"], [("missing", 1, 1)]),
        (["DELETE FROM audit WHERE id IN (3, 4)"], [("missing", 3, 4)]),
        ([f"DELETE FROM audit WHERE id = {COUNT}"], [("cut off", COUNT, COUNT)]),
        (["DELETE FROM audit"], [("cut off", 1, COUNT)]),
        (
            [
                "UPDATE audit SET id = -3 WHERE id = 4",
                "UPDATE audit SET id = 4 WHERE id = 3",
                "UPDATE audit SET id = 3 WHERE id = -3",
            ],
            [("swapped", 3, 4)],
        ),
        ([*_SHIFT_UP, _COPY.format(4)], [("inserted", 4, 4)]),
        ([_COPY.format(COUNT + 1)], [("changed", COUNT + 1, COUNT + 1)]),
        (
            ["DELETE FROM audit WHERE id < 4", "INSERT INTO audit_anchor VALUES (3, 'ab', 1, 'cd')"],
            [("anchor", 1, 3), ("changed", 4, 4)],
        ),
        (
            ["DELETE FROM audit WHERE id < 4", "INSERT INTO audit_anchor VALUES ('x', 7, 'soon', x'00')"],
            [("anchor", 1, 0), ("missing", 1, 3)],
        ),
    ],
)
def test_what_is_done_to_rows_is_named(kit: Kit, statements: list[str], faults: list[tuple[str, int, int]]) -> None:
    execute(kit, *statements)

    assert wrong(kit) == faults


def test_deletion_cannot_pose_as_pruning(kit: Kit) -> None:
    """An anchor that was sealed for fewer entries says nothing of more."""
    kit.store.commit(Batch(audit=[replace(entry(8), at=AT.replace(year=2027))]))
    kit.store.prune(AT.replace(year=2027), HistoryLimits(audit_days=1))
    assert wrong(kit) == []
    kit.store.commit(Batch(audit=[replace(entry(9), at=AT.replace(year=2027))]))
    execute(kit, "DELETE FROM audit WHERE id = 8")

    assert wrong(kit) == [("missing", 8, 8)]


def test_another_key_fits_nothing(kit: Kit) -> None:
    kit.close()
    audit_key_path(place_of(kit)).write_text("0" * 64, encoding="ascii")

    assert wrong(kit) == [("changed", 1, COUNT)]


# --- the files outside


def test_a_program_without_commands_makes_no_key(tmp_path: Path) -> None:
    kit = Kit(tmp_path / "state.db")
    kit.enqueue(message("a"))
    kit.store.prune(T, HistoryLimits())
    kit.reopen()
    kit.close()

    assert [path.name for path in tmp_path.iterdir() if "audit" in path.name] == []


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_key_and_head_are_private_from_the_first_moment(tmp_path: Path, mask: int) -> None:
    tmp_path.chmod(0o777)
    before = os.umask(mask)
    try:
        kit = Kit(tmp_path / "state.db")
        kit.store.commit(Batch(audit=[entry(1)]))
        kit.close()
    finally:
        os.umask(before)
    files = [path for path in tmp_path.iterdir() if "audit" in path.name]

    assert sorted(path.name for path in files) == ["audit.key", "audit.key.head"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600, 0o600]


def test_the_key_is_neither_in_the_database_nor_in_the_journal(kit: Kit) -> None:
    key = audit_key_path(place_of(kit)).read_bytes().strip()
    others = [path for path in place_of(kit).parent.iterdir() if path.name != "audit.key"]

    assert len(key) == 64
    assert not [path.name for path in others if key in path.read_bytes()]


def test_the_key_is_kept(kit: Kit) -> None:
    before = audit_key_path(place_of(kit)).read_bytes()
    kit.reopen()
    kit.store.commit(Batch(audit=[entry(8)]))

    assert audit_key_path(place_of(kit)).read_bytes() == before


def test_a_key_that_others_can_read_is_told(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    audit_key_path(place_of(kit)).chmod(0o640)
    kit.reopen()
    with caplog.at_level(logging.WARNING):
        kit.store.commit(Batch(audit=[entry(8)]))

    (told,) = [record for record in caplog.records if "key" in record.getMessage()]
    assert f"chmod 600 {audit_key_path(place_of(kit))}" in str(vars(told))


@pytest.mark.parametrize("content", [b"", b"short\n", b" \n"])
def test_what_is_no_key_is_refused_and_nothing_is_written(kit: Kit, content: bytes) -> None:
    audit_key_path(place_of(kit)).write_bytes(content)
    kit.reopen()
    with pytest.raises(StoreError, match="no key of the audit"):
        kit.store.commit(Batch(audit=[entry(8)], messages=[message("a")], at=T))

    assert (len(list(kit.reader.audit(since=None, limit=None))), kit.outbox()) == (COUNT, [])


def test_after_a_refusal_the_same_batch_is_written_once_the_key_is_right(kit: Kit) -> None:
    place, batch = audit_key_path(place_of(kit)), Batch(audit=[entry(8)])
    right = place.read_bytes()
    place.write_bytes(b"")
    kit.reopen()
    with pytest.raises(StoreError):
        kit.store.commit(batch)
    place.write_bytes(right)
    kit.store.commit(batch)

    assert wrong(kit) == []
    assert len(list(kit.reader.audit(since=None, limit=None))) == COUNT + 1


def test_a_key_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    audit_key_path(tmp_path / "state.db").mkdir()
    kit = Kit(tmp_path / "state.db")
    with pytest.raises(StoreError, match="not a regular file"):
        kit.store.commit(Batch(audit=[entry(1)]))
    kit.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_this_user_may_not_read_is_told_with_advice(kit: Kit) -> None:
    audit_key_path(place_of(kit)).chmod(0)
    kit.reopen()
    with pytest.raises(StoreError, match="may not read"):
        kit.store.commit(Batch(audit=[entry(8)]))


def test_a_key_that_is_gone_is_made_anew_and_told(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """A program that watches others does not stand still for it; what is verified says which entries do not fit."""
    audit_key_path(place_of(kit)).unlink()
    kit.reopen()
    kit.store.commit(Batch(audit=[entry(8), entry(9)]))

    assert [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert wrong(kit) == [("changed", 1, COUNT)]


def test_a_head_that_cannot_be_kept_is_told_and_the_entry_is_written_once(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    head = audit_key_path(place_of(kit)).with_name("audit.key.head")
    head.unlink()
    head.mkdir()
    for number in (8, 9):
        kit.store.commit(Batch(audit=[entry(number)]))

    assert len([record for record in caplog.records if "head" in record.getMessage()]) == 1
    head.rmdir()
    assert wrong(kit) == []
    assert len(list(kit.reader.audit(since=None, limit=None))) == COUNT + 2


def test_a_damaged_head_is_told_and_made_anew(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    head = audit_key_path(place_of(kit)).with_name("audit.key.head")
    head.write_text("{", encoding="ascii")
    kit.reopen()

    assert [record for record in caplog.records if "head" in record.getMessage()]
    last = next(iter(kit.reader.audit(since=None, limit=1)))
    assert AuditKeyFile(audit_key_path(place_of(kit))).head() == head_of(last)


@pytest.mark.skipif(os.name == "nt", reason="there a file has no number")
def test_the_head_is_written_in_its_place_and_a_file_of_another_length_is_replaced(kit: Kit) -> None:
    head = audit_key_path(place_of(kit)).with_name("audit.key.head")
    kit.store.commit(Batch(audit=[entry(8)]))
    first = head.stat().st_ino
    kit.store.commit(Batch(audit=[entry(9)]))
    kept = head.stat().st_ino
    head.write_bytes(b"{}")
    kit.store.commit(Batch(audit=[entry(10)]))

    assert kept == first
    last = next(iter(kit.reader.audit(since=None, limit=1)))
    assert AuditKeyFile(audit_key_path(place_of(kit))).head() == head_of(last)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_head_that_is_a_link_is_replaced_and_what_it_leads_to_is_left(kit: Kit, tmp_path: Path) -> None:
    head = audit_key_path(place_of(kit)).with_name("audit.key.head")
    kit.store.commit(Batch(audit=[entry(8)]))
    other = tmp_path / "other"
    other.write_bytes(head.read_bytes())
    before = other.read_bytes()
    head.unlink()
    head.symlink_to(other)
    kit.store.commit(Batch(audit=[entry(9)]))

    assert other.read_bytes() == before
    assert not head.is_symlink()


def test_the_next_start_keeps_the_head_that_a_kill_left_behind(kit: Kit) -> None:
    head = audit_key_path(place_of(kit)).with_name("audit.key.head")
    before = head.read_bytes()
    kit.store.commit(Batch(audit=[entry(8)]))
    head.write_bytes(before)
    kit.reopen()

    found = AuditKeyFile(audit_key_path(place_of(kit))).head()
    assert isinstance(found, AuditHead)
    assert found.id == COUNT + 1


def test_a_cut_off_end_stays_visible_when_entries_follow(kit: Kit) -> None:
    execute(kit, f"DELETE FROM audit WHERE id > {COUNT - 2}")
    kit.reopen()
    kit.store.commit(Batch(audit=[entry(8)]))
    kit.reopen()
    kit.store.commit(Batch(audit=[entry(9)]))

    assert wrong(kit) == [("missing", COUNT - 1, COUNT)]
    assert [one.id for one in kit.reader.audit(since=None, limit=None)] == [1, 2, 3, 4, 5, 8, 9]


def test_a_database_that_was_put_back_shows_what_it_does_not_have(kit: Kit, tmp_path: Path) -> None:
    kit.close()
    shutil.copy(place_of(kit), tmp_path / "backup.db")
    kit.reopen()
    kit.store.commit(Batch(audit=[entry(8), entry(9)]))
    kit.close()
    shutil.copy(tmp_path / "backup.db", place_of(kit))
    assert wrong(kit) == [("cut off", 8, 9)]

    kit.reopen()
    kit.store.commit(Batch(audit=[entry(10)]))

    assert wrong(kit) == [("missing", 8, 9)]


def test_key_and_head_lie_where_they_are_told_to(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    store = SqliteStore(tmp_path / "state.db", AuditKeyFile(tmp_path / "keys" / "mine"))
    store.open()
    store.commit(Batch(audit=[entry(1)]))
    store.close()

    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["mine", "mine.head"]


# --- a kill, and other versions


def test_what_the_journal_kept_is_written_once(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    store, journal = SqliteStore(place), FileJournal(journal_path(place))
    store.open()
    numbered = [_numbered(n) for n in (1, 2)]
    assert all(journal.append(batch) for batch in numbered)
    store.commit(numbered[0])
    store.close()  # Killed before the second commit, and before either was released.
    kit = Kit(place)

    assert [one.entry for one in kit.reader.audit(since=None, limit=None)] == [entry(1), entry(2)]
    assert wrong(kit) == []
    kit.close()


def _numbered(number: int) -> Batch:
    return Batch(audit=[entry(number)], entries=[number_entry(number)], at=T)


def test_a_batch_with_an_entry_is_kept_over_a_kill_and_a_power_failure() -> None:
    batch = Batch(audit=[entry(1)])

    assert batch.is_numbered
    assert batch.is_durable


@pytest.mark.parametrize("version", range(1, VERSION))
def test_files_of_former_versions_have_no_entries(tmp_path: Path, version: int) -> None:
    path = tmp_path / "state.db"
    with file_of_version(version, path) as connection:
        connection.commit()
    reader = SqliteReader(path)
    assert list(reader.audit(since=None, limit=None)) == []
    anchor, entries = reader.audit_chain()
    assert (anchor, list(entries)) == (None, [])
    reader.close()

    kit = Kit(path)
    kit.store.commit(Batch(audit=[entry(1)]))
    assert wrong(kit) == []
    kit.close()


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    reader = SqliteReader(tmp_path / "state.db")
    anchor, entries = reader.audit_chain()

    assert (anchor, list(entries), list(reader.audit(since=None, limit=None))) == (None, [], [])
    assert isinstance(reader.snapshot(), Snapshot)


def test_pruning_beside_a_verification_takes_nothing_from_it(kit: Kit) -> None:
    anchor, entries = kit.reader.audit_chain()
    first = next(entries)
    kit.store.prune(AT.replace(year=2030), HistoryLimits(audit_days=1))

    assert (anchor, first.id, len(list(entries))) == (None, 1, COUNT - 1)
    assert wrong(kit) == []
