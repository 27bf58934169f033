"""Files of older versions: readers read them as they are, the writer migrates them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path

import pytest

from slack_alert.core.events import AcceptedEvent, Emitted, KeptEvent
from slack_alert.core.model.address import Address
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.model.message import MessageSeverity, Notice, RunPart
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import Outcome, Record, Verdict
from slack_alert.core.policy.mutes import Mute
from slack_alert.core.policy.quota import Pause
from slack_alert.engine.batches import Batch, JobProgress, Snapshot, StartedRun, UnaccountedSlots
from slack_alert.engine.mutes.mutes import Mutes
from slack_alert.engine.requests.apply import mute_entry
from slack_alert.stores import SqliteReader
from slack_alert.stores.sql.rows import event_row
from slack_alert.stores.sql.schema import STEPS, VERSION
from slack_alert.stores.sqlite.connection import connect
from tests.contract.store_kit import SECOND, Kit, T, integrity

ASKED = AskedCommand(
    ("1.000001",), T, Identity("slack", "T1", "U1"), ReplyTo(Address("slack", "C1")), "deploy", "slack.socket", 5
)


@contextmanager
def file_of_version(version: int, path: Path) -> Iterator[sqlite3.Connection]:
    """Make a file as a former version had it, to be filled."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in (statement for step in STEPS[:version] for statement in step):
            identity = "INTEGER PRIMARY KEY AUTOINCREMENT"
            connection.execute(statement.format(identity=identity, key="INTEGER PRIMARY KEY", bytes="BLOB"))
        connection.execute(f"PRAGMA user_version = {version}")
        yield connection


# --- a file of version 1


@pytest.fixture
def first_version(tmp_path: Path) -> Path:
    """A file as the first version left it, with one record and one message."""
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in STEPS[0]:
            connection.execute(statement.format(identity="INTEGER PRIMARY KEY AUTOINCREMENT", bytes="BLOB"))
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO record (run, job, slot, verdict, text, alerts, count, until) "
            "VALUES (7, 'a', 1000000, 'said', 'hi', 1, 1, 1000000)"
        )
        connection.execute(
            "INSERT INTO delivery (key, address, kind, body, run, created) "
            "VALUES ('k', 'slack:#ops', 'text', 'hi', 7, 1)"
        )
        connection.commit()
    return path


def test_a_reader_understands_a_file_of_the_first_version_without_changing_it(first_version: Path) -> None:
    before = first_version.read_bytes()
    reader = SqliteReader(first_version)

    for job, limit in ((None, None), ("a", None), (None, 1), ("a", 1)):
        (line,) = reader.history(job=job, since=None, limit=limit)
        assert (line.record.run, line.record.text, line.record.asked_by, line.delivery) == (7, "hi", None, "queued")
    assert [delivery.message.key for delivery in reader.deliveries()] == ["k"]
    reader.close()
    assert first_version.read_bytes() == before


def test_a_writer_brings_a_file_of_the_first_version_forward(first_version: Path) -> None:
    kit = Kit(first_version)
    asked = Record(8, "a", T, Verdict.SAID, asked_by="ann")
    kit.record(asked)

    with closing(connect(first_version, "ro")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    assert [(record.run, record.asked_by) for record in kit.records()] == [(7, None), (8, "ann")]
    kit.close()


# --- a file of version 2


@pytest.fixture
def second_version(tmp_path: Path) -> Path:
    """A file as the second version left it: how far a job is accounted for was written with each record."""
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in (*STEPS[0], *STEPS[1]):
            connection.execute(statement.format(identity="INTEGER PRIMARY KEY AUTOINCREMENT", bytes="BLOB"))
        connection.execute("PRAGMA user_version = 2")
        connection.executemany(
            "INSERT INTO record (id, run, job, slot, verdict, text, alerts, count, until, asked_by) "
            "VALUES (?, ?, 'a', ?, 'quiet', '', 0, 1, ?, ?)",
            [(5, 7, 1_000_000, 1_000_000, None), (9, 8, 2_000_000, 2_000_000, "ann")],
        )
        connection.execute("INSERT INTO seen (job, first_slot, last_slot) VALUES ('a', 0, 500000)")
        connection.commit()
    return path


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def test_a_reader_understands_a_file_of_the_second_version_without_changing_it(second_version: Path) -> None:
    before = second_version.read_bytes()
    reader = SqliteReader(second_version)

    assert [line.record.run for line in reader.history(job="a", since=None, limit=None)] == [7, 8]
    assert reader.snapshot().seen == {"a": JobProgress(_EPOCH, _EPOCH + SECOND / 2)}
    reader.close()
    assert second_version.read_bytes() == before


def test_a_writer_brings_a_file_of_the_second_version_forward(second_version: Path) -> None:
    kit = Kit(second_version)
    kit.record(Record(9, "a", _EPOCH + 3 * SECOND, Verdict.QUIET))

    assert [(record.run, record.asked_by) for record in kit.records()] == [(7, None), (8, "ann"), (9, None)]
    assert kit.reader.snapshot().seen == {"a": JobProgress(_EPOCH, _EPOCH + 3 * SECOND)}
    kit.close()
    with closing(connect(second_version, "rw")) as connection:
        assert connection.execute("SELECT max(id) FROM record").fetchone() == (10,)
    assert integrity(second_version) == "ok"


# --- a file of version 4


def test_pause_of_the_fourth_version_is_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with file_of_version(4, path) as connection:
        connection.execute("INSERT INTO hold (job, until) VALUES ('a', NULL)")
        connection.commit()

    reader = SqliteReader(path)
    assert reader.snapshot().holds == {"a": Pause()}
    reader.close()
    kit = Kit(path)
    assert kit.reader.snapshot().holds == {"a": Pause()}
    kit.close()


# --- a file of version 5


def test_file_of_the_fifth_version_has_no_lines_that_jobs_share(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with file_of_version(5, path) as connection:
        connection.execute(
            "INSERT INTO record (run, job, slot, verdict, text, alerts, count, until) "
            "VALUES (0, 'a', 1000000, 'missed', '', 0, 3, 3000000)"
        )
        connection.execute("INSERT INTO seen (job, first_slot, last_slot) VALUES ('a', 0, 500000)")
        connection.commit()

    reader = SqliteReader(path)
    for job, limit in ((None, None), ("a", None), (None, 1), ("a", 1)):
        assert [line.record.count for line in reader.history(job=job, since=None, limit=limit)] == [3]
    reader.close()
    kit = Kit(path)
    kit.record(Record(0, "", _EPOCH + 5 * SECOND, Verdict.MISSED, sharers=("a", "b")))
    assert [(record.binding, record.count) for record in kit.records()] == [("a", 3), ("a", 1), ("b", 1)]
    assert kit.reader.snapshot().seen == {"a": JobProgress(_EPOCH, _EPOCH + 5 * SECOND)}
    kit.close()


# --- a file of version 7


def test_messages_of_the_seventh_version_are_known_by_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    slot = "1970-01-01T00:00:01+00:00"
    card = ":rotating_light: *a* failed: OSError"
    with file_of_version(7, path) as connection:
        connection.executemany(
            "INSERT INTO delivery (key, address, kind, body, slot, run, created) "
            "VALUES (?, 'slack:#a', 'text', ?, ?, ?, 1)",
            [
                (f"a@{slot}/7#1", card, 1_000_000, 7),
                ("9f8e#0", "hi", None, 8),
                ("send/9f8e#0", "hi", None, None),
                (f"overlaps/7/{slot}", "hi", None, None),
            ],
        )
        connection.commit()

    expected = [
        (RunPart("a", _EPOCH + SECOND, 7, 1), MessageSeverity.ERROR),
        (RunPart("", None, 8), MessageSeverity.INFO),
        (Notice("send", "9f8e", 0), MessageSeverity.INFO),
        (Notice("overlaps", f"7/{slot}"), MessageSeverity.INFO),
    ]
    reader = SqliteReader(path)
    assert [(each.message.origin, each.message.severity) for each in reader.deliveries()] == expected
    reader.close()
    kit = Kit(path)
    assert [(each.message.origin, each.message.severity) for each in kit.reader.deliveries()] == expected
    kit.close()


# --- a file of version 6


def test_file_of_the_sixth_version_has_nothing_that_a_kill_left(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with file_of_version(6, path) as connection:
        connection.execute("INSERT INTO running (run, job, slot, started) VALUES (1, 'a', 0, 0)")
        connection.commit()

    left = (StartedRun(1, "a", _EPOCH, _EPOCH),)
    reader = SqliteReader(path)
    assert reader.snapshot() == Snapshot(running=left)
    reader.close()
    kit = Kit(path)
    assert kit.reader.snapshot() == Snapshot(running=left)
    kit.store.commit(Batch(unaccounted=[UnaccountedSlots("a", _EPOCH, _EPOCH + SECOND)]))
    assert kit.reopen().unaccounted == (UnaccountedSlots("a", _EPOCH, _EPOCH + SECOND),)
    kit.close()


# --- a file of version 7


def test_file_of_the_seventh_version_has_sentences_in_place_of_reasons_and_outcomes(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with file_of_version(7, path) as connection:
        connection.executemany(
            "INSERT INTO record (id, run, job, slot, verdict, text, error, reason, alerts, count, until) "
            "VALUES (?1, ?1, 'a', ?1, ?2, ?3, ?4, ?5, 0, 1, ?1)",
            [
                (1, "quiet", "", None, None),
                (2, "muted", "late", None, "muted until 13:00 by ann; attempt 2 of 3"),
                (3, "said", "late\n3 alerts: paused for 60 min, until 10:30", None, None),
                (4, "error", "before\n✗ a failed: OSError: no route\n`a.py:1`", "Traceback\nOSError: no route\n", None),
                (5, "said", "a recovered after 1m, 1 alert", None, "recovered after 1m, 1 alert"),
            ],
        )
        connection.commit()

    muted = Reason(ReasonCode.MUTED, by="ann", said="muted until 13:00 by ann")
    expected = [
        ((), None),
        ((muted, Reason(ReasonCode.OTHER, said="attempt 2 of 3")), None),
        ((), Outcome("late")),
        ((), Outcome("before", Verdict.ERROR, "OSError", "no route")),
        ((Reason(ReasonCode.RECOVERED, said="recovered after 1m, 1 alert"),), Outcome()),
    ]
    reader = SqliteReader(path)
    lines = reader.history(job=None, since=None, limit=None)
    assert [(line.record.reasons, line.record.outcome) for line in lines] == expected
    reader.close()
    kit = Kit(path)
    kit.record(Record(9, "a", T, Verdict.SAID, text="3 alerts: paused for 60 min, until 10:30"))
    assert [(record.reasons, record.outcome) for record in kit.records()] == [*expected, ((), None)]
    kit.close()


# --- a file of version 10


def test_who_said_why_a_message_of_the_tenth_version_was_not_sent_is_known_by_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    reasons = ["HTTP 503", "channel_not_found: invite the app", "ratelimited", "ConnectionResetError", "sent again"]
    with file_of_version(10, path) as connection:
        connection.executemany(
            "INSERT INTO delivery (key, address, kind, body, notice, about, severity, created, status, reason) "
            "VALUES (?1, 'slack:#a', 'text', 'hi', 'send', ?1, 'info', 1, 'dead', ?1)",
            [(reason,) for reason in reasons],
        )
        connection.commit()

    expected = [(reason, reason in reasons[:3]) for reason in reasons]
    reader = SqliteReader(path)
    assert [(each.reason, each.is_answer) for each in reader.deliveries()] == expected
    reader.close()
    kit = Kit(path)
    assert [(each.reason, each.is_answer) for each in kit.reader.deliveries()] == expected
    kit.close()


def test_marks_of_quiet_windows_of_the_tenth_version_become_a_pack_of_their_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.db"
    mute = mute_entry(Mute("window/x", T, T + SECOND, "ann"))
    with file_of_version(10, path) as connection:
        connection.executemany(
            "INSERT INTO entry (pack, name, content) VALUES (?, ?, ?)",
            [
                (".quiet", "window/my/night", f'"{T.isoformat()}"'),
                (".quiet", mute.key, mute.value),
                ("db", "window/night", "1"),
            ],
        )
        connection.commit()

    reader = SqliteReader(path)
    read = Mutes(reader.snapshot().entries, zone=timezone.utc)
    reader.close()
    assert [each.job for each in read.muted(T)] == ["window/x"]
    kit = Kit(path)
    entries = kit.reader.snapshot().entries
    kit.close()
    mutes = Mutes(entries, zone=timezone.utc)
    assert mutes.digested_until() == {"my/night": T}
    assert [each.job for each in mutes.muted(T)] == ["window/x"]
    assert [(each.key, each.value) for each in entries if each.pack == "db"] == [("window/night", "1")]
    assert caplog.records == []


# --- files of before there were commands


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_files_of_all_versions_have_no_commands_and_take_them(tmp_path: Path, version: int) -> None:
    path = tmp_path / "state.db"
    with file_of_version(version, path) as connection:
        connection.commit()
    before = path.read_bytes()

    reader = SqliteReader(path)
    read = reader.snapshot()
    reader.close()
    assert (read.asked, dict(read.inbound), path.read_bytes()) == ((), {}, before)
    kit = Kit(path)
    kit.store.commit(Batch(asked=[ASKED], inbound=[("1.000001", T)]))
    snapshot = kit.reopen()
    kit.close()
    assert (snapshot.asked, dict(snapshot.inbound)) == ((ASKED,), {"1.000001": T})


def test_events_of_the_eleventh_version_are_no_commands(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    event = AcceptedEvent(Emitted("disk.full", T, {"n": 1}, id=3), ("db.react",))
    with file_of_version(11, path) as connection:
        columns = "id, name, at, fields, author, reply_to, cause, depth, attempts, jobs"
        put = f"INSERT INTO event ({columns}, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'emitted')"
        connection.execute(put, event_row(event)[:10])
        connection.execute("UPDATE book SET last_event = 3")
        connection.commit()

    reader = SqliteReader(path)
    assert (reader.event(3), reader.snapshot().events) == (KeptEvent(event.event, event.jobs), (event,))
    reader.close()
    kit = Kit(path)
    snapshot = kit.reader.snapshot()
    kit.close()
    assert (snapshot.events, snapshot.asked, snapshot.last_event) == ((event,), (), 3)
