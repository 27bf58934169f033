"""Messages that were not committed survive a kill of the process."""

from __future__ import annotations

import logging
import os
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slack_alert.core.content.render import Blocks, Piece, Text, Upload
from slack_alert.core.errors import StoreError
from slack_alert.core.model.asked import AskedCommand, Identity, ReplyTo
from slack_alert.core.model.message import DeliveryMode, Message, RunPart, Status
from slack_alert.core.model.reason import Reason, ReasonCode
from slack_alert.core.model.record import Outcome, Record, Usage, Verdict
from slack_alert.core.model.run import Returned
from slack_alert.core.policy.incidents import Incident
from slack_alert.core.policy.quota import Pause, Quota, State
from slack_alert.core.structs import asdict, astuple, replace, to_packed
from slack_alert.engine.batches import Batch, HistoryLimits, JobProgress, Snapshot, StartedRun, StoredValue
from slack_alert.engine.durable_values import number_entry, number_of
from slack_alert.engine.recording.writer import join
from slack_alert.stores import FileJournal, SqliteStore, journal_path
from slack_alert.stores.files.journal import read_journal
from slack_alert.stores.files.serialization import unpacked
from tests.contract.store_kit import DEV, OPS, SECOND, Kit, T, message
from tests.fakes.audit import entry
from tests.fakes.reasons import reasons_of

PIECES: list[Piece] = [
    Text("one & two\n<@U1>", (("a", "a: 1"), ("b", "b: ✓"))),
    Blocks({"text": "x", "blocks": [{"type": "section", "n": 1.5, "deep": [None, True, 2**63]}]}),
    Upload("a.bin", bytes(range(256)), "A", "see"),
]


class Word(str):
    """A subclass of str."""

    __slots__ = ()


REASONS = (Reason(ReasonCode.MUTED, until=T, by="ann"), Reason(ReasonCode.RETRIED, count=2, limit=3))


def said(key: str, piece: Piece | None = None, *, run: int = 7) -> Batch:
    """Return the batch of a run with a message."""
    incident = Incident(T, T + SECOND, 2, "one", (("a", "a: 1"),), "ab", told=T, to="slack:#ops", root=key)
    state = State(Quota((T,), T + SECOND), incident=incident, withheld=1, withheld_since=T)
    record = Record(
        run, "db.lag", T, Verdict.SAID, T + SECOND, timedelta(microseconds=7), "one", "#ops", 1, T, None, "printed",
        reasons=REASONS, numbers={"": 1, "x": 0.5}, usage=Usage(SECOND, 2**40),
        outcome=Outcome("one", Verdict.ERROR, "OSError", "no route"),
    )  # fmt: skip
    return Batch(
        states={"db.lag": state},
        seen={"db.lag": JobProgress(T, T + SECOND)},
        records=[record],
        messages=[Message(key, DEV, piece or Text(key), RunPart("db.lag", T, run), DeliveryMode.REPLY, "root")],
        at=T + 2 * SECOND,
    )


def untagged(piece: Piece) -> dict[str, Any]:
    """Return a piece as versions wrote it whose pieces did not say what they are."""
    if isinstance(piece, Text):
        return {"text": piece.text, "entries": piece.entries}
    return {"payload": piece.payload} if isinstance(piece, Blocks) else asdict(piece)


def keys(place: Path) -> list[str]:
    """Return the key of the first message of each batch in the journal."""
    return [one.messages[0].key for one in read_journal(journal_path(place)) if isinstance(one, Batch)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def kept(place: Path, *batches: Batch) -> FileJournal:
    journal = FileJournal(journal_path(place))
    assert all(journal.append(batch) for batch in batches)
    return journal


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: type(piece).__name__)
def test_what_is_kept_comes_back_as_it_was(place: Path, piece: Piece) -> None:
    batch = said("a", piece)
    kept(place, batch)

    (found,) = read_journal(journal_path(place))
    assert isinstance(found, Batch)
    assert found == batch
    assert found.messages[0].piece == piece


def test_the_next_start_commits_it_with_all_that_it_means(place: Path) -> None:
    batches = [said("a", run=7), said("b", run=8)]
    kept(place, *batches)
    kit = Kit(place)

    assert kit.waiting() == ["a", "b"]
    assert [record.run for record in kit.records()] == [7, 8]
    snapshot = kit.reader.snapshot()
    assert snapshot.states == batches[1].states
    assert snapshot.last_run == 8
    assert [one.created for one in kit.outbox()] == [T + 2 * SECOND] * 2
    assert not journal_path(place).exists()
    kit.close()


def test_what_was_committed_is_not_taken_up_again(place: Path) -> None:
    kit = Kit(place)
    kit.store.commit(said("a"))
    kit.mark(kit.outbox()[0].id, Status.SENT, receipt="C1/1")
    kit.store.commit(Batch(states={"db.lag": State()}))
    kept(place, said("a"), said("b", run=8))
    snapshot = kit.reopen()

    assert [(one.message.key, one.status) for one in kit.outbox()] == [("a", Status.SENT), ("b", Status.QUEUED)]
    assert [record.run for record in kit.records()] == [7, 8]
    assert snapshot.last_run == 8
    kit.close()


def test_a_later_word_on_a_job_stands(place: Path) -> None:
    kit = Kit(place)
    kit.store.commit(said("a"))
    kit.store.commit(Batch(states={"db.lag": State()}))
    kept(place, said("a"))

    assert kit.reopen().states == {"db.lag": State()}
    kit.close()


@pytest.mark.parametrize("lost", [1, 3, 9, 40])
def test_an_entry_that_was_being_written_is_not_there_and_that_is_told(
    place: Path, lost: int, caplog: pytest.LogCaptureFixture
) -> None:
    kept(place, said("a"), said("b"))
    file = journal_path(place)
    file.write_bytes(file.read_bytes().rstrip(b"\0")[:-lost])
    with caplog.at_level(logging.WARNING):
        found = keys(place)

    assert found == ["a"]
    assert [record.message for record in caplog.records] == ["left out what is damaged"]


def test_what_is_whole_is_taken_up_without_a_warning(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = kept(place, said("a"), said("b"))
    journal.release(2)
    journal.append(said("c"))
    with caplog.at_level(logging.WARNING):
        found = keys(place)

    assert (found, caplog.records) == (["c"], [])


@pytest.mark.parametrize("damage", [b"", b"\0\0\0\x05\0\0\0\0rest!", b"\x81", b"\xff" * 64])
def test_what_nobody_wrote_ends_it(place: Path, damage: bytes) -> None:
    kept(place, said("a"))
    file = journal_path(place)
    file.write_bytes(file.read_bytes().rstrip(b"\0") + damage)

    assert keys(place) == ["a"]


def test_what_stood_there_before_is_not_read_again(place: Path) -> None:
    """Entries of the same length end where the former ones did."""
    journal = kept(place, said("a"), said("b"), said("c"))
    journal.release(3)
    journal.append(said("d"))

    assert keys(place) == ["d"]


def test_the_file_grows_with_what_waits_and_is_small_again_afterwards(place: Path) -> None:
    great, file = 700_000, journal_path(place)
    journal = kept(place, *(said(key, Upload("a", key.encode() * great)) for key in "abc"))
    assert keys(place) == ["a", "b", "c"]

    journal.release(3)
    journal.append(said("d"))
    assert keys(place) == ["d"]
    assert file.stat().st_size < great * 2


def test_what_is_too_great_is_left_to_the_commit(place: Path) -> None:
    journal = kept(place, said("a"))

    assert not journal.append(said("b", Upload("b", bytes(70_000_000))))
    assert journal.append(said("c"))
    assert keys(place) == ["a", "c"]


def test_what_another_version_kept_is_left_out_and_told(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    strange = said("a")
    strange.messages = [message("a")]
    strange.states = {"db.lag": "calm"}  # type: ignore[dict-item]
    kept(place, strange, said("b"))
    with caplog.at_level(logging.WARNING):
        found = keys(place)

    assert found == ["b"]
    assert [record.message for record in caplog.records] == ["left out what another version kept"]


def test_the_file_is_empty_once_all_is_committed_and_gone_at_the_end(place: Path) -> None:
    journal, file = kept(place, said("a"), said("b")), journal_path(place)
    journal.release(1)
    assert len(list(read_journal(file))) == 2

    journal.release(1)
    assert list(read_journal(file)) == []

    journal.close()
    assert not file.exists()


def test_what_is_not_committed_at_the_end_stays(place: Path) -> None:
    kept(place, said("a")).close()

    assert keys(place) == ["a"]


def test_it_goes_on_after_the_end(place: Path) -> None:
    """A function that is cut off may still send a message after the writer has ended."""
    journal = kept(place)
    journal.close()

    assert journal.append(said("late"))
    assert keys(place) == ["late"]


@pytest.mark.parametrize(
    "piece", [Text("\ud800"), Blocks({"n": Word("x")}), Blocks({"n": 2**70}), Upload("x", Path("x"))], ids=repr
)
def test_what_cannot_be_packed_is_left_to_the_commit(place: Path, piece: Piece) -> None:
    journal = FileJournal(journal_path(place))

    assert not journal.append(said("a", piece))
    assert list(read_journal(journal_path(place))) == []


def test_without_a_file_all_goes_on_and_it_is_told_once(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal_path(place).mkdir()
    journal = FileJournal(journal_path(place))
    with caplog.at_level(logging.WARNING):
        answers = [journal.append(said("a")), journal.append(said("b"))]

    assert answers == [False, False]
    assert [record.message for record in caplog.records] == ["a kill may lose what is being said"]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_told_and_not_waited_for(place: Path, make: Callable[[Path], None]) -> None:
    make(journal_path(place))

    with pytest.raises(StoreError, match=r"state\.db\.said: .*It is no file\. Give this user"):
        SqliteStore(place).open()


@dataclass
class Life:
    """The values of one program up to a kill: put in order, kept or not, committed in groups, and released."""

    place: Path
    kit: Kit = field(init=False)
    journal: FileJournal = field(init=False)
    number: int = field(init=False)
    #: What waits to be committed, and whether the journal has it.
    waiting: list[tuple[Batch, bool]] = field(default_factory=list)
    committed: list[bool] = field(default_factory=list)
    #: What each key has by the last word that returned to its caller.
    expected: dict[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kit = Kit(self.place)
        self.begin(self.kit.store.open())

    def begin(self, snapshot: Snapshot) -> None:
        self.journal = FileJournal(journal_path(self.place))
        self.number = number_of(snapshot.entries)

    def put(self, key: str, is_kept: bool) -> None:
        self.number += 1
        value = None if self.number % 5 == 0 else str(self.number)
        hold = {f"job.{key}": Pause(None, value) if value else None}
        batch = Batch(entries=[StoredValue("db", key, value), number_entry(self.number)], holds=hold, at=T)
        assert not is_kept or self.journal.append(batch)
        self.waiting.append((batch, is_kept))

    def commit(self, count: int) -> None:
        group, self.waiting = self.waiting[:count], self.waiting[count:]
        joined = Batch(at=T)
        for batch, is_kept in group:
            join(joined, batch)
            self.committed.append(is_kept)
            self.returned(batch)
        self.kit.store.commit(joined)

    def release(self) -> None:
        self.journal.release(sum(self.committed))
        self.committed.clear()

    def returned(self, batch: Batch) -> None:
        self.expected[batch.entries[0].key] = int(batch.entries[0].value) if batch.entries[0].value else None

    def kill(self) -> tuple[dict[str, int], dict[str, int]]:
        """End it without a word and start the next one; return the values and the pauses that this one has."""
        for batch, is_kept in self.waiting:  # A later word that was not committed has not returned.
            if is_kept:
                self.returned(batch)
        self.waiting.clear()
        self.committed.clear()
        snapshot = self.kit.reopen()
        self.begin(snapshot)
        values = {entry.key: int(entry.value) for entry in snapshot.entries if entry.pack == "db" and entry.value}
        return values, {job.removeprefix("job."): int(hold.by) for job, hold in snapshot.holds.items()}


PUTS = st.tuples(st.just("put"), st.sampled_from("ab"), st.booleans())
ACTS = st.one_of(PUTS, PUTS, st.tuples(st.just("commit"), st.integers(1, 4)), st.just(("release",)), st.just(("kill",)))


@pytest.mark.slow
@given(acts=st.lists(ACTS, max_size=25))
@example(acts=[("put", "a", True), ("put", "a", False), ("commit", 2), ("kill",)])
@example(acts=[("put", "a", True), ("put", "b", True), ("commit", 1), ("kill",), ("put", "a", True), ("kill",)])
def test_no_start_gives_an_older_value_or_pause_than_the_last_that_returned(acts: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        life = Life(Path(folder) / "state.db")
        for name, *words in [*acts, ("kill",)]:
            found = getattr(life, name)(*words)
            if name == "kill":
                expected = {key: value for key, value in life.expected.items() if value is not None}
                assert found == (expected, expected)
        life.kit.close()


@pytest.mark.parametrize("key", ["\ud800", Word("seen")], ids=repr)
def test_a_value_that_cannot_be_packed_is_left_to_the_commit(place: Path, key: str) -> None:
    assert not FileJournal(journal_path(place)).append(
        Batch(entries=[StoredValue("db", key, "1"), number_entry(1)], at=T)
    )


def test_what_a_former_version_kept_has_no_values_and_is_taken_up(place: Path) -> None:
    batch = said("a")
    packed = to_packed((batch.states, batch.seen, batch.records, batch.messages, batch.at))
    journal_path(place).write_bytes(struct.pack(">II", len(packed), crc32(packed)) + packed)

    assert list(read_journal(journal_path(place))) == [batch]


def test_what_a_former_version_kept_has_its_reasons_in_sentences(place: Path) -> None:
    slots = [Record(0, "db.lag", T, Verdict.PAUSED), Record(0, "db.size", T, Verdict.QUIET)]
    sentence = "3 of 3 alerts since 13:32, until 14:32"
    records = [[*each[:15], told, *each[16:19]] for each, told in zip(slots, (sentence, None), strict=True)]
    batch = to_packed(({}, {}, records, [], T, [], {}, []))
    returned = to_packed((*astuple(RETURNED)[:7], "attempt 2 of 3"))
    entries = (struct.pack(">II", len(each), crc32(each)) + each for each in (batch, returned))
    journal_path(place).write_bytes(b"".join(entries))

    assert list(read_journal(journal_path(place))) == [
        Batch(records=[slots[0]._replace(reasons=reasons_of(sentence)), slots[1]], at=T),
        replace(RETURNED, remarks=reasons_of("attempt 2 of 3")),
    ]


RETURNED = Returned(7, "db.lag", T, T + SECOND, timedelta(microseconds=7), tuple(PIECES), {"": 1.0}, REASONS)


def test_what_was_dropped_since_it_was_committed_does_not_come_back(place: Path) -> None:
    kit = Kit(place)
    kit.store.commit(said("a"))
    kit.store.commit(Batch(dropped=[kit.outbox()[0].id]))
    kept(place, said("a"))
    kit.reopen()

    assert kit.waiting() == []
    assert [record.run for record in kit.records()] == [7]
    kit.close()


def test_it_begins_anew_after_it_could_not_grow(place: Path) -> None:
    journal, file = kept(place, said("a")), journal_path(place)
    file.unlink()
    file.mkdir()
    assert not journal.append(said("b", Upload("b", bytes(2_000_000))))

    file.rmdir()
    journal.release(1)
    assert journal.append(said("c"))
    assert keys(place) == ["c"]


def test_a_file_in_use_is_not_cut(place: Path) -> None:
    """Truncating a file ends a process that has it mapped into memory."""
    first = kept(place, said("a"))
    kept(place, said("b"))
    first.release(1)

    assert first.append(said("c"))
    assert keys(place) == ["b"]


def test_what_cannot_be_taken_up_is_told_with_what_to_do(place: Path) -> None:
    Kit(place).close()
    journal_path(place).mkdir()

    with pytest.raises(StoreError, match=r"state\.db\.said: .* move it away"):
        Kit(place)


def test_what_a_run_returned_comes_back_as_it_was(place: Path) -> None:
    journal = FileJournal(journal_path(place))
    bare = Returned(8, "db.lag", T, None, SECOND, ())

    assert journal.append(RETURNED)
    assert journal.append(bare)
    assert list(read_journal(journal_path(place))) == [RETURNED, bare]


def test_a_run_that_only_returned_is_left_to_the_engine(place: Path) -> None:
    kit = Kit(place)
    other = StartedRun(3, "db.size", T, T)
    kit.store.commit(Batch(running=(StartedRun(7, "db.lag", T, T), other)))
    FileJournal(journal_path(place)).append(RETURNED)
    snapshot = kit.reopen()

    assert snapshot.returned == (RETURNED,)
    assert snapshot.running == (other,)
    assert snapshot.last_run == 7
    assert kit.reopen() == snapshot  # Whoever opened it was killed, or had no use for it.

    kit.record(Record(7, "db.lag", T, Verdict.SAID))
    assert kit.reopen().returned == ()
    kit.close()


def test_what_a_run_returned_that_no_store_can_read_is_told_and_left_out(
    place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kit = Kit(place)
    kit.store.commit(Batch(returned=[RETURNED]))
    kit.store.close()
    with closing(sqlite3.connect(place)) as connection:
        connection.execute("UPDATE returned SET content = x'81'")
        connection.commit()
    with caplog.at_level(logging.WARNING):
        snapshot = kit.reopen()

    assert snapshot.returned == ()
    assert [record.message for record in caplog.records] == ["left out what another version kept"]
    kit.close()


def spans(kit: Kit) -> list[tuple[str, int, int]]:
    unaccounted = kit.reopen().unaccounted
    return [(one.job, (one.after - T) // SECOND, (one.until - T) // SECOND) for one in unaccounted]


def test_slots_before_what_was_kept_are_unaccounted_for(place: Path) -> None:
    """Their rows may have waited to be written when the message was in the journal."""
    kit = Kit(place)
    kit.store.commit(Batch(seen={"a": JobProgress(T), "b": JobProgress(T, T + 4 * SECOND)}))
    kit.record(Record(1, "a", T + SECOND, Verdict.QUIET))
    third = Batch(
        seen={"a": JobProgress(T, T + 3 * SECOND)},
        records=[Record(3, "a", T + 3 * SECOND, Verdict.SAID)],
        messages=[message("a3")],
        at=T,
    )
    sixth = Batch(
        seen={"a": JobProgress(T, T + 9 * SECOND)},
        begun=[StartedRun(6, "a", T + 6 * SECOND, T + 6 * SECOND)],
        messages=[message("a6")],
        at=T,
    )
    met = Batch(
        seen={"new": JobProgress(T + 2 * SECOND, T + 5 * SECOND)},
        records=[
            Record(4, "new", T + 5 * SECOND, Verdict.SAID),
            Record(5, "b", T + 2 * SECOND, Verdict.SAID),
            Record(0, "exec", T + 5 * SECOND, Verdict.ERROR),
            Record(7, "b", T + 8 * SECOND, Verdict.SAID, asked_by="ann"),
        ],
        messages=[message("new")],
        at=T,
    )
    kept(place, third, sixth, met)

    assert spans(kit) == [("a", 1, 3), ("a", 3, 6), ("new", 2, 5)]
    snapshot = kit.reopen()
    assert snapshot.running == tuple(sixth.begun)
    # What it is accounted for, its rows tell: those of later slots may be lost as well.
    assert snapshot.seen["a"] == JobProgress(T, T + 3 * SECOND)
    assert snapshot.seen["new"].first == T + 2 * SECOND

    kit.store.commit(Batch(accounted=["a", "new"]))
    assert spans(kit) == []
    kit.close()


def test_what_an_earlier_version_kept_is_taken_up(place: Path) -> None:
    """It noted how far the job was accounted for, and no run that began."""
    batch = said("a")
    former = {
        "key": "db.lag@2026/7#1", "to": DEV, "piece": Text("a"), "slot": T, "run": 7, "manner": "reply", "root": "root",
    }  # fmt: skip
    entry = to_packed((batch.states, batch.seen, batch.records, [former], batch.at))
    journal_path(place).write_bytes(struct.pack(">II", len(entry), crc32(entry)) + entry)
    kit = Kit(place)

    (left,) = kit.outbox()
    assert left.message == replace(batch.messages[0], key="db.lag@2026/7#1", origin=RunPart("db.lag", T, 7, 1))
    assert [record.run for record in kit.records()] == [7]
    assert kit.reader.snapshot().states == batch.states
    kit.close()


def test_a_run_of_which_more_is_known_is_not(place: Path) -> None:
    kit = Kit(place)
    recorded = replace(RETURNED, run=6)
    kit.record(Record(6, "db.lag", T, Verdict.SAID))
    journal = FileJournal(journal_path(place))
    for one in (recorded, RETURNED, said("a", run=7)):
        journal.append(one)

    assert kit.reopen().returned == ()
    assert kit.waiting() == ["a"]
    kit.close()


def test_a_message_that_is_said_once_only_is_not_said_again(place: Path) -> None:
    kit = Kit(place)
    kit.enqueue(message("overlaps/7", OPS))
    kit.mark(kit.outbox()[0].id, Status.SENT)
    kept(place, Batch(messages=[message("overlaps/7", OPS)], at=T))
    kit.reopen()

    assert kit.waiting() == []
    kit.store.prune(T, HistoryLimits())
    kit.close()


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: type(piece).__name__)
def test_what_a_former_version_kept_is_read(piece: Piece) -> None:
    batch, returned = said("a", piece), Returned(7, "db.lag", T, None, SECOND, (piece,), {"x": 1.5}, REASONS)
    former = {**asdict(batch.messages[0]), "to": asdict(DEV), "piece": untagged(piece)}
    fields = [*astuple(returned)]
    fields[5] = [untagged(piece)]

    read = unpacked(to_packed((batch.states, batch.seen, batch.records, [former], batch.at)))

    assert isinstance(read, Batch)
    assert (read.messages, read.records) == (batch.messages, batch.records)
    assert unpacked(to_packed(fields)) == returned


def asked(number: int, run: int = 0) -> AskedCommand:
    by, to = Identity("slack", "T1", "U1", "Ann"), ReplyTo(DEV, "1.000001")
    later = T + SECOND if run else None
    return AskedCommand((f"{number}.1", "Ev1"), T, by, to, "deploy", "slack.socket", number, run, not_before=later)


def test_what_people_asked_for_comes_back_as_it_was(place: Path) -> None:
    batches = [
        Batch(asked=[asked(1)], inbound=[("1.1", T), ("Ev1", T + SECOND)], at=T),
        Batch(asked=[asked(2, run=9)], at=T),
        Batch(settled=[1, 2], audit=[entry(9)], at=T),
    ]
    kept(place, *batches)

    assert list(read_journal(journal_path(place))) == batches


def test_the_next_start_knows_what_people_asked_for_and_what_came_in(place: Path) -> None:
    kept(
        place,
        Batch(asked=[asked(1)], inbound=[("1.1", T)], at=T, entries=[number_entry(1)]),
        Batch(asked=[asked(2)], inbound=[("2.1", T)], at=T, entries=[number_entry(2)]),
        Batch(asked=[asked(1, run=9)], at=T, entries=[number_entry(3)]),
        Batch(settled=[2], audit=[entry(8)], at=T, entries=[number_entry(4)]),
    )
    kit = Kit(place)
    snapshot = kit.reader.snapshot()
    audited = list(kit.reader.audit(since=None, limit=None))
    kit.close()

    assert (snapshot.asked, list(snapshot.inbound)) == ((asked(1, run=9),), ["1.1", "2.1"])
    assert (snapshot.last_event, snapshot.last_run, len(audited)) == (2, 9, 1)


def test_a_command_that_was_settled_since_does_not_come_back(place: Path) -> None:
    """The journal was not emptied before the kill: the settlement is in the database already."""
    before = [Batch(asked=[asked(1)], at=T, entries=[number_entry(1)]), Batch(settled=[1], audit=[entry(1)], at=T)]
    before[1].entries = [number_entry(2)]
    kit = Kit(place)
    for batch in before:
        kit.store.commit(batch)
    kit.close()
    kept(place, *before)
    kit = Kit(place)
    snapshot, audited = kit.reader.snapshot(), list(kit.reader.audit(since=None, limit=None))
    kit.close()

    assert snapshot.asked == ()
    assert len(audited) == 1
