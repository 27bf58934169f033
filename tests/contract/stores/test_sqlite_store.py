"""Rules of the SQLite store alone: files, versions, and errors with advice."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from slack_alert.core.content.render import Upload
from slack_alert.core.errors import StoreError
from slack_alert.core.model.audit import AuditHead
from slack_alert.core.model.message import DeliveryProgress, Status
from slack_alert.core.model.record import Record, Verdict
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import State
from slack_alert.engine.batches import Batch, HistoryLimits, JobProgress, Snapshot
from slack_alert.stores import SqliteReader, SqliteStore, sqlite_version
from slack_alert.stores.files.audit_key_file import AuditKeyFile
from slack_alert.stores.files.paths import audit_key_path
from slack_alert.stores.sql.schema import STEPS, VERSION
from slack_alert.stores.sqlite.connection import connect
from tests.contract.store_kit import Kit, T, message, slots
from tests.fakes.audit import ENTRY


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    kit = Kit(tmp_path / "state.db")
    yield kit
    kit.close()


def opened(kit: Kit) -> sqlite3.Connection:
    """Return the writer's own connection, to read its settings or to limit its space."""
    assert isinstance(kit.store, SqliteStore)
    connection = kit.store._opened
    assert connection is not None
    return connection


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_what_tells_no_slot_of_a_job_leaves_alone_how_far_the_jobs_are(kit: Kit) -> None:
    """It would be one more page of each commit, and in a program whose commands run often of most."""
    kit.store.commit(Batch(pulse="{}", at=T))
    said: list[str] = []
    opened(kit).set_trace_callback(said.append)
    kit.store.commit(Batch(messages=[message("a")], at=T))
    kit.store.commit(Batch(records=[Record(1, "ops.ping", T, Verdict.SAID, asked_by="slack:T0/U0")], at=T))

    assert [statement for statement in said if "reached" in statement or "UPDATE seen" in statement] == []


# --- places


@pytest.mark.parametrize(
    "name", ["a b.db", "a?b.db", "a#b.db", "100%25.db", "ä…\U0001f600.db", "file:x.db", ":memory:"]
)
def test_odd_names_are_only_names(tmp_path: Path, name: str) -> None:
    kit = Kit(tmp_path / "odd?#% folder" / name)
    kit.enqueue(message("a"))

    assert kit.waiting() == ["a"]
    kit.close()
    assert (tmp_path / "odd?#% folder" / name).stat().st_size > 0


def test_a_folder_that_is_made_keeps_itself_out_of_version_control(tmp_path: Path) -> None:
    Kit(tmp_path / "new" / "state.db").close()

    assert (tmp_path / "new" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_was_there_is_left_alone(tmp_path: Path) -> None:
    Kit(tmp_path / "state.db").close()

    assert not (tmp_path / ".gitignore").exists()


def test_our_own_folder_gets_it_whoever_made_it(tmp_path: Path) -> None:
    (tmp_path / ".slack_alert").mkdir()

    Kit(tmp_path / ".slack_alert" / "state.db").close()

    assert (tmp_path / ".slack_alert" / ".gitignore").read_text() == "*\n"


def test_without_a_file_a_reader_finds_nothing_and_makes_nothing(tmp_path: Path) -> None:
    reader = SqliteReader(tmp_path / "none" / "state.db")

    assert reader.snapshot() == Snapshot()
    assert list(reader.deliveries()) == []
    assert list(reader.history(job=None, since=None, limit=None)) == []
    assert reader.waiting(None, 0, 10) == []
    assert reader.last_receipt("slack:#ops") is None
    reader.close()
    assert list(tmp_path.iterdir()) == []


def test_a_reader_opened_first_sees_what_is_made_later(tmp_path: Path) -> None:
    reader = SqliteReader(tmp_path / "state.db")
    assert list(reader.deliveries()) == []
    kit = Kit(tmp_path / "state.db")
    kit.enqueue(message("a"))

    assert len(list(reader.deliveries())) == 1
    reader.close()
    kit.close()


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()
    reader = SqliteReader(tmp_path / "state.db")
    assert reader.snapshot() == Snapshot()
    reader.close()

    kit = Kit(tmp_path / "state.db")

    assert kit.reader.snapshot() == Snapshot()
    kit.close()


def test_a_reader_cannot_write(kit: Kit, tmp_path: Path) -> None:
    with closing(connect(tmp_path / "state.db", "ro")) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM book")


# --- how it writes


def test_half_a_character_in_an_incident_harms_nothing(kit: Kit) -> None:
    kit.store.commit(Batch(states={"a": State(incident=Incident(T, T, text="é\ud800"))}))

    assert kit.reopen().states == {"a": State(incident=Incident(T, T, text="é\ufffd"))}


def test_a_text_of_a_class_of_its_own_in_an_incident_is_kept(kit: Kit) -> None:
    class Name(str):
        __slots__ = ()

    kit.store.commit(Batch(states={"a": State(incident=Incident(T, T, entries=((Name("web1"), Name("down")),)))}))

    assert kit.reopen().states == {"a": State(incident=Incident(T, T, entries=(("web1", "down"),)))}


def test_the_writer_uses_a_log_and_waits_for_the_disk_only_for_promises(kit: Kit) -> None:
    full, normal = 2, 1

    kit.enqueue(message("a"))
    assert pragma(opened(kit), "synchronous") == full

    kit.record(*slots(Verdict.QUIET, 0, 1))
    assert pragma(opened(kit), "synchronous") == normal

    kit.store.commit(Batch(states={"a": State()}))
    assert pragma(opened(kit), "synchronous") == full

    kit.store.commit(Batch(progress=[DeliveryProgress(1, Status.SENT, 1, T)]))
    assert pragma(opened(kit), "synchronous") == normal

    kit.store.commit(Batch(progress=[DeliveryProgress(1, Status.DEAD, 1, T)]))
    assert pragma(opened(kit), "synchronous") == full
    assert pragma(opened(kit), "journal_mode") == "wal"
    assert pragma(opened(kit), "busy_timeout") == 5000
    assert pragma(opened(kit), "foreign_keys") == 1


def test_the_version_of_the_library_is_told() -> None:
    assert sqlite_version() == sqlite3.sqlite_version


# --- versions


def test_a_newer_database_is_refused_by_writer_and_reader(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Kit(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")

    for use in (SqliteStore(path).open, SqliteReader(path).snapshot):
        with pytest.raises(StoreError, match=rf"version {VERSION + 1}, .* knows {VERSION}.*Install the newer"):
            use()


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()

    for use in (SqliteStore(path).open, SqliteReader(path).snapshot):
        with pytest.raises(StoreError, match="another program"):
            use()

    assert path.read_bytes() == before


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.db"
    monkeypatch.setattr("slack_alert.stores.sqlite.connection.STEPS", (("CREATE TABLE a (x)", "CREATE TABLE a (x)"),))
    with pytest.raises(StoreError, match="already exists"):
        SqliteStore(path).open()
    monkeypatch.undo()

    kit = Kit(path)

    assert kit.reader.snapshot() == Snapshot()
    kit.close()


def test_an_older_database_is_brought_forward_with_all_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = Kit(tmp_path / "state.db")
    kit.enqueue(message("a"))
    kit.close()

    monkeypatch.setattr("slack_alert.stores.sqlite.connection.STEPS", (*STEPS, ("CREATE TABLE later (x {bytes})",)))
    monkeypatch.setattr("slack_alert.stores.sqlite.connection.VERSION", VERSION + 1)
    kit.reopen()

    assert kit.waiting() == ["a"]
    assert pragma(opened(kit), "user_version") == VERSION + 1
    kit.close()


# --- what goes wrong


def test_a_file_that_is_no_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_text("not a database at all, but long enough to be looked at" * 50)

    for use in (SqliteStore(path).open, SqliteReader(path).snapshot):
        with pytest.raises(StoreError, match=r"state\.db: file is not a database\. Set database to another file"):
            use()


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    kit = Kit(path)
    kit.enqueue(*(message(str(n), piece=Upload("x", b"x" * 3000)) for n in range(100)))
    kit.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    path.write_bytes(content)

    with pytest.raises(StoreError, match=r"state\.db: .*malformed.*backup"):
        kit.reopen()
    kit.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"file/below: the folder cannot be made.*set database"):
        SqliteStore(tmp_path / "file" / "below" / "state.db").open()


def test_a_database_that_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="unable to open"):
        SqliteStore(tmp_path).open()


def test_a_full_disk_loses_nothing_and_is_over_when_there_is_room(kit: Kit) -> None:
    (first,) = kit.enqueue(message("first"))
    opened(kit).execute(f"PRAGMA max_page_count = {pragma(opened(kit), 'page_count')}").fetchone()
    big = Batch(
        messages=[message("small"), message("big", piece=Upload("x", b"x" * 100_000))],
        states={"a": State()},
        records=slots(Verdict.PAUSED, 0, 3),
        dropped=[first.id],
        at=T,
    )

    for _ in range(2):
        with pytest.raises(StoreError, match=r"state\.db: .*full.*free some space"):
            kit.store.commit(big)
    assert kit.waiting() == ["first"]
    assert kit.reader.snapshot() == Snapshot()

    opened(kit).execute("PRAGMA max_page_count = 1000000").fetchone()
    assert [delivery.message.key for delivery in kit.store.commit(big)] == ["small", "big"]
    assert kit.waiting() == ["small", "big"]
    assert [record.count for record in kit.records()] == [4]


def test_a_read_only_disk_is_said_at_the_commit(kit: Kit) -> None:
    opened(kit).execute("PRAGMA query_only = ON")

    with pytest.raises(StoreError, match=r"readonly.*right to write"):
        kit.enqueue(message("a"))

    opened(kit).execute("PRAGMA query_only = OFF")
    assert len(kit.enqueue(message("a"))) == 1


def test_a_busy_file_is_said_and_the_batch_may_be_tried_again(kit: Kit, tmp_path: Path) -> None:
    opened(kit).execute("PRAGMA busy_timeout = 1")
    with closing(connect(tmp_path / "state.db", "rw")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"locked.*busy"):
            kit.enqueue(message("a"))

    assert len(kit.enqueue(message("a"))) == 1


@pytest.mark.parametrize(
    "use",
    [lambda store: store.commit(Batch(seen={"a": JobProgress(T)})), lambda store: store.prune(T, HistoryLimits())],
)
def test_a_store_that_is_not_open_says_so(tmp_path: Path, use: Callable[[SqliteStore], object]) -> None:
    with pytest.raises(StoreError, match="not open"):
        use(SqliteStore(tmp_path / "state.db"))


class LostHead(AuditKeyFile):
    """A key whose head cannot be kept, by an error that nobody foresaw."""

    def keep(self, head: AuditHead) -> None:
        raise RuntimeError(f"no room for {head.id}")


def test_what_fails_after_a_commit_does_not_have_it_written_once_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller that tries again would record it twice, and never send its messages."""
    path = tmp_path / "state.db"
    store = SqliteStore(path, LostHead(audit_key_path(path)))
    store.open()
    with caplog.at_level(logging.CRITICAL):
        deliveries = store.commit(Batch(at=T, messages=[message("a")], audit=[ENTRY]))
    store.close()

    assert [delivery.message.key for delivery in deliveries] == ["a"]
